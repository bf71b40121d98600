/** What a running phone shows, for whoever writes a flow: which elements a step means right now, and what could be meant. */
import type { z } from "zod";
import type { FlowMatches, matchesInput, ScreenWords } from "../../shared/automations.ts";
import { resolveSelector } from "../../shared/flows/match.ts";
import type { FlowHeader, Template } from "../../shared/flows/model.ts";
import { selectorOf, stepAt } from "../../shared/flows/step-at.ts";
import { splitTemplate } from "../../shared/flows/template.ts";
import type { PhoneId } from "../../shared/ids.ts";
import type { UiElement } from "../../shared/ui-tree.ts";
import { PerchError } from "../errors.ts";
import type { PhoneAutomation } from "../phones/automation-port.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import { cssOf } from "./engine/lookup.ts";
import type { FindElements } from "./engine/ports.ts";

export interface ScreenLooks {
  matches(scope: TeamScope, input: z.output<typeof matchesInput>): Promise<FlowMatches>;
  onScreen(scope: TeamScope, id: PhoneId): Promise<ScreenWords>;
}

/** More outlines than these say nothing. */
const MOST_MATCHES = 50;
const MOST_WORDS = 300;
const LONGEST_WORDS = 120;

export function createScreenLooks(options: {
  /** @throws PerchError `not_found`, `phone_not_running` or `capability_missing` */
  phone: (scope: TeamScope, id: PhoneId) => Promise<PhoneAutomation>;
  find: FindElements;
}): ScreenLooks {
  return {
    async matches(scope, { phoneId, source, line }) {
      const automation = await options.phone(scope, phoneId);
      const found = stepAt(source, line);
      if (found === undefined) return { matches: [], count: 0 };
      const { step, header } = found;
      const selector = selectorOf(step);
      const place = { path: step.path, line: step.place.line, selects: selector !== undefined };
      if (selector === undefined) return { step: place, matches: [], count: 0 };
      const none = (note: string): FlowMatches => ({ step: place, matches: [], count: 0, note });
      const { point, ...asked } = selector;
      if (Object.keys(asked).length === 0) return none(`It means the place ${point ?? ""}, whatever is there.`);
      const unknown = new Set<string>();
      const resolved = await resolveSelector(asked, (template) => expand(template, header, unknown));
      const [first] = unknown;
      if (first !== undefined) return none(`\${${first.slice(0, 60)}} has a value only while it runs.`);
      try {
        const tree = await automation.elements(phoneId);
        const refs = new Set<string>();
        for (const css of cssOf(resolved)) for (const ref of await automation.findByCss(phoneId, css)) refs.add(ref);
        const all = options.find(tree, resolved, refs);
        return {
          step: place,
          count: all.length,
          matches: all.slice(0, MOST_MATCHES).map((element) => ({ bounds: element.bounds, words: wordsOf(element) })),
          ...(tree.note !== undefined && { note: tree.note }),
        };
      } catch (error) {
        if (error instanceof PerchError && error.code === "bad_input") return none(error.message);
        throw error;
      }
    },
    async onScreen(scope, phoneId) {
      const automation = await options.phone(scope, phoneId);
      const { root } = await automation.elements(phoneId);
      const texts = new Set<string>();
      const ids = new Set<string>();
      const open: UiElement[] = [root];
      for (let next = open.pop(); next !== undefined; next = open.pop()) {
        for (const text of [next.text, next.hint, next.accessibilityText]) if (isWords(text)) texts.add(text.trim());
        if (isWords(next.id)) ids.add(next.id);
        open.push(...next.children.toReversed());
      }
      return { texts: [...texts].slice(0, MOST_WORDS), ids: [...ids].slice(0, MOST_WORDS) };
    },
  };
}

function isWords(text: string): boolean {
  return text.trim() !== "" && text.length <= LONGEST_WORDS && !text.includes("\n");
}

function wordsOf({ text, accessibilityText, hint, id, role }: UiElement): string {
  const words = [text, accessibilityText, hint, id, role].find((one) => one.trim() !== "") ?? "element";
  return words.replaceAll(/\s+/g, " ").trim().slice(0, LONGEST_WORDS);
}

/** A name, or a name with what stands in for it: `NAME || 'x'`. */
const SIMPLE = /^\s*([A-Za-z_$][\w$]*)\s*(?:(?:\|\||\?\?)\s*(?:"([^"\\]*)"|'([^'\\]*)')\s*)?$/;
const DEEPEST = 4;

/** With the header's own values. What only a run knows is added to `unknown`. */
function expand(template: Template, header: FlowHeader, unknown: Set<string>, depth = 0): string {
  return splitTemplate(template)
    .map((part) => {
      if (part.kind === "literal") return part.text;
      const [, name, double, single] = SIMPLE.exec(part.source) ?? [];
      const value =
        name === undefined || depth > DEEPEST
          ? undefined
          : (own(header.env, name) ?? header.inputs.find((input) => input.name === name)?.default);
      if (value !== undefined) return expand(value, header, unknown, depth + 1);
      const standIn = header.secrets.some((secret) => secret === name) ? undefined : (double ?? single);
      if (standIn === undefined) unknown.add(part.source.trim());
      return standIn ?? "";
    })
    .join("");
}

function own(values: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}
