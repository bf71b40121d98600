/**
 * One process of several on the same SQLite file, for the tests of limits and idempotency keys. Its orders are one line
 * of JSON on stdin; it says `ready` when the database is open, and what it did at the end.
 */
import { once } from "node:events";
import { writeSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { sql } from "drizzle-orm";
import { z } from "zod";
import { teamId, userId } from "../../../shared/ids.ts";
import { systemClock } from "../../clock.ts";
import type { Database } from "../../db/database.ts";
import { openSqlite } from "../../db/sqlite.ts";
import { projectRoot } from "../../paths.ts";
import { teamScope } from "../../teams/team-scope.ts";
import { createIdempotency } from "../idempotency.ts";
import { createLimitsRepo } from "../limits.repo.ts";

const orders = z.object({
  file: z.string(),
  /** Base64. */
  key: z.string(),
  work: z.discriminatedUnion("kind", [
    /** Takes from one limit as fast as it can, for so long. */
    z.object({ kind: z.literal("take"), everyMs: z.number(), burst: z.number(), forMs: z.number() }),
    /** Does calls 0 to `calls`, and waits for its end at one point of one of them. */
    z.object({
      kind: z.literal("calls"),
      teamId,
      userId,
      calls: z.number(),
      stop: z.object({ at: z.number(), point: z.enum(["before", "inside", "after"]) }).optional(),
    }),
  ]),
});
export type Orders = z.infer<typeof orders>;

const say = (line: unknown) => writeSync(1, `${JSON.stringify(line)}\n`);
const [line] = (await once(createInterface(process.stdin), "line")) as [string];
const { file, key, work } = orders.parse(JSON.parse(line));
const migrationsFolder = join(projectRoot(), "migrations/sqlite");
const db = await openSqlite({ file, key: Buffer.from(key, "base64"), migrationsFolder });
say("ready");
if (work.kind === "take") say(await take(db, work));
else say(await calls(db, work));
await db.close();
process.exit(0);

/** The moments at which it got through. */
async function take(
  on: Database,
  { everyMs, burst, forMs }: Extract<Orders["work"], { kind: "take" }>,
): Promise<number[]> {
  const repo = createLimitsRepo(on);
  const passed: number[] = [];
  const end = Date.now() + forMs;
  while (Date.now() < end) {
    const now = Date.now();
    if ((await repo.takeToken({ key: "shared", now, everyMs, burst })) === 0) passed.push(now);
  }
  return passed;
}

/** How many calls were answered from memory. The effect of call 3 is that the number of topic `call 3` grows by one. */
async function calls(on: Database, orders: Extract<Orders["work"], { kind: "calls" }>): Promise<number> {
  const { calls: count, stop, ...who } = orders;
  const idempotency = createIdempotency({ clock: systemClock, repo: createLimitsRepo(on) });
  const { topics } = on.t;
  let replays = 0;
  const scope = teamScope({ ...who, role: "owner" }, "phones:control");
  if (scope === undefined) throw new Error("An owner may control phones.");
  for (let at = 0; at < count; at += 1) {
    const stopHere = async (point: "before" | "inside" | "after") => {
      if (stop?.at !== at || stop.point !== point) return;
      say("stopped");
      await new Promise(() => setInterval(() => {}, 1_000));
    };
    await stopHere("before");
    const { replayed } = await on.tx((tx) =>
      idempotency.once(tx, { scope, procedure: "p", key: `key-${at}`, input: at }, Number, async () => {
        await tx
          .insert(topics)
          .values({ topic: `call ${at}`, seq: 1 })
          .onConflictDoUpdate({ target: topics.topic, set: { seq: sql`${topics.seq} + 1` } });
        await stopHere("inside");
        return at;
      }),
    );
    if (replayed) replays += 1;
    await stopHere("after");
  }
  return replays;
}
