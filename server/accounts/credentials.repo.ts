/** Who a bearer secret belongs to. The hottest read of the server: two prepared look-ups by hash, nothing else. */
import { and, asc, eq, isNull, sql } from "drizzle-orm";
import type { Clock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import type { Actor } from "../teams/team-scope.ts";
import { hashSecret, isSecret } from "./secrets.ts";

export interface Credentials {
  /** The actor; `ended` for one that was revoked or ran out; undefined for anything unknown. */
  resolve(secret: string): Promise<Actor | "ended" | undefined>;
}

/** How stale `seenAt` and the idle limit may get before a read is followed by a write. */
const SEEN_GRAIN_MS = 5 * 60_000;
export const SESSION_IDLE_MS = 14 * 24 * 3_600_000;

export function createCredentials(options: { db: Database; clock: Clock }): Credentials {
  const { db, clock } = options;
  const { sessions, teamMembers, apiTokens, users } = db.t;
  const bySessionHash = db.read
    .select({ session: sessions, member: { teamId: teamMembers.teamId, role: teamMembers.role } })
    .from(sessions)
    .innerJoin(users, and(eq(users.id, sessions.userId), isNull(users.deletedAt)))
    .innerJoin(teamMembers, eq(teamMembers.userId, sessions.userId))
    .where(eq(sessions.tokenHash, sql.placeholder("hash")))
    .orderBy(asc(teamMembers.joinedAt))
    .limit(1)
    .prepare();
  const byTokenHash = db.read
    .select({ token: apiTokens, role: teamMembers.role })
    .from(apiTokens)
    .innerJoin(users, and(eq(users.id, apiTokens.createdBy), isNull(users.deletedAt)))
    .innerJoin(teamMembers, and(eq(teamMembers.userId, apiTokens.createdBy), eq(teamMembers.teamId, apiTokens.teamId)))
    .where(eq(apiTokens.tokenHash, sql.placeholder("hash")))
    .limit(1)
    .prepare();

  async function session(secret: string): Promise<Actor | "ended" | undefined> {
    const [row] = await bySessionHash.execute({ hash: hashSecret(secret) });
    if (row === undefined) return undefined;
    const now = clock.now();
    const { session } = row;
    if (
      session.endedAt !== null ||
      now >= session.idleExpiresAt.getTime() ||
      now >= session.absoluteExpiresAt.getTime()
    )
      return "ended";
    if (now - session.seenAt.getTime() > SEEN_GRAIN_MS) {
      const idle = Math.min(now + SESSION_IDLE_MS, session.absoluteExpiresAt.getTime());
      await db.tx((tx) =>
        tx
          .update(sessions)
          .set({ seenAt: new Date(now), idleExpiresAt: new Date(idle) })
          .where(and(eq(sessions.id, session.id), isNull(sessions.endedAt))),
      );
    }
    return {
      credential: { kind: "session", id: session.id, web: session.kind === "web" },
      userId: session.userId,
      teamId: row.member.teamId,
      role: row.member.role,
      scopes: session.scopes,
      authenticatedAt: session.authenticatedAt,
    };
  }

  async function apiToken(secret: string): Promise<Actor | "ended" | undefined> {
    const [row] = await byTokenHash.execute({ hash: hashSecret(secret) });
    if (row === undefined) return undefined;
    const now = clock.now();
    const { token } = row;
    if (token.revokedAt !== null || now >= token.expiresAt.getTime()) return "ended";
    if (now - (token.lastUsedAt?.getTime() ?? 0) > SEEN_GRAIN_MS) {
      await db.tx((tx) =>
        tx
          .update(apiTokens)
          .set({ lastUsedAt: new Date(now) })
          .where(eq(apiTokens.id, token.id)),
      );
    }
    return {
      credential: { kind: "token", id: token.id },
      userId: token.createdBy,
      teamId: token.teamId,
      role: row.role,
      scopes: token.scopes,
      authenticatedAt: token.createdAt,
    };
  }

  return {
    async resolve(secret) {
      if (isSecret(secret, "cp_")) return session(secret);
      if (isSecret(secret, "pt_")) return apiToken(secret);
      return undefined;
    },
  };
}
