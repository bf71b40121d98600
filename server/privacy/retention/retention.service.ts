/** Runs every sweep, a small batch at a time, with a pause between: who writes meanwhile hardly waits. */
import type { Clock } from "../../clock.ts";
import type { Database } from "../../db/database.ts";
import { errorFields, type Log } from "../../log.ts";
import { retentionPlan } from "./plan.ts";
import { namedSweeps, plannedSweep, type Sweep } from "./sweeps.repo.ts";

export const SWEEP_JOB = "retention.sweep";
export const SWEEP_EVERY_MS = 3_600_000;
/** Larger batches make writers wait: 10,000 rows instead of 500, and one write in a hundred waits a quarter of a second. */
const BATCH = 500;
const PAUSE_MS = 2;
const TELL_EVERY_MS = 5_000;

export interface Retention {
  /** Everything that is due, to the end. Throws when a sweep failed, after the others were done. */
  sweep(signal?: AbortSignal): Promise<number>;
  readonly names: readonly string[];
}

/**
 * `own`: sweeps of features, which the plan may name.
 * @throws Error when the plan names one that is not there.
 */
export function createRetention(options: {
  db: Database;
  clock: Clock;
  log: Log;
  own: readonly Sweep[];
  batch?: number;
}): Retention {
  const { db, clock, log, batch = BATCH } = options;
  const plan = retentionPlan();
  const sweeps = [...options.own, ...namedSweeps(db), ...plan.sweeps.map((planned) => plannedSweep(db, planned))];
  const names = sweeps.map(({ name }) => name);
  for (const name of plan.named) {
    if (!names.includes(name)) throw new Error(`The data map asks for the sweep “${name}”, and there is none.`);
  }
  return {
    names,
    async sweep(signal) {
      const now = clock.now();
      let total = 0;
      let toldAt = performance.now();
      const failures: unknown[] = [];
      for (const one of sweeps) {
        const { name } = one;
        const limit = one.atOnce ?? batch;
        try {
          for (;;) {
            if (signal?.aborted) return total;
            const some = await one.batch(now, limit);
            total += some;
            if (some < limit) break;
            if (performance.now() - toldAt >= TELL_EVERY_MS) {
              toldAt = performance.now();
              log.info("Removing what has outlived its rule", { kind: name, count: total });
            }
            await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
          }
        } catch (error) {
          log.error("A sweep failed", { kind: name, ...errorFields(error) });
          failures.push(error);
        }
      }
      if (failures.length > 0) throw failures[0];
      return total;
    },
  };
}
