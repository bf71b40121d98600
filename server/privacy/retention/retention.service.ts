/** Runs every sweep, a small batch at a time, with a pause between: who writes meanwhile hardly waits. */
import type { Clock } from "../../clock.ts";
import type { Database } from "../../db/database.ts";
import { errorFields, type Log } from "../../log.ts";
import { retentionPlan } from "./plan.ts";
import { namedSweeps, plannedSweep, type Sweep } from "./sweeps.repo.ts";

export const SWEEP_JOB = "retention.sweep";
export const SWEEP_EVERY_MS = 3_600_000;
/** The most rows at once. */
const BATCH = 500;
const FIRST_BATCH = 100;
const SMALLEST_BATCH = 10;
/** A batch takes about this long, however fast the disk and however wide the rows: so long may a writer have to wait. */
const AIM_MS = 8;
/** One slow batch tells of the disk, or of others who wrote; so many in a row tell of the rows. */
const SLOW_IN_A_ROW = 3;
const PAUSE_MS = 5;
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
        const most = Math.min(one.atOnce ?? batch, batch);
        let limit = Math.min(most, FIRST_BATCH);
        let slow = 0;
        try {
          for (;;) {
            if (signal?.aborted) return total;
            const begun = performance.now();
            const some = await one.batch(now, limit);
            const took = performance.now() - begun;
            total += some;
            if (some < limit) break;
            slow = took > AIM_MS ? slow + 1 : 0;
            if (slow === SLOW_IN_A_ROW) {
              limit = Math.max(Math.min(SMALLEST_BATCH, most), Math.floor(limit / 2));
              slow = 0;
            } else if (took < AIM_MS / 2) limit = Math.min(most, limit * 2);
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
