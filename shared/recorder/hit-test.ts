/** What a finger touched, by the tree of the picture the person saw (research/automation.md §3). */
import type { Spot } from "../recording-model.ts";
import type { UiElement, UiTree } from "../ui-tree.ts";
import { wear } from "./candidates.ts";
import { ancestors, areaOf, contains, isField, type Walked, walk } from "./walk.ts";

/** An ancestor is what was meant only if it is not much larger than what was hit; one that is pressed may be larger than what has no lasting name. */
const MAX_GROWTH = 4;
const MAX_GROWTH_OF_NAMELESS = 16;

/**
 * The innermost element at a place. `hits` are refs of what the page itself says lies there, the innermost first: they
 * know what covers what. Without them the smallest wins, of several the last drawn, bare containers last of all.
 */
export function hitTest(tree: UiTree, spot: Spot, hits: readonly string[] = []): UiElement | undefined {
  const all = walk(tree);
  for (const ref of hits) {
    const hit = all.byRef.get(ref);
    if (hit !== undefined && contains(hit.bounds, spot)) return hit;
  }
  const under = all.elements.filter(({ bounds }) => contains(bounds, spot));
  const named = under.filter(says);
  return smallest(named.length > 0 ? named : under);
}

function smallest(elements: readonly UiElement[]): UiElement | undefined {
  return elements.reduce<UiElement | undefined>(
    (least, one) => (least === undefined || areaOf(one) <= areaOf(least) ? one : least),
    undefined,
  );
}

/** What was meant by touching there: the element, or the button or labelled part it belongs to. */
export function touchTarget(tree: UiTree, spot: Spot, hits?: readonly string[]): UiElement | undefined {
  const hit = hitTest(tree, spot, hits);
  return hit && promoted(walk(tree), hit);
}

function promoted(all: Walked, hit: UiElement): UiElement {
  if (isField(hit) || (hit.clickable && isNamed(hit))) return hit;
  const lasting = isNamed(hit) && wear(hit.text) === 0;
  for (const up of ancestors(all, hit)) {
    if (areaOf(up) > areaOf(hit) * (up.clickable && !lasting ? MAX_GROWTH_OF_NAMELESS : MAX_GROWTH)) break;
    if (up.clickable) return hit.clickable && up.id === "" && up.accessibilityText === "" ? hit : up;
    // Touching the middle of a mere container is another touch, so only what has no name takes that of one.
    if (!isNamed(hit) && !hit.clickable && (up.id !== "" || up.accessibilityText !== "")) return up;
  }
  return hit;
}

function isNamed({ id, text, accessibilityText, hint }: UiElement): boolean {
  return id !== "" || text !== "" || accessibilityText !== "" || hint !== "";
}

/** More than a box around others. */
function says({ text, hint, accessibilityText, clickable, role }: UiElement): boolean {
  return text !== "" || hint !== "" || accessibilityText !== "" || clickable || role === "image";
}
