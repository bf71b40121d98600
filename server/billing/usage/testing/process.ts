/**
 * A server whose phones start, park and fail as they like, for the test that kills it: reads its orders as JSON from the
 * first line of its input, comes back from wherever it was killed, and says what its phones really did.
 */
import { writeSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { type PhoneId, phoneId, teamId, userId } from "../../../../shared/ids.ts";
import { systemClock, systemMonotonic } from "../../../clock.ts";
import { openSqlite } from "../../../db/sqlite.ts";
import { MIGRATIONS } from "../../../db/testing.ts";
import { FakeDriver } from "../../../phones/testing/fake-driver.ts";
import { teamScope } from "../../../teams/team-scope.ts";
import { composeMetered } from "./harness.ts";

const orders = z.object({
  file: z.string(),
  /** base64. */
  key: z.string(),
  master: z.string(),
  teamId,
  userId,
  phones: z.array(phoneId),
  beatMs: z.number(),
  seed: z.number(),
  /** Parks everything and ends by itself. */
  last: z.boolean(),
});
export type UsageOrders = z.infer<typeof orders>;
/** `on`, `off`: of a phone. `started`: the start was answered. `beat`: one was done that began then. Unix milliseconds. */
export type UsageSaid =
  | readonly [what: "up" | "beat" | "done", at: number]
  | readonly [what: "on" | "off" | "started", at: number, phone: PhoneId];

const say = (line: UsageSaid) => writeSync(1, `${JSON.stringify(line)}\n`);

class TellingDriver extends FakeDriver {
  override async start(...spec: Parameters<FakeDriver["start"]>): Promise<void> {
    await super.start(...spec);
    say(["on", Date.now(), spec[0].id]);
  }
  override async park(id: PhoneId): Promise<void> {
    if (this.running.has(id)) say(["off", Date.now(), id]);
    await super.park(id);
  }
  override end(...how: Parameters<FakeDriver["end"]>): void {
    if (this.running.has(how[0])) say(["off", Date.now(), how[0]]);
    super.end(...how);
  }
}

const { value } = await createInterface(process.stdin)[Symbol.asyncIterator]().next();
const { file, key, master, phones, beatMs, seed, last, ...who } = orders.parse(JSON.parse(value ?? ""));
const db = await openSqlite({ file, key: Buffer.from(key, "base64"), migrationsFolder: join(MIGRATIONS, "sqlite") });
db.keys.unlock(Buffer.from(master, "base64"));
const test = { db, dispose: () => db.close() };
const driver = new TellingDriver();
const at = composeMetered({
  ...{ test, driver, beatMs, clock: systemClock, monotonic: systemMonotonic },
  ...{ node: "node-1", boot: `boot-${process.pid}`, auditKey: Buffer.from(master, "base64") },
  rights: () => ({ includedMs: 30_000, overageCap: 100_000_000 }),
});
const found = teamScope({ ...who, role: "owner" }, "phones:control");
if (found === undefined) throw new Error("An owner may control phones.");
const scope = found;

// As a server does: beats come from before phones are back.
await at.meter.recover();
let beating = true;
const beats = (async () => {
  for (let due = Date.now() + beatMs; beating; due += beatMs) {
    await sleep(Math.max(0, due - Date.now()));
    const began = Date.now();
    await at.meter.beat();
    say(["beat", began]);
  }
})();
await at.lifecycle.recover();
say(["up", Date.now()]);
if (last) {
  await at.lifecycle.close();
  beating = false;
  await beats;
  await at.meter.beat();
  say(["done", Date.now()]);
  await db.close();
  process.exit(0);
}

/** Mulberry32. */
let state = seed;
function random(): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}
async function start(id: PhoneId): Promise<void> {
  await at.phones.start(scope, id);
  say(["started", Date.now(), id]);
}
for (;;) {
  const id = phones[Math.floor(random() * phones.length)];
  if (id === undefined) break;
  const isOn = driver.running.has(id);
  const luck = random();
  const work = !isOn ? start(id) : luck < 0.5 ? at.phones.park(scope, id) : undefined;
  if (isOn && luck > 0.8) driver.end(id, "out_of_memory");
  work?.catch(() => {});
  await sleep(random() * 60);
}
