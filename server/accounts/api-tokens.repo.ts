/** API-token rows. The look-up by token is prepared once: it stands in front of every call. */
import { and, desc, eq, gte, isNull, sql } from "drizzle-orm";
import type { Role, Scope } from "../../shared/access.ts";
import { type ApiTokenId, newId, type TeamId, type UserId } from "../../shared/ids.ts";
import type { Database, Writer } from "../db/database.ts";
import { isOpenErasure, standingOf } from "../privacy/preferences/standing.repo.ts";
import type { AccountStanding } from "../teams/team-scope.ts";

interface ApiTokenRow {
  readonly id: ApiTokenId;
  readonly userId: UserId;
  readonly scopes: readonly Scope[];
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly lastUsedAt: Date | null;
}
export interface FoundApiToken extends ApiTokenRow {
  readonly teamId: TeamId;
  /** The maker's role in the team as of now. */
  readonly role: Role;
  readonly revokedAt: Date | null;
  /** Of the maker. */
  readonly standing: AccountStanding;
}
export interface ListedApiToken extends ApiTokenRow {
  readonly name: string;
  readonly prefix: string;
  readonly fullName: string | null;
  readonly emailShown: string;
}
export interface NewApiToken extends Omit<ApiTokenRow, "id" | "lastUsedAt"> {
  readonly teamId: TeamId;
  readonly name: string;
  readonly tokenHash: string;
  readonly prefix: string;
}
/** One of a team, perhaps only if this person made it; or all that a person made since. */
export type WhichTokens =
  | { readonly id: ApiTokenId; readonly teamId: TeamId; readonly madeBy?: UserId | undefined }
  | { readonly madeBy: UserId; readonly since: Date };

export interface ApiTokensRepo {
  insert(tx: Writer, token: NewApiToken): Promise<ApiTokenId>;
  /** Only with its maker alive and in the team. */
  findByToken(tokenHash: string): Promise<FoundApiToken | undefined>;
  touch(tx: Writer, id: ApiTokenId, at: Date): Promise<void>;
  /** Those of a team that nobody revoked, the newest first; expired ones too, as long as they are kept. */
  list(teamId: TeamId, madeBy: UserId | undefined): Promise<ListedApiToken[]>;
  /** Gives the ids that were revoked by this call. */
  revoke(tx: Writer, which: WhichTokens, at: Date): Promise<ApiTokenId[]>;
}

export function createApiTokensRepo(db: Database): ApiTokensRepo {
  const { apiTokens, users, teams, teamMembers, privacyPreferences, erasures } = db.t;
  const row = {
    id: apiTokens.id,
    userId: apiTokens.createdBy,
    scopes: apiTokens.scopes,
    createdAt: apiTokens.createdAt,
    expiresAt: apiTokens.expiresAt,
    lastUsedAt: apiTokens.lastUsedAt,
  };
  const maker = and(eq(users.id, apiTokens.createdBy), isNull(users.deletedAt));
  const membership = and(eq(teamMembers.userId, apiTokens.createdBy), eq(teamMembers.teamId, apiTokens.teamId));
  const byToken = db.read
    .select({
      ...row,
      teamId: apiTokens.teamId,
      role: teamMembers.role,
      revokedAt: apiTokens.revokedAt,
      restrictedAt: privacyPreferences.restrictedAt,
      erasureId: erasures.id,
      suspendedAt: users.suspendedAt,
      teamSuspendedAt: teams.suspendedAt,
    })
    .from(apiTokens)
    .innerJoin(users, maker)
    .innerJoin(teamMembers, membership)
    .innerJoin(teams, eq(teams.id, apiTokens.teamId))
    .leftJoin(privacyPreferences, eq(privacyPreferences.userId, apiTokens.createdBy))
    .leftJoin(erasures, isOpenErasure(erasures, apiTokens.createdBy))
    .where(eq(apiTokens.tokenHash, sql.placeholder("tokenHash")))
    .prepare();
  return {
    async insert(tx, { userId, scopes, ...token }) {
      const id = newId("apiToken");
      await tx.insert(apiTokens).values({ ...token, id, createdBy: userId, scopes: [...scopes] });
      return id;
    },
    async findByToken(tokenHash) {
      const [found] = await byToken.execute({ tokenHash });
      return found && { ...found, standing: standingOf(found) };
    },
    async touch(tx, id, at) {
      await tx.update(apiTokens).set({ lastUsedAt: at }).where(eq(apiTokens.id, id));
    },
    async list(teamId, madeBy) {
      return db.read
        .select({
          ...row,
          name: apiTokens.name,
          prefix: apiTokens.prefix,
          fullName: users.fullName,
          emailShown: users.emailShown,
        })
        .from(apiTokens)
        .innerJoin(users, maker)
        .innerJoin(teamMembers, membership)
        .where(
          and(
            eq(apiTokens.teamId, teamId),
            isNull(apiTokens.revokedAt),
            madeBy === undefined ? undefined : eq(apiTokens.createdBy, madeBy),
          ),
        )
        .orderBy(desc(apiTokens.createdAt), desc(apiTokens.id));
    },
    async revoke(tx, which, at) {
      const meant =
        "since" in which
          ? and(eq(apiTokens.createdBy, which.madeBy), gte(apiTokens.createdAt, which.since))
          : and(
              eq(apiTokens.id, which.id),
              eq(apiTokens.teamId, which.teamId),
              which.madeBy === undefined ? undefined : eq(apiTokens.createdBy, which.madeBy),
            );
      const revoked = await tx
        .update(apiTokens)
        .set({ revokedAt: at })
        .where(and(isNull(apiTokens.revokedAt), meant))
        .returning({ id: apiTokens.id });
      return revoked.map(({ id }) => id);
    },
  };
}
