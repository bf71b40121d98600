import { randomBytes } from "node:crypto";
import {
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openFolder, readSealedFile, sealedEntries, sealFolder } from "./sealed-folder.ts";

const KEY = { key: randomBytes(32), place: "profile a" };

describe("a sealed folder", () => {
  let base: string;
  let folder: string;
  let file: string;
  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), "perch-sealed-"));
    folder = join(base, "folder");
    file = join(base, "folder.sealed");
    await mkdir(folder);
  });
  afterEach(() => rm(base, { recursive: true, force: true }));
  const opened = () => openFolder(file, folder, KEY, undefined);

  it("comes back as it was, without links and what need not be kept", async () => {
    await mkdir(join(folder, "Default/cache"), { recursive: true });
    await writeFile(join(folder, "Default/Cookies"), "a cookie", { mode: 0o600 });
    await writeFile(join(folder, "Default/cache/page"), "can be loaded again");
    await writeFile(join(folder, "empty"), "");
    await utimes(join(folder, "empty"), 1_000, 2_000);
    await symlink("/etc/passwd", join(folder, "link"));
    await sealFolder(folder, file, KEY, ["Default/cache"]);
    expect(await readdir(base)).toEqual(["folder.sealed"]);
    expect((await readFile(file)).includes("cookie")).toBe(false);
    expect((await readFile(file)).includes("Cookies")).toBe(false);
    await opened();
    expect((await readdir(folder, { recursive: true })).sort()).toEqual(["Default", "Default/Cookies", "empty"]);
    expect(await readFile(join(folder, "Default/Cookies"), "utf8")).toBe("a cookie");
    expect((await lstat(join(folder, "Default/Cookies"))).mode & 0o777).toBe(0o600);
    expect((await lstat(join(folder, "empty"))).mtimeMs).toBe(2_000_000);
  });

  it("gives its list and single files without being unpacked", async () => {
    const long = randomBytes(200_000);
    await writeFile(join(folder, "a.bin"), randomBytes(70_000));
    await writeFile(join(folder, "b.bin"), long);
    await sealFolder(folder, file, KEY);
    expect((await sealedEntries(file, KEY)).map(({ path, bytes }) => [path, bytes])).toEqual([
      ["a.bin", 70_000],
      ["b.bin", 200_000],
    ]);
    const stream = await readSealedFile(file, KEY, "b.bin");
    expect(Buffer.from(await new Response(stream).arrayBuffer()).equals(long)).toBe(true);
    expect(await readSealedFile(file, KEY, "c.bin")).toBeUndefined();
  });

  it("keeps files of every length around the size of a chunk", async () => {
    const sizes = [1, 65_535, 65_536, 65_537, 131_072];
    await fc.assert(
      fc.asyncProperty(fc.subarray(sizes, { minLength: 1 }), fc.integer({ min: 0, max: 200 }), async (some, more) => {
        await rm(base, { recursive: true, force: true });
        await mkdir(folder, { recursive: true });
        const contents = [...some, more].map((size) => randomBytes(size));
        for (const [at, bytes] of contents.entries()) await writeFile(join(folder, `f${at}`), bytes);
        await sealFolder(folder, file, KEY);
        await opened();
        for (const [at, bytes] of contents.entries()) {
          expect((await readFile(join(folder, `f${at}`))).equals(bytes)).toBe(true);
        }
      }),
      { numRuns: 12 },
    );
  });

  it("does not open when it was changed, cut, sealed for another place or with another key", async () => {
    await writeFile(join(folder, "a"), randomBytes(200_000));
    await sealFolder(folder, file, KEY);
    const { size } = await lstat(file);
    await expect(openFolder(file, folder, { ...KEY, place: "profile b" }, undefined)).rejects.toThrow();
    await expect(openFolder(file, folder, { ...KEY, key: randomBytes(32) }, undefined)).rejects.toThrow();
    const chunk = 64 * 1024 + 16;
    for (const cut of [size - 1, size - (size % chunk), size - chunk, 100]) {
      const whole = await readFile(file);
      await truncate(file, cut);
      await expect(opened()).rejects.toThrow();
      await writeFile(file, whole);
    }
    const handle = await open(file, "r+");
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, size - 100);
    await handle.write(Buffer.from([byte.readUInt8() ^ 1]), 0, 1, size - 100);
    await handle.close();
    await expect(opened()).rejects.toThrow();
    expect(await readdir(base)).not.toContain("folder");
  });
});
