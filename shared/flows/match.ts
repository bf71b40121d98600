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
  return find(page, { start: 0, end: page.elements.length }, selector, cssRefs).map((index) => elementAt(page, index));
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

function find(page: Page, scope: Scope, selector: ResolvedSelector, cssRefs: ReadonlySet<string>): readonly number[] {
  if (selector.childOf !== undefined) {
    const parent = find(page, scope, selector.childOf, cssRefs)[0];
    if (parent === undefined) return [];
    const { childOf: _, ...rest } = selector;
    return find(page, { start: parent, end: page.ends[parent] ?? parent + 1 }, rest, cssRefs);
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
  found = byRelations(page, scope, selector, cssRefs, found);
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
  if (id !== undefined) tests.push(idTest(id));
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

function idTest(id: string): Test {
  const pattern = compilePattern(id);
  return (element) =>
    element.id !== "" &&
    (pattern.matches(element.id) || pattern.matches(element.id.slice(element.id.lastIndexOf("/") + 1)));
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

type Stands = (one: UiElement["bounds"], other: UiElement["bounds"]) => boolean;

/** Only top left corners count. */
const RELATIONS: readonly (readonly [name: "below" | "above" | "leftOf" | "rightOf", stands: Stands])[] = [
  ["below", (one, other) => one.y > other.y],
  ["above", (one, other) => one.y < other.y],
  ["leftOf", (one, other) => one.x < other.x],
  ["rightOf", (one, other) => one.x > other.x],
];

/** Keeps what stands and holds as asked; the nearest to what it stands beside comes first. */
function byRelations(
  page: Page,
  scope: Scope,
  selector: ResolvedSelector,
  cssRefs: ReadonlySet<string>,
  found: readonly number[],
): readonly number[] {
  let kept = found;
  let distances: ReadonlyMap<number, number> | undefined;
  for (const [name, stands] of RELATIONS) {
    const inner = selector[name];
    if (inner === undefined) continue;
    const others = find(page, scope, inner, cssRefs).map((index) => elementAt(page, index).bounds);
    const nearest = new Map<number, number>();
    for (const index of kept) {
      const { bounds } = elementAt(page, index);
      let least = Infinity;
      for (const other of others)
        if (stands(bounds, other)) least = Math.min(least, distance(page.tree, bounds, other));
      if (least < Infinity) nearest.set(index, least);
    }
    kept = kept.filter((index) => nearest.has(index));
    distances ??= nearest;
  }
  if (selector.containsChild !== undefined) {
    const parents = new Set(find(page, scope, selector.containsChild, cssRefs).map((index) => page.parents[index]));
    kept = kept.filter((index) => parents.has(index));
  }
  for (const inner of selector.containsDescendants ?? []) {
    const within = find(page, scope, inner, cssRefs).toSorted((a, b) => a - b);
    kept = kept.filter((index) => {
      const first = within.find((other) => other > index);
      return first !== undefined && first < (page.ends[index] ?? 0);
    });
  }
  if (distances === undefined) return kept;
  const order = distances;
  return kept.toSorted((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
}

/** Between middles, in pixels. */
function distance(tree: UiTree, a: UiElement["bounds"], b: UiElement["bounds"]): number {
  const x = (a.x + a.width / 2 - b.x - b.width / 2) * tree.width;
  const y = (a.y + a.height / 2 - b.y - b.height / 2) * tree.height;
  return Math.hypot(x, y);
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
