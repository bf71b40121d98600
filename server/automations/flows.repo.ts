/** Flows in the database, always within a team. */
import { and, desc, eq } from "drizzle-orm";
import type { FlowId } from "../../shared/ids.ts";
import type { Database, Writer } from "../db/database.ts";
import type { Tables } from "../db/tables.ts";
import type { TeamScope } from "../teams/team-scope.ts";

export type FlowRow = Tables["flows"]["$inferSelect"];
export type NewFlow = Tables["flows"]["$inferInsert"];

export interface FlowsRepo {
  list(scope: TeamScope): Promise<FlowRow[]>;
  find(scope: TeamScope, id: FlowId): Promise<FlowRow | undefined>;
  count(tx: Writer, scope: TeamScope): Promise<number>;
  insert(tx: Writer, row: NewFlow): Promise<FlowRow>;
  /** `was`: only while this is its source. */
  change(
    tx: Writer,
    scope: TeamScope,
    id: FlowId,
    change: Pick<FlowRow, "name" | "source" | "updatedAt">,
    was?: string,
  ): Promise<FlowRow | undefined>;
  /** False when there was none. Its runs stay, each with its own copy of the source. */
  delete(tx: Writer, scope: TeamScope, id: FlowId): Promise<boolean>;
}

export function createFlowsRepo(db: Database): FlowsRepo {
  const { flows } = db.t;
  const one = (scope: TeamScope, id: FlowId) => and(eq(flows.id, id), eq(flows.teamId, scope.teamId));
  return {
    list: async (scope) =>
      db.read.select().from(flows).where(eq(flows.teamId, scope.teamId)).orderBy(desc(flows.updatedAt), desc(flows.id)),
    async find(scope, id) {
      const [row] = await db.read.select().from(flows).where(one(scope, id));
      return row;
    },
    count: async (tx, scope) => tx.$count(flows, eq(flows.teamId, scope.teamId)),
    async insert(tx, row) {
      const [inserted] = await tx.insert(flows).values(row).returning();
      if (inserted === undefined) throw new Error("An inserted flow was not returned.");
      return inserted;
    },
    async change(tx, scope, id, change, was) {
      const unchanged = was === undefined ? undefined : eq(flows.source, was);
      const [row] = await tx
        .update(flows)
        .set(change)
        .where(and(one(scope, id), unchanged))
        .returning();
      return row;
    },
    async delete(tx, scope, id) {
      const rows = await tx.delete(flows).where(one(scope, id)).returning({ id: flows.id });
      return rows.length === 1;
    },
  };
}
