/** What pages list (`automation-walk.ts`) as the trees the rest of the server knows. A page's answer is hostile input. */
import type { UiElement, UiTree } from "../../../../shared/ui-tree.ts";
import type { UiNode } from "../../driver.ts";
import type { Box } from "./automation-page.ts";
import { type Hole, type Listing, ROW_FLAGS, type Row } from "./automation-walk.ts";

const MAX_ELEMENTS = 5_000;
const MAX_NODE_NAME = 200;
/** The page's own part keeps to less. */
const MAX_TEXT = 20_000;
const MAX_IDS = 20;

/** A frame's elements among those of the page that holds it. */
export interface FrameListing {
  readonly listing: Listing;
  /** Of the elements' refs, before their number. */
  readonly prefix: string;
  /** By the row of the frame's element. */
  readonly inside: ReadonlyMap<number, FrameListing>;
}

/** Undefined for an answer no page of ours gives. */
export function parseListing(answer: unknown): Listing | undefined {
  if (typeof answer !== "string") return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(answer);
  } catch {
    return undefined;
  }
  return isListing(parsed) ? parsed : undefined;
}

function isListing(value: unknown): value is Listing {
  if (typeof value !== "object" || value === null) return false;
  if (!("token" in value && "width" in value && "height" in value && "rows" in value && "holes" in value)) return false;
  const { token, width, height, rows, holes } = value;
  return (
    typeof token === "string" &&
    /^[0-9a-f]{16}$/.test(token) &&
    isLength(width) &&
    isLength(height) &&
    Array.isArray(rows) &&
    rows.length <= MAX_ELEMENTS &&
    rows.every(isRow) &&
    Array.isArray(holes) &&
    holes.every((hole: unknown) => isHole(hole, rows.length))
  );
}

function isLength(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value) && value > 0;
}

function isRow(row: unknown, at: number): row is Row {
  if (!Array.isArray(row) || row.length !== 12) return false;
  const [parent, number, role, text, hint, name, ids, ...rest] = row;
  return (
    Number.isInteger(parent) &&
    parent >= -1 &&
    parent < at &&
    Number.isInteger(number) &&
    [role, text, hint, name].every((word) => isText(word, MAX_TEXT)) &&
    Array.isArray(ids) &&
    ids.length <= MAX_IDS &&
    ids.every((id) => isText(id, MAX_TEXT)) &&
    rest.every((part) => Number.isFinite(part))
  );
}

function isText(word: unknown, most: number): boolean {
  return typeof word === "string" && word.length <= most;
}

function isHole(hole: unknown, rows: number): hole is Hole {
  if (typeof hole !== "object" || hole === null || !("row" in hole && "content" in hole && "clip" in hole))
    return false;
  const { row, content, clip } = hole;
  return typeof row === "number" && Number.isInteger(row) && row >= 0 && row < rows && isBox(content) && isBox(clip);
}

function isBox(box: unknown): box is Box {
  if (typeof box !== "object" || box === null) return false;
  if (!("left" in box && "top" in box && "right" in box && "bottom" in box)) return false;
  return [box.left, box.top, box.right, box.bottom].every((side) => Number.isFinite(side));
}

interface Growing extends UiElement {
  readonly children: UiElement[];
}

/** The tree of a page and the frames in it. `width` and `height` are the screen's, in CSS pixels. */
export function treeOf(page: FrameListing, width: number, height: number): UiTree {
  const { listing } = page;
  const { elements: children, cut } = elementsAt(page, {
    ...{ x: 0, y: 0, sx: 1 / listing.width, sy: 1 / listing.height, clip: UNIT },
  });
  const root = { ...elementOf([-1, 0, "screen", "", "", "", [], 0, 0, 1, 1, 1], "", WHOLE), children };
  return { root, width, height, ...(cut !== undefined && { note: cut }) };
}

