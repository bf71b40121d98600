/** Where values are read, in order of trust (research/automation.md §4.2): the browser first, then what a page says. */
import { compileCondition, isAddressCondition, readAddress, readPattern } from "./address.ts";
import { jsonLdValues } from "./json-ld.ts";
import { coversHost } from "./match-pattern.ts";
import type { Rule, Source } from "./model.ts";
import type { Facts } from "./page-facts.ts";
import { conditionsOf } from "./rule-parts.ts";
import { isSameSite } from "./site.ts";
import { normalise } from "./text.ts";

/** From most to least trusted. */
const TRUST = [
  "url",
  "query",
  "path",
  "group",
  "menu",
  "canonical",
  "jsonld",
  "meta",
  "app",
  "play",
  "css",
  "selection",
] as const satisfies readonly Source["kind"][];

export function byTrust(sources: readonly Source[]): readonly Source[] {
  return [...sources].sort((a, b) => TRUST.indexOf(a.kind) - TRUST.indexOf(b.kind));
}

/** The value of a source as text, normalised and not empty; undefined when it has none that can be used. */
export function readSource(source: Source, rule: Pick<Rule, "when" | "scope">, facts: Facts): string | undefined {
  const url = readAddress(facts.url);
  const raw = url === undefined ? undefined : rawValue(source, rule, facts, url);
  const value = raw === undefined ? "" : normalise(raw);
  return value === "" ? undefined : value;
}

function rawValue(source: Source, rule: Pick<Rule, "when" | "scope">, facts: Facts, url: URL): string | undefined {
  const { page, menu } = facts;
  switch (source.kind) {
    case "url":
      return partOfAddress(source.part, url);
    case "query":
      return url.searchParams.get(source.name) ?? undefined;
    case "path": {
      const segments = url.pathname.split("/").filter((segment) => segment !== "");
      return decoded(segments.at(source.index));
    }
    case "group":
      return decoded(namesOf(rule, url).get(source.name));
    case "menu":
      return webAddress(source.part === "link" ? menu?.link : menu?.media);
    case "canonical":
      return canonical(rule, page?.canonical ?? undefined, url);
    case "jsonld":
      return jsonLdValues(page?.jsonLd ?? [], source.type, source.path)[0];
    case "meta":
      return meta(facts, source.name);
    case "app":
      return appValue(source.part, facts);
    case "play":
      return packageName(playPackage(url) ?? firstPackage(page?.apps ?? [], "market:"));
    case "css":
      return page?.css.find(({ css, attr }) => css === source.css && attr === source.attr)?.value ?? undefined;
    case "selection":
      return menu?.selection ?? page?.selection;
  }
}

function partOfAddress(part: Extract<Source, { kind: "url" }>["part"], url: URL): string | undefined {
  if (part === "address") return url.href;
  if (part === "origin") return url.origin;
  if (part === "host") return url.hostname;
  return decoded(part === "path" ? url.pathname : url.hash.slice(1));
}

function decoded(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function namesOf(rule: Pick<Rule, "when">, url: URL): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const condition of conditionsOf(rule)) {
    if (condition.kind !== "url" || !isAddressCondition(condition)) continue;
    for (const [name, value] of compileCondition(condition)(url).names) names.set(name, value);
  }
  return names;
}

/** Believed on the page's own site, and between hosts that the rule's scope itself puts together. */
function canonical(rule: Pick<Rule, "scope">, text: string | undefined, url: URL): string | undefined {
  const found = webUrl(text, url);
  if (found === undefined) return undefined;
  const together = rule.scope.some((one) => {
    const pattern = readPattern(one);
    return pattern?.reach === "suffix" && coversHost(pattern, url.hostname) && coversHost(pattern, found.hostname);
  });
  return together || isSameSite(found.hostname, url.hostname) ? found.href : undefined;
}

function webUrl(text: string | undefined, base?: URL): URL | undefined {
  if (text === undefined || !URL.canParse(text, base?.href)) return undefined;
  const url = new URL(text, base?.href);
  const web = url.protocol === "https:" || url.protocol === "http:";
  return web && url.username === "" && url.password === "" ? url : undefined;
}

function webAddress(text: string | undefined): string | undefined {
  return webUrl(text)?.href;
}

export function meta({ page }: Facts, name: string): string | undefined {
  return page?.meta.find((one) => one.name === name.toLowerCase())?.content;
}

function appValue(part: Extract<Source, { kind: "app" }>["part"], facts: Facts): string | undefined {
  if (part === "name") return meta(facts, "al:android:app_name");
  if (part === "address") return appAddress(meta(facts, "al:android:url"));
  const apps = facts.page?.apps ?? [];
  return (
    packageName(meta(facts, "al:android:package")) ??
    packageName(/(?:^|[\s,])app-id=([^\s,]+)/.exec(meta(facts, "google-play-app") ?? "")?.[1]) ??
    packageName(firstPackage(apps, "android-app:")) ??
    packageName(firstPackage(apps, "market:"))
  );
}

/** Schemes that run code, read files or name other apps' insides. */
const UNSAFE_SCHEMES = new Set(
  "javascript data vbscript blob file filesystem content intent about view-source".split(" "),
);

function appAddress(text: string | undefined): string | undefined {
  if (text === undefined || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return UNSAFE_SCHEMES.has(url.protocol.slice(0, -1)) ? undefined : url.href;
}

function firstPackage(apps: readonly string[], protocol: "android-app:" | "market:"): string | undefined {
  for (const text of apps) {
    if (!text.startsWith(`${protocol}//`)) continue;
    if (protocol === "android-app:") return text.slice("android-app://".length).split("/", 1)[0];
    return new URLSearchParams(text.split("?", 2)[1] ?? "").get("id") ?? undefined;
  }
  return undefined;
}

function playPackage(url: URL): string | undefined {
  if (url.hostname !== "play.google.com" || url.pathname !== "/store/apps/details") return undefined;
  return url.searchParams.get("id") ?? undefined;
}

/** A name an Android app can have; anything else is no package. */
function packageName(text: string | undefined): string | undefined {
  if (text === undefined || text.length > 255) return undefined;
  return /^[A-Za-z]\w*(\.[A-Za-z]\w*)+$/.test(text) ? text : undefined;
}
