/** Finding elements on a screen that changes, and the places a finger goes. */
import { resolveSelector } from "../../../shared/flows/match.ts";
import type { Condition, Selector } from "../../../shared/flows/model.ts";
import type { UiElement, UiTree } from "../../../shared/ui-tree.ts";
import type { UiTarget } from "../../phones/automation-port.ts";
import type { StepContext } from "./context.ts";
import { type Looked, StepFailure } from "./failures.ts";
import { heal } from "./healing.ts";
import { isTruthy, quoted, selectorWords } from "./words.ts";

const POLL_MS = 100;
const SETTLE_MS = 1_000;
const LONGEST_SETTLE_MS = 30_000;

/** What a look-up needs; conditions are looked up without a step of their own. */
export type LookupContext = Pick<StepContext, "phone" | "find" | "pace" | "signal" | "expand" | "lastChange">;

export interface Found {
  readonly element: UiElement;
  readonly tree: UiTree;
  /** How many fit. */
  readonly count: number;
}

/** What fits on the screen as it is now. */
export async function lookOnce(at: LookupContext, selector: Selector): Promise<Found | undefined> {
  return (await look(at, selector)).found;
}

/** True when nothing fits; what could not be read may hold anything. */
export async function isGone(at: LookupContext, selector: Selector): Promise<true | undefined> {
  const { found, tree } = await look(at, selector);
  return found === undefined && tree.unread !== true ? true : undefined;
}

async function look(at: LookupContext, selector: Selector): Promise<{ found: Found | undefined; tree: UiTree }> {
  const resolved = await resolveSelector(selector, at.expand);
  const tree = await at.phone.elements();
  const cssRefs = new Set<string>();
  for (const css of cssOf(resolved)) for (const ref of await at.phone.findByCss(css)) cssRefs.add(ref);
  const fitting = at.find(tree, resolved, cssRefs);
  const [element] = fitting;
  return { found: element && { element, tree, count: fitting.length }, tree };
}

/** Every CSS selector in a selector. */
export function cssOf(selector: Selector): readonly string[] {
  const { css, below, above, leftOf, rightOf, containsChild, containsDescendants = [], childOf } = selector;
  const others = [below, above, leftOf, rightOf, containsChild, childOf, ...containsDescendants];
  return [...(css === undefined ? [] : [css]), ...others.flatMap((other) => (other === undefined ? [] : cssOf(other)))];
}

/** Looks until `done` says so or the time is over; at least once. */
export async function poll<T>(
  at: Pick<LookupContext, "pace" | "signal">,
  withinMs: number,
  look: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const until = at.pace.now() + withinMs;
  for (;;) {
    at.signal.throwIfAborted();
    const found = await look();
    if (found !== undefined) return found;
    const left = until - at.pace.now();
    if (left <= 0) return undefined;
    await at.pace.sleep(Math.min(POLL_MS, left), at.signal);
  }
}

/** What is left of a look-up's time, counted from the last step that changed the screen, as Maestro does. */
export function timeLeft(at: Pick<LookupContext, "pace" | "lastChange">, ms: number): number {
  return Math.max(0, ms - (at.pace.now() - at.lastChange));
}

/** Looks for an element again and again; from half of the time on also for what was recorded beside the step. */
export function looking(at: StepContext, selector: Selector, ms: number): () => Promise<Found | undefined> {
  const { fallbacks } = at;
  const halfway = at.pace.now() + ms / 2;
  const { point: _, ...element } = selector;
  return async () => {
    const found = await lookOnce(at, element);
    if (found !== undefined || fallbacks?.target !== selector || !fallbacks.mayApply) return found;
    if (at.pace.now() < halfway && fallbacks.found === undefined) return undefined;
    const healed = await heal(fallbacks, (other) => lookOnce(at, other));
    return fallbacks.found?.applied === true ? healed : undefined;
  };
}

/** Waits for an element. @throws StepFailure `element_not_found` */
export async function findElement(at: StepContext, selector: Selector, withinMs?: number): Promise<Found> {
  const ms = withinMs ?? timeLeft(at, at.lookupMs);
  const found = await poll(at, ms, looking(at, selector, ms));
  if (found !== undefined) return found;
  throw await missed(at, selector, "element_not_found", `${selectorWords(selector)} did not appear in ${seconds(ms)}.`);
}

/** The failure of a look-up, with what was looked for. */
export async function missed(
  at: Pick<StepContext, "expand" | "hands">,
  selector: Selector,
  code: "element_not_found" | "element_covered" | "assertion",
  message: string,
  more: Partial<Pick<Looked, "wanted" | "covered">> = {},
): Promise<StepFailure> {
  const tree = at.hands.lastTree();
  const unread = `Whether ${selectorWords(selector)} is on the screen cannot be told. ${tree?.note ?? ""}`;
  const failure = new StepFailure(code, tree?.unread === true ? unread.trim() : message);
  failure.looked = { selector, resolved: await resolveSelector(selector, at.expand), wanted: "visible", ...more };
  return failure;
}

