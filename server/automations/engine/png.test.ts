import fc from "fast-check";
import { encode } from "fast-png";
import { describe, expect, it } from "vitest";
import { comparePictures, cropPicture, type Picture, readPicture, writePicture } from "./png.ts";

function picture(width: number, height: number, colour: (x: number, y: number) => readonly number[]): Picture {
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) data.set([...colour(x, y), 255].slice(0, 4), (y * width + x) * 4);
  }
  return { width, height, data };
}

describe("pictures", () => {
  it("reads what it wrote, and grey, RGB and indexed ones", () => {
    const one = picture(7, 5, (x, y) => [x * 30, y * 40, 9]);
    expect(readPicture(writePicture(one))).toEqual(one);
    const grey = encode({ width: 2, height: 1, data: new Uint8Array([10, 200]), channels: 1 });
    expect(readPicture(grey)?.data).toEqual(new Uint8Array([10, 10, 10, 255, 200, 200, 200, 255]));
    const rgb = encode({ width: 1, height: 1, data: new Uint8Array([1, 2, 3]), channels: 3 });
    expect(readPicture(rgb)?.data).toEqual(new Uint8Array([1, 2, 3, 255]));
    const sixteen = encode({ width: 1, height: 1, data: new Uint16Array([0xabcd]), channels: 1, depth: 16 });
    expect(readPicture(sixteen)?.data).toEqual(new Uint8Array([0xab, 0xab, 0xab, 255]));
  });

  it("never throws for bytes that are no picture, and refuses a huge one unread", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(60), (noise, at) => {
        const broken = Buffer.from(writePicture(picture(3, 3, () => [1, 2, 3])));
        broken.set(noise.subarray(0, broken.length - at), at);
        readPicture(noise);
        readPicture(broken);
      }),
    );
    const huge = Buffer.from(writePicture(picture(1, 1, () => [0, 0, 0])));
    huge.writeUInt32BE(60_000, 16);
    huge.writeUInt32BE(60_000, 20);
    expect(readPicture(huge)).toBeUndefined();
  });

  it("cuts out the part that fractions name", () => {
    const whole = picture(10, 10, (x, y) => [x, y, 0]);
    const part = cropPicture(whole, { x: 0.2, y: 0.5, width: 0.3, height: 0.2 });
    expect(part).toEqual(picture(3, 2, (x, y) => [x + 2, y + 5, 0]));
    expect(cropPicture(whole, { x: 0.95, y: 2, width: 5, height: 0 })).toMatchObject({ width: 1, height: 1 });
  });

  it("tells how much is the same", () => {
    const white = picture(10, 10, () => [255, 255, 255]);
    const square = picture(10, 10, (x, y) => (x < 5 && y < 4 ? [0, 0, 0] : [255, 255, 255]));
    expect(comparePictures(white, white).samePercentage).toBe(100);
    expect(comparePictures(white, square).samePercentage).toBeCloseTo(80);
    const nearly = picture(10, 10, () => [254, 255, 253]);
    expect(comparePictures(white, nearly).samePercentage).toBe(100);
  });
});
