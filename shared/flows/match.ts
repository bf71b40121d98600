/** Which elements of a screen a selector means, as Maestro finds them (research/automation.md §1.4). */
import type { UiElement, UiTree } from "../ui-tree.ts";
import type { Selector, Template } from "./model.ts";
import { compilePattern } from "./pattern.ts";
import { present } from "./reader.ts";

/** A selector whose templates are evaluated. */
export type ResolvedSelector = Selector;

/**
 * All that fit, the best first. `point` plays no part. `cssRefs` are the refs of what the selector's `css` finds; without
 * them a `css` finds nothing.
 */
export function findElements(
  tree: UiTree,
  selector: ResolvedSelector,
  cssRefs: ReadonlySet<string> = new Set(),
): readonly UiElement[] {
  const page = flatten(tree);
  return find(page, { start: 0, end: page.elements.length }, selector, cssRefs, true).map((index) =>
    elementAt(page, index),
  );
}

/** Evaluates every template of a selector, one after the other, those of inner selectors included. */
export async function resolveSelector(
  selector: Selector,
  evaluate: (template: Template) => string | Promise<string>,
): Promise<ResolvedSelector> {
  const value = async (template: Template | undefined) => (template === undefined ? undefined : evaluate(template));
  const inner = async (other: Selector | undefined) => other && resolveSelector(other, evaluate);
  const descendants: ResolvedSelector[] = [];
  for (const descendant of selector.containsDescendants ?? [])
    descendants.push(await resolveSelector(descendant, evaluate));
  const resolved = present({
    text: await value(selector.text),
    id: await value(selector.id),
    index: await value(selector.index),
    point: await value(selector.point),
    css: await value(selector.css),
    below: await inner(selector.below),
    above: await inner(selector.above),
    leftOf: await inner(selector.leftOf),
    rightOf: await inner(selector.rightOf),
    containsChild: await inner(selector.containsChild),
    containsDescendants: selector.containsDescendants && descendants,
    childOf: await inner(selector.childOf),
  });
  return { ...selector, ...resolved };
}

/** Elements in document order: those below element `i` are the ones after it, before `ends[i]`. */
interface Page {
  readonly tree: UiTree;
  readonly elements: readonly UiElement[];
  readonly ends: readonly number[];
  readonly parents: readonly number[];
}

interface Scope {
  readonly start: number;
  readonly end: number;
}

