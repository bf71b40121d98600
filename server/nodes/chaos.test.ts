/**
 * A storm over several real processes, and what has to hold after it. `STORM_SECONDS=1800` is the long proof: three nodes and
 * every fault by lot; its report is printed, and kept in the file `STORM_REPORT`.
 */
import { describe, expect, it } from "vitest";
import { HAS_POSTGRES } from "../db/testing/cluster.ts";
import { failuresOf, keepReport, reportOf } from "./testing/chaos/report.ts";
import { type StormOptions, storm } from "./testing/chaos/storm.ts";

/** Where the files of a storm go after which something did not hold. */
const { STORM_KEEP: keep } = process.env;
const SECONDS = Number(process.env["STORM_SECONDS"] ?? 0);
/** Shorter than by default, so that more nodes are given up in the same time. */
const LEASE = { beatMs: 500, leaseMs: 4_000, marginMs: 1_200 };
const QUICK = { beatMs: 250, leaseMs: 2_000, marginMs: 600 };
// What a node that was cut off leaves of its own runs is settled after their lease of 20 s.
const SMALL: StormOptions = {
  ...{ seed: 8, nodes: 2, ms: 3_000, people: 2, workers: 3, restMs: 120_000, lease: QUICK },
  ...{ drainSeconds: 0, faults: ["cut", "kill"] },
};
const LONG: StormOptions = {
  ...{ seed: Number(process.env["STORM_SEED"] ?? 8), nodes: 3, ms: SECONDS * 1_000, people: 8, workers: 6 },
  ...{ restMs: 180_000, lease: LEASE, drainSeconds: 2, faults: "random", say: console.log },
};

describe.skipIf(!HAS_POSTGRES)("a storm (needs Debian's PostgreSQL)", () => {
  const options = SECONDS > 0 ? LONG : SMALL;
  it("leaves every invariant as it was", { timeout: 120_000 + options.ms + options.restMs }, async () => {
    const report = await storm({ ...options, ...(keep !== undefined && { keep }) });
    const text = reportOf(report);
    const { STORM_REPORT: file } = process.env;
    if (file !== undefined) keepReport(file, text);
    const failures = failuresOf(report.findings);
    if (SECONDS > 0 || failures.length > 0) console.log(text);
    expect(failures).toEqual([]);
  });
});
