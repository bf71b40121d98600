/**
 * Ways to find a recorded element again, each tried with our own matcher on the tree it was recorded on: what does not
 * find this element, and it alone, is no candidate (research/automation.md §3).
 */
import { findElements } from "../flows/match.ts";
import type { Selector } from "../flows/model.ts";
import type { Candidate, SelectorKind, Spot } from "../recording-model.ts";
import type { UiElement, UiTree } from "../ui-tree.ts";
import { ancestors, areaOf, isField, isWithin, walk } from "./walk.ts";

const LONGEST_TEXT = 40;
const LONGEST_LABEL = 80;
const ANCHORS = 6;
const MOST_INDEXED = 50;
/** Beside the best one, this many of other kinds are kept. */
const FALLBACKS = 3;
/** In something this large it matters where the finger was. */
const LARGE = 0.2;

/**
 * Best first; never empty, the place on the screen is always one. `css` is a selector that the page itself tried: it finds
 * this element by its place in the page.
 */
export function candidatesFor(tree: UiTree, target: UiElement, spot: Spot, css?: string): readonly Candidate[] {
  const found = [...plain(tree, target), ...indexed(tree, target), ...patterns(tree, target), ...beside(tree, target)];
  // An id alone is what `id` says already.
  if (css?.includes(" ") === true) found.push({ kind: "css", selector: { css }, score: 35 });
  const placed = wherePlaceCounts(target) ? found.map((one) => placedIn(one, target, spot)) : found;
  const last = [pointIn(tree, target, spot), { kind: "point", selector: { point: percent(spot) }, score: 5 }] as const;
  const ranked = [...placed, ...last.filter((one) => one !== undefined)].sort((a, b) => b.score - a.score);
  const kinds = new Set<SelectorKind>();
  const kept: Candidate[] = [];
  for (const candidate of ranked) {
    if (kinds.has(candidate.kind)) continue;
    kinds.add(candidate.kind);
    if (kept.length <= FALLBACKS || candidate.kind === "point") kept.push(candidate);
  }
  return kept;
}

/** For a place of which nothing is known. */
export function pointCandidate(spot: Spot): Candidate {
  return { kind: "point", selector: { point: percent(spot) }, score: 5 };
}

interface Named {
  readonly kind: SelectorKind;
  readonly selector: Selector;
  readonly score: number;
}

/** What the element says of itself, whether or not others say the same. */
function names(tree: UiTree, target: UiElement): readonly Named[] {
  const found: Named[] = [];
  const add = (kind: SelectorKind, selector: Selector, score: number) => found.push({ kind, selector, score });
  if (target.id !== "") add("id", { id: idPattern(target.id) }, looksGenerated(target.id) ? 40 : 100);
  const { accessibilityText: label, hint } = target;
  if (fits(label, LONGEST_LABEL)) add("label", { text: line(label) }, 90 - wear(label));
  // What is drawn inside a button is the button's text.
  const shown = isField(target) ? "" : target.text || onlyTextIn(target);
  if (fits(shown, LONGEST_TEXT)) add("text", { text: line(shown) }, 80 - wear(shown));
  if (fits(hint, LONGEST_LABEL)) add("hint", { text: line(hint) }, 75 - wear(hint));
  return found.filter(({ selector }) => hitsOf(tree, selector, target) !== undefined);
}

function plain(tree: UiTree, target: UiElement): readonly Candidate[] {
  return names(tree, target).filter(({ selector }) => isAlone(findElements(tree, selector), target));
}

/** `{id, index}` and `{text, index}`, where several go by the same. */
function indexed(tree: UiTree, target: UiElement): readonly Candidate[] {
  return names(tree, target).flatMap(({ kind, selector, score }): Candidate[] => {
    const found = findElements(tree, selector);
    const hit = hitsOf(tree, selector, target);
    if (found.length < 2 || found.length > MOST_INDEXED || hit === undefined) return [];
    const sorted = found.toSorted((a, b) => a.bounds.y - b.bounds.y || a.bounds.x - b.bounds.x);
    const at = { ...selector, index: String(sorted.indexOf(hit)) };
    if (findElements(tree, at)[0] !== hit) return [];
    const byId = kind === "id";
    return [{ kind: byId ? "id_index" : "text_index", selector: at, score: byId ? Math.min(45, score) : 30 }];
  });
}

