/** What binds people to what an identity provider calls them. */
import { and, asc, eq, exists, gt, isNull, lte, notExists, or, sql } from "drizzle-orm";
import type { UserId } from "../../shared/ids.ts";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";
import type { IdentityProvider } from "./identity-provider.ts";

export interface IdentitiesRepo {
  subjectOf(userId: UserId): Promise<string | undefined>;
  userOf(subject: string): Promise<UserId | undefined>;
  passwordChangedAt(userId: UserId): Promise<Date | undefined>;
  /** Notes that the password was set now, or that there is none. */
  notePassword(tx: Writer, userId: UserId, password: "set" | "none"): Promise<void>;
  /** People who are signed in, or have API tokens, and were not looked for at the provider since; the longest ago first. */
  due(since: Date, limit: number): Promise<{ readonly userId: UserId; readonly subject: string }[]>;
  noteChecked(tx: Writer, subject: string): Promise<void>;
  /** People the provider does not know yet, with the hash of their password here; in order of their ids, from `after` on. */
  notBound(
    after: string,
    limit: number,
  ): Promise<{ readonly userId: UserId; readonly email: string; readonly phc: string | null }[]>;
}

export function createIdentitiesRepo(db: Database, clock: Clock, provider: IdentityProvider["name"]): IdentitiesRepo {
  const { identities, sessions, apiTokens, users, passwordCredentials } = db.t;
  const now = () => new Date(clock.now());
  const ofUser = (userId: UserId) => and(eq(identities.provider, provider), eq(identities.userId, userId));
  const ofSubject = (subject: string) => and(eq(identities.provider, provider), eq(identities.subject, subject));
  return {
    async subjectOf(userId) {
      const [row] = await db.read.select({ subject: identities.subject }).from(identities).where(ofUser(userId));
      return row?.subject;
    },
    async userOf(subject) {
      const [row] = await db.read.select({ userId: identities.userId }).from(identities).where(ofSubject(subject));
      return row?.userId;
    },
    async passwordChangedAt(userId) {
      const [row] = await db.read.select({ at: identities.passwordChangedAt }).from(identities).where(ofUser(userId));
      return row?.at ?? undefined;
    },
    async notePassword(tx, userId, password) {
      await tx
        .update(identities)
        .set({ passwordChangedAt: password === "set" ? now() : null })
        .where(ofUser(userId));
    },
    async due(since, limit) {
      const signedIn = db.read
        .select({ id: sessions.id })
        .from(sessions)
        .where(
          and(eq(sessions.userId, identities.userId), isNull(sessions.endedAt), gt(sessions.idleExpiresAt, now())),
        );
      const withToken = db.read
        .select({ id: apiTokens.id })
        .from(apiTokens)
        .where(
          and(eq(apiTokens.createdBy, identities.userId), isNull(apiTokens.revokedAt), gt(apiTokens.expiresAt, now())),
        );
      return db.read
        .select({ userId: identities.userId, subject: identities.subject })
        .from(identities)
        .where(
          and(
            eq(identities.provider, provider),
            or(isNull(identities.checkedAt), lte(identities.checkedAt, since)),
            or(exists(signedIn), exists(withToken)),
          ),
        )
        .orderBy(asc(identities.checkedAt), asc(identities.subject))
        .limit(limit);
    },
    async noteChecked(tx, subject) {
      await tx.update(identities).set({ checkedAt: now() }).where(ofSubject(subject));
    },
    async notBound(after, limit) {
      const bound = db.read
        .select({ subject: identities.subject })
        .from(identities)
        .where(and(eq(identities.provider, provider), eq(identities.userId, users.id)));
      return db.read
        .select({ userId: users.id, email: users.email, phc: passwordCredentials.phc })
        .from(users)
        .leftJoin(passwordCredentials, eq(passwordCredentials.userId, users.id))
        .where(and(isNull(users.deletedAt), gt(sql`${users.id}`, after), notExists(bound)))
        .orderBy(asc(users.id))
        .limit(limit);
    },
  };
}
