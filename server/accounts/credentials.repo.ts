/** What lets a person in, as the overview, the undoing of a change of address and recovery need it. */
import { and, asc, eq, gte, isNotNull, isNull } from "drizzle-orm";
import type { PasskeyId, UserId } from "../../shared/ids.ts";
import type { Database, Writer } from "../db/database.ts";

export interface CredentialRows {
  readonly passwordChangedAt: Date | undefined;
  readonly totpSince: Date | undefined;
  readonly backupCodesLeft: number;
  readonly passkeys: readonly {
    readonly id: PasskeyId;
    readonly name: string;
    readonly createdAt: Date;
    readonly lastUsedAt: Date | null;
    readonly backedUp: boolean;
  }[];
}

export interface CredentialsRepo {
  read(userId: UserId): Promise<CredentialRows>;
  /** Whether a password alone does not let the person in. */
  hasSecondFactor(tx: Writer, userId: UserId): Promise<boolean>;
  /** Removes the app, the backup codes and the passkeys; with `since` only what was added at that time or later. */
  removeFactors(tx: Writer, userId: UserId, since?: Date): Promise<void>;
}

export function createCredentialsRepo(db: Database): CredentialsRepo {
  const { passwordCredentials, totpFactors, backupCodes, passkeys } = db.t;
  return {
    async read(userId) {
      const [[password], [totp], codes, keys] = await Promise.all([
        db.read
          .select({ changedAt: passwordCredentials.changedAt })
          .from(passwordCredentials)
          .where(eq(passwordCredentials.userId, userId)),
        db.read
          .select({ confirmedAt: totpFactors.confirmedAt })
          .from(totpFactors)
          .where(and(eq(totpFactors.userId, userId), isNotNull(totpFactors.confirmedAt))),
        db.read
          .select({ hash: backupCodes.hash })
          .from(backupCodes)
          .where(and(eq(backupCodes.userId, userId), isNull(backupCodes.usedAt))),
        db.read
          .select({
            id: passkeys.id,
            name: passkeys.name,
            createdAt: passkeys.createdAt,
            lastUsedAt: passkeys.lastUsedAt,
            backedUp: passkeys.backedUp,
          })
          .from(passkeys)
          .where(eq(passkeys.userId, userId))
          .orderBy(asc(passkeys.createdAt), asc(passkeys.id)),
      ]);
      return {
        passwordChangedAt: password?.changedAt,
        totpSince: totp?.confirmedAt ?? undefined,
        backupCodesLeft: codes.length,
        passkeys: keys,
      };
    },
    async hasSecondFactor(tx, userId) {
      const apps = await tx
        .select({ userId: totpFactors.userId })
        .from(totpFactors)
        .where(and(eq(totpFactors.userId, userId), isNotNull(totpFactors.confirmedAt)));
      const keys = await tx.select({ id: passkeys.id }).from(passkeys).where(eq(passkeys.userId, userId));
      return apps.length > 0 || keys.length > 0;
    },
    async removeFactors(tx, userId, since) {
      for (const table of [totpFactors, backupCodes, passkeys]) {
        await tx.delete(table).where(and(eq(table.userId, userId), since && gte(table.createdAt, since)));
      }
    },
  };
}