/** A page's elements where a place of the screen shows it. `cut`: there are more, in words. */
export function elementsAt(
  page: FrameListing,
  place: PagePlace,
): { readonly elements: readonly UiElement[]; readonly cut: string | undefined } {
  let room = MAX_ELEMENTS;
  let cut = false;
  const grow = ({ listing, prefix, inside }: FrameListing, elements: UiElement[], within: PagePlace) => {
    cut ||= listing.cut;
    const grown: UiElement[][] = [];
    for (const [at, row] of listing.rows.entries()) {
      if (room === 0) {
        cut = true;
        return;
      }
      const element = elementOf(row, `${prefix}${listing.token}.${row[1]}`, within);
      const siblings = grown[row[0]] ?? elements;
      if (!(element.bounds.width > 0 && element.bounds.height > 0)) {
        // Outside what is seen of its frame, or no place at all.
        grown.push(siblings);
        continue;
      }
      room -= 1;
      grown.push(element.children);
      siblings.push(element);
      const frame = inside.get(at);
      const hole = frame === undefined ? undefined : listing.holes.find((one) => one.row === at);
      if (frame !== undefined && hole !== undefined)
        grow(frame, element.children, frameIn(hole, frame.listing, within));
    }
  };
  const elements: UiElement[] = [];
  grow(page, elements, place);
  const note = `There is more on this page than can be listed; these are its first ${MAX_ELEMENTS - room} elements.`;
  return { elements, cut: cut ? note : undefined };
}

/** How a page's or a frame's CSS pixels become fractions of the screen, and what of the screen it fills. */
export interface PagePlace {
  readonly x: number;
  readonly y: number;
  readonly sx: number;
  readonly sy: number;
  readonly clip: Box;
}
const UNIT: Box = { left: 0, top: 0, right: 1, bottom: 1 };
const WHOLE: PagePlace = { x: 0, y: 0, sx: 1, sy: 1, clip: UNIT };

function frameIn({ content, clip }: Hole, { width, height }: Listing, within: PagePlace): PagePlace {
  const side = (x: number, y: number) => ({ x: within.x + x * within.sx, y: within.y + y * within.sy });
  const start = side(content.left, content.top);
  const end = side(content.right, content.bottom);
  const [low, high] = [side(clip.left, clip.top), side(clip.right, clip.bottom)];
  return {
    ...start,
    sx: (end.x - start.x) / width,
    sy: (end.y - start.y) / height,
    clip: {
      left: Math.max(low.x, within.clip.left),
      top: Math.max(low.y, within.clip.top),
      right: Math.min(high.x, within.clip.right),
      bottom: Math.min(high.y, within.clip.bottom),
    },
  };
}

function elementOf(row: Row, ref: string, { x, y, sx, sy, clip }: PagePlace): Growing {
  const [, , role, text, hint, accessibilityText, [id = "", ...alsoIds], left, top, width, height, flags] = row;
  const from = { x: share(x + left * sx, clip.left, clip.right), y: share(y + top * sy, clip.top, clip.bottom) };
  const to = {
    x: share(x + (left + width) * sx, clip.left, clip.right),
    y: share(y + (top + height) * sy, clip.top, clip.bottom),
  };
  const is = (flag: number) => (flags & flag) !== 0;
  return {
    ref,
    role,
    text: is(ROW_FLAGS.password) ? "" : text,
    hint,
    accessibilityText,
    id,
    ...(alsoIds.length === 0 ? {} : { alsoIds }),
    bounds: { ...from, width: to.x - from.x, height: to.y - from.y },
    enabled: is(ROW_FLAGS.enabled),
    selected: is(ROW_FLAGS.selected),
    checked: is(ROW_FLAGS.checked),
    focused: is(ROW_FLAGS.focused),
    clickable: is(ROW_FLAGS.clickable),
    password: is(ROW_FLAGS.password),
    children: [],
  };
}

function share(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low, 0), Math.max(high, low), 1);
}

/** The same for assistive use: roles and names. */
export function namedNode(element: UiElement): UiNode {
  const children = element.children.map(namedNode);
  const { role, text, hint, accessibilityText, bounds } = element;
  const name = accessibilityText || text || hint;
  return { role, name: name.slice(0, MAX_NODE_NAME), bounds, children };
}
