import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PerchError } from "../errors.ts";
import { parseEgressAllow } from "./allow.ts";
import { isBadPort, isLocalhostName, parseAuthority, parseHost } from "./host.ts";
import { LOOPBACK_SPELLINGS } from "./internet.fixture.ts";

describe("parseHost", () => {
  it.each(LOOPBACK_SPELLINGS)("reads %s as 127.0.0.1", (text) =>
    expect(parseHost(text)).toEqual({ kind: "address", host: "127.0.0.1" }),
  );
  it.each([
    ["Example.COM", "example.com"],
    ["example.com.", "example.com"],
    ["xn--bcher-kva.example", "xn--bcher-kva.example"],
    ["a_b.example", "a_b.example"],
    ["LOCALHOST.", "localhost"],
  ])("reads %s as the name %s", (text, host) => expect(parseHost(text)).toEqual({ kind: "name", host }));
  it.each([
    ...[
      "",
      ".",
      "..",
      "a..b",
      "a..",
      ".a",
      "%31%32%37.0.0.1",
      "127.0.0.1%00",
      "a%2eb",
      "１２７.0.0.1",
      "ⓛocalhost",
      "a b",
    ],
    ...["user@host", "a/b", "a\\b", "a#b", "a?b", "1.2.3.256", "example.1", "0x100000000", "[::1%25lo]", "[::1%lo]"],
    ...["[127.0.0.1]", "[::1", "::1", "[]", `${"a".repeat(64)}.example`, `${"a.".repeat(127)}example`, "a\0b"],
  ])("refuses %j", (text) => expect(parseHost(text)).toBeUndefined());

  it("is stable: reading what it gave gives the same", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.domain(),
          fc.ipV4(),
          fc.ipV4Extended(),
          fc.ipV6().map((ip) => `[${ip}]`),
          fc.string(),
        ),
        (text) => {
          const once = parseHost(text);
          if (once === undefined) return;
          const again = parseHost(once.host.includes(":") ? `[${once.host}]` : once.host);
          expect(again).toEqual(once);
        },
      ),
    );
  });

  it("agrees with the browser's own reading of every IPv4 spelling", () => {
    fc.assert(
      fc.property(fc.ipV4Extended(), (text) => {
        const host = parseHost(text);
        expect(host).toEqual({ kind: "address", host: new URL(`http://${text}/`).hostname });
      }),
    );
  });
});

describe("parseAuthority", () => {
  it("reads host and port", () => {
    expect(parseAuthority("example.com:443")).toEqual({ kind: "name", host: "example.com", port: 443 });
    expect(parseAuthority("[2606:4700::1]:8080")).toEqual({ kind: "address", host: "2606:4700::1", port: 8080 });
    expect(parseAuthority("example.com", 80)).toEqual({ kind: "name", host: "example.com", port: 80 });
  });
  it.each([
    "example.com",
    "example.com:",
    "a:b",
    "a:-1",
    "a:65536",
    "a:080",
    "a:80:80",
    ":80",
    "u:p@a:80",
    "::1:80",
    "a:8 0",
  ])("refuses %j", (text) => expect(parseAuthority(text)).toBeUndefined());
});

describe("names and ports", () => {
  it("knows the names of this machine", () => {
    expect(["localhost", "a.localhost", "a.b.localhost"].every(isLocalhostName)).toBe(true);
    expect(["localhost.example", "mylocalhost", "localhosts"].some(isLocalhostName)).toBe(false);
  });
  it("refuses ports of other protocols", () => {
    expect([0, 22, 25, 6667, 10080].every(isBadPort)).toBe(true);
    expect([80, 443, 3000, 8080, 8443, 65535].some(isBadPort)).toBe(false);
  });
});

describe("parseEgressAllow", () => {
  it("reads a list", () => {
    const allow = parseEgressAllow(" intranet.example:8080, [FD00::1]:443 ,127.1:3000,LOCALHOST.:5000");
    expect(allow.size).toBe(4);
    expect(allow.has("intranet.example", 8080)).toBe(true);
    expect(allow.has("fd00::1", 443)).toBe(true);
    expect(allow.has("127.0.0.1", 3000)).toBe(true);
    expect(allow.has("localhost", 5000)).toBe(true);
    expect(allow.has("intranet.example", 8081)).toBe(false);
    expect(allow.has("localhost", 3000)).toBe(false);
    expect(allow.has("a.intranet.example", 8080)).toBe(false);
  });
  it.each(["", "  "])("reads %j as nothing", (text) => expect(parseEgressAllow(text).size).toBe(0));
  it.each([
    ["a:80,,b:80", /empty entry/],
    ["a:80,", /empty entry/],
    ["*:80", /wildcards/],
    ["*.example:80", /wildcards/],
    ["10.0.0.0/8:80", /host:port only/],
    ["http://a:80", /host:port only/],
    ["fd00::1:80", /brackets/],
    ["a", /cannot read "a"/],
    ["a:99999", /cannot read/],
    ["u@a:80", /cannot read/],
    ["a:22", /browsers refuse this port/],
    ["a:0", /browsers refuse this port/],
  ])("says what is wrong with %j", (text, words) => {
    expect(() => parseEgressAllow(text)).toThrow(words);
    expect(() => parseEgressAllow(text)).toThrow(PerchError);
  });
  it("reads or refuses any text with a sentence", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseEgressAllow(text);
        } catch (error) {
          expect(error).toBeInstanceOf(PerchError);
        }
      }),
    );
  });
});
