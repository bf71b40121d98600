/** Transactions as services make them, and how long an event takes from the call that causes it to whoever listens. */
import { randomBytes } from "node:crypto";
import { createAudit } from "../server/audit/audit.repo.ts";
import { systemClock } from "../server/clock.ts";
import { createEvents } from "../server/events/events.repo.ts";
import { newId } from "../shared/ids.ts";
import { openBare } from "./bare-database.ts";
import { type Benchmark, type Figure, median, spread } from "./benchmark.ts";
import { type BenchAccount, startWorld, type World } from "./world.ts";

const ROUNDS = 5;
const TRANSACTIONS_A_ROUND = 400;
const EVENTS = 40;
/** One person may write sixty times at once, then four times a second. */
const BETWEEN_WRITES_MS = 100;

export const database: Benchmark = {
  name: "database",
  title: "Database and events",
  about:
    "Embedded SQLite, encrypted, every commit flushed to disk (`synchronous=FULL`). A transaction as services make " +
    "them (an event with its sequence number and an audit entry in its hash chain), one after the other, beside bare " +
    "better-sqlite3 that inserts one row a transaction under the same settings; rounds interleaved. Event: " +
    "`phones.rename` called → its event read from the `phones.events` stream by another connection.",
  run: benchDatabase,
};

async function benchDatabase(): Promise<readonly Figure[]> {
  const world = await startWorld({ env: { WARM_PHONES: "0" } });
  const bare = await openBare("create table entries (id text primary key, body text)");
  const insert = bare.db.prepare("insert into entries values (?, ?)");
  try {
    const person = await world.account();
    const audit = createAudit(world.server.db, systemClock, randomBytes(32));
    const events = createEvents(world.server.db, systemClock);
    const transaction = () =>
      world.server.db.tx(async (tx) => {
        await events.publish(tx, person.teamId, { type: "removed", phoneId: newId("phone") });
        await audit.record(tx, { chain: person.teamId, actor: person.userId, action: "phone.opened" });
      });
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      ours.push(await rate(transaction));
      theirs.push(await rate(async () => bare.commit(() => insert.run(newId("phone"), "x".repeat(200)))));
    }
    events.close();
    return [
      {
        name: "transactions, event and audit entry",
        unit: "1/s",
        median: median(ours),
        beside: { name: "bare better-sqlite3, one insert", median: median(theirs) },
      },
      {
        name: "call → event delivered",
        unit: "ms",
        ...spread(await deliveries(world, person)),
        aim: { of: "median", atMost: 15 },
      },
    ];
  } finally {
    await bare.close();
    await world.close();
  }
}

async function rate(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  for (let count = 0; count < TRANSACTIONS_A_ROUND; count += 1) await work();
  return TRANSACTIONS_A_ROUND / ((performance.now() - start) / 1_000);
}

async function deliveries(world: World, person: BenchAccount): Promise<number[]> {
  const { id: phoneId } = await person.api.phones.launch.mutate({ idempotencyKey: `bench-${process.pid}-events` });
  await person.api.phones.park.mutate({ phoneId });
  const ended = new AbortController();
  const response = await fetch(`${world.server.url}/trpc/phones.events`, {
    headers: { Authorization: `Bearer ${person.token}`, Accept: "text/event-stream" },
    signal: ended.signal,
  });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) throw new Error(`The event stream was refused: ${response.status}`);
  let text = "";
  const until = async (marker: string) => {
    while (!text.includes(marker)) {
      const { value, done } = await reader.read();
      if (done) throw new Error("The event stream ended.");
      text += value;
    }
    text = "";
  };
  await until("connected");
  const taken: number[] = [];
  for (let count = 0; count < EVENTS; count += 1) {
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_WRITES_MS));
    const name = `Phone ${count} `.padEnd(20, "n");
    const start = performance.now();
    const renaming = person.api.phones.rename.mutate({ phoneId, name });
    await until(name);
    taken.push(performance.now() - start);
    await renaming;
  }
  ended.abort();
  return taken;
}
