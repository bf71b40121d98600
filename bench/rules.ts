/** What one navigation costs the page-context rules: the index beside trying every rule. */

import { newId } from "../shared/id-values.ts";
import { addressOf, compileAddress, readAddress } from "../shared/rules/address.ts";
import type { Rule, RuleInput } from "../shared/rules/model.ts";
import { parseRule } from "../shared/rules/parse-rule.ts";
import { buildIndex, candidates } from "../shared/rules/rule-index.ts";
import { type Benchmark, type Figure, median, spread } from "./benchmark.ts";

const SIZES = [100, 1_000, 10_000] as const;
const ADDRESSES = 2_000;
const ROUNDS = 25;
/** Trying every rule is slow: fewer addresses of the same list. */
const LOOP_ADDRESSES = 200;
const LOOP_ROUNDS = 5;
const BUILDS = 9;

export const rules: Benchmark = {
  name: "rules",
  title: "Page-context rules",
  about:
    "Time from an address to the rules it leaves possible, 2,000 addresses of which every tenth fits a rule; mean of a " +
    "round, median and p95 of 25 rounds. 70 % of the rules name host and path, 12 % a host and all below it, 8 % a path " +
    "on any host, 5 % a query, 5 % parts of an address. Beside it the same compiled rules, each tried. Reading the " +
    "address is part of both.",
  run: async () => {
    const figures: Figure[] = [];
    for (const size of SIZES) figures.push(...benchSize(size));
    return figures;
  },
};

function benchSize(size: number): readonly Figure[] {
  const all = Array.from({ length: size }, (_, number) => ruleOf(number));
  const addresses = Array.from({ length: ADDRESSES }, (_, number) => addressFor(number, size));
  const builds = Array.from({ length: BUILDS }, () => timed(() => buildIndex(all, "bench")) / 1_000);
  const index = buildIndex(all, "bench");
  const verifiers = all.map((rule) => compileAddress(addressOf(rule)));
  const loop = (address: string) => {
    const url = readAddress(address);
    return url === undefined ? [] : all.filter((_, position) => verifiers[position]?.(url));
  };
  for (const address of addresses.slice(0, LOOP_ADDRESSES)) {
    if (candidates(index, address).length !== loop(address).length) throw new Error(`The index differs at ${address}.`);
  }
  const rounds = (count: number, list: readonly string[], match: (address: string) => unknown) =>
    Array.from({ length: count }, () => timed(() => list.forEach(match)) / list.length);
  const indexed = rounds(ROUNDS, addresses, (address) => candidates(index, address));
  const looped = rounds(LOOP_ROUNDS, addresses.slice(0, LOOP_ADDRESSES), loop);
  return [
    {
      name: `navigation, ${size.toLocaleString("en")} rules`,
      unit: "µs",
      ...spread(indexed),
      beside: { name: "each rule tried", median: median(looped) },
      ...(size === 10_000 ? { aim: { of: "median", atMost: 50 } as const } : {}),
    },
    { name: `building the index, ${size.toLocaleString("en")} rules`, unit: "ms", ...spread(builds) },
  ];
}

/** Microseconds. */
function timed(work: () => unknown): number {
  const started = performance.now();
  work();
  return (performance.now() - started) * 1_000;
}

function ruleOf(number: number): Rule {
  const shop = `shop${number % 4_000}.example`;
  const parsed = parseRule({
    id: newId("rule"),
    name: `Rule ${number}`,
    action: { flowId: newId("flow"), phone: "ask" },
    ...kindOf(number % 100, number, shop),
  } satisfies RuleInput);
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join(" "));
  return parsed.rule;
}

function kindOf(percent: number, number: number, shop: string): Pick<RuleInput, "scope" | "when"> {
  if (percent < 70) return { scope: [`https://${shop}/product/${number}*`], when: { all: [] } };
  if (percent < 82) return { scope: [`https://*.${shop}/*`], when: { all: [] } };
  if (percent < 90) return { scope: [], when: { all: [{ kind: "url", is: `*://*/landing/page${number}/*` }] } };
  if (percent < 95) {
    const query = { kind: "query", name: `campaign${number}`, op: "exists" } as const;
    return { scope: [`https://${shop}/*`], when: { all: [query] } };
  }
  const parts = { hostname: shop, pathname: `/list/:category/item${number}` };
  return { scope: [], when: { all: [{ kind: "url", is: parts }] } };
}

function addressFor(number: number, size: number): string {
  if (number % 10 !== 0) {
    return `https://www.site${number % 700}.example/news/${number}/a-story-of-the-day?page=${number % 9}&from=list`;
  }
  const rule = (number * 37) % size;
  const shop = `shop${rule % 4_000}.example`;
  const percent = rule % 100;
  if (percent < 70) return `https://${shop}/product/${rule}?from=mail`;
  if (percent < 82) return `https://www.${shop}/any/page`;
  if (percent < 90) return `https://other.example/landing/page${rule}/start`;
  if (percent < 95) return `https://${shop}/?campaign${rule}=1`;
  return `https://${shop}/list/lamps/item${rule}`;
}
