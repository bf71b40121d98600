/** What is there already, for an import: looked at inside its transaction. */
import { eq, inArray } from "drizzle-orm";
import type { FlowId, PhoneId, RuleId, TeamId, UserId } from "../../../../shared/ids.ts";
import type { Database, Writer } from "../../../db/database.ts";

export interface ImportRepo {
  /** Of these ids, those that are taken, by whomever. */
  takenPhones(tx: Writer, ids: readonly PhoneId[]): Promise<ReadonlySet<PhoneId>>;
  takenFlows(tx: Writer, ids: readonly FlowId[]): Promise<ReadonlySet<FlowId>>;
  takenRules(tx: Writer, ids: readonly RuleId[]): Promise<ReadonlySet<RuleId>>;
  /** Hashes of the team's files, by path. */
  files(tx: Writer, teamId: TeamId): Promise<ReadonlyMap<string, { readonly content: string; readonly bytes: number }>>;
  statements(tx: Writer, userId: UserId): Promise<readonly { readonly category: string; readonly text: string }[]>;
}

export function createImportRepo(db: Database): ImportRepo {
  const { phones, flows, rules, workspaceFiles, statements } = db.t;
  return {
    async takenPhones(tx, ids) {
      if (ids.length === 0) return new Set();
      const rows = await tx
        .select({ id: phones.id })
        .from(phones)
        .where(inArray(phones.id, [...ids]));
      return new Set(rows.map(({ id }) => id));
    },
    async takenFlows(tx, ids) {
      if (ids.length === 0) return new Set();
      const rows = await tx
        .select({ id: flows.id })
        .from(flows)
        .where(inArray(flows.id, [...ids]));
      return new Set(rows.map(({ id }) => id));
    },
    async takenRules(tx, ids) {
      if (ids.length === 0) return new Set();
      const rows = await tx
        .select({ id: rules.id })
        .from(rules)
        .where(inArray(rules.id, [...ids]));
      return new Set(rows.map(({ id }) => id));
    },
    async files(tx, teamId) {
      const { path, content, bytes } = workspaceFiles;
      const rows = await tx
        .select({ path, content, bytes })
        .from(workspaceFiles)
        .where(eq(workspaceFiles.teamId, teamId));
      return new Map(rows.map((row) => [row.path, row]));
    },
    async statements(tx, userId) {
      const { category, text } = statements;
      return tx.select({ category, text }).from(statements).where(eq(statements.userId, userId));
    },
  };
}