/** The text with every number as "any number": offered, never the first choice of something with a name. */
function patterns(tree: UiTree, target: UiElement): readonly Candidate[] {
  const text = isField(target) ? "" : line(target.text || onlyTextIn(target));
  if (!fits(text, LONGEST_TEXT) || !/\d/.test(text) || !/\p{L}/u.test(text)) return [];
  const selector = { text: escapePattern(text).replaceAll(/\d+/g, "\\d+") };
  return isOnly(tree, selector, target) ? [{ kind: "pattern", selector, score: 40 }] : [];
}

/** A name that several share, beside or in something that has one for itself. */
function beside(tree: UiTree, target: UiElement): readonly Candidate[] {
  const shared = names(tree, target).filter(({ selector }) => findElements(tree, selector).length > 1);
  if (shared.length === 0) return [];
  const all = walk(tree);
  for (const { selector, score } of shared) {
    for (const holder of ancestors(all, target)) {
      const anchor = plain(tree, holder)[0];
      if (anchor === undefined || anchor.score < 60) continue;
      const within = { ...selector, childOf: anchor.selector };
      if (isOnly(tree, within, target)) return [{ kind: "beside", selector: within, score: Math.min(60, score) }];
    }
    for (const anchor of anchorsOf(tree, target)) {
      const text = { text: line(anchor.text) };
      if (findElements(tree, text).length !== 1) continue;
      for (const relation of relationsTo(anchor, target)) {
        const near = { ...selector, [relation]: text };
        // The nearest comes first: that is what these words mean.
        const [first] = findElements(tree, near);
        if (first !== undefined && isOf(tree, first, target)) {
          return [{ kind: "beside", selector: near, score: Math.min(58, score) }];
        }
      }
    }
  }
  return [];
}

/** Texts near the element that are likely to stay, the nearest first. */
function anchorsOf(tree: UiTree, target: UiElement): readonly UiElement[] {
  const all = walk(tree);
  const counts = new Map<string, number>();
  for (const { text } of all.elements) counts.set(text, (counts.get(text) ?? 0) + 1);
  return all.elements
    .filter(
      (one) =>
        fits(one.text, LONGEST_TEXT) &&
        wear(one.text) === 0 &&
        !isField(one) &&
        counts.get(one.text) === 1 &&
        !isWithin(all, one, target),
    )
    .map((one) => ({ one, far: Math.hypot(one.bounds.x - target.bounds.x, (one.bounds.y - target.bounds.y) * 2) }))
    .sort((a, b) => a.far - b.far)
    .slice(0, ANCHORS)
    .map(({ one }) => one);
}

function relationsTo({ bounds: anchor }: UiElement, { bounds: target }: UiElement): readonly ("below" | "rightOf")[] {
  return [
    ...(target.y > anchor.y ? (["below"] as const) : []),
    ...(target.x > anchor.x && Math.abs(target.y - anchor.y) < 0.05 ? (["rightOf"] as const) : []),
  ];
}

/** A place in the smallest thing around it that has a name. */
function pointIn(tree: UiTree, target: UiElement, spot: Spot): Candidate | undefined {
  for (const holder of ancestors(walk(tree), target)) {
    const anchor = plain(tree, holder)[0];
    if (anchor === undefined || anchor.score < 60) continue;
    return placedIn({ ...anchor, kind: "point_in", score: 10 }, holder, spot);
  }
  return undefined;
}

function placedIn(candidate: Candidate, { bounds }: UiElement, spot: Spot): Candidate {
  const point = percent({ x: (spot.x - bounds.x) / bounds.width, y: (spot.y - bounds.y) / bounds.height });
  return { ...candidate, selector: { ...candidate.selector, point } };
}

