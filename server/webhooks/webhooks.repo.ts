/** Webhooks and their latest calls in the database. */
import { and, asc, eq } from "drizzle-orm";
import type { WebhookId } from "../../shared/ids.ts";
import type { Database, Writer } from "../db/database.ts";
import type { Tables } from "../db/tables.ts";
import type { TeamScope } from "../teams/team-scope.ts";

export type WebhookRow = Tables["webhooks"]["$inferSelect"];
type NewWebhook = Tables["webhooks"]["$inferInsert"];

export interface WebhooksRepo {
  list(scope: TeamScope): Promise<WebhookRow[]>;
  count(tx: Writer, scope: TeamScope): Promise<number>;
  /** Whoever's it is: a call proves itself by its signature. */
  findAnywhere(id: WebhookId): Promise<WebhookRow | undefined>;
  insert(tx: Writer, row: NewWebhook): Promise<WebhookRow>;
  /** Undefined when the team has no such webhook. */
  change(
    tx: Writer,
    scope: TeamScope,
    id: WebhookId,
    change: Partial<Pick<WebhookRow, "secret" | "createdBy" | "lastUsedAt">>,
  ): Promise<WebhookRow | undefined>;
  delete(tx: Writer, scope: TeamScope, id: WebhookId): Promise<boolean>;
  /** False when a call with this signature was taken before. */
  takeCall(tx: Writer, id: WebhookId, signature: string, at: Date): Promise<boolean>;
  /** Forgets calls of before: their time is over, so they could not be taken again anyway. */
}

export function createWebhooksRepo(db: Database): WebhooksRepo {
  const { webhooks, webhookCalls } = db.t;
  const one = (scope: TeamScope, id: WebhookId) => and(eq(webhooks.id, id), eq(webhooks.teamId, scope.teamId));
  return {
    list: async (scope) =>
      db.read
        .select()
        .from(webhooks)
        .where(eq(webhooks.teamId, scope.teamId))
        .orderBy(asc(webhooks.createdAt), asc(webhooks.id)),
    count: async (tx, scope) => tx.$count(webhooks, eq(webhooks.teamId, scope.teamId)),
    async findAnywhere(id) {
      const [row] = await db.read.select().from(webhooks).where(eq(webhooks.id, id));
      return row;
    },
    async insert(tx, row) {
      const [inserted] = await tx.insert(webhooks).values(row).returning();
      if (inserted === undefined) throw new Error("An inserted webhook was not returned.");
      return inserted;
    },
    async change(tx, scope, id, change) {
      const [row] = await tx.update(webhooks).set(change).where(one(scope, id)).returning();
      return row;
    },
    async delete(tx, scope, id) {
      const rows = await tx.delete(webhooks).where(one(scope, id)).returning({ id: webhooks.id });
      return rows.length === 1;
    },
    async takeCall(tx, webhookId, signature, at) {
      const known = await tx.$count(
        webhookCalls,
        and(eq(webhookCalls.webhookId, webhookId), eq(webhookCalls.signature, signature)),
      );
      if (known > 0) return false;
      await tx.insert(webhookCalls).values({ webhookId, signature, at });
      return true;
    },
  };
}
