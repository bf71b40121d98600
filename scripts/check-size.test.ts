import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { judged, sizes } from "./check-size.ts";

const FILES = {
  "page.html": '<script type="module" src="/chunks/page.js"></script><link rel="modulepreload" href="/chunks/a.js">',
  "chunks/page.js": 'import{x}from"./a.js";import"./b.js";const y=()=>import("./screen-AbCd_-12.js");',
  "chunks/a.js": 'import{z}from"./b.js";export const x=z;',
  "chunks/b.js": "export const z=1;",
  "chunks/screen-AbCd_-12.js": 'import"./a.js";import"./shared.js";const y=()=>import("./editor-00000000.js");',
  "chunks/shared.js": "export const shared=2;",
  "chunks/editor-00000000.js": 'import"./shared.js";import"./words.js";',
  "chunks/words.js": 'export const words="import later";',
  "chunks/other.js": "export const unrelated=3;",
} as const;
type Name = keyof typeof FILES;
const zipped = (...names: Name[]) => names.reduce((sum, name) => sum + gzipSync(FILES[name]).length, 0);

describe("sizes of a page", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "perch-size-"));
    mkdirSync(join(folder, "chunks"));
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("are what it loads at once, once, and then each later part with what it brings along", () => {
    expect(sizes(folder, "page.html")).toEqual([
      { name: "page.html", files: 3, gzipBytes: zipped("chunks/page.js", "chunks/a.js", "chunks/b.js") },
      { name: "screen", files: 2, gzipBytes: zipped("chunks/screen-AbCd_-12.js", "chunks/shared.js") },
      { name: "editor", files: 2, gzipBytes: zipped("chunks/editor-00000000.js", "chunks/words.js") },
    ]);
  });

  it("stand beside their budgets; a part nobody allowed has none", () => {
    const budgets = judged(folder, { entry: "page.html", kB: 1, parts: { screen: 2 } }).map(({ kB }) => kB);
    expect(budgets).toEqual([1, 2, undefined]);
  });
});
