/** Looks after erasures: none waits without a job, and what was kept of them for a while goes in time. */
import type { Clock } from "../../clock.ts";
import type { Database } from "../../db/database.ts";
import type { JobHandler, Jobs } from "../../jobs/jobs.service.ts";
import type { ErasuresRepo } from "./erasures.repo.ts";
import { CERTIFICATE_DAYS, purgeJob } from "./erasures.service.ts";
import { LEDGER_MS } from "./ledger.ts";

export const DUE_JOB = "erasure.due";
const DAY_MS = 24 * 3_600_000;

export function createUpkeep(options: {
  db: Pick<Database, "settle">;
  repo: ErasuresRepo;
  jobs: Pick<Jobs, "enqueue" | "wake">;
  clock: Clock;
}): JobHandler {
  const { db, repo, jobs, clock } = options;
  return async (_input, { finish }) => {
    const now = clock.now();
    const due = await repo.due(new Date(now));
    let dropped = 0;
    await finish(async (tx) => {
      for (const id of due) await jobs.enqueue(tx, purgeJob(id, new Date(now)));
      dropped = await repo.dropFences(tx, new Date(now - LEDGER_MS));
      await repo.dropCertificateLinks(tx, new Date(now - CERTIFICATE_DAYS * DAY_MS));
    });
    if (dropped > 0) await db.settle(["erasure_fence"]);
    jobs.wake();
  };
}
