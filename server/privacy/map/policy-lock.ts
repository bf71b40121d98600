/**
 * The data map against the policy: what the newest material version covers is written down in
 * `shared/policy/data-map.lock.json`, and a map that holds more does not build (clause P8.1). Covered are a category with
 * its uses, a processor, and how long a category is kept.
 */
import { z } from "zod";
import type { ProcessorId } from "../processors/processors.ts";
import { CATEGORIES, RETENTION, type Retention, USES } from "../tags.ts";
import type { Holding } from "./records.ts";

const coverage = z.strictObject({
  categories: z.record(
    z.string(),
    z.strictObject({
      uses: z.array(z.string()),
      keeps: z.strictObject({
        /** Of the longest rule with days. */
        days: z.int(),
        /** Kept while the account, the team or the phone is there. */
        account: z.boolean(),
        /** Something of it stays for good. */
        stays: z.boolean(),
      }),
    }),
  ),
  processors: z.array(z.string()),
});
export type Coverage = z.infer<typeof coverage>;

/** By number of the policy's version; only material versions have an entry. */
export const policyLock = z.record(z.string().regex(/^\d+$/), coverage);
export type PolicyLock = z.infer<typeof policyLock>;

/** The clause that names each processor; one without does not compile. */
const PROCESSOR_CLAUSES = {
  ...{ database: "P3.2", storage: "P3.2", supabase: "P3.2", mail: "P3.5", stripe: "P3.3", geelark: "P3.4" },
} as const satisfies Record<ProcessorId, string>;

/** Gone with the work or the browser: as good as a day. */
const BRIEF: readonly Retention[] = ["moment", "browserSession"];
const STAYS: readonly Retention[] = ["incident", "chain", "service"];

function keepsOf(rules: readonly Retention[]): Coverage["categories"][string]["keeps"] {
  const days = rules.map((rule) => {
    const kept = RETENTION[rule];
    if (BRIEF.includes(rule)) return 1;
    return "days" in kept ? kept.days : undefined;
  });
  return {
    days: Math.max(0, ...days.map((one) => one ?? 0)),
    account: rules.some((rule, index) => days[index] === undefined && !STAYS.includes(rule)),
    stays: rules.some((rule) => STAYS.includes(rule)),
  };
}

/** What a map holds, for the lock. */
export function coverageOf(held: readonly Holding[]): Coverage {
  const categories: Coverage["categories"] = {};
  for (const category of Object.keys(CATEGORIES).sort()) {
    const mine = held.filter((one) => one.categories.some((name) => name === category));
    if (mine.length === 0) continue;
    categories[category] = {
      uses: [...new Set(mine.flatMap(({ uses }) => uses))].sort(),
      keeps: keepsOf(mine.map(({ retain }) => retain)),
    };
  }
  return { categories, processors: Object.keys(PROCESSOR_CLAUSES).sort() };
}

/** What the map holds and the policy does not cover, in sentences; empty when all is covered. */
export function uncovered(held: Coverage, covered: Coverage): string[] {
  const words: Readonly<Record<string, string>> = CATEGORIES;
  const reasons: Readonly<Record<string, string>> = USES;
  const found: string[] = [];
  for (const [category, { uses, keeps }] of Object.entries(held.categories)) {
    const known = covered.categories[category];
    const name = `${words[category] ?? category} (${category})`;
    if (known === undefined) {
      found.push(`${name} is kept.`);
      continue;
    }
    for (const use of uses) {
      if (!known.uses.includes(use)) found.push(`${name} is used ${reasons[use] ?? use} (${use}).`);
    }
    if (keeps.days > known.keeps.days) found.push(`${name} is kept for ${keeps.days} days.`);
    if (keeps.account && !known.keeps.account) found.push(`${name} is kept as long as the account.`);
    if (keeps.stays && !known.keeps.stays) found.push(`${name} is kept for good.`);
  }
  for (const id of held.processors) {
    if (!covered.processors.includes(id)) found.push(`The processor ${id} gets data.`);
  }
  return found;
}

/**
 * For the build and the tests.
 * @throws Error that says what is not covered and what to do.
 */
export function demandCovered(held: Coverage, lock: PolicyLock, published: readonly number[]): void {
  const newest = Math.max(...Object.keys(lock).map(Number));
  const covered = lock[String(newest)];
  if (covered === undefined)
    throw new Error("shared/policy/data-map.lock.json has no version. Run npm run policy:lock.");
  if (!published.includes(newest)) {
    throw new Error(
      `shared/policy/data-map.lock.json covers version ${newest}, which is not published. Add shared/policy/policy-v${newest}.ts.`,
    );
  }
  const more = uncovered(held, covered);
  if (more.length === 0) return;
  throw new Error(
    `The data map holds more than version ${newest} of the privacy policy covers:\n${more.map((one) => `- ${one}`).join("\n")}\nPublish a new material version of the policy that says so (shared/policy/policy-v${newest + 1}.ts), then run npm run policy:lock.`,
  );
}
