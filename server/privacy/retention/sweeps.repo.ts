/** The sweeps a plan asks for. Each takes a few rows by index in a transaction of its own, so that writers hardly wait. */
import { and, asc, eq, inArray, isNotNull, lt, lte, notInArray, or, type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { Database } from "../../db/database.ts";
import type { Tables } from "../../db/tables.ts";
import { columnNamed, dataMap, tableNamed } from "../map/data-map.ts";
import { GO_WITH, type PlannedSweep } from "./plan.ts";

export interface Sweep {
  readonly name: string;
  /** The most rows to ask for at once, where that is fewer than usual: of rows that take others along. */
  readonly atOnce?: number;
  /** Does up to `limit` rows of what is due at `now`, in own transactions; fewer than `limit`: nothing more is due. */
  batch(now: number, limit: number): Promise<number>;
}

const DAY_MS = 24 * 3_600_000;
const PARENTS: ReadonlySet<string> = new Set(Object.values(GO_WITH));
const PARENTS_AT_ONCE = 25;

export function plannedSweep(db: Database, planned: PlannedSweep): Sweep {
  const mapped = tableNamed(dataMap(db.t), planned.table);
  const { table } = mapped;
  const clock = columnNamed(mapped, planned.clock).column;
  const key = planned.key.map((name) => columnNamed(mapped, name).column);
  const forget = planned.forget.map((name) => columnNamed(mapped, name).column);
  const forgotten = Object.fromEntries(planned.forget.map((name) => [name, null]));
  const stays = whatStays(db.t)[planned.table];
  const due = (now: number) =>
    and(
      lt(clock, new Date(now - planned.days * DAY_MS)),
      stays && sql`not (${stays})`,
      forget.length > 0 ? or(...forget.map((column) => isNotNull(column))) : undefined,
    );
  return {
    name: forget.length === 0 ? mapped.name : `${mapped.name} (${planned.forget.join(", ")})`,
    ...(PARENTS.has(planned.table) && { atOnce: PARENTS_AT_ONCE }),
    async batch(now, limit) {
      // With nothing to do no writer is kept waiting at all.
      const [first] = await db.read.select({ clock }).from(table).where(due(now)).limit(1);
      if (first === undefined) return 0;
      return db.tx(async (tx) => {
        const picked = tx
          .select(Object.fromEntries(key.map((column, index) => [`k${index}`, column])))
          .from(table)
          .where(due(now))
          .orderBy(asc(clock))
          .limit(limit);
        const these = sql`${keyList(key)} in ${picked}`;
        const rows =
          forget.length === 0
            ? await tx.delete(table).where(these).returning({ clock })
            : await tx.update(table).set(forgotten).where(these).returning({ clock });
        return rows.length;
      });
    },
  };
}

/** `a`, or `(a, b)`. */
function keyList(key: readonly SQLiteColumn[]): SQL {
  const list = sql.join(
    key.map((column) => sql`${column}`),
    sql`, `,
  );
  return key.length === 1 ? list : sql`(${list})`;
}

/** Rows that a clock alone would take too early. */
function whatStays({ runs, decisions, dataExports }: Tables): { readonly [T in keyof Tables]?: SQL } {
  return {
    // Work that still goes on.
    runs: inArray(runs.state, ["leased", "running"]),
    // Somebody waits for an answer.
    decisions: eq(decisions.state, "contested"),
    // The archive goes first, and its row tells where it is.
    dataExports: inArray(dataExports.state, ["waiting", "running", "ready"]),
  };
}

/** Rules that need more than a clock and belong to no feature alone. */
export function namedSweeps(db: Database): Sweep[] {
  const { apiTokens, rateLimits, runs, runSteps, runEvents, runArtifacts, runFiles } = db.t;
  return [
    {
      name: "API tokens",
      async batch(now, limit) {
        const before = new Date(now - 90 * DAY_MS);
        const due = or(lt(apiTokens.revokedAt, before), lt(apiTokens.expiresAt, before));
        if ((await db.read.select({ id: apiTokens.id }).from(apiTokens).where(due).limit(1)).length === 0) return 0;
        return db.tx(async (tx) => {
          let gone = 0;
          for (const clock of [apiTokens.revokedAt, apiTokens.expiresAt]) {
            const ids = tx
              .select({ id: apiTokens.id })
              .from(apiTokens)
              .where(lt(clock, before))
              .limit(limit - gone);
            gone += (await tx.delete(apiTokens).where(inArray(apiTokens.id, ids)).returning({ id: apiTokens.id }))
              .length;
            if (gone >= limit) break;
          }
          return gone;
        });
      },
    },
    {
      name: "rate limits",
      async batch(now, limit) {
        // Looked for outside the transaction: nobody waits for the look.
        const { key, theoreticalArrivalAt } = rateLimits;
        const found = await db.read.select({ key }).from(rateLimits).where(lte(theoreticalArrivalAt, now)).limit(limit);
        if (found.length === 0) return 0;
        const keys = found.map((row) => row.key);
        await db.tx((tx) => tx.delete(rateLimits).where(and(inArray(key, keys), lte(theoreticalArrivalAt, now))));
        return found.length;
      },
    },
    {
      name: "run details",
      async batch(now, limit) {
        const over = and(
          lt(runs.createdAt, new Date(now - 30 * DAY_MS)),
          sql`${runs.source} <> ''`,
          notInArray(runs.state, ["queued", "leased", "running"]),
        );
        const parts = [
          { table: runSteps, runId: runSteps.runId, part: runSteps.seq },
          { table: runEvents, runId: runEvents.runId, part: runEvents.seq },
          { table: runArtifacts, runId: runArtifacts.runId, part: runArtifacts.name },
          { table: runFiles, runId: runFiles.runId, part: runFiles.path },
        ];
        if ((await db.read.select({ id: runs.id }).from(runs).where(over).limit(1)).length === 0) return 0;
        return db.tx(async (tx) => {
          let left = limit;
          const due = await tx.select({ id: runs.id }).from(runs).where(over).orderBy(asc(runs.createdAt)).limit(limit);
          for (const { id } of due) {
            for (const { table, runId, part } of parts) {
              const some = tx.select({ part }).from(table).where(eq(runId, id)).limit(left);
              const gone = await tx
                .delete(table)
                .where(and(eq(runId, id), inArray(part, some)))
                .returning({ runId });
              left -= gone.length;
              if (left === 0) return limit;
            }
            await tx.update(runs).set({ source: "", inputs: {} }).where(eq(runs.id, id));
            left -= 1;
            if (left === 0) return limit;
          }
          return limit - left;
        });
      },
    },
  ];
}
