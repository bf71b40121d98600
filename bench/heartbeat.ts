/** What it costs to say of every running phone that it still runs, every five seconds. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { and, eq, isNull } from "drizzle-orm";
import { createUsageRepo } from "../server/billing/usage/usage.repo.ts";
import type { Database } from "../server/db/database.ts";
import { openSqlite } from "../server/db/sqlite.ts";
import { MIGRATIONS } from "../server/db/testing.ts";
import { newId, type PhoneId } from "../shared/ids.ts";
import { type Benchmark, type Figure, median, spread } from "./benchmark.ts";

const ROUNDS = 40;
const NAIVE_ROUNDS = 5;
const PHONES_A_TEAM = 10;
const BY = { node: "bench", boot: "bench" };

export const heartbeat: Benchmark = {
  name: "heartbeat",
  title: "Heartbeat of running phones",
  about:
    `One heartbeat over so many open intervals of teams with ${PHONES_A_TEAM} phones each, in the encrypted SQLite file, flushed to disk: which are open is ` +
    `read, one \`UPDATE\` moves all whose phones live. ${ROUNDS} beats. Beside it one \`UPDATE\` for each phone, in one transaction too. A node does ` +
    "this every 5 s.",
  run: benchHeartbeat,
};

async function benchHeartbeat(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const [phones, aim] of [
    [1_000, 25],
    [10_000, 150],
  ] as const) {
    const folder = await mkdtemp(join(tmpdir(), "perch-bench-"));
    const migrationsFolder = join(MIGRATIONS, "sqlite");
    const db = await openSqlite({ file: join(folder, "perch.db"), key: randomBytes(32), migrationsFolder });
    db.keys.unlock(randomBytes(32));
    try {
      const { ours, naive } = await beats(db, phones);
      figures.push({
        ...{ name: `${phones.toLocaleString("en")} open intervals`, unit: "ms" },
        ...spread(ours),
        beside: { name: "one update a phone", median: median(naive) },
        aim: { of: "median", atMost: aim },
      });
    } finally {
      await db.close();
      await rm(folder, { recursive: true, force: true });
    }
  }
  return figures;
}

/** Milliseconds of each beat, ours and the naive one. */
async function beats(db: Database, count: number): Promise<{ ours: number[]; naive: number[] }> {
  const repo = createUsageRepo(db);
  const { usageIntervals: t, teams } = db.t;
  let now = Date.now();
  const alive = new Set<PhoneId>();
  for (let team = 0; team < count / PHONES_A_TEAM; team += 1) {
    const teamId = newId("team");
    const starts = Array.from({ length: PHONES_A_TEAM }, () => ({
      ...{ teamId, phoneId: newId("phone"), startedBy: null, at: new Date(now) },
    }));
    await db.tx(async (tx) => {
      await tx.insert(teams).values({ id: teamId, name: "Bench", createdAt: new Date(now) });
      await repo.open(tx, BY, starts);
    });
    for (const { phoneId } of starts) alive.add(phoneId);
  }
  const timed = async (beat: (at: Date) => Promise<void>): Promise<number> => {
    now += 5_000;
    const at = new Date(now);
    const start = performance.now();
    await beat(at);
    const taken = performance.now() - start;
    const seen = await db.read.$count(t, and(isNull(t.endedAt), eq(t.lastSeenAt, at)));
    if (seen !== count) throw new Error(`A heartbeat reached ${seen} of ${count} intervals.`);
    return taken;
  };
  const ours: number[] = [];
  const naive: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    ours.push(await timed((at) => db.tx((tx) => repo.beat(tx, BY, at, alive))));
    if (round % (ROUNDS / NAIVE_ROUNDS) !== 0) continue;
    naive.push(
      await timed((at) =>
        db.tx(async (tx) => {
          for (const phoneId of alive) {
            const open = and(eq(t.phoneId, phoneId), isNull(t.endedAt));
            await tx.update(t).set({ lastSeenAt: at }).where(open);
          }
        }),
      ),
    );
  }
  return { ours, naive };
}
