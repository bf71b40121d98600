/** Authorization codes. Rows stay a day after use so that a second use is recognised. */
import { and, eq, gt, isNull } from "drizzle-orm";
import type { SignInMethod } from "../../shared/accounts.ts";
import type { SessionId, TeamId, UserId } from "../../shared/ids.ts";
import type { Database, Writer } from "../db/database.ts";

export interface ConnectCode {
  readonly userId: UserId;
  readonly redirectUri: string;
  readonly challenge: string;
  readonly authenticatedAt: Date;
  readonly method: SignInMethod;
  readonly teamId: TeamId | null;
}

export interface ConnectRepo {
  insert(tx: Writer, hash: string, code: ConnectCode, createdAt: Date, expiresAt: Date): Promise<void>;
  /** Marks the code used and gives it, to exactly one caller and only before it expires. */
  use(tx: Writer, hash: string, now: Date): Promise<ConnectCode | undefined>;
  /** Notes the session a code produced. */
  produced(tx: Writer, hash: string, sessionId: SessionId): Promise<void>;
  /** The session an already used code produced. */
  findProduced(tx: Writer, hash: string): Promise<{ userId: UserId; sessionId: SessionId } | undefined>;
}

export function createConnectRepo(db: Database): ConnectRepo {
  const { connectCodes } = db.t;
  return {
    async insert(tx, hash, code, createdAt, expiresAt) {
      await tx.insert(connectCodes).values({ hash, ...code, createdAt, expiresAt });
    },
    async use(tx, hash, now) {
      const [row] = await tx
        .update(connectCodes)
        .set({ usedAt: now })
        .where(and(eq(connectCodes.hash, hash), isNull(connectCodes.usedAt), gt(connectCodes.expiresAt, now)))
        .returning({
          userId: connectCodes.userId,
          redirectUri: connectCodes.redirectUri,
          challenge: connectCodes.challenge,
          authenticatedAt: connectCodes.authenticatedAt,
          method: connectCodes.method,
          teamId: connectCodes.teamId,
        });
      return row;
    },
    async produced(tx, hash, sessionId) {
      await tx.update(connectCodes).set({ sessionId }).where(eq(connectCodes.hash, hash));
    },
    async findProduced(tx, hash) {
      const [row] = await tx
        .select({ userId: connectCodes.userId, sessionId: connectCodes.sessionId })
        .from(connectCodes)
        .where(eq(connectCodes.hash, hash));
      return row?.sessionId ? { userId: row.userId, sessionId: row.sessionId } : undefined;
    },
  };
}
