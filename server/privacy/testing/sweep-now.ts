/** Single sweeps of retention, for tests of what they are about. */
import type { Database } from "../../db/database.ts";
import { retentionPlan } from "../retention/plan.ts";
import { namedSweeps, plannedSweep, type Sweep } from "../retention/sweeps.repo.ts";

/** Does all that the sweeps of these names have to do at a moment; gives the rows. */
export async function sweepNow(db: Database, now: number, ...names: readonly string[]): Promise<number> {
  const all: Sweep[] = [...namedSweeps(db), ...retentionPlan().sweeps.map((planned) => plannedSweep(db, planned))];
  let rows = 0;
  for (const name of names) {
    const sweep = all.find((one) => one.name === name);
    if (sweep === undefined) throw new Error(`There is no sweep ${name}.`);
    for (;;) {
      const some = await sweep.batch(now, 500);
      rows += some;
      if (some < 500) break;
    }
  }
  return rows;
}
