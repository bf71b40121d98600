/**
 * A change of address. The new address proves itself by a link, the person by their password (so that an address typed
 * wrongly hands the account to nobody); the earlier address hears of it before and after, and can take it back for a
 * week. Whether the new address has an account is told to its owner only.
 */
import type { UserId } from "../../shared/ids.ts";
import type { Audit } from "../audit/audit.repo.ts";
import type { Clock } from "../clock.ts";
import { type Database, isUniqueViolation, type Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { RequestInfo } from "../http/request-info.ts";
import { networkOf, type RateLimiter } from "../limits/rate-limiter.ts";
import type { Mail } from "../mail/mail.service.ts";
import type { TellProcessors } from "../privacy/processors/tell-processors.ts";
import type { Actor } from "../teams/team-scope.ts";
import type { TeamsRepo } from "../teams/teams.repo.ts";
import type { AccountsRepo, Address, User } from "./accounts.repo.ts";
import { type IdentityProvider, lookupEmail } from "./identity-provider.ts";
import { momentWords } from "./moment-words.ts";
import type { OneTimeToken, OneTimeTokensRepo } from "./one-time-tokens.repo.ts";
import type { PageLinks } from "./page-links.ts";
import type { Sessions } from "./sessions.service.ts";

const DAY_MS = 24 * 60 * 60_000;
const EMAIL_LINK_MS = DAY_MS;
const EMAIL_UNDO_MS = 7 * DAY_MS;
const MOST_WRONG_PASSWORDS = 5;
const USED_UP = "This link has expired or was used already.";

export interface EmailChange {
  ask(actor: Actor, input: { email: string }): Promise<void>;
  cancel(actor: Actor): Promise<void>;
  /** The address a link would set, as it was written; `undefined` when it works no more. Free of side effects. */
  find(kind: "email_change" | "email_undo", token: string): Promise<string | undefined>;
  /** Throws `bad_input` for a wrong password; after five the link is gone. */
  confirm(input: { token: string; password: string }, about: RequestInfo): Promise<void>;
  /**
   * Gives the account its earlier address back and closes it to whoever changed it: every session ends, the password
   * lets nobody in until a new one is set by mail, and passkeys, an app's codes and API tokens that were added since
   * the change was asked for go. Gives the address.
   */
  undo(input: { token: string }, about: RequestInfo): Promise<string>;
  /**
   * The provider has confirmed another address of the person: the profile takes it over, and the earlier address hears of
   * it and can take it back. An address that a living account has is left alone.
   */
  follow(userId: UserId, emailShown: string): Promise<void>;
}

export function createEmailChange(options: {
  db: Database;
  accounts: AccountsRepo;
  teams: TeamsRepo;
  identity: IdentityProvider;
  tokens: OneTimeTokensRepo;
  sessions: Sessions;
  mail: Mail;
  audit: Audit;
  limiter: RateLimiter;
  clock: Clock;
  page: PageLinks;
  tellProcessors: TellProcessors;
}): EmailChange {
  const { db, accounts, teams, identity, tokens, sessions, mail, audit, limiter, clock, page, tellProcessors } =
    options;

  async function chainOf(tx: Writer, userId: UserId): Promise<string> {
    const [team] = await teams.listOfIn(tx, userId);
    return team?.id ?? "server";
  }

  /** What a change brings with it: processors hear of it, and the earlier address, which can take it back. */
  async function noteChanged(
    tx: Writer,
    { id: userId, email, emailShown }: User,
    to: Address,
    { askedAt, actor }: { readonly askedAt: string | undefined; readonly actor: string },
  ): Promise<void> {
    await tellProcessors(tx, { userId, field: "email" });
    await tokens.dropBegun(tx, userId);
    const now = new Date(clock.now());
    const changedAt = now.toISOString();
    const data = { email, emailShown, askedAt: askedAt ?? changedAt, changedAt };
    const undo = await tokens.issue(tx, "email_undo", EMAIL_UNDO_MS, { userId, data });
    const chain = await chainOf(tx, userId);
    await audit.record(tx, { chain, actor, action: "account.email_changed", object: userId });
    const undoLink = page("/email/undo", { token: undo });
    await mail.queue(tx, {
      kind: "email_changed",
      userId,
      recipient: emailShown,
      data: { newEmail: to.emailShown, at: momentWords(now), undoLink },
    });
  }

  const usedUp = () => new PerchError("not_found", USED_UP);

  return {
    async ask({ userId, teamId }, input) {
      const to = { email: lookupEmail(input.email), emailShown: input.email.trim() };
      await limiter.take("mail", to.email);
      await limiter.take("mail", `change ${userId}`);
      await db.tx(async (tx) => {
        const user = await accounts.findIn(tx, userId);
        if (user === undefined) throw new PerchError("session_ended", "You were signed out. Sign in again.");
        if (user.email === to.email) {
          const words = "This is the address your account has already.";
          throw new PerchError("bad_input", words, { fields: { email: words } });
        }
        const now = new Date(clock.now());
        await tokens.dropOfUser(tx, "email_change", userId);
        const holder = await accounts.findByEmail(tx, to.email);
        // Written for a taken address too, so that both look and take the same; then nobody ever learns the link.
        const data = { ...to, askedAt: now.toISOString() };
        const token = await tokens.issue(tx, "email_change", EMAIL_LINK_MS, { userId, data });
        if (holder === undefined) {
          const link = page("/email/confirm", { token });
          await mail.queue(tx, { kind: "email_change", recipient: to.emailShown, data: { link } });
        } else {
          await mail.queue(tx, {
            kind: "already_registered",
            userId: holder.id,
            recipient: to.emailShown,
            data: { signInLink: page("/sign-in"), resetLink: page("/reset") },
          });
        }
        await mail.queue(tx, {
          kind: "email_change_asked",
          userId,
          recipient: user.emailShown,
          data: { newEmail: to.emailShown, at: momentWords(now), securityLink: page("/reset") },
        });
        await audit.record(tx, { chain: teamId, actor: userId, action: "account.email_change_asked", object: userId });
      });
      mail.wake();
    },
    async cancel({ userId, teamId }) {
      await db.tx(async (tx) => {
        await tokens.dropOfUser(tx, "email_change", userId);
        await audit.record(tx, { chain: teamId, actor: userId, action: "account.email_change_undone", object: userId });
      });
    },
    async find(kind, token) {
      return (await tokens.find(kind, token))?.data?.["emailShown"];
    },
    async confirm({ token, password }, about) {
      await limiter.take("signIn", networkOf(about.ip));
      const open = await tokens.find("email_change", token);
      const user = open?.userId ? await accounts.find(open.userId) : undefined;
      if (open === undefined || user === undefined) throw usedUp();
      const proof = await identity.authenticate(user.email, password, about.ip);
      const holder = proof && (await accounts.findByIdentity(identity.name, proof.subject));
      if (holder?.id !== user.id) {
        await db.tx(async (tx) => {
          const wrong = await tokens.countAttempt(tx, "email_change", token);
          if (wrong >= MOST_WRONG_PASSWORDS) await tokens.dropOfUser(tx, "email_change", user.id);
        });
        const words = "This is not the password of the account. Try again.";
        throw new PerchError("bad_input", words, { fields: { password: words } });
      }
      const to = addressIn(open);
      const step = await identity.changeEmail(user.id, to);
      await db
        .tx(async (tx) => {
          const taken = await tokens.take(tx, "email_change", token);
          const before = await accounts.findIn(tx, user.id);
          if (taken === undefined || before === undefined) throw usedUp();
          await step(tx);
          await noteChanged(tx, before, to, { askedAt: taken.data?.["askedAt"], actor: user.id });
        })
        .catch(addressTaken);
      mail.wake();
    },
    async undo({ token }, about) {
      await limiter.take("signIn", networkOf(about.ip));
      const open = await tokens.find("email_undo", token);
      if (!open?.userId) throw usedUp();
      const { userId } = open;
      const to = addressIn(open);
      const restore = await identity.changeEmail(userId, to);
      const withdraw = await identity.withdrawPassword(userId);
      const reset = await identity.requestReset(to.email);
      const since = momentIn(open, "askedAt");
      const removeFactors = await identity.factors.removeAll(userId, since);
      const ended = await db
        .tx(async (tx) => {
          const taken = await tokens.take(tx, "email_undo", token);
          const before = await accounts.findIn(tx, userId);
          if (taken === undefined || before === undefined) throw usedUp();
          await restore(tx);
          await tellProcessors(tx, { userId, field: "email" });
          await withdraw(tx);
          await tokens.dropBegun(tx, userId);
          // Links of earlier changes stay: their addresses had the account before this one.
          await tokens.dropOfUser(tx, "email_undo", userId, momentIn(taken, "changedAt"));
          await removeFactors(tx);
          const chain = await chainOf(tx, userId);
          await audit.record(tx, { chain, actor: userId, action: "account.email_change_undone", object: userId });
          const data = {
            email: to.emailShown,
            at: momentWords(new Date(clock.now())),
            supportLink: page("/support"),
          };
          for (const recipient of [to.emailShown, before.emailShown]) {
            await mail.queue(tx, { kind: "email_change_undone", userId, recipient, data });
          }
          const issued = await reset(tx);
          if (issued !== undefined) {
            const link = page("/reset/new", { token: issued.token });
            await mail.queue(tx, { kind: "reset", userId, recipient: to.emailShown, data: { link } });
          }
          const tokensEnded = await sessions.endTokensIn(tx, { madeBy: userId, since });
          return [...(await sessions.endIn(tx, userId, "all")), ...tokensEnded];
        })
        .catch(addressTaken);
      sessions.announceEnded(ended);
      mail.wake();
      return to.emailShown;
    },
    async follow(userId, emailShown) {
      const to = { email: lookupEmail(emailShown), emailShown };
      await db
        .tx(async (tx) => {
          const before = await accounts.findIn(tx, userId);
          if (before === undefined || before.email === to.email) return;
          await accounts.setEmail(tx, userId, to);
          await noteChanged(tx, before, to, { askedAt: undefined, actor: "server" });
        })
        .catch((error: unknown) => {
          if (!isUniqueViolation(error)) throw error;
        });
      mail.wake();
    },
  };
}

function addressTaken(error: unknown): never {
  if (!isUniqueViolation(error)) throw error;
  throw new PerchError("conflict", "This address has another account by now. Choose a different one, or write to us.");
}

/** What `ask` and `confirm` put into their tokens. */
function addressIn({ data }: OneTimeToken): Address {
  const { email, emailShown } = data ?? {};
  if (email === undefined || emailShown === undefined) throw new Error("A link of a change of address holds none.");
  return { email, emailShown };
}

function momentIn({ data }: OneTimeToken, name: "askedAt" | "changedAt"): Date {
  const moment = new Date(data?.[name] ?? "");
  if (Number.isNaN(moment.getTime())) throw new Error("A link of a change of address holds no time.");
  return moment;
}
