/** A process that writes to a database file without end, one row a transaction, and tells how long each took. */
import Sqlite from "better-sqlite3";

const [file = "", key = ""] = process.argv.slice(2);
const BETWEEN_MS = 1;

const db = new Sqlite(file, { timeout: 60_000 });
db.pragma(`key = "x'${key}'"`);
db.pragma("secure_delete = ON");
db.pragma("synchronous = FULL");
const write = db.prepare("insert into rate_limits values (?, 0) on conflict do update set theoretical_arrival_at = 1");

const taken: number[] = [];
let going = true;
process.on("message", () => {
  going = false;
});
process.send?.("ready");
for (let count = 0; going; count += 1) {
  const start = performance.now();
  write.run(`writer ${count % 1_000}`);
  taken.push(performance.now() - start);
  await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
}
db.close();
process.send?.(taken, () => process.exit(0));
