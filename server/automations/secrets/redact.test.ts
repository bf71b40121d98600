import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NO_SECRETS, redactorOf } from "./redact.ts";

const CANARY = 'hunter2 & "söhne" <b>/+=?\'\\';
const hide = (value: string, name = "PASSWORD") => redactorOf([{ name, value }]);

const lower = (text: string) => text.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase());
const html = (text: string) =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
const json = (text: string) => JSON.stringify(text).slice(1, -1);
const form = (text: string) => new URLSearchParams({ v: text }).toString().slice(2);
const base64 = (text: string) => Buffer.from(text).toString("base64");

/** What programs do to a text before they write it somewhere. */
const WRITTEN: Readonly<Record<string, (text: string) => string>> = {
  "as it is": (text) => text,
  encodeURIComponent: encodeURIComponent,
  encodeURI: encodeURI,
  "lower-case hex": (text) => lower(encodeURIComponent(text)),
  "a form": form,
  "a URL's query": (text) => new URL(`https://a.example/?q=${encodeURIComponent(text)}`).search,
  "twice URL-encoded": (text) => encodeURIComponent(encodeURIComponent(text)),
  JSON: json,
  "JSON in JSON": (text) => json(json(text)),
  "ASCII JSON": (text) =>
    json(text).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`),
  HTML: html,
  "HTML in HTML": (text) => html(html(text)),
  "HTML of JSON": (text) => html(json(text)),
  base64: base64,
  "base64 after one byte": (text) => base64(`:${text}`),
  "base64 after two bytes": (text) => base64(`u:${text}`),
  "base64 amid others": (text) => base64(`user:${text}:more`),
  base64url: (text) => Buffer.from(`user:${text}`).toString("base64url"),
  "URL-encoded base64": (text) => encodeURIComponent(base64(text)),
};

describe("what a run writes", () => {
  it.each(Object.entries(WRITTEN))("shows no secret as %s", (_how, write) => {
    const written = write(CANARY);
    const said = hide(CANARY).text(`before ${written} after`);
    expect(said).toContain("[PASSWORD]");
    expect(said).not.toContain(written);
    expect(said).toMatch(/^before .* after$/);
  });

  it("shows no secret, whatever it is and wherever it stands", () => {
    const value = fc
      .string({ unit: "grapheme", minLength: 4, maxLength: 40 })
      .filter((text) => [...text.trim()].length >= 4 && text.isWellFormed());
    const around = fc.string({ maxLength: 20 });
    fc.assert(
      fc.property(value, around, around, fc.constantFrom(...Object.keys(WRITTEN)), (secret, before, after, how) => {
        const written = WRITTEN[how]?.(secret) ?? secret;
        const said = hide(secret).text(before + written + after);
        expect(said).not.toContain(secret);
        if (!"[PASSWORD]".includes(written)) expect(said).not.toContain(written);
        expect(hide(secret).shows(said)).toBe(false);
      }),
      { numRuns: 1_500 },
    );
  });

  it("finds base64 at every offset, down to the bits its neighbours share", () => {
    const around = fc.uint8Array({ maxLength: 12 });
    fc.assert(
      fc.property(
        fc.string({ minLength: 6, maxLength: 30 }),
        around,
        around,
        fc.boolean(),
        (secret, before, after, url) => {
          const all = Buffer.concat([before, Buffer.from(secret), after]).toString(url ? "base64url" : "base64");
          const said = hide(secret).text(all);
          const left = Math.floor((before.length * 8) / 6);
          const kept = said.split("[PASSWORD]");
          expect(kept.length).toBeGreaterThanOrEqual(2);
          expect(kept[0]?.length ?? 0).toBeLessThanOrEqual(left);
        },
      ),
    );
  });

  it("leaves text without a secret alone", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        fc.pre(!text.includes("correct horse"));
        expect(hide("correct horse battery staple").text(text)).toBe(text);
      }),
    );
    expect(NO_SECRETS.text("anything")).toBe("anything");
  });

  it("hides several, also where they overlap or hold each other", () => {
    const both = redactorOf([
      { name: "ONE", value: "abcdef" },
      { name: "TWO", value: "defghi" },
      { name: "THREE", value: "cdef" },
    ]);
    expect(both.text("x abcdefghi y abcdef cdef")).toBe("x [ONE] y [ONE] [THREE]");
  });

  it("hides what a cut left of a secret at the end of a long text", () => {
    const long = "s3cret-".repeat(20);
    expect(hide(long).text(`${"x".repeat(1_980)}${long.slice(0, 20)}`)).toBe(`${"x".repeat(1_980)}[PASSWORD]`);
    expect(hide(long).text("s3cret-")).toBe("s3cret-");
  });

  it("does not bring a value back by the name it puts in its place", () => {
    expect(hide("PASSWORD").text("my PASSWORD here")).not.toContain("PASSWORD");
    expect(hide("a[X]b", "X").text("a a[X]b b")).toBe("a [X] b");
    expect(hide("abab", "X").text("ababab")).not.toContain("abab");
  });

  it("hides what fields and pages make of white space", () => {
    const said = hide("  two\r\nlines  and blanks ");
    expect(said.text("shows: two\nlines  and blanks")).toBe("shows: [PASSWORD]");
    expect(said.text("shows: two lines and blanks")).toBe("shows: [PASSWORD]");
    expect(said.text("shows: twolines  and blanks")).toBe("shows: [PASSWORD]");
  });

  it("goes through data and keeps its shape", () => {
    const data = { a: [`x ${CANARY}`, 1, true, null], b: { c: html(CANARY) } };
    expect(hide(CANARY).data(data)).toEqual({ a: ["x [PASSWORD]", 1, true, null], b: { c: "[PASSWORD]" } });
  });

  it("is quick on a large text and for the longest value", () => {
    const page = Array.from({ length: 20_000 }, (_, n) => `Item ${n} costs ${n % 97} %20 &amp; more\n`).join("");
    const started = performance.now();
    expect(hide("correct horse battery staple").text(page)).toBe(page);
    const random = Array.from({ length: 4_096 }, (_, n) => String.fromCharCode(33 + ((n * 7919) % 90))).join("");
    expect(hide(random).text(`${page}${random}`)).toBe(`${page}[PASSWORD]`);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
