/** Rules and their starts in the database, always within a team but for the server's own looks at schedules and ends. */
import { and, asc, count, eq, gt, inArray, isNull, lte, max, sql } from "drizzle-orm";
import type { RunState } from "../../shared/automation-model.ts";
import type { RuleId, RunId } from "../../shared/ids.ts";
import type { Database, Writer } from "../db/database.ts";
import type { Tables } from "../db/tables.ts";
import type { TeamScope } from "../teams/team-scope.ts";

export type RuleRow = Tables["rules"]["$inferSelect"];
type NewRule = Tables["rules"]["$inferInsert"];
type RuleChange = Partial<
  Pick<RuleRow, "rule" | "savedBy" | "failures" | "pausedAt" | "nextAt" | "refusal" | "updatedAt">
>;
type Start = Tables["ruleStarts"]["$inferInsert"];

export interface RulesRepo {
  list(scope: TeamScope): Promise<readonly { readonly row: RuleRow; readonly lastStartedAt: Date | undefined }[]>;
  find(tx: Writer, scope: TeamScope, id: RuleId): Promise<RuleRow | undefined>;
  /** Whoever's it is: for telling an id that is taken. */
  findAnywhere(tx: Writer, id: RuleId): Promise<RuleRow | undefined>;
  count(tx: Writer, scope: TeamScope): Promise<number>;
  insert(tx: Writer, row: NewRule): Promise<void>;
  /** Changes a rule, with a new revision unless only its schedule went on. */
  change(tx: Writer, id: RuleId, change: RuleChange): Promise<void>;
  /** Moves a schedule on from a slot; false when another node did. */
  moveOn(tx: Writer, id: RuleId, from: Date, change: Pick<RuleRow, "nextAt" | "refusal">): Promise<boolean>;
  delete(tx: Writer, scope: TeamScope, id: RuleId): Promise<boolean>;
  /** Rules of all teams whose slot has come, the longest due first. */
  due(now: Date): Promise<RuleRow[]>;
  findStart(tx: Writer, ruleId: RuleId, dedupeKey: string): Promise<RunId | undefined>;
  insertStart(tx: Writer, start: Start): Promise<void>;
  startsSince(tx: Writer, ruleId: RuleId, since: Date): Promise<number>;
  /** Runs of the rule that have not ended and that nobody asked to end, the oldest first. */
  active(tx: Writer, ruleId: RuleId): Promise<readonly { readonly id: RunId; readonly state: RunState }[]>;
  /** The rule that asked for a run. */
  ofRun(tx: Writer, runId: RunId): Promise<RuleRow | undefined>;
}

export function createRulesRepo(db: Database): RulesRepo {
  const { rules, ruleStarts, runs } = db.t;
  const one = (scope: TeamScope, id: RuleId) => and(eq(rules.id, id), eq(rules.teamId, scope.teamId));
  return {
    async list(scope) {
      const starts = db.read
        .select({ ruleId: ruleStarts.ruleId, last: max(ruleStarts.at).as("last") })
        .from(ruleStarts)
        .where(
          inArray(
            ruleStarts.ruleId,
            db.read.select({ id: rules.id }).from(rules).where(eq(rules.teamId, scope.teamId)),
          ),
        )
        .groupBy(ruleStarts.ruleId)
        .as("starts");
      const rows = await db.read
        .select({ row: rules, last: starts.last })
        .from(rules)
        .leftJoin(starts, eq(starts.ruleId, rules.id))
        .where(eq(rules.teamId, scope.teamId))
        .orderBy(asc(rules.createdAt), asc(rules.id));
      return rows.map(({ row, last }) => ({ row, lastStartedAt: last ?? undefined }));
    },
    async find(tx, scope, id) {
      const [row] = await tx.select().from(rules).where(one(scope, id));
      return row;
    },
    async findAnywhere(tx, id) {
      const [row] = await tx.select().from(rules).where(eq(rules.id, id));
      return row;
    },
    count: async (tx, scope) => tx.$count(rules, eq(rules.teamId, scope.teamId)),
    async insert(tx, row) {
      await tx.insert(rules).values(row);
    },
    async change(tx, id, change) {
      await tx
        .update(rules)
        .set({ ...change, revision: sql`${rules.revision} + 1` })
        .where(eq(rules.id, id));
    },
    async moveOn(tx, id, from, change) {
      const rows = await tx
        .update(rules)
        .set(change)
        .where(and(eq(rules.id, id), eq(rules.nextAt, from)))
        .returning({ id: rules.id });
      return rows.length === 1;
    },
    async delete(tx, scope, id) {
      const rows = await tx.delete(rules).where(one(scope, id)).returning({ id: rules.id });
      return rows.length === 1;
    },
    due: async (now) =>
      db.read.select().from(rules).where(lte(rules.nextAt, now)).orderBy(asc(rules.nextAt)).limit(200),
    async findStart(tx, ruleId, dedupeKey) {
      const [row] = await tx
        .select({ runId: ruleStarts.runId })
        .from(ruleStarts)
        .where(and(eq(ruleStarts.ruleId, ruleId), eq(ruleStarts.dedupeKey, dedupeKey)));
      return row?.runId;
    },
    async insertStart(tx, start) {
      await tx.insert(ruleStarts).values(start);
    },
    async startsSince(tx, ruleId, since) {
      const [row] = await tx
        .select({ n: count() })
        .from(ruleStarts)
        .where(and(eq(ruleStarts.ruleId, ruleId), gt(ruleStarts.at, since)));
      return row?.n ?? 0;
    },
    active: async (tx, ruleId) =>
      tx
        .select({ id: runs.id, state: runs.state })
        .from(ruleStarts)
        .innerJoin(runs, eq(runs.id, ruleStarts.runId))
        .where(
          and(
            eq(ruleStarts.ruleId, ruleId),
            inArray(runs.state, ["queued", "leased", "running"]),
            isNull(runs.cancelAskedAt),
          ),
        )
        .orderBy(asc(ruleStarts.at)),
    async ofRun(tx, runId) {
      const [row] = await tx
        .select({ rule: rules })
        .from(ruleStarts)
        .innerJoin(rules, eq(rules.id, ruleStarts.ruleId))
        .where(eq(ruleStarts.runId, runId));
      return row?.rule;
    },
  };
}
