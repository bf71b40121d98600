/** Secrets and their grants in the database, always within a team. Values come and go sealed. */
import { and, asc, eq, inArray, isNull, ne, or } from "drizzle-orm";
import type { FlowId, SecretId, TeamId, UserId } from "../../../shared/ids.ts";
import type { Database, Writer } from "../../db/database.ts";
import type { Tables } from "../../db/tables.ts";
import type { TeamScope } from "../../teams/team-scope.ts";
import type { FlowRow } from "../flows.repo.ts";

export type SecretRow = Tables["secrets"]["$inferSelect"];
export type GrantRow = Tables["secretGrants"]["$inferSelect"];

/** A secret as a flow asks for it, with the text its grant is for. */
export interface AskedSecret {
  readonly secret: SecretRow;
  readonly grantedText: string | null;
}

export interface SecretsRepo {
  list(scope: TeamScope): Promise<SecretRow[]>;
  /** Every grant of the team, with the flow as it is now. */
  grants(scope: TeamScope): Promise<{ grant: GrantRow; flow: Pick<FlowRow, "name" | "source" | "path"> }[]>;
  find(tx: Writer, scope: TeamScope, id: SecretId): Promise<SecretRow | undefined>;
  findByName(tx: Writer, scope: TeamScope, name: string): Promise<SecretRow | undefined>;
  flow(tx: Writer, scope: TeamScope, id: FlowId): Promise<{ source: string; updatedAt: Date } | undefined>;
  /** What the team has of these names, for one flow. */
  asked(teamId: TeamId, flowId: FlowId, names: readonly string[]): Promise<AskedSecret[]>;
  count(tx: Writer, scope: TeamScope): Promise<number>;
  insert(tx: Writer, row: SecretRow): Promise<void>;
  change(tx: Writer, id: SecretId, change: Pick<SecretRow, "value" | "createdBy" | "changedAt">): Promise<void>;
  delete(tx: Writer, id: SecretId): Promise<void>;
  grantsOf(tx: Writer, flowId: FlowId): Promise<{ grant: GrantRow; secret: SecretRow }[]>;
  /** Also replaces the grant there was. */
  grant(tx: Writer, row: GrantRow): Promise<void>;
  /** False when there was none. */
  revoke(tx: Writer, secretId: SecretId, flowId: FlowId): Promise<boolean>;
  /** Takes back what others than this person granted. */
  revokeOthers(tx: Writer, secretId: SecretId, person: UserId): Promise<void>;
}

export function createSecretsRepo(db: Database): SecretsRepo {
  const { secrets, secretGrants, flows } = db.t;
  const inTeam = (scope: TeamScope) => eq(secrets.teamId, scope.teamId);
  const first = <T>(rows: readonly T[]): T | undefined => rows[0];
  return {
    list: async (scope) => db.read.select().from(secrets).where(inTeam(scope)).orderBy(asc(secrets.name)),
    grants: async (scope) =>
      db.read
        .select({ grant: secretGrants, flow: { name: flows.name, source: flows.source, path: flows.path } })
        .from(secretGrants)
        .innerJoin(flows, eq(flows.id, secretGrants.flowId))
        .where(eq(flows.teamId, scope.teamId))
        .orderBy(asc(flows.name)),
    find: async (tx, scope, id) =>
      first(
        await tx
          .select()
          .from(secrets)
          .where(and(eq(secrets.id, id), inTeam(scope))),
      ),
    findByName: async (tx, scope, name) =>
      first(
        await tx
          .select()
          .from(secrets)
          .where(and(eq(secrets.name, name), inTeam(scope))),
      ),
    flow: async (tx, scope, id) =>
      first(
        await tx
          .select({ source: flows.source, updatedAt: flows.updatedAt })
          .from(flows)
          .where(and(eq(flows.id, id), eq(flows.teamId, scope.teamId))),
      ),
    asked: async (teamId, flowId, names) =>
      db.read
        .select({ secret: secrets, grantedText: secretGrants.textHash })
        .from(secrets)
        .leftJoin(secretGrants, and(eq(secretGrants.secretId, secrets.id), eq(secretGrants.flowId, flowId)))
        .where(and(eq(secrets.teamId, teamId), inArray(secrets.name, [...names]))),
    count: async (tx, scope) => tx.$count(secrets, inTeam(scope)),
    async insert(tx, row) {
      await tx.insert(secrets).values(row);
    },
    async change(tx, id, change) {
      await tx.update(secrets).set(change).where(eq(secrets.id, id));
    },
    async delete(tx, id) {
      await tx.delete(secrets).where(eq(secrets.id, id));
    },
    grantsOf: async (tx, flowId) =>
      tx
        .select({ grant: secretGrants, secret: secrets })
        .from(secretGrants)
        .innerJoin(secrets, eq(secrets.id, secretGrants.secretId))
        .where(eq(secretGrants.flowId, flowId)),
    async grant(tx, row) {
      const { grantedBy, textHash, grantedAt } = row;
      await tx
        .insert(secretGrants)
        .values(row)
        .onConflictDoUpdate({
          target: [secretGrants.secretId, secretGrants.flowId],
          set: { grantedBy, textHash, grantedAt },
        });
    },
    async revoke(tx, secretId, flowId) {
      const rows = await tx
        .delete(secretGrants)
        .where(and(eq(secretGrants.secretId, secretId), eq(secretGrants.flowId, flowId)))
        .returning({ flowId: secretGrants.flowId });
      return rows.length > 0;
    },
    async revokeOthers(tx, secretId, person) {
      await tx
        .delete(secretGrants)
        .where(
          and(
            eq(secretGrants.secretId, secretId),
            or(ne(secretGrants.grantedBy, person), isNull(secretGrants.grantedBy)),
          ),
        );
    },
  };
}
