/**
 * A worker process for the kill test: `worker.ts <database file> <key, hex> <effects file> <step to hang at, or none>`.
 * Its job has five steps; each appends its number to the effects file and then saves a checkpoint.
 */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../clock.ts";
import { openSqlite } from "../../db/sqlite.ts";
import { silentLog } from "../../log.ts";
import { projectRoot } from "../../paths.ts";
import { createJobsRepo } from "../jobs.repo.ts";
import { createJobs } from "../jobs.service.ts";

const [file = "", key = "", effects = "", hangAt = ""] = process.argv.slice(2);
const db = await openSqlite({
  file,
  key: Buffer.from(key, "hex"),
  migrationsFolder: join(projectRoot(), "migrations/sqlite"),
});
const repo = createJobsRepo(db, systemClock);
const jobs = createJobs({ db, repo, clock: systemClock, log: silentLog, node: "worker", singleNode: true });
await jobs.start(
  {
    async steps(_input, { progress, saveProgress }) {
      for (let step = typeof progress === "number" ? progress : 0; step < 5; step += 1) {
        if (String(step) === hangAt) {
          process.stdout.write("hanging\n");
          await new Promise(() => {});
        }
        appendFileSync(effects, `${step}\n`);
        await saveProgress(step + 1);
      }
      process.stdout.write("done\n");
    },
  },
  [],
);
process.stdin.resume().on("end", () => void jobs.stop().then(() => db.close()));
