/**
 * What was recorded beside a step's selector (`x-targets`), for when that finds nothing. A fallback counts if it finds
 * one element only and that is like the recorded one; it is never used silently.
 */
import type { StepHealing } from "../../../shared/automation-model.ts";
import { SAME_ELEMENT, similarity } from "../../../shared/flows/fingerprint.ts";
import { healedFlow, targetOf } from "../../../shared/flows/heal.ts";
import type { Flow, Selector, Step, StepTargets } from "../../../shared/flows/model.ts";
import { allSteps, stepKey } from "../../../shared/flows/targets.ts";
import type { UiElement, UiTree } from "../../../shared/ui-tree.ts";
import { selectorWords } from "./words.ts";

/** One step's recorded targets while it runs. */
export interface Fallbacks {
  /** The step's own selector; look-ups of any other are not healed. */
  readonly target: Selector;
  /** May the step go on with what a fallback finds? Else it is only proposed. */
  readonly mayApply: boolean;
  readonly step: Step;
  readonly recorded: StepTargets;
  found?: { readonly fallback: number; readonly similarity?: number; readonly applied: boolean };
}

interface Seen {
  readonly element: UiElement;
  readonly tree: UiTree;
  readonly count: number;
}

/** The fallbacks of steps as they begin. */
export function openHealing(flow: Flow): (step: Step) => Fallbacks | undefined {
  const { limits, targets } = flow.header;
  const mode = limits.healing ?? "suggest";
  if (mode === "off" || targets.length === 0) return () => undefined;
  const byKey = new Map(targets.map((recorded) => [recorded.key, recorded]));
  // By the step itself: one of another file may have the same place and words.
  const known = new Map<Step, StepTargets>();
  for (const step of allSteps(flow)) {
    const recorded = byKey.get(stepKey(step));
    if (recorded !== undefined) known.set(step, recorded);
  }
  return (step) => {
    const recorded = known.get(step);
    const target = targetOf(step.command)?.selector;
    // An optional step may miss its target: that is what it is for.
    if (recorded === undefined || target === undefined || step.optional) return undefined;
    const asserts = step.command.name === "assertVisible" || step.command.name === "extendedWaitUntil";
    return { target, mayApply: mode === "auto" && !asserts, step, recorded };
  };
}

/** What a fallback finds on the screen as it is. `look` gives what fits a selector now. */
export async function heal<T extends Seen>(
  fallbacks: Fallbacks,
  look: (selector: Selector) => Promise<T | undefined>,
): Promise<T | undefined> {
  const { selectors, fingerprint } = fallbacks.recorded;
  for (const [fallback, selector] of selectors.entries()) {
    // A place on the screen says nothing about what is there.
    if (selector.point !== undefined) continue;
    const seen = await look(selector).catch(() => undefined);
    if (seen === undefined || seen.count !== 1) continue;
    const alike = fingerprint && similarity(fingerprint, seen.element, seen.tree);
    if (alike !== undefined && alike < SAME_ELEMENT) continue;
    const applied = fallbacks.mayApply && alike !== undefined;
    fallbacks.found = { fallback, ...(alike !== undefined && { similarity: alike }), applied };
    return seen;
  }
  return undefined;
}

/** What the report keeps of it: the selector to write instead, as a change of the flow's text. */
export function proposal({ found, recorded, step }: Fallbacks, source: string): StepHealing | undefined {
  const selector = found && recorded.selectors[found.fallback];
  if (found === undefined || selector === undefined) return undefined;
  const healed = healedFlow(source, step.path, found.fallback);
  const { line, column } = healed ?? step.place;
  return {
    ...found,
    selector: selectorWords(selector),
    line,
    column,
    ...(healed !== undefined && { diff: healed.diff }),
  };
}

/** For the step's line in reports. */
export function healingWords({ selector, similarity: alike, applied }: StepHealing, target: Selector): string {
  const like = alike === undefined ? "" : `, ${Math.floor(alike * 100)} % like the recorded one`;
  return applied
    ? `${selectorWords(target)} was not there; ${selector} was used${like}.`
    : `Recorded beside it, ${selector} finds one element${like}.`;
}
