/** A process that writes to a database file without end, as admin commands do beside a server, and tells how long each took. */
import { openRaw, writeAlong } from "../server/privacy/retention/neglected.fixture.ts";

const [file = "", key = ""] = process.argv.slice(2);
const db = openRaw({ file, key: Buffer.from(key, "hex"), rows: 0, topics: 0, now: 0 });
const insert = db.prepare(
  "insert into rate_limits values (?, 9e15) on conflict do update set theoretical_arrival_at = 9e15",
);

const writer = writeAlong(async (n) => insert.run(`writer ${n % 1_000}`));
process.once("message", async () => {
  const taken = await writer.stop();
  db.close();
  process.send?.(taken, () => process.exit(0));
});
process.send?.("ready");
