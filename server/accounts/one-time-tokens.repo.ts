/** Single-use tokens: links in mails and the first-run set-up link. Only hashes are stored. */
import { and, eq, gt } from "drizzle-orm";
import type { UserId } from "../../shared/ids.ts";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";
import type { ONE_TIME_KINDS } from "./accounts.tables.ts";
import { hashSecret, isSecret, newSecret } from "./secrets.ts";

export type OneTimeKind = (typeof ONE_TIME_KINDS)[number];
export interface PendingSignUp {
  readonly email: string;
  readonly emailShown: string;
  readonly fullName?: string;
  readonly phc: string;
}
export interface OneTimeToken {
  readonly userId: UserId | null;
  readonly pending: PendingSignUp | null;
}

export interface OneTimeTokensRepo {
  /** A new token, valid for `lifetimeMs`. */
  issue(
    tx: Writer,
    kind: OneTimeKind,
    lifetimeMs: number,
    about: { userId?: UserId; pending?: PendingSignUp },
  ): Promise<string>;
  /** Looks without using it up. */
  find(kind: OneTimeKind, token: string): Promise<OneTimeToken | undefined>;
  /** Uses it up: of many callers exactly one gets it. */
  take(tx: Writer, kind: OneTimeKind, token: string): Promise<OneTimeToken | undefined>;
  dropOfUser(tx: Writer, kind: OneTimeKind, userId: UserId): Promise<void>;
  dropAll(tx: Writer, kind: OneTimeKind): Promise<void>;
}

export function createOneTimeTokensRepo(db: Database, clock: Clock): OneTimeTokensRepo {
  const { oneTimeTokens } = db.t;
  const valid = (kind: OneTimeKind, token: string) =>
    and(
      eq(oneTimeTokens.hash, hashSecret(token)),
      eq(oneTimeTokens.kind, kind),
      gt(oneTimeTokens.expiresAt, new Date(clock.now())),
    );
  const columns = { userId: oneTimeTokens.userId, pending: oneTimeTokens.pending };
  return {
    async issue(tx, kind, lifetimeMs, about) {
      const token = newSecret();
      const now = clock.now();
      await tx.insert(oneTimeTokens).values({
        hash: hashSecret(token),
        kind,
        userId: about.userId ?? null,
        pending: about.pending ?? null,
        createdAt: new Date(now),
        expiresAt: new Date(now + lifetimeMs),
      });
      return token;
    },
    async find(kind, token) {
      if (!isSecret(token)) return undefined;
      const [row] = await db.read.select(columns).from(oneTimeTokens).where(valid(kind, token));
      return row;
    },
    async take(tx, kind, token) {
      if (!isSecret(token)) return undefined;
      const [row] = await tx.delete(oneTimeTokens).where(valid(kind, token)).returning(columns);
      return row;
    },
    async dropOfUser(tx, kind, userId) {
      await tx.delete(oneTimeTokens).where(and(eq(oneTimeTokens.kind, kind), eq(oneTimeTokens.userId, userId)));
    },
    async dropAll(tx, kind) {
      await tx.delete(oneTimeTokens).where(eq(oneTimeTokens.kind, kind));
    },
  };
}
