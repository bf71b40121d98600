/** What it costs to read a month of usage: sums, days, lines, and the whole of it as a table. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NO_OPEN_TIME, usedTeam } from "../server/billing/views/usage-views.fixture.ts";
import { createUsageViewsRepo } from "../server/billing/views/usage-views.repo.ts";
import { createUsageViews } from "../server/billing/views/usage-views.service.ts";
import { openSqlite } from "../server/db/sqlite.ts";
import { MIGRATIONS } from "../server/db/testing.ts";
import { type Benchmark, type Figure, spread } from "./benchmark.ts";

const ENTRIES = 10_000;
const ENTRIES_AN_INTERVAL = 5;
const PHONES = 20;
const ROUNDS = 30;
const MINUTE_MS = 60_000;
const MONTH = { from: "2026-11-01", to: "2026-11-30" };

export const usageViews: Benchmark = {
  name: "usage-views",
  title: "Reading a month of usage",
  about:
    `A month of ${ENTRIES.toLocaleString("en")} ledger entries in ${(ENTRIES / ENTRIES_AN_INTERVAL).toLocaleString("en")} intervals of ${PHONES} phones, with a flow in every ` +
    `fourth interval, in the encrypted SQLite file: read ${ROUNDS} times each.`,
  run: benchUsageViews,
};

async function benchUsageViews(): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), "perch-bench-"));
  const migrationsFolder = join(MIGRATIONS, "sqlite");
  const db = await openSqlite({ file: join(folder, "perch.db"), key: randomBytes(32), migrationsFolder });
  db.keys.unlock(randomBytes(32));
  try {
    const team = await usedTeam(db);
    const phones = await Promise.all(Array.from({ length: PHONES }, (_, index) => team.phone(`Phone ${index}`)));
    let at = Date.UTC(2026, 10, 1);
    let some = "";
    for (let index = 0; index < ENTRIES / ENTRIES_AN_INTERVAL; index += 1) {
      const phone = phones[index % PHONES];
      if (phone === undefined) throw new Error("no phone");
      const pieces = Array.from({ length: ENTRIES_AN_INTERVAL }, (_, piece) => {
        const from = at + piece * 4 * MINUTE_MS;
        const cover = piece < 3 ? "plan" : "wallet";
        return { from, to: from + 4 * MINUTE_MS, cover, amount: piece < 3 ? 0 : 1 } as const;
      });
      some = await team.ran(phone, pieces);
      if (index % 4 === 0) await team.ranFlow(phone, at + MINUTE_MS, at + 9 * MINUTE_MS, `Flow ${index % 40}`);
      at += 21 * MINUTE_MS;
    }
    const views = createUsageViews({
      repo: createUsageViewsRepo(db),
      openTime: { of: async () => NO_OPEN_TIME },
      timeZoneOf: async () => "Europe/Berlin",
      clock: { now: () => Date.UTC(2026, 10, 30) },
    });
    const { scope } = team;
    const reads = {
      "sums by cover": () => views.summary(scope, MONTH, true),
      "days by phone": () => views.days(scope, { ...MONTH, by: "phone" }, true),
      "days by member": () => views.days(scope, { ...MONTH, by: "member" }, true),
      "days by flow": () => views.days(scope, { ...MONTH, by: "flow" }, true),
      "a page of lines": () => views.lines(scope, MONTH, true),
      "one line explained": () => views.explain(scope, { intervalId: some as never }, true),
      "all lines as CSV": () => views.csv(scope, MONTH, true),
    };
    const figures: Figure[] = [];
    for (const [name, read] of Object.entries(reads)) {
      await read();
      const took: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const started = performance.now();
        await read();
        took.push(performance.now() - started);
      }
      const aim = name === "all lines as CSV" ? {} : { aim: { of: "median", atMost: 50 } as const };
      figures.push({ name, unit: "ms", ...spread(took), ...aim });
    }
    return figures;
  } finally {
    await db.close();
    await rm(folder, { recursive: true, force: true });
  }
}
