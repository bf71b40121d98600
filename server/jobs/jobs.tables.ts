/** Background jobs on the same database, so that a job exists exactly when the change that asked for it does. */
import { sql } from "drizzle-orm";
import type { JobId } from "../../shared/ids.ts";
import type { Kit } from "../db/dialect.ts";
import { operational, personal } from "../privacy/tags.ts";

export const JOB_STATES = ["ready", "running", "done", "dead"] as const;

/** Ids of what a job is about. */
const work = {
  use: ["essential.service.operations"],
  clause: "P1.4",
  retain: "week",
  export: { never: "Ids of work that waits or is done; what they name is in the export itself." },
} as const;

export function jobTables(k: Kit) {
  const jobs = k.table(
    "jobs",
    {
      owner: "system",
      subject: { none: "Inputs name things by id, and those lead to people; rows go a week after they ended." },
      clock: "finishedAt",
    },
    {
      id: k.text(operational("week")).$type<JobId>().primaryKey(),
      kind: k.text(operational("week")).notNull(),
      input: k.json<unknown>(personal("user.unique_id", { ...work, link: "mention" })).notNull(),
      state: k.oneOf(JOB_STATES, operational("week")).notNull(),
      runAt: k.instant(operational("week")).notNull(),
      /** Counts claims; every write of a worker names it, so a worker that lost its lease cannot write (fencing token). */
      attempt: k.int(operational("week")).notNull(),
      maxAttempts: k.int(operational("week")).notNull(),
      dedupeKey: k.text(personal("user.unique_id", { ...work, link: "mention" })),
      lockKey: k.text(personal("user.unique_id", { ...work, link: "mention" })),
      node: k.text(operational("week")),
      leaseUntil: k.instant(operational("week")),
      progress: k.json<unknown>(personal("user.unique_id", work)),
      /** As logged: without addresses, values of queries and secrets. */
      error: k.text(operational("week")),
      createdAt: k.instant(operational("week")).notNull(),
      finishedAt: k.instant(operational("week")),
    },
    (t) => [
      k.index("jobs_due").on(t.state, t.runAt),
      k.index("jobs_finished").on(t.finishedAt),
      k.index("jobs_created").on(t.createdAt, t.kind),
      k.uniqueIndex("jobs_dedupe").on(t.dedupeKey).where(sql`${t.state} in ('ready', 'running')`),
      k.uniqueIndex("jobs_lock").on(t.lockKey).where(sql`${t.state} = 'running'`),
    ],
  );
  return { jobs };
}
