/** Second factors of the embedded identity provider: an app's codes and backup codes. */
import { hkdfSync } from "node:crypto";
import type { UserId } from "../../shared/ids.ts";
import type { Clock } from "../clock.ts";
import type { Database, Reader } from "../db/database.ts";
import { seal, unseal } from "../seal.ts";
import { hashBackupCode, newBackupCodes } from "./backup-codes.ts";
import type { SecondFactors } from "./identity-factors.ts";
import type { PasskeysRepo } from "./passkeys.repo.ts";
import type { SecondFactorsRepo } from "./second-factors.repo.ts";
import { newTotpSecret, totpStep } from "./totp.ts";

export function createEmbeddedFactors(options: {
  db: Database;
  repo: SecondFactorsRepo;
  passkeys: Pick<PasskeysRepo, "list">;
  clock: Clock;
  /** 32 bytes, used for nothing else. */
  key: Buffer;
}): SecondFactors {
  const { db, repo, clock } = options;
  const keyFor = (purpose: string) => Buffer.from(hkdfSync("sha256", options.key, "perch", purpose, 32));
  const sealKey = keyFor("totp secrets");
  const codeKey = keyFor("backup codes");

  const secretOf = async (from: Reader, userId: UserId, confirmed: boolean) => {
    const row = await repo.findTotp(from, userId);
    return row && (row.confirmedAt !== null) === confirmed ? unseal(sealKey, userId, row.sealedSecret) : undefined;
  };
  const freshCodes = (userId: UserId) => {
    const codes = newBackupCodes();
    return { codes, hashes: codes.map((code) => hashBackupCode(codeKey, userId, code)) };
  };

  return {
    async list(userId) {
      const [totp, backupCodesLeft, passkeys] = await Promise.all([
        repo.findTotp(db.read, userId),
        repo.countBackupCodes(db.read, userId),
        options.passkeys.list(db.read, userId),
      ]);
      return {
        totp: totp?.confirmedAt ? { since: totp.confirmedAt } : null,
        backupCodesLeft,
        passkeys: passkeys.map(({ id, name, createdAt, lastUsedAt, backedUp }) => ({
          id,
          name,
          createdAt: createdAt.toISOString(),
          ...(lastUsedAt !== null && { lastUsedAt: lastUsedAt.toISOString() }),
          backedUp,
        })),
      };
    },
    async beginTotp(userId) {
      const secret = newTotpSecret();
      const sealed = seal(sealKey, userId, secret);
      return { secret, step: (tx) => repo.beginTotp(tx, userId, sealed) };
    },
    async confirmTotp(userId, code) {
      const { codes, hashes } = freshCodes(userId);
      return async (tx) => {
        const secret = await secretOf(tx, userId, false);
        const step = secret === undefined ? undefined : totpStep(secret, code, clock.now());
        if (step === undefined || !(await repo.confirmTotp(tx, userId, step))) return undefined;
        await repo.replaceBackupCodes(tx, userId, hashes);
        return codes;
      };
    },
    async removeTotp(userId) {
      return (tx) => repo.remove(tx, userId);
    },
    async removeAll(userId, since) {
      return (tx) => repo.removeAll(tx, userId, since);
    },
    async newBackupCodes(userId) {
      const { codes, hashes } = freshCodes(userId);
      return async (tx) => {
        if ((await secretOf(tx, userId, true)) === undefined) return undefined;
        await repo.replaceBackupCodes(tx, userId, hashes);
        return codes;
      };
    },
    async verify(userId, answer) {
      const backupHash = hashBackupCode(codeKey, userId, answer);
      const code = answer.replace(/\s/g, "");
      return async (tx) => {
        const secret = await secretOf(tx, userId, true);
        if (secret === undefined) return undefined;
        if (!/^\d{6}$/.test(code)) {
          return (await repo.takeBackupCode(tx, userId, backupHash)) ? "password_backup_code" : undefined;
        }
        const step = totpStep(secret, code, clock.now());
        return step !== undefined && (await repo.takeStep(tx, userId, step)) ? "password_totp" : undefined;
      };
    },
  };
}
