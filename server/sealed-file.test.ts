import { randomBytes } from "node:crypto";
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allOf } from "./files/blob-store.ts";
import { PIECE_BYTES, sealed, sealing, shred, unsealedSize, unsealing } from "./sealed-file.ts";

describe("a sealed file", () => {
  const key = randomBytes(32);
  let folder: string;
  let file: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "perch-sealed-"));
    file = join(folder, "file");
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const write = (content: Buffer) =>
    pipeline(
      Readable.from(content.length === 0 ? [] : chunksOf(content)),
      sealing(key, "here"),
      createWriteStream(file),
    );
  const chunksOf = (content: Buffer) =>
    Array.from({ length: Math.ceil(content.length / 50_000) }, (_, at) =>
      content.subarray(at * 50_000, (at + 1) * 50_000),
    );
  const read = async (place = "here", withKey = key) => {
    const pieces: Buffer[] = [];
    for await (const piece of unsealing(createReadStream(file, { highWaterMark: 50_000 }), withKey, place))
      pieces.push(piece);
    return Buffer.concat(pieces);
  };

  it.each([0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES, 500_001])(
    "of %i bytes comes back as it was",
    async (size) => {
      const content = randomBytes(size);
      await write(content);
      expect((await read()).equals(content)).toBe(true);
      expect(unsealedSize(statSync(file).size)).toBe(size);
      if (size > 16) expect(readFileSync(file).includes(content.subarray(0, 16))).toBe(false);
    },
  );

  it("is the same however it is written and however it comes", async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 150_000 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.integer({ min: 1, max: 200_000 }), async (parts, cut) => {
        const plain = parts.map((size) => randomBytes(size));
        const stored = await allOf(sealed(plain, key, "here"));
        const size = parts.reduce((sum, one) => sum + one, 0);
        expect(unsealedSize(stored.length)).toBe(size);
        // Byte by byte only what is small: each piece costs a turn of the loop.
        const step = Math.max(cut, Math.ceil(stored.length / 2_000));
        const pieces = function* (until: number) {
          for (let at = 0; at < until; at += step) yield stored.subarray(at, Math.min(until, at + step));
        };
        const open = (until: number, place = "here") => allOf(unsealing(Readable.from(pieces(until)), key, place));
        expect((await open(stored.length)).equals(Buffer.concat(plain))).toBe(true);
        await expect(open(stored.length - 1)).rejects.toThrow();
        await expect(open(stored.length, "there")).rejects.toThrow();
      }),
      { numRuns: 20 },
    );
  });

  it("does not open elsewhere, with another key, changed, cut off, reordered or made longer", async () => {
    await write(randomBytes(3 * PIECE_BYTES + 5));
    await expect(read("there")).rejects.toThrow();
    await expect(read("here", randomBytes(32))).rejects.toThrow();
    const sealed = readFileSync(file);
    const header = sealed.length - unsealedSize(sealed.length) - 4 * 16;
    const piece = PIECE_BYTES + 16;
    const at = (from: number, to?: number) =>
      sealed.subarray(header + from * piece, to === undefined ? undefined : header + to * piece);
    const head = sealed.subarray(0, header);
    const broken: Record<string, Buffer> = {
      changed: Buffer.from(sealed).fill(1, sealed.length - 20, sealed.length - 19),
      "cut off at a piece": sealed.subarray(0, header + 2 * piece),
      "cut off within one": sealed.subarray(0, header + piece + 100),
      "only its head": head,
      reordered: Buffer.concat([head, at(1, 2), at(0, 1), at(2)]),
      repeated: Buffer.concat([head, at(0, 1), at(0, 1), at(1)]),
      longer: Buffer.concat([sealed, Buffer.alloc(piece)]),
      "of another kind": Buffer.concat([Buffer.from("PK"), sealed.subarray(2)]),
    };
    for (const [how, bytes] of Object.entries(broken)) {
      writeFileSync(file, bytes);
      await expect(read(), how).rejects.toThrow();
    }
  });

  it("is written over before it is removed, and a missing one is none", async () => {
    await write(Buffer.alloc(200_000, "needle"));
    const before = readFileSync(file);
    const kept = join(folder, "kept");
    const { linkSync } = await import("node:fs");
    linkSync(file, kept);
    await shred(file);
    expect(existsSync(file)).toBe(false);
    const after = readFileSync(kept);
    expect(after.length).toBe(before.length);
    expect(after.subarray(0, 64).equals(before.subarray(0, 64))).toBe(false);
    expect(after.subarray(-64).equals(before.subarray(-64))).toBe(false);
    await shred(file);
  });
});
