/** What an element was like when it was recorded, without what was typed into it; runs compare it by `flows/fingerprint.ts`. */
import type { Fingerprint } from "../flows/fingerprint.ts";
import type { UiElement, UiTree } from "../ui-tree.ts";
import { isField, walk } from "./walk.ts";

const LONGEST = 80;
const NEAR = 4;

export function fingerprintOf(element: UiElement, tree: UiTree): Fingerprint {
  const { x, y, width, height } = element.bounds;
  const round = (value: number) => Math.round(value * 1000) / 1000;
  const text = nameOf(element);
  const near = walk(tree)
    .elements.filter(
      (other) => other !== element && !isField(other) && other.text !== "" && other.text.length <= LONGEST,
    )
    .map((other) => ({ text: line(other.text), distance: distance(element, other) }))
    .sort((a, b) => a.distance - b.distance)
    .map((other) => other.text);
  return {
    role: element.role,
    text,
    bounds: { x: round(x), y: round(y), width: round(width), height: round(height) },
    near: [...new Set(near)].filter((other) => other !== text).slice(0, NEAR),
  };
}

/** The name a person would call it by. */
export function nameOf(element: UiElement): string {
  const { text, hint, accessibilityText } = element;
  const names = isField(element) ? [accessibilityText, hint] : [text, accessibilityText, hint];
  return line(names.find((name) => name !== "") ?? "").slice(0, LONGEST);
}

function line(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

function distance({ bounds: a }: UiElement, { bounds: b }: UiElement): number {
  return Math.hypot(a.x + a.width / 2 - b.x - b.width / 2, a.y + a.height / 2 - b.y - b.height / 2);
}
