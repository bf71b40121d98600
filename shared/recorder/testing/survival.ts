/**
 * How well recorded steps survive a change of the page: every element of the screens in `trees.ts` is recorded, the
 * screen is changed in one way, and what each selector then finds is compared with what was recorded.
 */
import { findElements } from "../../flows/match.ts";
import type { Selector } from "../../flows/model.ts";
import { type Candidate, SELECTOR_KINDS, type SelectorKind } from "../../recording-model.ts";
import type { UiElement, UiTree } from "../../ui-tree.ts";
import { candidatesFor } from "../candidates.ts";
import { touchTarget } from "../hit-test.ts";
import { KIND_WORDS } from "../step-words.ts";
import { isField, isWithin, walk } from "../walk.ts";
import { HEIGHT, SCREENS, WIDTH } from "./trees.ts";

type Change = (element: UiElement) => UiElement;

/** Every element, from the inside out. */
function each(tree: UiTree, change: Change): UiTree {
  const visit = (element: UiElement): UiElement => change({ ...element, children: element.children.map(visit) });
  return { ...tree, root: visit(tree.root) };
}

function shifted(element: UiElement, by: number): UiElement {
  const { bounds, children } = element;
  return {
    ...element,
    bounds: { ...bounds, y: bounds.y + by / HEIGHT },
    children: children.map((child) => shifted(child, by)),
  };
}

const bare: Omit<UiElement, "ref" | "bounds" | "children"> = {
  role: "generic",
  text: "",
  hint: "",
  accessibilityText: "",
  id: "",
  enabled: true,
  selected: false,
  checked: false,
  focused: false,
  clickable: false,
  password: false,
};
const WRAPPER = "wrapper";
const COPY = "copy";

const inWords = (text: string, change: (text: string) => string) => (text === "" ? "" : change(text));
/** Other letters for every word, the same each time. */
const translate = (text: string) =>
  text.replaceAll(/\p{L}/gu, (letter) => String.fromCodePoint(0x430 + ((letter.codePointAt(0) ?? 0) % 32)));
const texts =
  (change: (text: string) => string): Change =>
  (element) => ({
    ...element,
    text: isField(element) ? element.text : inWords(element.text, change),
    hint: inWords(element.hint, change),
    accessibilityText: inWords(element.accessibilityText, change),
  });

/** `target` is the element a step was recorded on. */
export const MUTATIONS: Readonly<Record<string, (tree: UiTree, target: UiElement) => UiTree>> = {
  unchanged: (tree) => tree,
  "ids removed": (tree) => each(tree, (element) => ({ ...element, id: "" })),
  "ids made anew": (tree) =>
    each(tree, (element) => ({ ...element, id: element.id === "" ? "" : `x${element.ref}-${element.id.length}9137` })),
  "its text changed": (tree, target) =>
    each(tree, (element) =>
      isWithin(walk(tree), walk(tree).byRef.get(element.ref) ?? element, target)
        ? texts((text) => `${text} now`)(element)
        : element,
    ),
  "numbers changed": (tree) =>
    each(
      tree,
      texts((text) => text.replaceAll(/\d/g, (digit) => String((Number(digit) + 3) % 10))),
    ),
  translated: (tree) => each(tree, texts(translate)),
  "nodes wrapped": (tree) =>
    each(tree, (element) => ({
      ...element,
      children: element.children.map((child) => ({
        ...bare,
        ref: `${WRAPPER}-${child.ref}`,
        bounds: child.bounds,
        children: [child],
      })),
    })),
  "lists reordered": (tree) => each(tree, reordered),
  "one more before it": (tree, target) => doubled(tree, target, "before"),
  "one more after it": (tree, target) => doubled(tree, target, "after"),
  "pushed down": (tree) => ({
    ...tree,
    root: { ...tree.root, children: tree.root.children.map((child) => shifted(child, 64)) },
  }),
};

