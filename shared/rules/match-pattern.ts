/**
 * Match patterns as browsers have them (`https://*.shop.example/product/*`), http and https only. The path is matched
 * against path and query of an address; its fragment and port are ignored.
 */
import { matchesStars } from "./glob.ts";

export interface MatchPattern {
  readonly scheme: "http" | "https" | "*";
  /** `exact`: this host; `suffix`: this host and everything below it; `any`: every host (then `host` is ""). */
  readonly reach: "exact" | "suffix" | "any";
  readonly host: string;
  /** Begins with "/"; `*` stands for any text. */
  readonly path: string;
}

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string };

const MAX_LENGTH = 512;

/** Reads a match pattern; a refusal says which part is wrong and what to write. */
export function parseMatchPattern(text: string): Parsed<MatchPattern> {
  const quoted = JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
  const wrong = (message: string) => ({ ok: false, message: `${quoted}: ${message}` }) as const;
  if (text.length > MAX_LENGTH) return wrong(`A pattern has at most ${MAX_LENGTH} characters.`);
  if (text === "<all_urls>") return { ok: true, value: { scheme: "*", reach: "any", host: "", path: "/*" } };
  const [, schemeText, rest] = /^([^:/]*):\/\/(.*)$/su.exec(text) ?? [];
  if (schemeText === undefined || rest === undefined) {
    return wrong("A pattern begins with https://, http:// or *://, as in https://shop.example/product/*.");
  }
  const scheme = SCHEMES.find((one) => one === schemeText.toLowerCase());
  if (scheme === undefined) return wrong(`The scheme is ${schemeText || "missing"}; write https, http or *.`);
  const slash = rest.indexOf("/");
  if (slash === -1) return wrong(`The path is missing; write ${scheme}://${rest}/* for every page of the site.`);
  const host = parseHost(rest.slice(0, slash));
  if (!host.ok) return wrong(host.message);
  const path = rest.slice(slash);
  if (path.includes("#")) return wrong("A pattern has no fragment; take # and what follows away.");
  if (/\s/u.test(path)) return wrong("The path holds a space; write %20 for it.");
  return { ok: true, value: { scheme, ...host.value, path: encodeLiteral(path) } };
}

const SCHEMES = ["http", "https", "*"] as const;

function parseHost(text: string): Parsed<Pick<MatchPattern, "reach" | "host">> {
  const wrong = (message: string) => ({ ok: false, message }) as const;
  if (text === "") return wrong("The host is missing; write a name such as shop.example.");
  if (text.includes("@")) return wrong("A pattern holds no user name or password.");
  if (text === "*") return { ok: true, value: { reach: "any", host: "" } };
  if (/:[\d*]*$/.test(text)) return wrong("A pattern has no port: it means every port. Take the colon away.");
  const suffix = text.startsWith("*.");
  const name = suffix ? text.slice(2) : text;
  if (name.includes("*")) return wrong("In the host, * stands alone or in front as *.; write *.shop.example.");
  const host = canonicalHost(name);
  if (host === undefined)
    return wrong(`The host ${name === "" ? "after *. is missing" : `${name} is not a host name`}.`);
  if (suffix && /^[\d.]+$|^\[/.test(host)) return wrong("An IP address has nothing below it; take *. away.");
  return { ok: true, value: { reach: suffix ? "suffix" : "exact", host } };
}

/** A host as addresses carry it (lower case, punycode), undefined when it is none. */
export function canonicalHost(name: string): string | undefined {
  if (!/^(\[[0-9a-f:.]+\]|[^\s/?#@:\\[\]%<>^|]+)$/iu.test(name) || !URL.canParse(`https://${name}/`)) return undefined;
  const { hostname } = new URL(`https://${name}/`);
  return hostname.split(".").includes("") ? undefined : hostname;
}

/** Literal text as addresses carry it: what is not ASCII, percent-encoded. */
export function encodeLiteral(text: string): string {
  return text.toWellFormed().replace(/[^\x21-\x7e]+|["<>`]/gu, encodeURIComponent);
}

export function matchesPattern(pattern: MatchPattern, url: URL): boolean {
  return (
    matchesScheme(pattern, url.protocol) &&
    coversHost(pattern, url.hostname) &&
    (pattern.path === "/*" || matchesStars(pattern.path, url.pathname + url.search))
  );
}

export function coversHost({ reach, host }: Pick<MatchPattern, "reach" | "host">, name: string): boolean {
  if (reach === "any") return true;
  if (!name.endsWith(host)) return false;
  return name.length === host.length || (reach === "suffix" && name.at(-host.length - 1) === ".");
}

function matchesScheme(pattern: MatchPattern, protocol: string): boolean {
  return pattern.scheme === "*" ? protocol === "https:" || protocol === "http:" : protocol === `${pattern.scheme}:`;
}

/** The pattern of all pages of the same hosts: what a browser is asked for. */
export function originPattern({ scheme, reach, host }: MatchPattern): string {
  return `${scheme}://${reach === "any" ? "*" : reach === "suffix" ? `*.${host}` : host}/*`;
}
