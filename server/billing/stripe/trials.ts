/** Tells who pays, once, that a trial ends soon: 3 days before, or with a fifth left. */
import { minutesWords } from "../../../shared/billing/words.ts";
import type { Clock } from "../../clock.ts";
import type { Database } from "../../db/database.ts";
import type { JobHandler, Schedule } from "../../jobs/jobs.service.ts";
import type { Letters } from "./letters.ts";
import type { TrialsRepo } from "./trials.repo.ts";

export const TRIALS_JOB = "billing.trials";
const EVERY_MS = 3_600_000;
const TOLD_BEFORE_MS = 3 * 24 * 3_600_000;
const AT_ONCE = 200;

export interface TrialReminders {
  readonly jobs: Readonly<Record<string, JobHandler>>;
  readonly schedules: readonly Schedule[];
}

export function createTrialReminders(options: {
  db: Database;
  repo: TrialsRepo;
  letters: Letters;
  clock: Clock;
}): TrialReminders {
  const { db, repo, letters, clock } = options;
  return {
    jobs: {
      async [TRIALS_JOB](_input, { signal }) {
        const now = clock.now();
        let after = "";
        for (;;) {
          signal.throwIfAborted();
          const some = await repo.ending(new Date(now), new Date(now + TOLD_BEFORE_MS), after, AT_ONCE);
          for (const { teamId, remaining, expiresAt } of some) {
            await db.tx((tx) => letters.trialEnding(tx, teamId, minutesWords(remaining), expiresAt));
          }
          letters.wake();
          after = some.at(-1)?.id ?? "";
          if (some.length < AT_ONCE) return;
        }
      },
    },
    schedules: [{ kind: TRIALS_JOB, everyMs: EVERY_MS }],
  };
}