/** The item the target is in stands there twice; what comes after it moves down. */
function doubled(tree: UiTree, target: UiElement, copy: "before" | "after"): UiTree {
  const all = walk(tree);
  const item = itemOf(tree, target);
  const by = Math.round(item.bounds.height * HEIGHT) + 10;
  const holds = (element: UiElement) => isWithin(all, item, all.byRef.get(element.ref) ?? element);
  return each(tree, (element) => {
    if (element.ref === item.ref || !holds(element)) return element;
    const children = element.children.flatMap((child) => {
      if (child.ref === item.ref)
        return copy === "before" ? [renamed(child), shifted(child, by)] : [child, shifted(renamed(child), by)];
      return [child.bounds.y > item.bounds.y && !holds(child) ? shifted(child, by) : child];
    });
    return { ...element, children };
  });
}

/** The list's items in another order, each in the place of another. */
function reordered(element: UiElement): UiElement {
  const items = element.children;
  if (items.length < 3 || new Set(items.map(({ role }) => role)).size !== 1) return element;
  const turned = items.map((_, index) => items[(index + 1) % items.length] ?? items[0]);
  return {
    ...element,
    children: items.flatMap((place, index) => {
      const item = turned[index];
      return item === undefined ? [] : [shifted(item, Math.round((place.bounds.y - item.bounds.y) * HEIGHT))];
    }),
  };
}

/** What is repeated on such a screen: the item of a list, else the element itself. */
function itemOf(tree: UiTree, target: UiElement): UiElement {
  const { parents } = walk(tree);
  for (let at: UiElement | undefined = target; at !== undefined; at = parents.get(at)) {
    if (at.role === "listitem" || at.role === "row") return at;
  }
  return target;
}

/** A copy says the same but for its heading. */
function renamed(element: UiElement): UiElement {
  return {
    ...element,
    ref: `${COPY}-${element.ref}`,
    id: "",
    text: element.role === "heading" ? `Another ${element.text}` : element.text,
    children: element.children.map(renamed),
  };
}

/** The way down from the nearest id, in numbers: what a page's own CSS selector says, without kinds of elements. */
function placeOf(tree: UiTree, element: UiElement): string {
  const { parents } = walk(tree);
  const way: number[] = [];
  let at = element;
  for (let up = parents.get(at); up !== undefined && at.id === ""; up = parents.get(at)) {
    way.unshift(up.children.indexOf(at));
    at = up;
  }
  return [at.id === "" ? "body" : `#${at.id}`, ...way].join(" ");
}

function atPlace(tree: UiTree, css: string): ReadonlySet<string> {
  const [from = "", ...way] = css.split(" ");
  const start = from === "body" ? tree.root : walk(tree).elements.find(({ id }) => `#${id}` === from);
  const found = way.reduce<UiElement | undefined>((at, index) => at?.children[Number(index)], start);
  return new Set(found === undefined ? [] : [found.ref]);
}

function look(tree: UiTree, selector: Selector): readonly UiElement[] {
  return findElements(tree, selector, selector.css === undefined ? undefined : atPlace(tree, selector.css));
}

export type Outcome = "same" | "other" | "none";

function finds(tree: UiTree, selector: Selector): UiElement | undefined {
  const { point, ...rest } = selector;
  if (Object.keys(rest).length > 0) return look(tree, rest)[0];
  const [x = 0, y = 0] = (point ?? "").split(",").map((part) => Number.parseFloat(part) / 100);
  return touchTarget(tree, { x, y });
}

function outcome(tree: UiTree, selector: Selector, target: UiElement): Outcome {
  const found = finds(tree, selector);
  if (found === undefined) return "none";
  const all = walk(tree);
  const there = all.byRef.get(target.ref);
  return there !== undefined &&
    (isWithin(all, found, there) || (selector.point !== undefined && isWithin(all, there, found)))
    ? "same"
    : "other";
}

/** As a run does it: the chosen one, and only if that finds nothing, others that find one thing. */
function rankedOutcome(tree: UiTree, candidates: readonly Candidate[], target: UiElement): Outcome {
  const [first, ...others] = candidates;
  if (first === undefined) return "none";
  const chosen = outcome(tree, first.selector, target);
  if (chosen !== "none") return chosen;
  for (const { selector } of others) {
    if (selector.point !== undefined || look(tree, selector).length !== 1) continue;
    return outcome(tree, selector, target);
  }
  return "none";
}

