/** Pictures as pixels: cutting one out of another, and telling two apart. */
import { convertIndexedToRgb, decode, encode } from "fast-png";
import pixelmatch from "pixelmatch";

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** RGBA, 8 bits each. */
  readonly data: Uint8Array;
}

/** Far above any phone's screen; a small file can claim to be huge. */
const MOST_PIXELS = 16_000_000;
/** How different a colour must be to count, 0–1: what differs less is anti-aliasing and rounding. */
const COLOUR_THRESHOLD = 0.1;

/** Undefined for what is no PNG or too large. */
export function readPicture(png: Uint8Array): Picture | undefined {
  const head = Buffer.from(png.buffer, png.byteOffset, png.byteLength);
  if (head.length < 33 || head.toString("latin1", 12, 16) !== "IHDR") return undefined;
  if (head.readUInt32BE(16) * head.readUInt32BE(20) > MOST_PIXELS) return undefined;
  try {
    const decoded = decode(png);
    const { width, height, depth, palette } = decoded;
    const data = palette === undefined ? decoded.data : convertIndexedToRgb(decoded);
    const channels = palette === undefined ? decoded.channels : (palette[0]?.length ?? 0);
    if (channels < 1 || channels > 4 || (palette === undefined && depth < 8)) return undefined;
    const pixels = new Uint8Array(width * height * 4);
    const at = (index: number) => (depth === 16 ? (data[index] ?? 0) >> 8 : (data[index] ?? 0));
    for (let pixel = 0; pixel < width * height; pixel += 1) {
      const from = pixel * channels;
      const grey = channels < 3;
      pixels[pixel * 4] = at(from);
      pixels[pixel * 4 + 1] = at(grey ? from : from + 1);
      pixels[pixel * 4 + 2] = at(grey ? from : from + 2);
      pixels[pixel * 4 + 3] = channels % 2 === 0 ? at(from + channels - 1) : 255;
    }
    return { width, height, data: pixels };
  } catch {
    return undefined;
  }
}

export function writePicture({ width, height, data }: Picture): Uint8Array {
  return encode({ width, height, data, channels: 4, depth: 8 });
}

/** The part within bounds given as fractions of the whole; at least one pixel. */
export function cropPicture(
  picture: Picture,
  bounds: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
): Picture {
  const within = (value: number, most: number) => Math.min(Math.max(Math.round(value), 0), most);
  const left = within(bounds.x * picture.width, picture.width - 1);
  const top = within(bounds.y * picture.height, picture.height - 1);
  const width = Math.max(1, within((bounds.x + bounds.width) * picture.width, picture.width) - left);
  const height = Math.max(1, within((bounds.y + bounds.height) * picture.height, picture.height) - top);
  const data = new Uint8Array(width * height * 4);
  for (let row = 0; row < height; row += 1) {
    const from = ((top + row) * picture.width + left) * 4;
    data.set(picture.data.subarray(from, from + width * 4), row * width * 4);
  }
  return { width, height, data };
}

/** How much of two pictures of one size is the same, 0–100, and a picture of where it is not. */
export function comparePictures(one: Picture, other: Picture): { samePercentage: number; difference: Picture } {
  const { width, height } = one;
  const data = new Uint8Array(width * height * 4);
  const differing = pixelmatch(one.data, other.data, data, width, height, { threshold: COLOUR_THRESHOLD });
  return { samePercentage: (1 - differing / (width * height)) * 100, difference: { width, height, data } };
}
