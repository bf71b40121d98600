/**
 * Pictures of runs without passwords and secrets. What to cover is read off the screen's elements before and after the
 * picture is taken: only when both say the same is the picture between them known. A screen that never says the same
 * twice, or cannot be read as a whole, is covered as a whole (docs/decisions/pictures-are-covered.md).
 */
import type { UiBounds, UiElement, UiTree } from "../../../shared/ui-tree.ts";
import { readPicture, writePicture } from "../engine/png.ts";
import type { Redactor } from "./redact.ts";

export interface Screenshot {
  readonly png: Uint8Array;
  readonly width: number;
  readonly height: number;
}

const EVERYTHING: readonly UiBounds[] = [{ x: 0, y: 0, width: 1, height: 1 }];
const MOST_TRIES = 5;
/** Pixels around a place: glyphs and outlines reach over their box. */
const MARGIN = 2;
/** A grey, opaque. */
const COVER = [0x5b, 0x61, 0x6e, 0xff] as const;

/** A picture in which nothing can be read that must not be. */
export async function coveredScreenshot(options: {
  readonly redactor: Redactor;
  readonly take: () => Promise<Screenshot>;
  readonly elements: () => Promise<UiTree>;
}): Promise<Screenshot> {
  const look = async () => placesToCover(await options.elements(), options.redactor);
  let before = await look();
  for (let tries = 1; ; tries += 1) {
    const picture = await options.take();
    const after = await look();
    const known = JSON.stringify(before) === JSON.stringify(after);
    if (known && after.length === 0) return picture;
    if (known || tries === MOST_TRIES) {
      return { ...picture, png: covered(picture.png, known ? after : EVERYTHING) };
    }
    before = after;
  }
}

/** A tree as it may be kept: no secrets, and nothing of what stands in password fields. */
export function treeToKeep(tree: UiTree, redactor: Redactor): UiTree {
  const emptied = (element: UiElement): UiElement => ({
    ...element,
    ...(element.password && { text: "" }),
    children: element.children.map(emptied),
  });
  return redactor.data({ ...tree, root: emptied(tree.root) });
}

/** For whoever leaves out pictures of a screen with a password field: one with anything to hide counts as such. */
export function treeForPictures(tree: UiTree, redactor: Redactor): UiTree {
  if (!redactor.active || placesToCover(tree, redactor).length === 0) return tree;
  return { ...tree, root: { ...tree.root, password: true } };
}

/** Fractions of the screen. */
function placesToCover(tree: UiTree, redactor: Redactor): readonly UiBounds[] {
  if (!redactor.active) return boundsOf(tree.root, ({ password }) => password);
  if (tree.note !== undefined) return EVERYTHING;
  const places = boundsOf(
    tree.root,
    ({ password, text, hint, accessibilityText }) =>
      password || redactor.shows(text) || redactor.shows(hint) || redactor.shows(accessibilityText),
  );
  return tree.overPicture === true ? [...aroundDialog(tree.root), ...places] : places;
}

function boundsOf(root: UiElement, wanted: (element: UiElement) => boolean): UiBounds[] {
  const inside = root.children.flatMap((child) => boundsOf(child, wanted));
  return wanted(root) ? [root.bounds, ...inside] : inside;
}

/** All but the phone's own dialog: what is behind it is a picture nobody can read elements of. */
function aroundDialog(root: UiElement): readonly UiBounds[] {
  const [dialog] = boundsOf(root, ({ role }) => role === "dialog");
  if (dialog === undefined) return EVERYTHING;
  const { x, y, width, height } = dialog;
  return [
    { x: 0, y: 0, width: 1, height: y },
    { x: 0, y: y + height, width: 1, height: Math.max(0, 1 - y - height) },
    { x: 0, y, width: x, height },
    { x: x + width, y, width: Math.max(0, 1 - x - width), height },
  ];
}

function covered(png: Uint8Array, places: readonly UiBounds[]): Uint8Array {
  const picture = readPicture(png);
  if (picture === undefined) throw new Error("A phone's picture is no PNG that can be read.");
  const { width, height, data } = picture;
  for (const place of places) {
    const left = Math.max(0, Math.floor(place.x * width) - MARGIN);
    const right = Math.min(width, Math.ceil((place.x + place.width) * width) + MARGIN);
    const top = Math.max(0, Math.floor(place.y * height) - MARGIN);
    const bottom = Math.min(height, Math.ceil((place.y + place.height) * height) + MARGIN);
    for (let row = top; row < bottom; row += 1) {
      for (let column = left; column < right; column += 1) data.set(COVER, (row * width + column) * 4);
    }
  }
  return writePicture(picture);
}
