import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mayShow } from "./documents.ts";
import { safeName } from "./downloads.ts";
import { readTar } from "./tar.ts";

describe("names of downloaded files", () => {
  it.each([
    ["report.pdf", "report.pdf"],
    ["../../etc/passwd", "_.._etc_passwd"],
    [".bashrc", "bashrc"],
    ["a\u0000b\u202e.txt", "a_b_.txt"],
    ["", "download"],
    ["…/..", "…_"],
    ["日本語 🙂.txt", "日本語 🙂.txt"],
  ])("%j becomes %j", (suggested, safe) => expect(safeName(suggested)).toBe(safe));

  it("ABUSE-35 are one plain path component whatever a server suggests, and stay as they are the second time", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 400 }), (suggested) => {
        const name = safeName(suggested);
        expect(name).not.toBe("");
        expect(name).not.toMatch(/[/\\\p{Cc}]|^\./u);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(200);
        expect(safeName(name)).toBe(name);
      }),
    );
  });
});

describe("documents a phone may show", () => {
  it.each(["", "about:blank", "about:blank#blocked", "http://a.example/", "https://a.example/x?y"])("shows %s", (url) =>
    expect(mayShow(url)).toBe(true),
  );
  it.each([
    "file:///etc/hostname",
    "chrome://settings/",
    "chrome-error://chromewebdata/",
    "view-source:https://a.example/",
    "devtools://devtools/x",
    "data:text/html,x",
    "blob:https://a.example/1",
    "filesystem:https://a.example/x",
    "javascript:1",
    "about:version",
    "not an address",
  ])("does not show %s", (url) => expect(mayShow(url)).toBe(false));
});

describe("the tar reader", () => {
  it("stops at what is no archive", () => {
    expect(readTar(Buffer.alloc(1024))).toEqual([]);
    expect(() => readTar(Buffer.alloc(1024, "x"))).toThrow("not a tar archive");
  });
});
