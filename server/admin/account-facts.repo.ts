/** What is held about one person, for the operator who answers for it: no secret, no address of a network. */
import { and, count, desc, eq, gt, isNull, ne } from "drizzle-orm";
import type { SessionKind, SignInMethod } from "../../shared/accounts.ts";
import type { ApiTokenId, DecisionId, SessionId, UserId } from "../../shared/ids.ts";
import type { Database, Writer } from "../db/database.ts";

export interface AccountFacts {
  readonly sessions: readonly {
    readonly id: SessionId;
    readonly kind: SessionKind;
    readonly method: SignInMethod;
    readonly userAgent: string | null;
    readonly createdAt: Date;
    readonly seenAt: Date;
  }[];
  readonly tokens: readonly {
    readonly id: ApiTokenId;
    readonly name: string;
    readonly prefix: string;
    readonly scopes: readonly string[];
    readonly expiresAt: Date;
    readonly lastUsedAt: Date | null;
  }[];
  readonly passwordChangedAt: Date | undefined;
  readonly hasCodesOfApp: boolean;
  readonly backupCodesLeft: number;
  readonly passkeys: readonly { readonly name: string; readonly lastUsedAt: Date | null }[];
  /** Decisions against abuse that still count. */
  readonly standing: readonly {
    readonly id: DecisionId;
    readonly kind: string;
    readonly action: string;
    readonly state: string;
    readonly createdAt: Date;
  }[];
}

/** In the caller's transaction, which records who looked. */
export async function accountFacts(db: Database, tx: Writer, userId: UserId, now: Date): Promise<AccountFacts> {
  const { sessions, apiTokens, passwordCredentials, totpFactors, backupCodes, passkeys, decisions } = db.t;
  const { id, kind, method, userAgent, createdAt, seenAt } = sessions;
  const live = await tx
    .select({ id, kind, method, userAgent, createdAt, seenAt })
    .from(sessions)
    .where(
      and(
        eq(sessions.userId, userId),
        isNull(sessions.endedAt),
        gt(sessions.idleExpiresAt, now),
        gt(sessions.absoluteExpiresAt, now),
      ),
    )
    .orderBy(desc(seenAt));
  const { name, prefix, scopes, expiresAt, lastUsedAt } = apiTokens;
  const tokens = await tx
    .select({ id: apiTokens.id, name, prefix, scopes, expiresAt, lastUsedAt })
    .from(apiTokens)
    .where(and(eq(apiTokens.createdBy, userId), isNull(apiTokens.revokedAt), gt(apiTokens.expiresAt, now)));
  const [password] = await tx
    .select({ changedAt: passwordCredentials.changedAt })
    .from(passwordCredentials)
    .where(eq(passwordCredentials.userId, userId));
  const [app] = await tx
    .select({ confirmedAt: totpFactors.confirmedAt })
    .from(totpFactors)
    .where(eq(totpFactors.userId, userId));
  const [codes] = await tx
    .select({ left: count() })
    .from(backupCodes)
    .where(and(eq(backupCodes.userId, userId), isNull(backupCodes.usedAt)));
  const keys = await tx
    .select({ name: passkeys.name, lastUsedAt: passkeys.lastUsedAt })
    .from(passkeys)
    .where(eq(passkeys.userId, userId));
  const standing = await tx
    .select({
      id: decisions.id,
      kind: decisions.kind,
      action: decisions.action,
      state: decisions.state,
      createdAt: decisions.createdAt,
    })
    .from(decisions)
    .where(and(eq(decisions.userId, userId), ne(decisions.state, "lifted")));
  return {
    sessions: live,
    tokens,
    passwordChangedAt: password?.changedAt,
    hasCodesOfApp: app?.confirmedAt != null,
    backupCodesLeft: codes?.left ?? 0,
    passkeys: keys,
    standing,
  };
}
