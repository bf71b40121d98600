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

  /**
   * The picture as video has it: planes of brightness and, half as wide and high, of colour (I420, BT.601, limited range). A
   * new buffer each time. Screens are areas of one colour: a row like the one above is copied, a run of pixels filled.
   */
  i420(): Buffer {
    const { width, height } = this;
    const rows = Buffer.from(this.bytes.buffer);
    const [across, down] = [width >> 1, height >> 1];
    const out = Buffer.allocUnsafe(width * height + 2 * across * down);
    const [blues, reds] = [width * height, width * height + across * down];
    const line = width * 4;
    for (let row = 0; row < height; row += 1) {
      const [from, above] = [row * line, row < 2 ? -1 : (row - (row % 2 === 0 ? 2 : 1)) * line];
      const half = row >> 1;
      const colour = row % 2 === 0 && half < down;
      if (above >= 0 && rows.compare(rows, above, above + line, from, from + line) === 0) {
        out.copyWithin(row * width, (above / line) * width, (above / line + 1) * width);
        if (!colour) continue;
        for (const plane of [blues, reds])
          out.copyWithin(plane + half * across, plane + (half - 1) * across, plane + half * across);
      } else this.#i420Row(out, row, colour ? [blues + half * across, reds + half * across] : undefined);
    }
    return out;
  }

  #i420Row(out: Buffer, row: number, planes: readonly [number, number] | undefined): void {
    const { width } = this;
    const words = this.#words;
    const start = row * width;
    for (let at = 0; at < width; ) {
      const value = words[start + at] ?? 0;
      let end = at + 1;
      while (end < width && words[start + end] === value) end += 1;
      const [r, g, b] = [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff];
      out.fill(((66 * r + 129 * g + 25 * b + 128) >> 8) + 16, start + at, start + end);
      const [first, last] = [(at + 1) >> 1, Math.min(width >> 1, (end + 1) >> 1)];
      if (planes !== undefined && last > first) {
        out.fill(((-38 * r - 74 * g + 112 * b + 128) >> 8) + 128, planes[0] + first, planes[0] + last);
        out.fill(((112 * r - 94 * g - 18 * b + 128) >> 8) + 128, planes[1] + first, planes[1] + last);
      }
      at = end;
    }
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