/** Whether a condition holds, waited for at most `withinMs`. All of its parts must. */
export async function conditionHolds(at: LookupContext, condition: Condition, withinMs: number): Promise<boolean> {
  const { visible, notVisible, platform } = condition;
  if (platform !== undefined && platform.toLowerCase() !== (at.phone.can.apps ? "android" : "web")) return false;
  if (condition.true !== undefined && !isTruthy(await at.expand(condition.true))) return false;
  if (visible !== undefined && (await poll(at, withinMs, () => lookOnce(at, visible))) === undefined) return false;
  if (notVisible === undefined) return true;
  return (await poll(at, withinMs, () => isGone(at, notVisible))) === true;
}

export interface TouchPlace {
  readonly x: number;
  readonly y: number;
  /** Undefined for a place on the screen. */
  readonly element: UiElement | undefined;
}

/**
 * The place to touch: found anew, brought into view, at rest and not covered by anything. While something lies over it
 * this waits. @throws StepFailure `element_not_found` or `element_covered`
 */
export async function touchPlace(at: StepContext, selector: Selector, settleMs?: number): Promise<TouchPlace> {
  const { point, ...rest } = selector;
  if (point !== undefined && Object.keys(rest).length === 0) {
    await at.phone.opened(at.lookupMs);
    return { ...screenPoint(await at.expand(point), at.phone.size()), element: undefined };
  }
  const ms = timeLeft(at, at.lookupMs);
  const settle = Math.min(settleMs ?? SETTLE_MS, LONGEST_SETTLE_MS);
  let cover: Looked["covered"];
  const look = looking(at, selector, ms);
  const place = await poll(at, ms, async (): Promise<TouchPlace | undefined> => {
    let found = await look();
    let target = found && (await at.phone.target(found.element.ref, settle));
    if (found !== undefined && target === undefined) {
      // Some pages make their elements anew all the time: one that came back to the same place stands still.
      const { x, y } = found.element.bounds;
      found = await look();
      const same = found?.element.bounds.x === x && found.element.bounds.y === y;
      target = found && (await at.phone.target(found.element.ref, same ? 0 : settle));
    }
    cover = found && target?.coveredBy !== undefined ? { ref: found.element.ref, by: target.coveredBy } : undefined;
    if (found === undefined || target === undefined || target.coveredBy !== undefined) return undefined;
    const spot = point === undefined ? target.point : elementPoint(await at.expand(point), target, at.phone.size());
    return { x: spot.x, y: spot.y, element: found.element };
  });
  if (place !== undefined) return place;
  if (cover !== undefined) {
    const words = `${selectorWords(selector)} is there, but ${quoted(cover.by, 80)} lies over it. Close that first.`;
    throw await missed(at, selector, "element_covered", words, { covered: cover });
  }
  throw await missed(at, selector, "element_not_found", `${selectorWords(selector)} did not appear in ${seconds(ms)}.`);
}

/** "50%,50%" or "100,200" (CSS pixels) as fractions of the screen. @throws StepFailure */
export function screenPoint(text: string, size: { width: number; height: number }): { x: number; y: number } {
  const { x, y } = parsePoint(text);
  return {
    x: within(x.percent ? x.value / 100 : x.value / size.width),
    y: within(y.percent ? y.value / 100 : y.value / size.height),
  };
}

/** The same within an element, percentages and pixels counted from its top left. */
function elementPoint(text: string, { bounds }: UiTarget, size: { width: number; height: number }) {
  const { x, y } = parsePoint(text);
  return {
    x: within(bounds.x + (x.percent ? (x.value / 100) * bounds.width : x.value / size.width)),
    y: within(bounds.y + (y.percent ? (y.value / 100) * bounds.height : y.value / size.height)),
  };
}

function parsePoint(text: string) {
  const match = /^\s*(-?\d+(?:\.\d+)?)(%?)\s*,\s*(-?\d+(?:\.\d+)?)(%?)\s*$/.exec(text);
  if (match === null) {
    throw new StepFailure("phone_cannot", `A point looks like "50%,50%" or "100,200", not "${quoted(text, 60)}".`);
  }
  return {
    x: { value: Number(match[1]), percent: match[2] === "%" },
    y: { value: Number(match[3]), percent: match[4] === "%" },
  };
}

const within = (fraction: number) => Math.min(Math.max(fraction, 0), 0.9999);

export function seconds(ms: number): string {
  const rounded = Math.round(ms / 100) / 10;
  return rounded === 1 ? "1 second" : `${rounded} seconds`;
}
