/**
 * Second factors and passkeys of a signed-in person: an app's codes (RFC 6238), backup codes, WebAuthn credentials.
 * Every change stands in the audit log and goes to the person by mail. Who calls has checked for a fresh proof where
 * `account.router.ts` and the pages ask for one.
 */
import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from "@simplewebauthn/server";
import type { BackupCodes, SecurityOverview, TotpEnrolment } from "../../shared/accounts.ts";
import type { PasskeyId, UserId } from "../../shared/ids.ts";
import type { Audit, AuditAction } from "../audit/audit.repo.ts";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { RequestInfo } from "../http/request-info.ts";
import { networkOf, type RateLimiter } from "../limits/rate-limiter.ts";
import type { Mail } from "../mail/mail.service.ts";
import type { Actor } from "../teams/team-scope.ts";
import type { AccountsRepo, User } from "./accounts.repo.ts";
import type { ChallengeFor } from "./identity-factors.ts";
import type { IdentityProvider } from "./identity-provider.ts";
import { momentWords } from "./moment-words.ts";
import type { PageLinks } from "./page-links.ts";
import { registrationAnswer } from "./passkey-answers.ts";
import { totpEnrolment } from "./totp.ts";

/** Where passkeys are looked after. */
export const PASSKEYS_PATH = "/account/passkeys";

export interface Factors {
  /** The factors' part of `account.security`. */
  overviewParts(
    userId: UserId,
  ): Promise<Pick<SecurityOverview, "totp" | "backupCodesLeft" | "passkeys" | "passkeysPage">>;
  /** A new secret, asked for at sign-in only once `confirmTotp` saw a code of it. Throws `conflict` when one is in use. */
  beginTotp(actor: Actor): Promise<TotpEnrolment>;
  /** Gives the first backup codes. */
  confirmTotp(actor: Actor, code: string): Promise<BackupCodes>;
  /** Backup codes go with it. */
  removeTotp(actor: Actor): Promise<void>;
  /** Earlier codes stop working. */
  newBackupCodes(actor: Actor): Promise<BackupCodes>;
  /** Whether passkeys can be used at this server's address at all. */
  readonly passkeysWork: boolean;
  /** What the browser needs to make a passkey; answer it with `addPasskey` within five minutes. */
  passkeyRegistration(actor: Actor): Promise<PublicKeyCredentialCreationOptionsJSON>;
  /** `response`: JSON of the browser's `PublicKeyCredential`. */
  addPasskey(actor: Actor, response: string, name: string): Promise<void>;
  /** What the browser needs to ask for a passkey, whoever's it is. */
  passkeyQuestion(what: ChallengeFor, about: RequestInfo): Promise<PublicKeyCredentialRequestOptionsJSON>;
  renamePasskey(actor: Actor, id: PasskeyId, name: string): Promise<void>;
  removePasskey(actor: Actor, id: PasskeyId): Promise<void>;
}

