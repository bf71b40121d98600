/**
 * What a recorded element was like, and how like it another is: enough to tell "the same button, renamed" from "another
 * button". Pure, used by the recorder and the runner alike.
 */
import type { UiBounds, UiElement, UiTree } from "../ui-tree.ts";

/** Written as the last item of a step's `x-targets`. Never of a password field's value. */
export interface Fingerprint {
  readonly role: string;
  /** What it showed, or its name for assistive technology. */
  readonly text: string;
  /** Fractions of the screen; undefined when the recorder did not say. */
  readonly bounds?: UiBounds;
  /** Texts that stood nearest to it, the nearest first. */
  readonly near: readonly string[];
}

export const MAX_FINGERPRINT_TEXT = 80;
/** Alike enough to be taken for the same element. */
export const SAME_ELEMENT = 0.7;
const KEPT_NEIGHBOURS = 4;
/** More than are kept, so that one new neighbour pushes none out of sight. */
const SEEN_NEIGHBOURS = 8;
const WEIGHTS = { role: 0.25, text: 0.3, bounds: 0.2, near: 0.25 } as const;

export function fingerprintOf(element: UiElement, tree: UiTree): Fingerprint {
  return {
    role: element.role,
    text: shown(element),
    bounds: element.bounds,
    near: neighbours(element, tree, KEPT_NEIGHBOURS),
  };
}

/** 0 (nothing alike) to 1. What the fingerprint does not know does not count. */
export function similarity(fingerprint: Fingerprint, element: UiElement, tree: UiTree): number {
  const { role, text, bounds, near } = fingerprint;
  const parts: (readonly [number, number])[] = [
    [WEIGHTS.role, role === element.role ? 1 : 0],
    [WEIGHTS.text, textSimilarity(text, shown(element))],
  ];
  if (bounds !== undefined) parts.push([WEIGHTS.bounds, placeSimilarity(bounds, element.bounds)]);
  if (near.length > 0) {
    const there = neighbours(element, tree, SEEN_NEIGHBOURS);
    const kept = near.filter((one) => there.some((other) => textSimilarity(one, other) > 0.8));
    parts.push([WEIGHTS.near, kept.length / near.length]);
  }
  const weight = parts.reduce((sum, [part]) => sum + part, 0);
  return parts.reduce((sum, [part, alike]) => sum + part * alike, 0) / weight;
}

/** How alike two texts are by their pairs of letters (Dice), whatever their case and spaces: 0–1. */
export function textSimilarity(one: string, other: string): number {
  const [a, b] = [plain(one), plain(other)];
  if (a === b) return 1;
  if (a === "" || b === "") return 0;
  const [left, right] = [pairs(a), pairs(b)];
  let common = 0;
  const counts = new Map<string, number>();
  for (const pair of left) counts.set(pair, (counts.get(pair) ?? 0) + 1);
  for (const pair of right) {
    const count = counts.get(pair) ?? 0;
    if (count === 0) continue;
    counts.set(pair, count - 1);
    common += 1;
  }
  return (2 * common) / (left.length + right.length);
}

function shown({ text, accessibilityText, hint, password }: UiElement): string {
  const words = password ? accessibilityText || hint : text || accessibilityText || hint;
  return words.slice(0, MAX_FINGERPRINT_TEXT);
}

function plain(text: string): string {
  return text.slice(0, MAX_FINGERPRINT_TEXT).toLowerCase().replace(/\s+/g, " ").trim();
}

/** Edges count as letters, so that a single character has pairs too. */
function pairs(text: string): string[] {
  const letters = [" ", ...text, " "];
  return letters.slice(1).map((letter, at) => `${letters[at]}${letter}`);
}

/** Where and how large: half and half. */
function placeSimilarity(a: UiBounds, b: UiBounds): number {
  const apart = Math.hypot(a.x + a.width / 2 - b.x - b.width / 2, a.y + a.height / 2 - b.y - b.height / 2);
  const ratio = (one: number, other: number) =>
    Math.max(one, other) <= 0 ? 1 : Math.max(0, Math.min(one, other)) / Math.max(one, other);
  return 0.5 * Math.max(0, 1 - 2 * apart) + 0.5 * ratio(a.width, b.width) * ratio(a.height, b.height);
}

/** Texts nearest to an element that neither hold it nor are in it. */
function neighbours(element: UiElement, tree: UiTree, most: number): readonly string[] {
  const around: { text: string; apart: number }[] = [];
  /** Whether `from` is the element or holds it. */
  const walk = (from: UiElement): boolean => {
    if (from.ref === element.ref) return true;
    let holds = false;
    for (const child of from.children) holds = walk(child) || holds;
    const text = shown(from);
    if (!holds && text !== "" && !from.password) {
      const { x, y, width, height } = element.bounds;
      const dx = gap(x, x + width, from.bounds.x, from.bounds.x + from.bounds.width);
      const dy = gap(y, y + height, from.bounds.y, from.bounds.y + from.bounds.height);
      around.push({ text, apart: Math.hypot(dx * tree.width, dy * tree.height) });
    }
    return holds;
  };
  walk(tree.root);
  return [...new Set(around.sort((a, b) => a.apart - b.apart).map(({ text }) => text))].slice(0, most);
}

function gap(from: number, to: number, otherFrom: number, otherTo: number): number {
  return Math.max(0, otherFrom - to, from - otherTo);
}
