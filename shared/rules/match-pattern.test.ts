import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PROVE_TIMES } from "../testing/prove.ts";
import { matchesStars, matchGlob, starGlob } from "./glob.ts";
import { matchesPattern, originPattern, parseMatchPattern } from "./match-pattern.ts";
import { isPublicSuffix, isSameSite } from "./site.ts";
import { matchParts, parseUrlParts, type UrlParts } from "./url-parts.ts";

const pattern = (text: string) => {
  const parsed = parseMatchPattern(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
};
const refusal = (text: string) => {
  const parsed = parseMatchPattern(text);
  return parsed.ok ? "accepted" : parsed.message;
};
const fits = (text: string, url: string) => matchesPattern(pattern(text), new URL(url));

describe("match patterns", () => {
  it("match scheme, host and path with query", () => {
    expect(fits("https://shop.example/product/*", "https://shop.example/product/7?a=1#x")).toBe(true);
    expect(fits("https://shop.example/product/*", "https://shop.example/product")).toBe(false);
    expect(fits("https://shop.example/product/*", "http://shop.example/product/7")).toBe(false);
    expect(fits("*://shop.example/*", "http://shop.example:8080/")).toBe(true);
    expect(fits("https://*.shop.example/*", "https://shop.example/")).toBe(true);
    expect(fits("https://*.shop.example/*", "https://a.b.shop.example/")).toBe(true);
    expect(fits("https://*.shop.example/*", "https://evilshop.example/")).toBe(false);
    expect(fits("https://shop.example/*", "https://a.shop.example/")).toBe(false);
    expect(fits("<all_urls>", "https://a.example/x")).toBe(true);
    expect(fits("<all_urls>", "file:///etc/passwd")).toBe(false);
    expect(fits("https://BÜCHER.example/ä*", "https://bücher.example/ähre")).toBe(true);
  });
  it.each([
    ["shop.example/*", "begins with https://"],
    ["ftp://shop.example/*", "scheme is ftp"],
    ["https://shop.example", "path is missing; write https://shop.example/*"],
    ["https:///x", "host is missing"],
    ["https://a.*.example/*", "* stands alone or in front"],
    ["https://*shop.example/*", "* stands alone or in front"],
    ["https://shop.example:443/*", "no port"],
    ["https://me@shop.example/*", "no user name"],
    ["https://*.127.0.0.1/*", "nothing below it"],
    ["https://shop.example/#top", "no fragment"],
    ["https://shop.example/a b", "%20"],
    ["https://*./*", "after *. is missing"],
    ["https://sh%op/*", "not a host name"],
    [`https://a.example/${"x".repeat(600)}`, "at most 512"],
  ])("refuses %s with a sentence", (text, part) => {
    expect(refusal(text)).toContain(part);
  });
  it("never throws, and never matches what is not http", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((rest) => `https://${rest}`),
        ),
        (text) => {
          const parsed = parseMatchPattern(text);
          if (parsed.ok) expect(matchesPattern(parsed.value, new URL("ftp://a.example/"))).toBe(false);
        },
      ),
    );
  });
  it("ask a browser for whole hosts", () => {
    expect(originPattern(pattern("https://*.shop.example/product/*"))).toBe("https://*.shop.example/*");
    expect(originPattern(pattern("<all_urls>"))).toBe("*://*/*");
  });
});

const piece = fc.constantFrom("*", "a", "b", "ab", "/", "ba");
describe("wildcards", () => {
  it("match as the regular expression they stand for", () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const text = pieces.join("");
        const regex = new RegExp(`^${text.replaceAll("/", "\\/").replaceAll("*", ".*")}$`, "s");
        for (const sample of samples) {
          expect(matchesStars(text, sample)).toBe(regex.test(sample));
          expect(matchGlob(starGlob(text), sample) !== undefined).toBe(regex.test(sample));
        }
      }),
    );
  });
  it("stay quick on texts made to be slow", () => {
    const started = performance.now();
    expect(matchGlob(starGlob("*a".repeat(30)), `${"a".repeat(8_000)}b`)).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(3_000);
  });
});
const samples = ["", "a", "b", "ab", "aab", "abab", "a/b", "b/a/ab", "ba", "abba/ab", "/"];

