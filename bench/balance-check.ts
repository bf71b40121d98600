/** What a start of a phone waits for before it may: what there is to pay with, and for how long it lasts. */

import { aPhone, createLedgerWorld, type LedgerWorld } from "../server/billing/ledger/ledger.fixture.ts";
import { createLedgerRepo } from "../server/billing/ledger/ledger.repo.ts";
import { testSqlite } from "../server/db/testing.ts";
import { coveredUntil } from "../shared/billing/rating.ts";
import { newId, type TeamId } from "../shared/ids.ts";
import { openBare } from "./bare-database.ts";
import { type Benchmark, type Figure, median, spread } from "./benchmark.ts";

const TEAMS = 100;
const ENTRIES_A_TEAM = 500;
const PHONES = 12;
const DAYS = 30;
const CHECKS = 1_000;
const DAY_MS = 86_400_000;

export const balanceCheck: Benchmark = {
  name: "balance-check",
  title: "Balance check at a start",
  about:
    `Encrypted SQLite with ${TEAMS} teams, each with ${ENTRIES_A_TEAM} entries, ${PHONES} phones that were charged on ${DAYS} days, plan time, a pack, a trial and a ` +
    "balance. One check: a transaction that reads what there is to pay with (and gives the month's time, where that is " +
    "due), then until when it covers four phones that run and the one that starts, within 30 days. Teams in turn. Beside " +
    "bare better-sqlite3 that reads one balance by its team in a transaction.",
  run: benchBalanceCheck,
};

async function benchBalanceCheck(): Promise<readonly Figure[]> {
  const test = await testSqlite.open();
  const bare = await openBare("create table balances (team text primary key, amount integer)");
  try {
    const world = createLedgerWorld(test);
    const teams: TeamId[] = [];
    for (let team = 0; team < TEAMS; team += 1) teams.push(await seedTeam(world));
    const insert = bare.db.prepare("insert into balances values (?, 1000)");
    for (const team of teams) insert.run(team);
    const read = bare.db.prepare("select amount from balances where team = ?");
    const taken = { ours: [] as number[], rates: [] as number[], theirs: [] as number[] };
    for (let check = 0; check < CHECKS; check += 1) {
      const teamId = teams[check % TEAMS];
      if (teamId === undefined) break;
      const start = performance.now();
      const at = world.clock.now();
      const funds = await world.db.tx((tx) => world.ledger.funds(tx, teamId, new Date(at)));
      const hasRead = performance.now();
      coveredUntil(
        Array.from({ length: 5 }, () => aPhone(at)),
        at,
        funds,
        DAYS * DAY_MS,
      );
      const done = performance.now();
      taken.ours.push(done - start);
      taken.rates.push((done - hasRead) * 1_000);
      const begun = performance.now();
      bare.commit(() => read.get(teamId));
      taken.theirs.push(performance.now() - begun);
    }
    return [
      {
        name: "what there is, and until when",
        unit: "ms",
        ...spread(taken.ours),
        beside: { name: "bare read of one balance", median: median(taken.theirs) },
        aim: { of: "median", atMost: 5 },
      },
      { name: "of that, until when", unit: "µs", ...spread(taken.rates) },
    ];
  } finally {
    await bare.close();
    await test.dispose();
  }
}

async function seedTeam({ db, ledger, clock, addTeam, entitle }: LedgerWorld): Promise<TeamId> {
  const { teamId } = await addTeam();
  entitle(teamId, { plan: "solo", includedMs: 6_000 * 60_000, overageCap: 2_000, timeZone: "Europe/Berlin" });
  const repo = createLedgerRepo(db);
  const at = new Date(clock.now());
  const phones = Array.from({ length: PHONES }, () => aPhone(clock.now()));
  const dayOf = (index: number) => new Date(clock.now() - (index % DAYS) * DAY_MS).toISOString().slice(0, 10);
  await db.tx(async (tx) => {
    await ledger.funds(tx, teamId, at);
    await ledger.credit(tx, { teamId, amount: 2_500, source: "checkout", sourceId: newId("checkout") });
    await ledger.grant(tx, {
      ...{
        teamId,
        kind: "pack",
        name: "1,000 minutes",
        ms: 60_000_000,
        source: "checkout",
        sourceId: newId("checkout"),
      },
      ...{ startsAt: at, expiresAt: new Date(clock.now() + 365 * DAY_MS) },
    });
    const entries = Array.from({ length: ENTRIES_A_TEAM }, (_, index) => ({
      ...({ teamId, cover: "overage", source: "usage", sourceId: `${teamId}:${index}`, day: dayOf(index) } as const),
      ...{ ms: 60_000, amount: 1, phoneId: phones[index % PHONES]?.phoneId ?? null, createdAt: at },
      ...{ fromAt: new Date(clock.now() - (index % DAYS) * DAY_MS), toAt: at },
    }));
    await repo.insertEntries(tx, entries);
    for (let day = 0; day < DAYS; day += 1) {
      for (const { phoneId } of phones)
        await repo.countDay(tx, teamId, { phoneId, day: dayOf(day), ms: 60_000, amount: 0 }, at);
    }
  });
  return teamId;
}