export interface Tally {
  same: number;
  other: number;
  none: number;
}
export type Row = Record<string, Tally>;
export interface Survival {
  readonly recordings: number;
  readonly kinds: ReadonlyMap<SelectorKind, Row>;
  readonly ranked: Row;
}

export function measureSurvival(): Survival {
  const kinds = new Map<SelectorKind, Row>();
  const ranked: Row = {};
  let recordings = 0;
  const count = (row: Row, mutation: string, result: Outcome) => {
    row[mutation] ??= { same: 0, other: 0, none: 0 };
    row[mutation][result] += 1;
  };
  for (const make of Object.values(SCREENS)) {
    const tree = make();
    for (const target of new Set(walk(tree).elements.flatMap((element) => touched(tree, element) ?? []))) {
      recordings += 1;
      const { x, y, width, height } = target.bounds;
      const middle = { x: x + width / 2, y: y + height / 2 };
      const candidates = candidatesFor(tree, target, middle, placeOf(tree, target));
      for (const [name, mutate] of Object.entries(MUTATIONS)) {
        const changed = mutate(tree, target);
        for (const { kind, selector } of candidates) {
          const row = kinds.get(kind) ?? {};
          kinds.set(kind, row);
          count(row, name, outcome(changed, selector, target));
        }
        count(ranked, name, rankedOutcome(changed, candidates, target));
      }
    }
  }
  return { recordings, kinds, ranked };
}

/** What a finger in the middle of an element means; nothing for bare containers. */
function touched(tree: UiTree, { bounds, clickable, text }: UiElement): UiElement | undefined {
  if (!clickable && text === "") return undefined;
  const { x, y, width, height } = bounds;
  if (width === WIDTH) return undefined;
  return touchTarget(tree, { x: x + width / 2, y: y + height / 2 });
}

/** The text of `docs/recorder.md`. */
export function recorderDocument(): string {
  const survival = measureSurvival();
  return `# How recorded steps survive a change of the page

Made by \`npm run docs:generate\` from \`shared/recorder/testing/survival.ts\`; a test holds it up to date. Every element a
finger can mean on three screens (a shop, a sign-in form, settings) is recorded: ${survival.recordings} steps. Then the screen is changed in one
way and each selector looks for its element again, with the matcher that runs use.

Each number is how many of 100 find the same element; in brackets how many find another one, the rest finds nothing.
"Steps" is how many of the recorded steps have such a selector. The first line is what a run does: the best selector, and
only when that finds nothing, the next that finds exactly one element. Places are not among those. (A run also asks that
what it finds is like what was recorded, and then proposes it or, with \`limits.healing: auto\`, uses it.)

${survivalTable(survival)}

What it says: ids and labels carry a step over most changes, texts over all but their own. A text that stands there once more
names the first of its kind, so an exact copy put before an element is taken for it unless that has an id. Where several
elements share a name, the recorder names them by what stands beside or around them; numbers in a list are the last resort,
because they mean another element once the list is reordered. When words change, the place in the page (a CSS selector,
played here on the tree) still finds the element, until something is put around it.
`;
}

function survivalTable({ kinds, ranked }: Survival): string {
  const names = Object.keys(MUTATIONS);
  const cell = (tally: Tally | undefined) => {
    if (tally === undefined) return "";
    const all = tally.same + tally.other + tally.none;
    return `${Math.round((100 * tally.same) / all)}${tally.other > 0 ? ` (${Math.round((100 * tally.other) / all)})` : ""}`;
  };
  const line = (title: string, steps: number, row: Row) =>
    `| ${[title, steps, ...names.map((name) => cell(row[name]))].join(" | ")} |`;
  const sum = (row: Row) => {
    const first = row["unchanged"];
    return first === undefined ? 0 : first.same + first.other + first.none;
  };
  return [
    `| Selector | Steps | ${names.join(" | ")} |`,
    `|---|${"---:|".repeat(names.length + 1)}`,
    line("**as recorded, with fallbacks**", sum(ranked), ranked),
    ...SELECTOR_KINDS.flatMap((kind) => {
      const row = kinds.get(kind);
      return row === undefined ? [] : [line(KIND_WORDS[kind], sum(row), row)];
    }),
  ].join("\n");
}