export function createFactors(options: {
  db: Database;
  repo: AccountsRepo;
  identity: IdentityProvider;
  mail: Mail;
  audit: Audit;
  limiter: RateLimiter;
  clock: Clock;
  page: PageLinks;
}): Factors {
  const { db, repo, identity, mail, audit, limiter, clock, page } = options;

  async function userOf({ userId }: Actor): Promise<User> {
    const user = await repo.find(userId);
    if (user === undefined) throw new PerchError("session_ended", "You were signed out. Sign in again.");
    return user;
  }

  /** The change's record and the mail about it, in the change's own transaction. */
  async function tell(
    tx: Writer,
    actor: Actor,
    change: { readonly action: AuditAction; readonly object?: string; readonly what: string },
  ): Promise<void> {
    const { action, object, what } = change;
    await audit.record(tx, { chain: actor.teamId, actor: actor.userId, action, ...(object && { object }) });
    const user = await repo.findIn(tx, actor.userId);
    if (user === undefined) return;
    await mail.queue(tx, {
      kind: "second_factor_changed",
      userId: user.id,
      recipient: user.emailShown,
      data: { what, at: momentWords(new Date(clock.now())), securityLink: page(PASSKEYS_PATH) },
    });
  }

  function demandPasskeys(): void {
    if (!identity.capabilities.passkeys)
      throw new PerchError("capability_missing", "Passkeys need a name for an address, such as localhost.");
  }

  return {
    async overviewParts(userId) {
      const { totp, ...rest } = await identity.factors.list(userId);
      return { ...rest, totp: totp && { since: totp.since.toISOString() }, passkeysPage: page(PASSKEYS_PATH) };
    },
    async beginTotp(actor) {
      const user = await userOf(actor);
      const { secret, step } = await identity.factors.beginTotp(actor.userId);
      if (!(await db.tx(step)))
        throw new PerchError("conflict", "An app is in use already. Remove it first, then set up the other one.");
      return totpEnrolment(secret, user.emailShown);
    },
    async confirmTotp(actor, code) {
      const step = await identity.factors.confirmTotp(actor.userId, code);
      const codes = await db.tx(async (tx) => {
        const made = await step(tx);
        if (made !== undefined)
          await tell(tx, actor, {
            action: "account.totp_added",
            what: "Codes of an app are asked for at sign-in now.",
          });
        return made;
      });
      if (codes === undefined) {
        const message =
          "This is not the code the app shows now. Check the time of the device with the app, and try the next code.";
        throw new PerchError("bad_input", message, { fields: { code: message } });
      }
      mail.wake();
      return { codes };
    },
    async removeTotp(actor) {
      const step = await identity.factors.removeTotp(actor.userId);
      const removed = await db.tx(async (tx) => {
        const done = await step(tx);
        if (done)
          await tell(tx, actor, {
            action: "account.totp_removed",
            what: "Codes of an app are no longer asked for at sign-in, and the backup codes are gone.",
          });
        return done;
      });
      if (!removed) throw new PerchError("not_found", "No app is set up.");
      mail.wake();
    },
    async newBackupCodes(actor) {
      if (!identity.capabilities.backupCodes)
        throw new PerchError("capability_missing", "This server's sign-in has no backup codes. Add a passkey instead.");
      const step = await identity.factors.newBackupCodes(actor.userId);
      const codes = await db.tx(async (tx) => {
        const made = await step(tx);
        if (made !== undefined)
          await tell(tx, actor, {
            action: "account.backup_codes_made",
            what: "New backup codes were made; the earlier ones stopped working.",
          });
        return made;
      });
      if (codes === undefined) throw new PerchError("not_found", "Backup codes come with an app. Set one up first.");
      mail.wake();
      return { codes };
    },
    passkeysWork: identity.capabilities.passkeys,
    async passkeyRegistration(actor) {
      demandPasskeys();
      const { emailShown, fullName } = await userOf(actor);
      return db.tx(
        await identity.passkeys.registrationOptions(actor.userId, { email: emailShown, name: fullName ?? emailShown }),
      );
    },
    async addPasskey(actor, response, name) {
      demandPasskeys();
      const refused = () =>
        new PerchError("bad_input", "The browser's answer came too late or was not right. Add the passkey again.");
      const answer = registrationAnswer(response);
      if (answer === undefined) throw refused();
      const step = await identity.passkeys.register(actor.userId, answer, name);
      const outcome = await db.tx(async (tx) => {
        const added = await step(tx);
        if (typeof added === "object")
          await tell(tx, actor, {
            action: "account.passkey_added",
            object: added.id,
            what: `A passkey was added: ${name}.`,
          });
        return added;
      });
      if (outcome === "refused") throw refused();
      if (outcome === "known") throw new PerchError("conflict", "This passkey is in use already.");
      if (outcome === "too_many") {
        const most = identity.passkeys.mostPerPerson;
        throw new PerchError("limit_reached", `You have ${most} passkeys, the most there can be. Remove one first.`);
      }
      mail.wake();
    },
    async passkeyQuestion(what, about) {
      demandPasskeys();
      await limiter.take("write", networkOf(about.ip));
      return db.tx(await identity.passkeys.authenticationOptions(what));
    },
    async renamePasskey(actor, id, name) {
      const step = await identity.passkeys.rename(actor.userId, id, name);
      await db.tx(async (tx) => {
        const earlier = await step(tx);
        if (earlier === undefined) throw noPasskey();
        if (earlier === name) return;
        await tell(tx, actor, {
          action: "account.passkey_renamed",
          object: id,
          what: `A passkey was renamed: ${earlier} is now ${name}.`,
        });
      });
      mail.wake();
    },
    async removePasskey(actor, id) {
      const step = await identity.passkeys.remove(actor.userId, id);
      await db.tx(async (tx) => {
        const name = await step(tx);
        if (name === undefined) throw noPasskey();
        await tell(tx, actor, {
          action: "account.passkey_removed",
          object: id,
          what: `A passkey was removed: ${name}.`,
        });
      });
      mail.wake();
    },
  };
}

function noPasskey(): PerchError {
  return new PerchError("not_found", "You have no such passkey. It may have been removed already.");
}
