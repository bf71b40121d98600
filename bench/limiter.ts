/** What it costs to count a call: in memory, for a whole network, and stored. */
import { randomBytes } from "node:crypto";
import type { Clock } from "../server/clock.ts";
import { createLimitsRepo } from "../server/limits/limits.repo.ts";
import { createRateLimiter, networkOf } from "../server/limits/rate-limiter.ts";
import { openBare } from "./bare-database.ts";
import { type Benchmark, type Figure, median, spread } from "./benchmark.ts";
import { startWorld } from "./world.ts";

const SUBJECTS = 1_000;
const ROUNDS = 15;
const IN_MEMORY_A_ROUND = 20_000;
const STORED_A_ROUND = 200;

export const limiter: Benchmark = {
  name: "limiter",
  title: "Rate limits",
  about:
    `A call counted, for ${SUBJECTS} callers in turn, beside the least that keeps a count: a \`Map\`, and bare better-sqlite3 with one upsert a ` +
    "transaction, flushed to disk, under the settings of the server's database. Account: a limit held in memory. Account and network: what every call " +
    "of a signed-in person pays, its address brought to one spelling included. Stored: a sharp limit, which outlives a restart. " +
    `${ROUNDS} interleaved rounds.`,
  run: benchLimiter,
};

async function benchLimiter(): Promise<readonly Figure[]> {
  const world = await startWorld({ env: { WARM_PHONES: "0", CHROME_PATH: process.execPath } });
  const bare = await openBare("create table counts (key text primary key, at integer)");
  try {
    // Time enough passes between two calls that none is refused: what is measured is the counting.
    let now = Date.now();
    const clock: Clock = { now: () => (now += 1_000) };
    const limits = createRateLimiter({ clock, repo: createLimitsRepo(world.server.db), key: randomBytes(32) });
    const upsert = bare.db.prepare("insert into counts values (?, ?) on conflict do update set at = excluded.at");
    const map = new Map<string, number>();
    const subjects = Array.from({ length: SUBJECTS }, (_, n) => ({
      id: `usr_${randomBytes(16).toString("base64url")}`,
      ip: n % 2 === 0 ? `198.51.${n % 250}.7` : `2001:DB8:${n.toString(16)}:1::7`,
    }));
    const subject = (n: number) => subjects[n % SUBJECTS] ?? { id: "", ip: "" };
    const work = {
      account: [IN_MEMORY_A_ROUND, (n: number) => limits.take("read", subject(n).id)],
      both: [
        IN_MEMORY_A_ROUND,
        (n: number) => {
          limits.takeOfNetwork("read", networkOf(subject(n).ip));
          return limits.take("read", subject(n).id);
        },
      ],
      map: [IN_MEMORY_A_ROUND, async (n: number) => void map.set(subject(n).id, (map.get(subject(n).id) ?? 0) + 1)],
      stored: [STORED_A_ROUND, (n: number) => limits.take("launch", subject(n).id)],
      upsert: [STORED_A_ROUND, async (n: number) => bare.commit(() => upsert.run(subject(n).id, clock.now()))],
    } as const satisfies Record<string, readonly [number, (n: number) => Promise<void>]>;
    const times = { account: [], both: [], map: [], stored: [], upsert: [] } as Record<keyof typeof work, number[]>;
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [name, [count, one]] of entries(work)) times[name].push(await microseconds(count, one));
    }
    const besideMap = { name: "a Map, get and set", median: median(times.map) };
    const besideUpsert = { name: "bare better-sqlite3, one upsert", median: median(times.upsert) };
    return [
      { name: "account, in memory", unit: "µs", ...spread(times.account), beside: besideMap },
      {
        name: "account and network, in memory",
        unit: "µs",
        ...spread(times.both),
        beside: besideMap,
        aim: { of: "median", atMost: 10 },
      },
      {
        name: "account, stored",
        unit: "µs",
        ...spread(times.stored),
        beside: besideUpsert,
        aim: { of: "ratio", atMost: 2 },
      },
    ];
  } finally {
    await bare.close();
    await world.close();
  }
}

/** Microseconds for each of `count`, one after the other. */
async function microseconds(count: number, work: (n: number) => Promise<void>): Promise<number> {
  const start = performance.now();
  for (let n = 0; n < count; n += 1) await work(n);
  return ((performance.now() - start) * 1_000) / count;
}

/** The entries of a record with its own keys; nothing adds others. */
function entries<K extends string, V>(record: Readonly<Record<K, V>>): [K, V][] {
  return Object.entries(record) as [K, V][];
}