function flatten(tree: UiTree): Page {
  const elements: UiElement[] = [];
  const ends: number[] = [];
  const parents: number[] = [];
  const open: ({ element: UiElement; parent: number } | { close: number })[] = [{ element: tree.root, parent: -1 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if ("close" in next) {
      ends[next.close] = elements.length;
      continue;
    }
    const index = elements.push(next.element) - 1;
    parents.push(next.parent);
    open.push({ close: index });
    for (const child of next.element.children.toReversed()) open.push({ element: child, parent: index });
  }
  return { tree, elements, ends, parents };
}

function elementAt(page: Page, index: number): UiElement {
  const element = page.elements[index];
  if (element === undefined) throw new RangeError(`no element ${index}`);
  return element;
}

/** `ranked`: the order counts, not only what is found. */
function find(
  page: Page,
  scope: Scope,
  selector: ResolvedSelector,
  cssRefs: ReadonlySet<string>,
  ranked: boolean,
): readonly number[] {
  if (selector.childOf !== undefined) {
    const parent = find(page, scope, selector.childOf, cssRefs, true)[0];
    if (parent === undefined) return [];
    const { childOf: _, ...rest } = selector;
    return find(page, { start: parent, end: page.ends[parent] ?? parent + 1 }, rest, cssRefs, ranked);
  }
  const all = Array.from({ length: scope.end - scope.start }, (_, offset) => scope.start + offset);
  const test = ownTest(page, selector, cssRefs);
  let found: readonly number[] =
    test === undefined
      ? all
      : deepest(
          page,
          all.filter((index) => test(elementAt(page, index))),
        );
  found = byRelations(page, scope, selector, cssRefs, found, ranked);
  if (selector.index !== undefined) return atIndex(page, found, selector.index);
  const clickable = found.filter((index) => elementAt(page, index).clickable);
  return [...clickable, ...found.filter((index) => !elementAt(page, index).clickable)];
}

type Test = (element: UiElement) => boolean;

/** What an element must be by itself; undefined if the selector asks nothing of that. */
function ownTest(page: Page, selector: ResolvedSelector, cssRefs: ReadonlySet<string>): Test | undefined {
  const { text, id, width, height, tolerance = 0, traits = [], enabled, selected, checked, focused, css } = selector;
  const tests: Test[] = [];
  if (enabled !== undefined) tests.push((element) => element.enabled === enabled);
  if (selected !== undefined) tests.push((element) => element.selected === selected);
  if (checked !== undefined) tests.push((element) => element.checked === checked);
  if (focused !== undefined) tests.push((element) => element.focused === focused);
  if (css !== undefined) tests.push((element) => cssRefs.has(element.ref));
  const near = (size: number, wanted: number | undefined) =>
    wanted === undefined || Math.abs(Math.round(size) - wanted) <= tolerance;
  if (width !== undefined || height !== undefined) {
    tests.push(
      ({ bounds }) => near(bounds.width * page.tree.width, width) && near(bounds.height * page.tree.height, height),
    );
  }
  for (const trait of traits) tests.push((element) => hasTrait(page.tree, element, trait));
  if (id !== undefined) tests.push(idTest(page, id));
  if (text !== undefined) tests.push(textTest(text));
  return tests.length === 0 ? undefined : (element) => tests.every((one) => one(element));
}

function textTest(text: string): Test {
  const pattern = compilePattern(text);
  const fits = (value: string): boolean => {
    if (value === text || pattern.matches(value)) return true;
    if (!value.includes("\n")) return false;
    const line = value.replaceAll("\n", " ");
    return line === text || pattern.matches(line);
  };
  return ({ text: own, hint, accessibilityText: name }) =>
    fits(own) || (hint !== "" && fits(hint)) || (name !== "" && fits(name));
}

/** Other ids of an element count only where nothing goes by the id first of all: `search` is not every title "Search". */
function idTest(page: Page, id: string): Test {
  const pattern = compilePattern(id);
  const fits = (own: string) =>
    own !== "" && (pattern.matches(own) || pattern.matches(own.slice(own.lastIndexOf("/") + 1)));
  if (page.elements.some((element) => fits(element.id))) return (element) => fits(element.id);
  return (element) => element.alsoIds?.some(fits) ?? false;
}

function hasTrait(tree: UiTree, { text, bounds }: UiElement, trait: "text" | "square" | "long-text"): boolean {
  if (trait === "text") return text !== "";
  if (trait === "long-text") return text.length > 200;
  return Math.abs(1 - (bounds.width * tree.width) / (bounds.height * tree.height)) < 0.03;
}

/** `found` is in document order: an element gives way to what it contains. */
function deepest(page: Page, found: readonly number[]): readonly number[] {
  return found.filter((index, at) => (found[at + 1] ?? Infinity) >= (page.ends[index] ?? 0));
}

/** Only top left corners count: `sign` turns "further down or right" into "greater". */
const RELATIONS = [
  { name: "below", axis: "y", sign: 1 },
  { name: "above", axis: "y", sign: -1 },
  { name: "leftOf", axis: "x", sign: -1 },
  { name: "rightOf", axis: "x", sign: 1 },
] as const;

/** Keeps what stands and holds as asked; the nearest to what it first stands beside comes first if `ranked`. */
function byRelations(
  page: Page,
  scope: Scope,
  selector: ResolvedSelector,
  cssRefs: ReadonlySet<string>,
  found: readonly number[],
  ranked: boolean,
): readonly number[] {
  const inScope = (inner: ResolvedSelector) => find(page, scope, inner, cssRefs, false);
  let kept = found;
  let rank: ((kept: readonly number[]) => readonly number[]) | undefined;
  for (const { name, axis, sign } of RELATIONS) {
    const inner = selector[name];
    if (inner === undefined) continue;
    const others = inScope(inner).map((index) => elementAt(page, index).bounds);
    const least = others.reduce((lowest, other) => Math.min(lowest, other[axis] * sign), Infinity);
    kept = kept.filter((index) => elementAt(page, index).bounds[axis] * sign > least);
    rank ??= (candidates) => {
      const distances = new Map<number, number>();
      for (const index of candidates) {
        const { bounds } = elementAt(page, index);
        let nearest = Infinity;
        for (const other of others) {
          if (bounds[axis] * sign > other[axis] * sign)
            nearest = Math.min(nearest, squaredDistance(page.tree, bounds, other));
        }
        distances.set(index, nearest);
      }
      return candidates.toSorted((one, other) => (distances.get(one) ?? 0) - (distances.get(other) ?? 0));
    };
  }
  if (selector.containsChild !== undefined) {
    const parents = new Set(inScope(selector.containsChild).map((index) => page.parents[index]));
    kept = kept.filter((index) => parents.has(index));
  }
  for (const inner of selector.containsDescendants ?? []) {
    const counts = [0];
    const within = new Set(inScope(inner));
    for (let index = 0; index < page.elements.length; index++)
      counts.push((counts[index] ?? 0) + (within.has(index) ? 1 : 0));
    kept = kept.filter((index) => (counts[page.ends[index] ?? 0] ?? 0) > (counts[index + 1] ?? 0));
  }
  return ranked && rank !== undefined ? rank(kept) : kept;
}

/** Between middles, in pixels, squared: enough to compare. */
function squaredDistance(tree: UiTree, a: UiElement["bounds"], b: UiElement["bounds"]): number {
  const x = (a.x + a.width / 2 - b.x - b.width / 2) * tree.width;
  const y = (a.y + a.height / 2 - b.y - b.height / 2) * tree.height;
  return x * x + y * y;
}

/** By rows, then from the left; negative from the end. What is no number names nothing. */
function atIndex(page: Page, found: readonly number[], text: string): readonly number[] {
  const wanted = Math.trunc(Number(text.trim() === "" ? Number.NaN : text));
  const sorted = found.toSorted((a, b) => {
    const [one, other] = [elementAt(page, a).bounds, elementAt(page, b).bounds];
    return one.y - other.y || one.x - other.x;
  });
  const index = sorted.at(wanted);
  return Number.isNaN(wanted) || index === undefined ? [] : [index];
}
