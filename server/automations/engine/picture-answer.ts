/** What comparing two pictures gives; plain data that goes into a thread and out of it. */
import { comparePictures, cropPicture, type Picture, readPicture, writePicture } from "./png.ts";

export interface PictureQuestion {
  /** Undefined: there is nothing to compare with yet. */
  readonly expected: Uint8Array | undefined;
  readonly actual: Uint8Array;
  /** The part of `actual` that is meant, as fractions of it. */
  readonly bounds: Parameters<typeof cropPicture>[1] | undefined;
  /** How much must be the same, 0–100. */
  readonly threshold: number;
}

/** Pictures as PNG. */
export type PictureAnswer =
  | { readonly kind: "unreadable"; readonly which: "expected" | "actual" }
  | { readonly kind: "nothing_expected"; readonly actual: Uint8Array }
  | { readonly kind: "same" }
  | { readonly kind: "sizes"; readonly actual: Uint8Array; readonly sizes: readonly [expected: string, actual: string] }
  | {
      readonly kind: "different";
      readonly actual: Uint8Array;
      readonly difference: Uint8Array;
      /** 0–100. */
      readonly same: number;
    };

export function answerTo({ expected, actual, bounds, threshold }: PictureQuestion): PictureAnswer {
  const screen = readPicture(actual);
  if (screen === undefined) return { kind: "unreadable", which: "actual" };
  const shown = bounds === undefined ? screen : cropPicture(screen, bounds);
  if (expected === undefined) return { kind: "nothing_expected", actual: writePicture(shown) };
  const wanted = readPicture(expected);
  if (wanted === undefined) return { kind: "unreadable", which: "expected" };
  const sizes = [sizeWords(wanted), sizeWords(shown)] as const;
  if (sizes[0] !== sizes[1]) return { kind: "sizes", actual: writePicture(shown), sizes };
  const { samePercentage, difference } = comparePictures(wanted, shown);
  if (samePercentage >= threshold) return { kind: "same" };
  return {
    kind: "different",
    actual: writePicture(shown),
    difference: writePicture(difference),
    same: samePercentage,
  };
}

function sizeWords({ width, height }: Picture): string {
  return `${width} × ${height}`;
}
