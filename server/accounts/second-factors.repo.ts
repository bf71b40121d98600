/** Apps' secrets and backup codes. */
import { and, eq, gte, isNotNull, isNull, lt } from "drizzle-orm";
import type { UserId } from "../../shared/ids.ts";
import type { Clock } from "../clock.ts";
import type { Database, Reader, Writer } from "../db/database.ts";

export interface TotpRow {
  readonly sealedSecret: string;
  readonly lastStep: number;
  readonly confirmedAt: Date | null;
}

export interface SecondFactorsRepo {
  findTotp(from: Reader, userId: UserId): Promise<TotpRow | undefined>;
  /** Takes the place of an earlier one that was never confirmed; false when one is in use. */
  beginTotp(tx: Writer, userId: UserId, sealedSecret: string): Promise<boolean>;
  /** False when there is nothing to confirm. */
  confirmTotp(tx: Writer, userId: UserId, step: number): Promise<boolean>;
  /** Uses up a time step: of many callers with the same or an earlier step at most one gets true. */
  takeStep(tx: Writer, userId: UserId, step: number): Promise<boolean>;
  /** The app and the backup codes; false when no app was in use. */
  remove(tx: Writer, userId: UserId): Promise<boolean>;
  /** Passkeys too; with `since` only what was added at that time or later. */
  removeAll(tx: Writer, userId: UserId, since: Date | undefined): Promise<void>;
  countBackupCodes(from: Reader, userId: UserId): Promise<number>;
  replaceBackupCodes(tx: Writer, userId: UserId, hashes: readonly string[]): Promise<void>;
  /** Uses a code up: of many callers exactly one gets true. */
  takeBackupCode(tx: Writer, userId: UserId, hash: string): Promise<boolean>;
}

export function createSecondFactorsRepo(db: Database, clock: Clock): SecondFactorsRepo {
  const { totpFactors, backupCodes, passkeys } = db.t;
  return {
    async findTotp(from, userId) {
      const { sealedSecret, lastStep, confirmedAt } = totpFactors;
      const [row] = await from
        .select({ sealedSecret, lastStep, confirmedAt })
        .from(totpFactors)
        .where(eq(totpFactors.userId, userId));
      return row;
    },
    async beginTotp(tx, userId, sealedSecret) {
      const values = { sealedSecret, lastStep: 0, createdAt: new Date(clock.now()) };
      const written = await tx
        .insert(totpFactors)
        .values({ userId, ...values })
        .onConflictDoUpdate({ target: totpFactors.userId, set: values, setWhere: isNull(totpFactors.confirmedAt) })
        .returning({ userId: totpFactors.userId });
      return written.length > 0;
    },
    async confirmTotp(tx, userId, step) {
      const written = await tx
        .update(totpFactors)
        .set({ confirmedAt: new Date(clock.now()), lastStep: step })
        .where(and(eq(totpFactors.userId, userId), isNull(totpFactors.confirmedAt)))
        .returning({ userId: totpFactors.userId });
      return written.length > 0;
    },
    async takeStep(tx, userId, step) {
      const written = await tx
        .update(totpFactors)
        .set({ lastStep: step })
        .where(and(eq(totpFactors.userId, userId), isNotNull(totpFactors.confirmedAt), lt(totpFactors.lastStep, step)))
        .returning({ userId: totpFactors.userId });
      return written.length > 0;
    },
    async remove(tx, userId) {
      await tx.delete(backupCodes).where(eq(backupCodes.userId, userId));
      const removed = await tx
        .delete(totpFactors)
        .where(eq(totpFactors.userId, userId))
        .returning({ confirmedAt: totpFactors.confirmedAt });
      return removed.some(({ confirmedAt }) => confirmedAt !== null);
    },
    async removeAll(tx, userId, since) {
      for (const table of [totpFactors, backupCodes, passkeys]) {
        await tx.delete(table).where(and(eq(table.userId, userId), since && gte(table.createdAt, since)));
      }
    },
    async countBackupCodes(from, userId) {
      return from.$count(backupCodes, and(eq(backupCodes.userId, userId), isNull(backupCodes.usedAt)));
    },
    async replaceBackupCodes(tx, userId, hashes) {
      const createdAt = new Date(clock.now());
      await tx.delete(backupCodes).where(eq(backupCodes.userId, userId));
      await tx.insert(backupCodes).values(hashes.map((hash) => ({ hash, userId, createdAt })));
    },
    async takeBackupCode(tx, userId, hash) {
      const taken = await tx
        .update(backupCodes)
        .set({ usedAt: new Date(clock.now()) })
        .where(and(eq(backupCodes.hash, hash), eq(backupCodes.userId, userId), isNull(backupCodes.usedAt)))
        .returning({ hash: backupCodes.hash });
      return taken.length > 0;
    },
  };
}
