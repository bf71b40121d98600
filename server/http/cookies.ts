/** Every cookie there is. Pages set them through here alone, and an answer with another one does not leave (clauses P6.1 to P6.3). */
import type { Context, MiddlewareHandler } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { SESSION_LONGEST_MS } from "../accounts/sessions.service.ts";
import { SECOND_STEP_MS } from "../accounts/sign-in-steps.ts";

export const DESK_SESSION_MS = 30 * 60_000;

interface CookieRule {
  /** What its name ends in, after that of the product. */
  readonly suffix: string;
  readonly purpose: string;
  readonly kind: "essential" | "preference";
  /** How long it lives at most, in seconds. */
  readonly maxAge: number;
}

/** All are `HttpOnly`, `SameSite=Strict`, for this host alone, and `Secure` wherever people come by https. */
export const COOKIES = {
  session: {
    suffix: "",
    purpose: "keeps you signed in on the pages of this server",
    kind: "essential",
    maxAge: SESSION_LONGEST_MS / 1000,
  },
  secondStep: {
    suffix: "-second",
    purpose: "holds a sign-in that waits for its second step",
    kind: "essential",
    maxAge: SECOND_STEP_MS / 1000,
  },
  closed: {
    suffix: "-closed",
    purpose: "remembers which announcements you closed",
    kind: "preference",
    maxAge: 90 * 24 * 3600,
  },
  desk: {
    suffix: "-desk",
    purpose: "keeps the page of the operator open for the operator",
    kind: "essential",
    maxAge: DESK_SESSION_MS / 1000,
  },
} as const satisfies Readonly<Record<string, CookieRule>>;
export type CookieId = keyof typeof COOKIES;

/**
 * `__Host-` needs `Secure`, which browsers accept over plain http on some loopback names and not on others; so on http,
 * which the configuration allows on loopback only, cookies go without the prefix.
 */
export function cookieNamed(id: CookieId, publicUrl: URL): string {
  return `${publicUrl.protocol === "https:" ? "__Host-perch" : "perch"}${COOKIES[id].suffix}`;
}

export function readCookie(c: Context, id: CookieId, publicUrl: URL): string | undefined {
  return getCookie(c, cookieNamed(id, publicUrl));
}

export function writeCookie(c: Context, id: CookieId, publicUrl: URL, value: string): void {
  const secure = publicUrl.protocol === "https:";
  const { maxAge } = COOKIES[id];
  setCookie(c, cookieNamed(id, publicUrl), value, { httpOnly: true, sameSite: "Strict", path: "/", secure, maxAge });
}

export function dropCookie(c: Context, id: CookieId, publicUrl: URL): void {
  deleteCookie(c, cookieNamed(id, publicUrl), { path: "/", secure: publicUrl.protocol === "https:" });
}

/** Why a `Set-Cookie` line is none of the register; `undefined` for one that is. */
export function strangeCookie(line: string, publicUrl: URL): string | undefined {
  const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
  const [name = "", value = ""] = pair.split(/=(.*)/s);
  const rule = Object.keys(COOKIES).find((id): id is CookieId => cookieNamed(id as CookieId, publicUrl) === name);
  if (rule === undefined) return `${name} is not registered`;
  const given = new Map(
    attributes.map((attribute) => {
      const [key = "", text = ""] = attribute.split("=");
      return [key.toLowerCase(), text];
    }),
  );
  const maxAge = Number(given.get("max-age"));
  if (given.has("domain") || given.get("path") !== "/") return `${name} is not for this host alone`;
  if (publicUrl.protocol === "https:" && !given.has("secure")) return `${name} is not Secure`;
  if (value === "" && maxAge === 0) return undefined;
  if (!given.has("httponly")) return `${name} can be read by scripts`;
  if (given.get("samesite") !== "Strict") return `${name} goes along from other sites`;
  return maxAge > 0 && maxAge <= COOKIES[rule].maxAge ? undefined : `${name} lives longer than registered`;
}

/** Fails an answer that sets another cookie than those above: the cookie does not leave, and whoever added it hears. */
export function registeredCookiesOnly(publicUrl: URL): MiddlewareHandler {
  return async (c, next) => {
    await next();
    for (const line of c.res.headers.getSetCookie()) {
      const problem = strangeCookie(line, publicUrl);
      if (problem === undefined) continue;
      c.res.headers.delete("Set-Cookie");
      throw new Error(`A page set a cookie that is not as the register says: ${problem}.`);
    }
  };
}
