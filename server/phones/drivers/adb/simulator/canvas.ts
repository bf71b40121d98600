/** A picture of RGBA pixels and what is needed to draw screens on it. */
import { ADVANCE, GLYPH_HEIGHT, GLYPH_WIDTH, glyph } from "./font.ts";

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
/** 0xRRGGBB. */
export type Colour = number;

export function intersect(a: Rect, b: Rect): Rect {
  const x = Math.max(a.x, b.x);
  const y = Math.max(a.y, b.y);
  return {
    x,
    y,
    width: Math.max(0, Math.min(a.x + a.width, b.x + b.width) - x),
    height: Math.max(0, Math.min(a.y + a.height, b.y + b.height) - y),
  };
}
export const contains = (rect: Rect, x: number, y: number) =>
  x >= rect.x && y >= rect.y && x < rect.x + rect.width && y < rect.y + rect.height;

/** As a little-endian word of R, G, B, A. */
const word = (colour: Colour) =>
  (0xff000000 | ((colour & 0xff) << 16) | (colour & 0xff00) | ((colour >>> 16) & 0xff)) >>> 0;

export class Canvas {
  readonly width: number;
  readonly height: number;
  readonly #words: Uint32Array;
  /** Four bytes a pixel: R, G, B, A. */
  readonly bytes: Uint8Array;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.#words = new Uint32Array(width * height);
    this.bytes = new Uint8Array(this.#words.buffer);
  }

  fill(rect: Rect, colour: Colour): void {
    const { x, y, width, height } = intersect(rect, { x: 0, y: 0, width: this.width, height: this.height });
    const value = word(colour);
    for (let row = y; row < y + height; row += 1)
      this.#words.fill(value, row * this.width + x, row * this.width + x + width);
  }

  outline(rect: Rect, clip: Rect, colour: Colour, line: number): void {
    const { x, y, width, height } = rect;
    for (const side of [
      { x, y, width, height: line },
      { x, y: y + height - line, width, height: line },
      { x, y, width: line, height },
      { x: x + width - line, y, width: line, height },
    ])
      this.fill(intersect(side, clip), colour);
  }

  /** One line of text; `dot`: pixels of one dot of the font. What is outside the clip is left out. */
  text(value: string, x: number, y: number, clip: Rect, colour: Colour, dot: number): void {
    let at = x;
    for (const letter of value) {
      if (at >= clip.x + clip.width) return;
      const columns = glyph(letter.codePointAt(0) ?? 32);
      for (let column = 0; column < GLYPH_WIDTH; column += 1)
        for (let row = 0; row < GLYPH_HEIGHT; row += 1)
          if (((columns[column] ?? 0) >> row) & 1)
            this.fill(intersect({ x: at + column * dot, y: y + row * dot, width: dot, height: dot }, clip), colour);
      at += ADVANCE * dot;
    }
  }
}

export const textWidth = (value: string, dot: number) => [...value].length * ADVANCE * dot;