function wherePlaceCounts(target: UiElement): boolean {
  return target.role === "slider" || (areaOf(target) > LARGE && target.text === "" && !isField(target));
}

/** "12.5%,40%", inside the screen or element. */
export function percent({ x, y }: Spot): string {
  const share = (value: number) => `${Math.round(Math.min(Math.max(value, 0), 1) * 1000) / 10}%`;
  return `${share(x)},${share(y)}`;
}

/** What a selector finds of the target; touching that is touching the target. */
function hitsOf(tree: UiTree, selector: Selector, target: UiElement): UiElement | undefined {
  return findElements(tree, selector).find((one) => isOf(tree, one, target));
}

function isOnly(tree: UiTree, selector: Selector, target: UiElement): boolean {
  const found = findElements(tree, selector);
  return found.length === 1 && found[0] !== undefined && isOf(tree, found[0], target);
}

/** Nothing else, but for the label of a field: touching that is touching the field. */
function isAlone(found: readonly UiElement[], target: UiElement): boolean {
  return found.length === 1 || (isField(target) && found.filter(({ role }) => role !== "label").length === 1);
}

/** For what must be visible, words say more than ids. */
export function wordsFirst(candidates: readonly Candidate[]): readonly Candidate[] {
  const says = ({ kind }: Candidate) => kind === "text" || kind === "label" || kind === "hint" || kind === "pattern";
  const named = candidates.filter(({ kind }) => kind !== "point" && kind !== "point_in");
  return [...named.filter(says), ...named.filter((one) => !says(one))];
}

function isOf(tree: UiTree, one: UiElement, target: UiElement): boolean {
  return isWithin(walk(tree), one, target);
}

function onlyTextIn(target: UiElement): string {
  const texts = target.children.flatMap(textsIn);
  return texts.length === 1 ? (texts[0] ?? "") : "";
}

function textsIn(element: UiElement): string[] {
  if (isField(element)) return [];
  return [...(element.text === "" ? [] : [element.text]), ...element.children.flatMap(textsIn)];
}

const MONTHS = /\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|today|tomorrow|yesterday)/i;

/** Taken off for what changes by itself: numbers, prices, dates. */
export function wear(text: string): number {
  return /\d|[$€£¥₹]/.test(text) || MONTHS.test(text) ? 30 : 0;
}

/** Names a program made up, which are others after the next build or visit. */
export function looksGenerated(id: string): boolean {
  if (/\d{4,}|:r[0-9a-z]+:|[0-9a-f]{8}-[0-9a-f]{4}-/i.test(id)) return true;
  return id.split(/[-_:./]/).some((word) => {
    if (/^(?:ember|mui|radix|headlessui|rc|yui|gwt|uid|el)\d+$/i.test(word)) return true;
    const turns = word.match(/[a-z](?=\d)|\d(?=[a-z])/gi)?.length ?? 0;
    const hex = word.length >= 6 && /^[0-9a-f]+$/i.test(word) && /\d/.test(word) && /[a-f]/i.test(word);
    return hex || (word.length >= 5 && turns >= 3);
  });
}

function fits(text: string, longest: number): boolean {
  const short = line(text);
  return short !== "" && short.length <= longest;
}

/** The matcher takes a break in a text for a space. */
function line(text: string): string {
  return text.replaceAll("\n", " ");
}

function escapePattern(text: string): string {
  return text.replaceAll(/[\\^$|?*+()[\]{}]/g, "\\$&");
}

/** Ids are patterns, and unlike texts never compared as they stand. */
function idPattern(id: string): string {
  return escapePattern(shortId(id));
}

/** Android's ids without their package: `com.example:id/buy` is `buy`. */
export function shortId(id: string): string {
  return id.includes(":id/") ? id.slice(id.lastIndexOf("/") + 1) : id;
}
