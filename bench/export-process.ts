/**
 * One export of the person of a seeded database in a process of its own, so that its memory is its own: ours, or the
 * naive way. Prints what it took as one line of JSON.
 */
import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { pipeline } from "node:stream/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { eq, inArray } from "drizzle-orm";
import { openSqlite } from "../server/db/sqlite.ts";
import { type ArchiveParts, writeArchive } from "../server/privacy/export/archive.ts";
import { AS_FILES, createExportFiles } from "../server/privacy/export/export-files.repo.ts";
import { exportPlan } from "../server/privacy/export/export-plan.ts";
import { createRowPages } from "../server/privacy/export/export-rows.repo.ts";
import { dataMap } from "../server/privacy/map/data-map.ts";
import { sealing } from "../server/sealed-file.ts";
import type { UserId } from "../shared/ids.ts";
import { POLICY } from "../shared/policy/policy-v1.ts";

export interface ExportTaken {
  readonly ms: number;
  readonly rows: number;
  readonly bytes: number;
  /** Resident set of the process before it began and at its highest, in MB. */
  readonly startMb: number;
  readonly peakMb: number;
  /** Longest time in which the process did nothing else, in ms. */
  readonly lagMs: number;
}

const [folder = "", key = "", userId = "", way = "", migrations = ""] = process.argv.slice(2);
const person = { userId: userId as UserId, email: "bench@x.example" };
const db = await openSqlite({
  file: join(folder, "perch.db"),
  key: Buffer.from(key, "hex"),
  migrationsFolder: join(migrations, "sqlite"),
});
db.keys.unlock(Buffer.from(key, "hex"));
const out = join(folder, `${way}.out`);
setFlagsFromString("--expose-gc");
runInNewContext("gc")();
const atStart = process.memoryUsage.rss();
let peak = atStart;
const sampling = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
}, 20);
const lag = monitorEventLoopDelay({ resolution: 1 });
lag.enable();
// What comes before the first turn of the loop is not seen.
await new Promise((resolve) => setTimeout(resolve, 20));
const started = performance.now();
const rows = way === "naive" ? await naive() : await ours();
const ms = performance.now() - started;
// What blocked the loop to the end is seen only once it turns again.
await new Promise((resolve) => setTimeout(resolve, 20));
lag.disable();
clearInterval(sampling);
peak = Math.max(peak, process.memoryUsage.rss());
const { size: bytes } = await stat(out);
await rm(out);
await db.close();
console.log(
  JSON.stringify({
    ms,
    rows,
    bytes,
    startMb: atStart / 2 ** 20,
    peakMb: peak / 2 ** 20,
    lagMs: lag.max / 1e6,
  } satisfies ExportTaken),
);

async function ours(): Promise<number> {
  const map = dataMap(db.t);
  const pages = createRowPages(db, map);
  const parts: ArchiveParts = {
    plan: exportPlan(map, AS_FILES),
    pages,
    files: createExportFiles(db, {
      map,
      pages,
      sources: {
        readArtifact: async () => new Uint8Array(),
        phoneFiles: () => undefined,
      },
    }),
    receipts: async () => [],
    processors: [],
    policy: POLICY,
    place: "here",
    publicUrl: new URL("https://perch.example"),
  };
  const about = { id: "exp_bench", person, madeAt: new Date(), onRows: () => {} };
  const manifest = await writeArchive(parts, about, (zip) =>
    pipeline(zip, sealing(randomBytes(32), "bench"), createWriteStream(out)),
  );
  return manifest.rows;
}

/** All rows at once, as one text, packed as one buffer. */
async function naive(): Promise<number> {
  const map = dataMap(db.t);
  const { runs, runEvents } = db.t;
  const mine = db.read.select({ id: runs.id }).from(runs).where(eq(runs.createdBy, person.userId));
  const found = await db.read.select().from(runEvents).where(inArray(runEvents.runId, mine));
  await writeFile(out, gzipSync(JSON.stringify({ tables: map.length, found }), { level: 4 }));
  return found.length;
}
