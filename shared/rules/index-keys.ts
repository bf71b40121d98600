/** The keys rules are indexed by, and the keys an address has. A rule's key is in every address that fits the rule. */
import { type AddressCondition, type AddressRule, patternOf, readPattern } from "./address.ts";
import { type Glob, starGlob } from "./glob.ts";
import type { MatchPattern } from "./match-pattern.ts";
import { parseUrlParts, type UrlParts } from "./url-parts.ts";

/** Everything that must hold → its alternatives → for each, keys of which any one will do, best first. */
export type KeyChoice = readonly (readonly (readonly string[])[])[];

/** In so many addresses that a rule hung on one would be tried nearly always. */
const COMMON = new Set("www com net org html htm php index http https the and utm source medium campaign".split(" "));
const TOKEN = /[A-Za-z0-9]{3,}/g;

export function keyChoices({ scope, mode, conditions, open }: AddressRule): KeyChoice {
  const choice: (readonly (readonly string[])[])[] = [];
  if (scope.length > 0) {
    choice.push(scope.map(readPattern).map((pattern) => (pattern === undefined ? [] : patternKeys(pattern))));
  }
  if (mode === "all") choice.push(...conditions.map((one) => [conditionKeys(one)]));
  else if (!open) choice.push(conditions.map(conditionKeys));
  return choice;
}

/** May hold a key twice. */
export function keysOfAddress(url: URL): readonly string[] {
  const { hostname, pathname, search } = url;
  const keys = [exactKey(hostname), suffixKey(hostname)];
  for (let dot = hostname.indexOf("."); dot !== -1; dot = hostname.indexOf(".", dot + 1)) {
    keys.push(suffixKey(hostname.slice(dot + 1)));
  }
  for (const token of (pathname + search).match(TOKEN) ?? []) keys.push(tokenKey(token));
  if (search !== "") for (const name of url.searchParams.keys()) keys.push(queryKey(name));
  return keys;
}

const exactKey = (host: string) => `=${host}`;
const suffixKey = (host: string) => `.${host}`;
const tokenKey = (token: string) => `/${token}`;
const queryKey = (name: string) => `?${name}`;

function patternKeys({ reach, host, path }: MatchPattern): readonly string[] {
  const tokens = tokensOf(starGlob(path));
  if (reach === "any") return tokens;
  return [reach === "exact" ? exactKey(host) : suffixKey(host), ...tokens];
}

function conditionKeys(condition: AddressCondition): readonly string[] {
  if (condition.kind === "query") return condition.op === "not" ? [] : [queryKey(condition.name)];
  const pattern = patternOf(condition);
  if (pattern !== undefined) return patternKeys(pattern);
  const parts = typeof condition.is === "string" ? undefined : parseUrlParts(condition.is as UrlParts);
  if (parts?.ok !== true) return [];
  return parts.value.flatMap(([part, glob]) => {
    if (part === "hostname") return hostKeys(glob);
    return part === "pathname" || part === "search" ? tokensOf(glob) : [];
  });
}

function hostKeys(glob: Glob): readonly string[] {
  const last = glob.at(-1);
  if (typeof last !== "string") return [];
  if (glob.length === 1) return [exactKey(last)];
  const dot = last.indexOf(".");
  return dot === -1 ? [] : [suffixKey(last.slice(dot + 1))];
}

/** Tokens that stand whole in every text the pattern matches: none that a wildcard could make longer. */
function tokensOf(glob: Glob): readonly string[] {
  return glob.flatMap((piece, index) => {
    if (typeof piece !== "string") return [];
    return [...piece.matchAll(TOKEN)].flatMap(({ 0: token, index: start }) => {
      const growsBefore = start === 0 && index > 0;
      const growsAfter = start + token.length === piece.length && index < glob.length - 1;
      return growsBefore || growsAfter || COMMON.has(token) ? [] : [tokenKey(token)];
    });
  });
}
