/** A tree as a list in document order, with the way up. */
import type { UiBounds, UiElement, UiTree } from "../ui-tree.ts";

export interface Walked {
  readonly elements: readonly UiElement[];
  readonly parents: ReadonlyMap<UiElement, UiElement>;
  readonly byRef: ReadonlyMap<string, UiElement>;
}

const walked = new WeakMap<UiTree, Walked>();

/** Kept for as long as the tree is. */
export function walk(tree: UiTree): Walked {
  const known = walked.get(tree);
  if (known !== undefined) return known;
  const elements: UiElement[] = [];
  const parents = new Map<UiElement, UiElement>();
  const byRef = new Map<string, UiElement>();
  const open = [tree.root];
  for (let element = open.pop(); element !== undefined; element = open.pop()) {
    elements.push(element);
    byRef.set(element.ref, element);
    for (const child of element.children.toReversed()) {
      parents.set(child, element);
      open.push(child);
    }
  }
  const result = { elements, parents, byRef };
  walked.set(tree, result);
  return result;
}

/** The element's ancestors, the nearest first. */
export function ancestors({ parents }: Walked, element: UiElement): readonly UiElement[] {
  const up: UiElement[] = [];
  for (let at = parents.get(element); at !== undefined; at = parents.get(at)) up.push(at);
  return up;
}

export function isWithin(all: Walked, inner: UiElement, outer: UiElement): boolean {
  return inner === outer || ancestors(all, inner).includes(outer);
}

export function contains({ x, y, width, height }: UiBounds, point: { x: number; y: number }): boolean {
  return width > 0 && height > 0 && point.x >= x && point.x < x + width && point.y >= y && point.y < y + height;
}

export function areaOf({ bounds }: UiElement): number {
  return bounds.width * bounds.height;
}

const FIELDS: ReadonlySet<string> = new Set(["textbox", "searchbox", "spinbutton", "combobox", "slider"]);

/** Its text is what someone put in, not what it is called. */
export function isField({ role, password }: UiElement): boolean {
  return password || FIELDS.has(role);
}

/** The innermost element that has the focus. */
export function focusedElement(tree: UiTree): UiElement | undefined {
  return walk(tree).elements.findLast(({ focused }) => focused);
}
