/**
 * Which of many rules an address can start, without trying each. Every rule hangs on keys of which an address that fits
 * must have one: an exact host, a host suffix, a token of path or query, a query name. Per rule the keys that fewest
 * rules share are taken; rules without any are tried for every address. What is found is then verified.
 */
import { type AddressRule, addressOf, compileAddress, readAddress } from "./address.ts";
import { type KeyChoice, keyChoices, keysOfAddress } from "./index-keys.ts";
import type { Rule } from "./model.ts";

/** An index as JSON. `version` names the set of rules it was built of. */
export interface RuleIndexData {
  readonly version: string;
  readonly rules: readonly (readonly [id: Rule["id"], address: AddressRule])[];
  readonly keys: readonly (readonly [key: string, positions: readonly number[]])[];
  /** Positions of rules that every address has to be tried with. */
  readonly rest: readonly number[];
}

export interface RuleIndex {
  readonly data: RuleIndexData;
  readonly byKey: ReadonlyMap<string, readonly number[]>;
  /** Filled as rules are first verified. */
  readonly verifiers: ((url: URL) => boolean)[];
}

/** Builds in time linear in the rules. Rules that are off are left out; which others go in is the caller's choice. */
export function buildIndex(rules: readonly Rule[], version: string): RuleIndex {
  const entries = rules.filter(({ enabled }) => enabled).map((rule) => [rule.id, addressOf(rule)] as const);
  const choices = entries.map(([, address]) => keyChoices(address));
  const counts = new Map<string, number>();
  for (const choice of choices) {
    for (const key of new Set(choice.flat(2))) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const byKey = new Map<string, number[]>();
  const rest: number[] = [];
  choices.forEach((choice, position) => {
    const keys = cheapest(choice, counts);
    if (keys === undefined) rest.push(position);
    for (const key of keys ?? []) {
      const bucket = byKey.get(key);
      if (bucket === undefined) byKey.set(key, [position]);
      else bucket.push(position);
    }
  });
  return loadIndex({ version, rules: entries, keys: [...byKey], rest });
}

/** An index from its JSON. */
export function loadIndex(data: RuleIndexData): RuleIndex {
  return { data, byKey: new Map(data.keys), verifiers: [] };
}

/** Ids of the rules an address leaves possible, in the order they were given. */
export function candidates(index: RuleIndex, address: string): readonly Rule["id"][] {
  const url = readAddress(address);
  if (url === undefined) return [];
  const found = new Set(index.data.rest);
  for (const key of keysOfAddress(url)) {
    for (const position of index.byKey.get(key) ?? []) found.add(position);
  }
  const ids: Rule["id"][] = [];
  for (const position of [...found].sort((a, b) => a - b)) {
    const entry = index.data.rules[position];
    if (entry === undefined) continue;
    index.verifiers[position] ??= compileAddress(entry[1]);
    if (index.verifiers[position](url)) ids.push(entry[0]);
  }
  return ids;
}

/**
 * Of everything that must hold, the one whose keys bring the fewest other rules along; of each alternative its rarest key.
 * Undefined when nothing that must hold has keys for all its alternatives.
 */
function cheapest(choice: KeyChoice, counts: ReadonlyMap<string, number>): ReadonlySet<string> | undefined {
  let best: { readonly keys: ReadonlySet<string>; readonly cost: number } | undefined;
  for (const alternatives of choice) {
    const keys = new Set<string>();
    let cost = 0;
    for (const options of alternatives) {
      const rarest = rarestOf(options, counts);
      if (rarest === undefined) cost = Number.POSITIVE_INFINITY;
      else if (!keys.has(rarest)) {
        keys.add(rarest);
        cost += counts.get(rarest) ?? 0;
      }
    }
    if (cost < (best?.cost ?? Number.POSITIVE_INFINITY)) best = { keys, cost };
  }
  return best?.keys;
}

function rarestOf(keys: readonly string[], counts: ReadonlyMap<string, number>): string | undefined {
  let rarest: string | undefined;
  for (const key of keys) {
    if (rarest === undefined || (counts.get(key) ?? 0) < (counts.get(rarest) ?? 0)) rarest = key;
  }
  return rarest;
}