const partText = fc
  .array(fc.constantFrom("*", ":x", ":y", "a", "b", "/", "-", "ab"), { maxLength: 6 })
  .map((all) => all.join(""));
describe("parts of addresses", () => {
  it("match and name as the platform's URLPattern does", () => {
    const word = fc.array(fc.constantFrom("a", "b", "ab", "/", "-", "/a"), { maxLength: 7 }).map((all) => all.join(""));
    let agreed = 0;
    fc.assert(
      fc.property(partText, partText, word, word, fc.boolean(), (path, search, wordA, wordB, alike) => {
        const parts: UrlParts = { pathname: `/${path}`, search };
        const ours = parseUrlParts(parts);
        if (!ours.ok) return;
        const fill = (text: string) => text.replaceAll(":x", wordA).replaceAll(":y", "a").replaceAll("*", wordB);
        const url = new URL(`https://shop.example/${alike ? fill(path) : wordA}?${alike ? fill(search) : wordB}`);
        const theirs = new URLPattern({ pathname: `/${path}`, search }).exec(url.href);
        const found = matchParts(ours.value, url);
        expect(found !== undefined).toBe(theirs !== null);
        if (found === undefined || theirs === null) return;
        agreed += 1;
        const groups = { ...theirs.pathname.groups, ...theirs.search.groups };
        for (const [name, value] of found) expect(value).toBe(groups[name]);
      }),
      { numRuns: 600 * PROVE_TIMES },
    );
    expect(agreed).toBeGreaterThan(50);
  });
  it("name what they take", () => {
    const parsed = parseUrlParts({ hostname: ":shop.market.example", pathname: "/p/:id/*" });
    if (!parsed.ok) throw new Error(parsed.message);
    const names = matchParts(parsed.value, new URL("https://lamps.market.example/p/7/blue"));
    expect(Object.fromEntries(names ?? [])).toEqual({ shop: "lamps", id: "7" });
    expect(matchParts(parsed.value, new URL("https://a.lamps.market.example/p/7/blue"))).toBeUndefined();
  });
  it.each([
    [{ pathname: "/(a+)+" }, "In pathname, at character 2, ( is not supported"],
    [{ pathname: "p" }, "begins with / or *"],
    [{ search: "?a=1" }, "leave the ? in front away"],
    [{ pathname: "/:a/:a" }, "at character 5, the name a stands twice"],
    [{ pathname: "/a:" }, "a name has to follow"],
    [{ pathname: "/a\\" }, "needs a character after it"],
    [{}, "Give at least one of"],
  ])("refuse %o with a sentence", (parts, message) => {
    const parsed = parseUrlParts(parts);
    expect(parsed.ok ? "accepted" : parsed.message).toContain(message);
  });
});

describe("sites", () => {
  it("are judged narrowly", () => {
    expect(isSameSite("www.shop.example", "m.shop.example")).toBe(true);
    expect(isSameSite("en.m.wiki.example", "en.wiki.example")).toBe(true);
    expect(isSameSite("a.github.io", "b.github.io")).toBe(false);
    expect(isSameSite("a.co.uk", "b.co.uk")).toBe(false);
    expect(isSameSite("www.co.uk", "m.co.uk")).toBe(false);
    expect(isSameSite("evil.example", "shop.example")).toBe(false);
    expect(isPublicSuffix("co.uk")).toBe(true);
    expect(isPublicSuffix("com")).toBe(true);
    expect(isPublicSuffix("localhost")).toBe(false);
    expect(isPublicSuffix("shop.com")).toBe(false);
  });
});
