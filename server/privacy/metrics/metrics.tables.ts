/** Numbers about nobody: sums over fixed cubes, and what is left of an activity log after 90 days (clauses P2.5, P4.4). */
import type { Kit } from "../../db/dialect.ts";
import { operational } from "../tags.ts";

const ABOUT_NOBODY = { none: "Sums; nothing of it leads to anybody." };

export function metricTables(k: Kit) {
  /** Only cells of 10 people and more are ever written. */
  const metricCells = k.table(
    "metric_cells",
    { owner: "system", subject: ABOUT_NOBODY, clock: "day" },
    {
      /** ISO 8601 day, UTC. */
      day: k.text(operational()).notNull(),
      metric: k.text(operational()).notNull(),
      driver: k.text(operational()).notNull(),
      plan: k.text(operational()).notNull(),
      value: k.int(operational()).notNull(),
    },
    (t) => [k.primaryKey({ columns: [t.day, t.metric, t.driver, t.plan] })],
  );
  /** How often an action was done on a day: what the audit log becomes after 90 days. */
  const activityDays = k.table(
    "activity_days",
    { owner: "system", subject: ABOUT_NOBODY, clock: "day" },
    {
      day: k.text(operational()).notNull(),
      action: k.text(operational()).notNull(),
      plan: k.text(operational()).notNull(),
      region: k.text(operational()).notNull(),
      count: k.int(operational()).notNull(),
    },
    (t) => [k.primaryKey({ columns: [t.day, t.action, t.plan, t.region] })],
  );
  return { metricCells, activityDays };
}
