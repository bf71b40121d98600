/** A server that is killed at random moments while phones run: no interval is lost, nothing more than a beat, nothing billed twice. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newId, type PhoneId } from "../../../shared/ids.ts";
import { DEFAULT_PROFILE } from "../../../shared/phones.ts";
import { addUser } from "../../accounts/testing/people.ts";
import { openSqlite } from "../../db/sqlite.ts";
import { MIGRATIONS, type TestDatabase } from "../../db/testing.ts";
import { dataFolder } from "../../db/testing-run.ts";
import { createLedgerRepo } from "../ledger/ledger.repo.ts";
import { entriesOf, intervalsOf } from "./testing/harness.ts";
import type { UsageOrders, UsageSaid } from "./testing/process.ts";

/** With `USAGE_KILLS=200`, the long proof. */
const KILLS = Number(process.env["USAGE_KILLS"] ?? 5);
const PHONES = 4;
const BEAT = 100;

/** One life of a server, as it was. */
interface Life {
  readonly said: readonly UsageSaid[];
  readonly killedAt: number;
}

let folder: string;
const children = new Set<ChildProcess>();
beforeEach(() => {
  folder = dataFolder("perch-usage-");
});
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

/** A process that has everything loaded and waits for its orders. */
function warmUp() {
  const child = spawn(process.execPath, [join(import.meta.dirname, "testing/process.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  children.add(child);
  const said: UsageSaid[] = [];
  const heard = Promise.withResolvers<void>();
  createInterface(child.stdout).on("line", (line) => {
    said.push(JSON.parse(line));
    if (said.at(-1)?.[0] === "up") heard.resolve();
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return {
    /** Gives its life. `lived`: how long from when it is up; `undefined`: until it ends by itself. */
    async live(orders: UsageOrders, lived: number | undefined): Promise<Life> {
      child.stdin.write(`${JSON.stringify(orders)}\n`);
      await Promise.race([heard.promise, ended]);
      let killedAt = Number.POSITIVE_INFINITY;
      if (lived !== undefined) {
        await sleep(lived);
        child.kill("SIGKILL");
        killedAt = Date.now();
      }
      await ended;
      children.delete(child);
      return { said, killedAt };
    },
  };
}

describe("a server that is killed while phones run", () => {
  it(`counts all but less than a beat, and nothing twice, after ${KILLS} kills`, {
    timeout: 60_000 + KILLS * 10_000,
  }, async () => {
    const [key, master] = [randomBytes(32), randomBytes(32)];
    const file = join(folder, "perch.db");
    const open = async (): Promise<TestDatabase> => {
      const db = await openSqlite({ file, key, migrationsFolder: join(MIGRATIONS, "sqlite") });
      db.keys.unlock(master);
      return { db, dispose: () => db.close() };
    };
    const who = { teamId: newId("team"), userId: newId("user") };
    const phones = Array.from({ length: PHONES }, () => newId("phone"));
    await plant(await open(), who, phones);
    const orders = {
      ...who,
      file,
      phones,
      beatMs: BEAT,
      key: key.toString("base64"),
      master: master.toString("base64"),
    };

    const lives: Life[] = [];
    let next = warmUp();
    for (let kill = 0; kill < KILLS; kill += 1) {
      const child = next;
      next = warmUp();
      lives.push(await child.live({ ...orders, seed: kill + 1, last: false }, randomInt(400)));
    }
    lives.push(await next.live({ ...orders, seed: 0, last: true }, undefined));
    expect(lives.at(-1)?.said.at(-1)?.[0]).toBe("done");

    const test = await open();
    const gaps: number[] = [];
    let billed = 0;
    for (const phone of phones) {
      const intervals = await intervalsOf(test, phone);
      const entries = await entriesOf(test, phone);
      const spans = lives.flatMap((life) => spansOf(life, phone));
      for (const [n, interval] of intervals.entries()) {
        const { from, to = Number.NaN, rated } = interval;
        expect(from).toBeGreaterThanOrEqual(intervals[n - 1]?.to ?? 0);
        // It ran all the time that is counted.
        const span = spans.find((one) => one.from <= from && one.to >= to);
        expect(span, `${from} to ${to} of ${JSON.stringify(spans)}`).toBeDefined();
        expect(rated).toBe(to);
        const own = entries.filter(({ intervalId }) => intervalId === interval.id);
        expect(own.reduce((sum, { ms }) => sum + ms, 0)).toBe(to - from);
        billed += to - from;
      }
      for (const span of spans) {
        const counted = intervals.filter(({ from, to = 0 }) => from >= span.from && to <= span.to);
        const until = Math.max(0, ...counted.map(({ to = 0 }) => to));
        // What was answered is there, and so is every beat that was done.
        if (!span.answered) continue;
        expect(counted).not.toEqual([]);
        expect(until).toBeGreaterThanOrEqual(span.beat ?? 0);
        if (!span.parked) gaps.push(span.to - until);
      }
    }
    const sums = await test.db.read.select().from(test.db.t.ledgerEntries);
    const usage = sums.filter(({ source }) => source === "usage");
    expect(usage.reduce((sum, { ms }) => sum + ms, 0)).toBe(billed);
    expect(new Set(usage.map(({ sourceId, cover }) => `${sourceId} ${cover}`)).size).toBe(usage.length);
    expect(await createLedgerRepo(test.db).differing(test.db.read)).toEqual([]);
    await test.dispose();
    gaps.sort((a, b) => a - b);
    console.log(
      `${KILLS} kills in ${lives.length} runs, ${gaps.length} phones cut off: ${gaps[Math.floor(gaps.length / 2)] ?? 0} ms unbilled in the middle, ${gaps.at(-1) ?? 0} ms at most, with a beat due every ${BEAT} ms, on this machine up to ${apart(lives)} ms apart`,
    );
  });
});

/** The longest time between two beats. */
function apart(lives: readonly Life[]): number {
  const times = lives.map(({ said }) => said.filter(([what]) => what === "beat").map(([, at]) => at));
  return Math.max(0, ...times.flatMap((beats) => beats.slice(1).map((at, n) => at - (beats[n] ?? at))));
}

/** When a phone really ran in one life, and the last beat that was done in it. */
function spansOf({ said, killedAt }: Life, phone: PhoneId) {
  const spans: { from: number; to: number; parked: boolean; answered: boolean; beat: number | undefined }[] = [];
  let on = false;
  for (const [what, at, id] of said) {
    const last = spans.at(-1);
    if (what === "on" && id === phone) {
      spans.push({ from: at, to: killedAt, parked: false, answered: false, beat: undefined });
      on = true;
    }
    if (last === undefined || !on) continue;
    // What ran before the last kill was started again by the time the server is up.
    if (what === "up" || (what === "started" && id === phone)) last.answered = true;
    if (what === "beat" && at >= last.from && last.answered) last.beat = at;
    if (what === "off" && id === phone) {
      Object.assign(last, { to: at, parked: true });
      on = false;
    }
  }
  return spans;
}

async function plant(
  test: TestDatabase,
  { teamId, userId }: Pick<UsageOrders, "teamId" | "userId">,
  phones: readonly PhoneId[],
) {
  const { db } = test;
  const at = new Date();
  await db.tx(async (tx) => {
    await addUser(db, tx, { id: userId, email: "anna@x.example", createdAt: at });
    await tx.insert(db.t.teams).values({ id: teamId, name: "Team", createdAt: at });
    await tx.insert(db.t.teamMembers).values({ teamId, userId, role: "owner", joinedAt: at });
    for (const id of phones) {
      await tx.insert(db.t.phones).values({
        ...{ id, teamId, createdBy: userId, name: "Phone", driver: "web", profile: DEFAULT_PROFILE, settings: {} },
        ...{ rotated: false, state: "parked", createdAt: at },
      });
    }
  });
  await test.dispose();
}
