import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { entrySize } from "./check-size.ts";

it("counts every script a page loads, once: scripts, preloads, imports and their imports", () => {
  const folder = mkdtempSync(join(tmpdir(), "perch-size-"));
  try {
    mkdirSync(join(folder, "chunks"));
    const files = {
      "page.html":
        '<script type="module" src="/chunks/page.js"></script><link rel="modulepreload" href="/chunks/a.js">',
      "chunks/page.js": 'import{x}from"./a.js";import"./b.js";const y=()=>import("./lazy.js");',
      "chunks/a.js": 'import{z}from"./b.js";export const x=z;',
      "chunks/b.js": "export const z=1;",
      "chunks/lazy.js": "export const l=2;",
      "chunks/other.js": "export const unrelated=3;",
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const loaded = ["chunks/page.js", "chunks/a.js", "chunks/b.js", "chunks/lazy.js"] as const;
    const gzipBytes = loaded.reduce((sum, name) => sum + gzipSync(files[name]).length, 0);
    expect(entrySize(folder, "page.html")).toEqual({ files: 4, gzipBytes });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
