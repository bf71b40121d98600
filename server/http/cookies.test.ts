import fc from "fast-check";
import { Hono } from "hono";
import { setCookie } from "hono/cookie";
import { describe, expect, it } from "vitest";
import { COOKIES, type CookieId, cookieNamed, registeredCookiesOnly, strangeCookie, writeCookie } from "./cookies.ts";

const HTTPS = new URL("https://perch.example");
const HTTP = new URL("http://localhost:8787");
const GOOD = "__Host-perch=abc; Max-Age=60; Path=/; HttpOnly; Secure; SameSite=Strict";

describe("the register of cookies", () => {
  it("takes what pages set through it, and their removal, on https and on this machine", async () => {
    for (const publicUrl of [HTTPS, HTTP]) {
      for (const id of Object.keys(COOKIES) as CookieId[]) {
        const app = new Hono().use(registeredCookiesOnly(publicUrl)).get("/", (c) => {
          writeCookie(c, id, publicUrl, "value");
          return c.text("ok");
        });
        const [line = ""] = (await app.request("/")).headers.getSetCookie();
        expect(line).toContain(`${cookieNamed(id, publicUrl)}=value`);
        expect(strangeCookie(line, publicUrl)).toBeUndefined();
      }
    }
    expect(strangeCookie(GOOD, HTTPS)).toBeUndefined();
    expect(strangeCookie("__Host-perch=; Max-Age=0; Path=/; Secure", HTTPS)).toBeUndefined();
  });

  it.each([
    ["another name", GOOD.replace("__Host-perch", "_ga"), "not registered"],
    ["a name that only begins like ours", GOOD.replace("__Host-perch", "__Host-perch-x"), "not registered"],
    ["another host", `${GOOD}; Domain=perch.example`, "this host alone"],
    ["another path", GOOD.replace("Path=/", "Path=/x"), "this host alone"],
    ["scripts", GOOD.replace("HttpOnly; ", ""), "read by scripts"],
    ["plain http", GOOD.replace("Secure; ", ""), "not Secure"],
    ["other sites", GOOD.replace("Strict", "None"), "other sites"],
    ["for ever", GOOD.replace("Max-Age=60", "Max-Age=99999999"), "lives longer"],
    ["without an end", GOOD.replace("Max-Age=60; ", ""), "lives longer"],
  ])("refuses %s", (_what, line, why) => {
    expect(strangeCookie(line, HTTPS)).toContain(why);
  });

  it("knows no cookie by any name it does not list", () => {
    const known = new Set(Object.keys(COOKIES).map((id) => cookieNamed(id as CookieId, HTTPS)));
    fc.assert(
      fc.property(fc.stringMatching(/^[\w-]{1,24}$/), (name) => {
        fc.pre(!known.has(name));
        expect(strangeCookie(GOOD.replace("__Host-perch", name), HTTPS)).toContain("not registered");
      }),
    );
  });

  it("fails an answer with a strange cookie, which does not leave", async () => {
    const app = new Hono().use(registeredCookiesOnly(HTTP)).get("/", (c) => {
      writeCookie(c, "session", HTTP, "value");
      setCookie(c, "tracker", "1");
      return c.text("ok");
    });
    app.onError((_error, c) => c.text("failed", 500));
    const answer = await app.request("/");
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([500, []]);
  });
});
