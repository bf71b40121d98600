/** Limits and idempotency keys of several processes on one database, some of them killed at the worst moments. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newId } from "../../shared/ids.ts";
import { openSqlite } from "../db/sqlite.ts";
import { MIGRATIONS } from "../db/testing.ts";
import { dataFolder } from "../db/testing-run.ts";
import type { Orders } from "./testing/process.ts";
import { expectWithinRate } from "./testing/rate.ts";

/** Processes that are killed; `LIMIT_KILLS=300` for the long proof. */
const KILLS = Number(process.env["LIMIT_KILLS"] ?? 3);
/** Each process is killed in the first call that none before it did; two calls are left for the last. */
const CALLS = KILLS + 2;

let folder: string;
let at: Pick<Orders, "file" | "key">;
const children = new Set<ChildProcess>();
beforeEach(async () => {
  folder = dataFolder("perch-limits-");
  at = { file: join(folder, "perch.db"), key: randomBytes(32).toString("base64") };
  await (await open()).close();
});
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});
const open = () =>
  openSqlite({ file: at.file, key: Buffer.from(at.key, "base64"), migrationsFolder: join(MIGRATIONS, "sqlite") });

/** Starts a process; `said` gives its lines one after the other, `undefined` after its end. */
function start(work: Orders["work"]) {
  const child = spawn(process.execPath, [join(import.meta.dirname, "testing/process.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  children.add(child);
  child.stdin.end(`${JSON.stringify({ ...at, work } satisfies Orders)}\n`);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return {
    async said(): Promise<unknown> {
      const { value } = await lines.next();
      return value === undefined ? undefined : JSON.parse(value);
    },
    async kill() {
      child.kill("SIGKILL");
      await ended;
      children.delete(child);
    },
  };
}

describe("several processes", () => {
  it("share a limit: together no more gets through than the burst and the rate allow", async () => {
    const limit = { burst: 5, everyMs: 40 };
    const both = [1, 2].map(() => start({ kind: "take", ...limit, forMs: 400 }));
    for (const one of both) expect(await one.said()).toBe("ready");
    const passed = (await Promise.all(both.map((one) => one.said()))).map((moments) => asMoments(moments));
    expectWithinRate(passed.flat(), limit);
    expect(passed.flat().length).toBeGreaterThanOrEqual(limit.burst);
  });

  it("do each call once, though they are killed before, inside and after its transaction and try again", async () => {
    const who = { teamId: newId("team"), userId: newId("user") };
    const points = ["inside", "after", "before"] as const;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const point = points[kill % points.length] ?? "inside";
      const stopped = start({ kind: "calls", ...who, calls: CALLS, stop: { at: kill, point } });
      expect(await stopped.said()).toBe("ready");
      expect(await stopped.said()).toBe("stopped");
      await stopped.kill();
    }
    const both = [1, 2].map(() => start({ kind: "calls", ...who, calls: CALLS }));
    for (const one of both) expect(await one.said()).toBe("ready");
    const replays = await Promise.all(both.map((one) => one.said()));
    expect(replays.reduce<number>((sum, one) => sum + Number(one), 0)).toBeGreaterThanOrEqual(CALLS);
    const db = await open();
    const { topics, idempotencyKeys } = db.t;
    const effects = await db.read.select().from(topics);
    expect(effects.map(({ seq }) => seq)).toEqual(Array<number>(CALLS).fill(1));
    expect(await db.read.select().from(idempotencyKeys)).toHaveLength(CALLS);
    await db.close();
    console.log(`${KILLS} kills in ${KILLS + 2} runs`);
  });
});

function asMoments(said: unknown): number[] {
  if (!Array.isArray(said)) throw new Error(`A process said ${JSON.stringify(said)}.`);
  return said.map(Number);
}
