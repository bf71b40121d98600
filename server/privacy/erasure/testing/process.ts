/**
 * A server that purges, for the test that kills it: reads its orders as JSON from the first line of its input, says
 * `stopped` when it got to where it is to be killed, or `done`.
 */

import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { erasureId } from "../../../../shared/ids.ts";
import { mortalDatabase } from "../../../automations/testing/mortal-database.ts";
import { openSqlite } from "../../../db/sqlite.ts";
import { MIGRATIONS } from "../../../db/testing.ts";
import { erasureBench } from "../testing.ts";

const orders = z.object({
  folder: z.string(),
  /** base64. */
  key: z.string(),
  master: z.string(),
  erasureId,
  at: z.number(),
  committed: z.boolean(),
});
export type PurgeOrders = z.infer<typeof orders>;

const { value } = await createInterface(process.stdin)[Symbol.asyncIterator]().next();
const { folder, key, master, erasureId: id, at, committed } = orders.parse(JSON.parse(value ?? ""));
const db = await openSqlite({
  file: join(folder, "data/perch.db"),
  key: Buffer.from(key, "base64"),
  migrationsFolder: join(MIGRATIONS, "sqlite"),
});
db.keys.unlock(Buffer.from(master, "base64"));
const mortal = mortalDatabase(db, { at, committed });
const world = erasureBench(mortal.db, { folder, master: Buffer.from(master, "base64") });
const ended = await Promise.race([world.purge(id)?.then(() => "done"), mortal.died.then(() => "stopped")]);
process.stdout.write(`${ended}\n`);
if (ended === "done") await db.close();
else setInterval(() => {}, 1_000);
