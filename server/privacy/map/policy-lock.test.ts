import { describe, expect, it } from "vitest";
import { demandPolicy, publishedVersions, readLock } from "../../../scripts/policy-lock.ts";
import { coverageOf, demandCovered, uncovered } from "./policy-lock.ts";
import { type Holding, holdings } from "./records.ts";

const held = holdings();
const now = coverageOf(held);
const more = (change: Partial<Holding>): Holding => {
  const [first] = held;
  if (first === undefined) throw new Error("Nothing is held.");
  return { ...first, ...change };
};
const beyond = (...extra: readonly Holding[]) => uncovered(coverageOf([...held, ...extra]), now);

describe("the policy and the data map", () => {
  it("agree: the newest material version covers everything that is held", () => {
    expect(demandPolicy).not.toThrow();
    expect(
      Object.keys(readLock())
        .map(Number)
        .every((version) => publishedVersions().includes(version)),
    ).toBe(true);
  });

  it("notice a category, a use, a processor and a longer time, each with a sentence", () => {
    expect(beyond()).toEqual([]);
    const without = held.filter(({ categories }) => !categories.includes("user.payment"));
    expect(uncovered(now, coverageOf(without))).toContain("Billing records (user.payment) is kept.");
    expect(
      beyond(
        more({
          categories: ["user.location.imprecise"],
          uses: ["analytics.reporting.system.performance"],
          retain: "week",
        }),
      ),
    ).toEqual([
      "Time zone (user.location.imprecise) is used to make the service more reliable, in numbers about nobody (analytics.reporting.system.performance).",
    ]);
    const zone = { categories: ["user.location.imprecise"], uses: ["essential.service.security"] } as const;
    expect(beyond(more({ ...zone, retain: "week" }))).toEqual([]);
    expect(beyond(more({ ...zone, retain: "request" }))).toEqual([
      "Time zone (user.location.imprecise) is kept for 730 days.",
    ]);
    expect(beyond(more({ ...zone, retain: "account" }))).toEqual([
      "Time zone (user.location.imprecise) is kept as long as the account.",
    ]);
    expect(beyond(more({ ...zone, retain: "service" }))).toEqual([
      "Time zone (user.location.imprecise) is kept for good.",
    ]);
    expect(uncovered(now, { ...now, processors: ["geelark", "mail", "storage", "stripe", "supabase"] })).toEqual([
      "The processor database gets data.",
    ]);
  });

  it("stop the build with what to do, and until the version is published", () => {
    const lock = { "1": { ...now, processors: ["stripe"] } };
    expect(() => demandCovered(now, lock, [1])).toThrow(
      /^The data map holds more than version 1 .*\n- The processor database gets data\.\n(.*\n)+Publish a new material version .*policy-v2\.ts\), then run npm run policy:lock\.$/,
    );
    expect(() => demandCovered(now, { ...lock, "2": now }, [1])).toThrow("covers version 2, which is not published");
    expect(() => demandCovered(now, { ...lock, "2": now }, [1, 2, 3])).not.toThrow();
    expect(() => demandCovered(now, {}, [1])).toThrow("has no version");
  });
});
