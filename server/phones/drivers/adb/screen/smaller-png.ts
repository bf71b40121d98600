/**
 * A smaller copy of a PNG as Android's `screencap` writes them: 8 bits, RGB or RGBA, not interlaced (AOSP
 * frameworks/base/cmds/screencap, through `AndroidBitmap_compress`). Anything else is given back as it is. Pixels of
 * a block are averaged. Source: PNG specification, third edition, §7–9.
 */
import { promisify } from "node:util";
import { crc32, deflate, inflate } from "node:zlib";

const MAX_PIXELS = 16_000_000;
const HEADER_BYTES = 8;
const COLOUR_CHANNELS = new Map([
  [2, 3],
  [6, 4],
]);
const unpack = promisify(inflate);
const pack = promisify<Uint8Array, { level: number }, Buffer>(deflate);

interface Raw {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array;
}

/** @param scale part of the width and height, 0–1. */
export async function smallerPng(png: Uint8Array, scale: number): Promise<Uint8Array> {
  const raw = readChunks(png);
  if (raw === undefined) return png;
  const width = Math.max(1, Math.round(raw.width * scale));
  const height = Math.max(1, Math.round(raw.height * scale));
  const length = raw.height * (1 + raw.width * raw.channels);
  const rows = await unpack(raw.data, { maxOutputLength: length }).catch(() => undefined);
  if (rows?.length !== length || !unfilter(rows, raw)) return png;
  return writePng(width, height, await pack(shrink(rows, raw, width, height), { level: 4 }));
}

function readChunks(png: Uint8Array): Raw | undefined {
  const bytes = Buffer.from(png.buffer, png.byteOffset, png.byteLength);
  let head: Omit<Raw, "data"> | undefined;
  const data: Buffer[] = [];
  for (let at = HEADER_BYTES; at + 12 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString("latin1", at + 4, at + 8);
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (body.length < length) return undefined;
    if (type === "IHDR" && length === 13) {
      const [width, height, channels] = [body.readUInt32BE(0), body.readUInt32BE(4), COLOUR_CHANNELS.get(body[9] ?? 0)];
      const plain = body[8] === 8 && body[12] === 0 && channels !== undefined;
      if (!plain || width === 0 || height === 0 || width * height > MAX_PIXELS) return undefined;
      head = { width, height, channels };
    } else if (type === "IDAT") data.push(body);
    at += 12 + length;
  }
  return head === undefined ? undefined : { ...head, data: Buffer.concat(data) };
}

/** Undoes the filters of all rows in place; false for a filter there is not. */
function unfilter(rows: Uint8Array, { width, height, channels }: Omit<Raw, "data">): boolean {
  const stride = width * channels;
  for (let row = 0; row < height; row += 1) {
    const start = row * (stride + 1);
    const filter = rows[start] ?? 0;
    const here = rows.subarray(start + 1, start + 1 + stride);
    const above = row === 0 ? new Uint8Array(stride) : rows.subarray(start - stride, start);
    if (filter === 1) {
      for (let at = channels; at < stride; at += 1) here[at] = (here[at] ?? 0) + (here[at - channels] ?? 0);
    } else if (filter === 2) {
      for (let at = 0; at < stride; at += 1) here[at] = (here[at] ?? 0) + (above[at] ?? 0);
    } else if (filter === 3) {
      for (let at = 0; at < stride; at += 1) {
        here[at] = (here[at] ?? 0) + (((at < channels ? 0 : (here[at - channels] ?? 0)) + (above[at] ?? 0)) >> 1);
      }
    } else if (filter === 4) {
      for (let at = 0; at < stride; at += 1) {
        const left = at < channels ? 0 : (here[at - channels] ?? 0);
        const leftAbove = at < channels ? 0 : (above[at - channels] ?? 0);
        here[at] = (here[at] ?? 0) + paeth(left, above[at] ?? 0, leftAbove);
      }
    } else if (filter !== 0) return false;
  }
  return true;
}

function paeth(left: number, above: number, leftAbove: number): number {
  const estimate = left + above - leftAbove;
  const toLeft = Math.abs(estimate - left);
  const toAbove = Math.abs(estimate - above);
  const toBoth = Math.abs(estimate - leftAbove);
  if (toLeft <= toAbove && toLeft <= toBoth) return left;
  return toAbove <= toBoth ? above : leftAbove;
}

/** RGB rows, each with the filter "up" where there is a row above: flat areas become zeros. */
function shrink(rows: Uint8Array, raw: Omit<Raw, "data">, width: number, height: number): Uint8Array {
  const stride = 1 + raw.width * raw.channels;
  const out = new Uint8Array(height * (1 + width * 3));
  let before = new Uint8Array(width * 3);
  for (let y = 0; y < height; y += 1) {
    const top = Math.floor((y * raw.height) / height);
    const bottom = Math.max(top + 1, Math.floor(((y + 1) * raw.height) / height));
    const line = new Uint8Array(width * 3);
    for (let x = 0; x < width; x += 1) {
      const left = Math.floor((x * raw.width) / width);
      const right = Math.max(left + 1, Math.floor(((x + 1) * raw.width) / width));
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let fromY = top; fromY < bottom; fromY += 1) {
        for (let fromX = left; fromX < right; fromX += 1) {
          const at = fromY * stride + 1 + fromX * raw.channels;
          red += rows[at] ?? 0;
          green += rows[at + 1] ?? 0;
          blue += rows[at + 2] ?? 0;
        }
      }
      const count = (bottom - top) * (right - left);
      line[x * 3] = red / count;
      line[x * 3 + 1] = green / count;
      line[x * 3 + 2] = blue / count;
    }
    const start = y * (1 + width * 3);
    out[start] = 2;
    for (let at = 0; at < line.length; at += 1) out[start + 1 + at] = (line[at] ?? 0) - (before[at] ?? 0);
    before = line;
  }
  return out;
}

function writePng(width: number, height: number, data: Buffer): Uint8Array {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk("IHDR", head), chunk("IDAT", data), chunk("IEND", Buffer.alloc(0))]);
}

function chunk(type: string, body: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, "latin1"), body]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(typed));
  return Buffer.concat([length, typed, sum]);
}
