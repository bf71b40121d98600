import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countIn, needlesOf, scanBytes, scanFolder } from "./byte-scan.ts";

const VALUE = "Änna O'Neil@x.example";

describe("looking for a value in bytes", () => {
  const needles = needlesOf([VALUE]);
  const encodings: Readonly<Record<string, (around: string) => Buffer>> = {
    "as it is": (text) => Buffer.from(text),
    "in two bytes a letter": (text) => Buffer.from(text, "utf16le"),
    "in base64": (text) => Buffer.from(Buffer.from(text).toString("base64")),
    "in base64 of addresses": (text) => Buffer.from(Buffer.from(text).toString("base64url")),
    "in hexadecimal digits": (text) => Buffer.from(Buffer.from(text).toString("hex")),
    "in capital hexadecimal digits": (text) => Buffer.from(Buffer.from(text).toString("hex").toUpperCase()),
    "escaped in an address": (text) => Buffer.from(encodeURIComponent(text)),
    "in small letters": (text) => Buffer.from(text.toLowerCase()),
    "in JSON": (text) => Buffer.from(JSON.stringify({ text })),
  };
  it.each(Object.entries(encodings))("finds it %s, wherever it begins", (_, encode) => {
    fc.assert(
      fc.property(fc.string({ maxLength: 7 }), fc.string({ maxLength: 7 }), (before, after) => {
        expect(countIn(encode(`${before.toWellFormed()}${VALUE}${after.toWellFormed()}`), needles)).toBeGreaterThan(0);
      }),
    );
  });
  it("finds nothing where there is nothing", () => {
    expect(countIn(Buffer.from("anna.neil@y.example and others".repeat(100)), needles)).toBe(0);
  });
  it("finds it across the pieces large files are read in", async () => {
    for (const at of [1024 * 1024 - 5, 1024 * 1024 + 3]) {
      const bytes = Buffer.alloc(2.5 * 1024 * 1024, "x");
      bytes.write(VALUE, at);
      expect(await scanBytes(bytes, needles)).toBeGreaterThan(0);
      const folder = mkdtempSync(join(tmpdir(), "perch-scan-"));
      mkdirSync(join(folder, "deep"));
      writeFileSync(join(folder, "deep/file"), bytes);
      const found = await scanFolder(folder, needles, new Set());
      expect(found).toMatchObject({ files: 1, bytes: bytes.length });
      expect(found.hits).toBeGreaterThan(0);
      expect(await scanFolder(folder, needles, new Set(["deep"]))).toEqual({ files: 0, bytes: 0, hits: 0 });
      writeFileSync(join(folder, "deep/file"), "");
      writeFileSync(join(folder, "deep", Buffer.from(VALUE).toString("hex")), "");
      expect((await scanFolder(folder, needles, new Set())).hits).toBeGreaterThan(0);
      rmSync(folder, { recursive: true });
    }
  });
});
