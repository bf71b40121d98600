/** The embedded identity provider: addresses confirmed by mail, passwords hashed here. */
import type { Clock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import type { AccountsRepo } from "./accounts.repo.ts";
import type { PendingSignUp } from "./accounts.tables.ts";
import { createEmbeddedFactors } from "./embedded-factors.ts";
import { createEmbeddedPasskeys, passkeysWork } from "./embedded-passkeys.ts";
import type { IdentityProvider } from "./identity-provider.ts";
import { RESET_LINK_MS, SIGN_UP_LINK_MS } from "./link-lifetimes.ts";
import type { OneTimeTokensRepo } from "./one-time-tokens.repo.ts";
import { createPasskeysRepo } from "./passkeys.repo.ts";
import type { Passwords } from "./passwords.ts";
import { createSecondFactorsRepo } from "./second-factors.repo.ts";

export function createEmbeddedIdentity(options: {
  db: Database;
  repo: AccountsRepo;
  tokens: OneTimeTokensRepo;
  passwords: Passwords;
  clock: Clock;
  /** Where browsers find this server; passkeys are bound to it. */
  publicUrl: URL;
  /** 32 bytes for second factors alone. */
  factorsKey: Buffer;
}): IdentityProvider {
  const { db, repo, tokens, passwords, clock, publicUrl } = options;
  const passkeysRepo = createPasskeysRepo(db, clock);
  const factors = createEmbeddedFactors({
    db,
    repo: createSecondFactorsRepo(db, clock),
    passkeys: passkeysRepo,
    clock,
    key: options.factorsKey,
  });
  const bindWith =
    (phc: string) =>
    async (tx: Parameters<AccountsRepo["setPassword"]>[0], userId: Parameters<AccountsRepo["setPassword"]>[1]) => {
      await repo.setPassword(tx, userId, phc);
      return userId;
    };
  return {
    name: "embedded",
    capabilities: { backupCodes: true, passkeys: passkeysWork(publicUrl) },
    factors,
    passkeys: createEmbeddedPasskeys({ db, repo: passkeysRepo, tokens, publicUrl }),
    async signUp({ email, emailShown, fullName, password, form }) {
      const phc = await passwords.hash(password);
      const pending: PendingSignUp = { email, emailShown, phc, ...(form && { form }), ...(fullName && { fullName }) };
      return async (tx) => {
        const existing = await repo.findByEmail(tx, email);
        // The same row is written for an address that has an account, already expired, so that both take as long.
        const token = await tokens.issue(tx, "sign_up", existing ? 0 : SIGN_UP_LINK_MS, existing ? {} : { pending });
        return existing ? { result: "exists", userId: existing.id } : { result: "confirm", token };
      };
    },
    async isLinkOpen(kind, token) {
      return (await tokens.find(kind, token)) !== undefined;
    },
    async confirmSignUp(token, password) {
      const pending = (await tokens.find("sign_up", token))?.pending;
      if (!pending) return "no_link";
      if ((await passwords.verify(pending.phc, password)) === "wrong") return "wrong_password";
      return async (tx) => {
        const taken = await tokens.take(tx, "sign_up", token);
        if (!taken?.pending) return undefined;
        const { phc, ...person } = taken.pending;
        return { ...person, bind: bindWith(phc) };
      };
    },
    async authenticate(email, password) {
      const stored = await repo.findPassword(email);
      if (stored === undefined) {
        await passwords.verifyNothing(password);
        return undefined;
      }
      const result = await passwords.verify(stored.phc, password);
      if (result === "wrong") return undefined;
      if (result === "rehash") {
        const phc = await passwords.hash(password);
        await db.tx((tx) => repo.rehash(tx, stored.userId, stored.phc, phc));
      }
      const { totp } = await factors.list(stored.userId);
      return totp === null ? { subject: stored.userId } : { subject: stored.userId, second: {} };
    },
    async requestReset(email) {
      return async (tx) => {
        const user = await repo.findByEmail(tx, email);
        const token = await tokens.issue(tx, "reset", user ? RESET_LINK_MS : 0, user ? { userId: user.id } : {});
        return user && { token, userId: user.id };
      };
    },
    async resetOwner(token) {
      return (await tokens.find("reset", token))?.userId ?? undefined;
    },
    async completeReset(token, password) {
      const phc = await passwords.hash(password);
      const owner = (await tokens.find("reset", token))?.userId;
      // Somebody from a time when passwords were checked elsewhere.
      const isNew = owner ? (await repo.findByIdentity("embedded", owner)) === undefined : false;
      return async (tx) => {
        const taken = await tokens.take(tx, "reset", token);
        if (!taken?.userId) return undefined;
        if (isNew) await repo.bindIdentity(tx, "embedded", taken.userId, taken.userId);
        await repo.setPassword(tx, taken.userId, phc);
        await tokens.dropOfUser(tx, "reset", taken.userId);
        return { userId: taken.userId };
      };
    },
    passwordChangedAt: (userId) => repo.passwordChangedAt(userId),
    async changePassword(userId, password) {
      const phc = await passwords.hash(password);
      return async (tx) => {
        await repo.setPassword(tx, userId, phc);
        await tokens.dropOfUser(tx, "reset", userId);
      };
    },
    async withdrawPassword(userId) {
      return (tx) => repo.removePassword(tx, userId);
    },
    async changeEmail(userId, to) {
      return async (tx) => {
        await repo.setEmail(tx, userId, to);
        await tokens.dropOfUser(tx, "reset", userId);
      };
    },
    async register({ password }) {
      return bindWith(await passwords.hash(password));
    },
  };
}
