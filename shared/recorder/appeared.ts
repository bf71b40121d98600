/** What came with a step, for "assert this": texts of the screen after it that were not there before. */
import type { Proposal } from "../recording-model.ts";
import type { UiElement, UiTree } from "../ui-tree.ts";
import { candidatesFor, wordsFirst } from "./candidates.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { isField, walk } from "./walk.ts";

const MOST = 3;
const LONGEST_TEXT = 40;
const ROLES: readonly string[] = ["alert", "status", "dialog", "heading"];

/** At most three, the most telling first. Only what is found by what it says, and says it alone. */
export function appeared(before: UiTree, after: UiTree): readonly Proposal[] {
  const known = new Set(walk(before).elements.map(({ text }) => text));
  return walk(after)
    .elements.filter(
      (one) => one.text !== "" && one.text.length <= LONGEST_TEXT && !isField(one) && !known.has(one.text),
    )
    .sort((a, b) => weight(a) - weight(b))
    .slice(0, MOST * 3)
    .flatMap((one): Proposal[] => {
      const { x, y, width, height } = one.bounds;
      const candidates = wordsFirst(candidatesFor(after, one, { x: x + width / 2, y: y + height / 2 }));
      const kind = candidates[0]?.kind;
      if (kind !== "text" && kind !== "label") return [];
      return [{ words: one.text.replaceAll("\n", " "), candidates, fingerprint: fingerprintOf(one, after) }];
    })
    .slice(0, MOST);
}

function weight({ role, text }: UiElement): number {
  const place = ROLES.indexOf(role);
  return (place === -1 ? ROLES.length : place) + (/\d/.test(text) ? 0.5 : 0);
}
