/**
 * Accounts: sign-up, confirmation, sign-in, reset and the first-run set-up. Nothing here tells whether an address has
 * an account: answers are the same and take as long, and what differs goes to the address by mail.
 */
import type { SignInMethod } from "../../shared/accounts.ts";
import type { SessionId, TeamId, UserId } from "../../shared/ids.ts";
import type { FormAnswer, FormStamps } from "../abuse/form-stamp.ts";
import type { Judge } from "../abuse/judge.ts";
import type { Audit } from "../audit/audit.repo.ts";
import type { Clock } from "../clock.ts";
import { type Database, isUniqueViolation, type Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { RequestInfo } from "../http/request-info.ts";
import { networkOf, type RateLimiter } from "../limits/rate-limiter.ts";
import type { Mail } from "../mail/mail.service.ts";
import type { TeamsRepo } from "../teams/teams.repo.ts";
import type { AccountsRepo, User } from "./accounts.repo.ts";
import { deviceWords } from "./device-words.ts";
import type { EmailChange } from "./email-change.service.ts";
import { type Confirmed, type IdentityProvider, lookupEmail, type PasswordProof } from "./identity-provider.ts";
import { momentWords } from "./moment-words.ts";
import type { OneTimeTokensRepo } from "./one-time-tokens.repo.ts";
import type { PageLinks } from "./page-links.ts";
import { demandGoodPassword } from "./password-rules.ts";
import type { IssuedSession, Sessions } from "./sessions.service.ts";
import type { SignInLimit } from "./sign-in-limit.ts";
import { createSignInSteps, type SignInSteps } from "./sign-in-steps.ts";

export const SETUP_LINK_MS = 15 * 60_000;
const RECORDED_AT_ONCE = 100;
const USED_UP = "This link has expired or was used already.";
const WRONG = "The e-mail address or the password is not right. Try again, or set a new password.";

export interface NewAccount {
  readonly email: string;
  readonly password: string;
  readonly fullName?: string | undefined;
}

/** A right password that is not enough: show the page that asks for a code. */
export interface SecondFactorAsked {
  /** Hand it to `answerSecondFactor` within ten minutes. */
  readonly continuation: string;
}

export interface Accounts extends SignInSteps {
  /** Sends a confirmation link; to the owner of an existing account a notice instead. */
  signUp(input: NewAccount & { next?: string | undefined; form?: FormAnswer }, about: RequestInfo): Promise<void>;
  /** Whether a link would still work. Free of side effects. */
  isLinkOpen(kind: "sign_up" | "reset" | "setup", token: string): Promise<boolean>;
  /** Makes the account and signs in. */
  confirm(input: { token: string; password: string }, about: RequestInfo): Promise<IssuedSession>;
  signIn(input: { email: string; password: string }, about: RequestInfo): Promise<IssuedSession | SecondFactorAsked>;
  requestReset(input: { email: string }, about: RequestInfo): Promise<void>;
  /** Sets the password and ends every session. */
  reset(input: { token: string; password: string }, about: RequestInfo): Promise<void>;
  /** A link that makes the first account, or `undefined` when there is one. Earlier links stop working. */
  issueSetupLink(): Promise<string | undefined>;
  setUp(input: NewAccount & { token: string }, about: RequestInfo): Promise<IssuedSession>;
  /** Made by an operator: confirmed at once. Throws `conflict` when the address has an account. */
  create(input: NewAccount, actor: string): Promise<User>;
  /**
   * Of somebody whose address is proved by a link that came there by mail. `andThen` uses the link up in the same
   * transaction. Throws `conflict` when the address has an account.
   */
  createInvited(
    input: NewAccount,
    about: RequestInfo,
    andThen: (tx: Writer, user: User, session: SessionId) => Promise<void>,
  ): Promise<IssuedSession>;
  findByEmail(email: string): Promise<{ user: User; teamId: TeamId } | undefined>;
  /** Every account; each person's part of the reading is recorded, with the reason. */
  list(reason: string): Promise<User[]>;
}

export function createAccounts(options: {
  db: Database;
  repo: AccountsRepo;
  teams: TeamsRepo;
  identity: IdentityProvider;
  tokens: OneTimeTokensRepo;
  sessions: Sessions;
  mail: Mail;
  audit: Audit;
  limiter: RateLimiter;
  limitSignIn: SignInLimit;
  page: PageLinks;
  clock: Clock;
  formStamps: Pick<FormStamps, "read">;
  judge: Pick<Judge, "arrival">;
  followEmail: EmailChange["follow"];
}): Accounts {
  const { db, repo, teams, identity, tokens, sessions, mail, audit, limiter, limitSignIn, page, clock, judge } =
    options;

  /** User, identity and a team of one, in the caller's transaction. */
  async function makeAccount(
    tx: Writer,
    person: Pick<Confirmed, "email" | "emailShown" | "fullName">,
    bind: Confirmed["bind"],
    actor?: string,
  ): Promise<{ user: User; teamId: TeamId }> {
    const user = await repo.insert(tx, person);
    const subject = await bind(tx, user.id);
    await repo.bindIdentity(tx, identity.name, subject, user.id);
    const teamName = person.fullName || (person.emailShown.split("@")[0] ?? person.emailShown);
    const teamId = await teams.createPersonal(tx, user.id, teamName);
    await audit.record(tx, { chain: teamId, actor: actor ?? user.id, action: "account.created", object: user.id });
    return { user, teamId };
  }

  /** A web session; the owner hears of it when it comes from a browser that was not seen before. */
  async function openSession(
    tx: Writer,
    user: User,
    teamId: TeamId,
    about: RequestInfo,
    method: SignInMethod = "password",
  ): Promise<IssuedSession> {
    const known = await sessions.known(tx, user.id, about);
    const now = new Date(clock.now());
    const session = await sessions.create(tx, { userId: user.id, kind: "web", authenticatedAt: now, method, about });
    await audit.record(tx, { chain: teamId, actor: user.id, action: "account.signed_in", object: session.id });
    if (known.any && !known.device) {
      await mail.queue(tx, {
        kind: "new_sign_in",
        userId: user.id,
        recipient: user.emailShown,
        data: { ...deviceWords(about.userAgent), at: momentWords(now), ip: about.ip, resetLink: page("/reset") },
      });
    }
    return session;
  }

  async function teamOf(tx: Writer, userId: UserId): Promise<TeamId> {
    const [team] = await teams.listOfIn(tx, userId);
    if (team === undefined)
      throw new PerchError("forbidden", "This account belongs to no team. Ask who runs the server.");
    return team.id;
  }

  /** Whose password it was, under the address the provider knows them by. */
  async function follow({ subject, email }: PasswordProof): Promise<User | undefined> {
    const user = await repo.findByIdentity(identity.name, subject);
    if (user === undefined || email === undefined || lookupEmail(email) === user.email) return user;
    await options.followEmail(user.id, email);
    return repo.find(user.id);
  }

  /** Looked at before the provider is told: what it was told stays told. */
  async function demandGoodFor(userId: UserId, password: string): Promise<void> {
    const [user, memberships] = await Promise.all([repo.find(userId), teams.listOf(userId)]);
    const names = memberships.map(({ name }) => name);
    demandGoodPassword(password, { email: user?.email ?? "", fullName: user?.fullName ?? undefined, teams: names });
  }

  async function demandFree(email: string, message: string): Promise<void> {
    const holder = await db.tx((tx) => repo.findByEmail(tx, email));
    if (holder !== undefined) throw new PerchError("conflict", message);
  }

  const { begin, ...steps } = createSignInSteps({ ...options, openSession, teamOf });

  return {
    ...steps,
    async signUp({ email: emailShown, password, fullName, next, form: answer }, about) {
      await limiter.take("signUp", networkOf(about.ip));
      const email = lookupEmail(emailShown);
      demandGoodPassword(password, { email, fullName });
      await limiter.take("mail", email);
      const form = options.formStamps.read(answer ?? {});
      const step = await identity.signUp({ email, emailShown: emailShown.trim(), fullName, password, form });
      await db.tx(async (tx) => {
        const outcome = await step(tx);
        if (outcome.result === "confirm") {
          const link = page("/confirm", { token: outcome.token, ...(next && { next }) });
          await mail.queue(tx, { kind: "confirm", recipient: emailShown.trim(), data: { link } });
        } else {
          await mail.queue(tx, {
            kind: "already_registered",
            userId: outcome.userId,
            recipient: emailShown.trim(),
            data: { signInLink: page("/sign-in"), resetLink: page("/reset") },
          });
        }
      });
      mail.wake();
    },
    async isLinkOpen(kind, token) {
      if (kind === "setup") return (await tokens.find("setup", token)) !== undefined;
      return identity.isLinkOpen(kind, token);
    },
    async confirm({ token, password }, about) {
      await limiter.take("signIn", networkOf(about.ip));
      const step = await identity.confirmSignUp(token, password);
      if (step === "no_link") throw new PerchError("not_found", `${USED_UP} Sign in, or sign up again.`);
      if (step === "wrong_password") {
        const message = "This is not the password chosen at sign-up. Try again, or sign up again with a new one.";
        throw new PerchError("bad_input", message, { fields: { password: message } });
      }
      const arrive = await judge.arrival(about);
      const session = await db
        .tx(async (tx) => {
          const confirmed = await step(tx);
          if (confirmed === undefined) throw new PerchError("not_found", `${USED_UP} Sign in, or sign up again.`);
          const { bind, form, ...person } = confirmed;
          const { user, teamId } = await makeAccount(tx, person, bind);
          await arrive(tx, { userId: user.id, emailShown: user.emailShown, chain: teamId, form: form ?? [] });
          return openSession(tx, user, teamId, about);
        })
        .catch((error: unknown) => {
          if (isUniqueViolation(error)) throw new PerchError("conflict", "This address is confirmed already. Sign in.");
          throw error;
        });
      mail.wake();
      return session;
    },
    async signIn({ email: emailShown, password }, about) {
      const email = lookupEmail(emailShown);
      await limitSignIn(email, about);
      const proof = await identity.authenticate(email, password, about.ip);
      const user = proof && (await follow(proof));
      if (proof === undefined || user === undefined) {
        await db.tx((tx) =>
          audit.record(tx, { chain: "server", actor: "anonymous", action: "account.sign_in_failed" }),
        );
        throw new PerchError("unauthenticated", WRONG);
      }
      const { second } = proof;
      if (second !== undefined) return { continuation: await db.tx((tx) => begin(tx, user.id, second)) };
      const session = await db.tx(async (tx) => openSession(tx, user, await teamOf(tx, user.id), about));
      mail.wake();
      return session;
    },
    async requestReset({ email: emailShown }, about) {
      await limiter.take("signUp", networkOf(about.ip));
      const email = lookupEmail(emailShown);
      await limiter.take("mail", email);
      const step = await identity.requestReset(email);
      await db.tx(async (tx) => {
        const issued = await step(tx);
        const user = issued && (await repo.findIn(tx, issued.userId));
        if (!issued || !user) return;
        const data = { link: page("/reset/new", { token: issued.token }) };
        await mail.queue(tx, { kind: "reset", userId: user.id, recipient: user.emailShown, data });
      });
      mail.wake();
    },
    async reset({ token, password }, about) {
      await limiter.take("signIn", networkOf(about.ip));
      demandGoodPassword(password, { email: "" });
      const owner = await identity.resetOwner(token);
      if (owner !== undefined) await demandGoodFor(owner, password);
      const step = await identity.completeReset(token, password);
      const ended = await db.tx(async (tx) => {
        const done = await step(tx);
        const user = done && (await repo.findIn(tx, done.userId));
        if (!user) throw new PerchError("not_found", `${USED_UP} Ask for a new one.`);
        const chain = await teamOf(tx, user.id);
        await audit.record(tx, { chain, actor: user.id, action: "account.password_changed" });
        const data = { at: momentWords(new Date(clock.now())), supportLink: page("/support") };
        await mail.queue(tx, { kind: "password_changed", userId: user.id, recipient: user.emailShown, data });
        await tokens.dropBegun(tx, user.id);
        return sessions.endIn(tx, user.id, "all");
      });
      sessions.announceEnded(ended);
      mail.wake();
    },
    async issueSetupLink() {
      const token = await db.tx(async (tx) => {
        if (!(await repo.isEmpty(tx))) return undefined;
        await tokens.dropAll(tx, "setup");
        return tokens.issue(tx, "setup", SETUP_LINK_MS, {});
      });
      return token && page("/setup", { token });
    },
    async setUp({ token, email: emailShown, password, fullName }, about) {
      await limiter.take("signUp", networkOf(about.ip));
      const email = lookupEmail(emailShown);
      demandGoodPassword(password, { email, fullName });
      const usedUp = () => new PerchError("not_found", `${USED_UP} Restart the server for a new one, or sign in.`);
      if ((await tokens.find("setup", token)) === undefined) throw usedUp();
      const bind = await identity.register({ email, password });
      return db.tx(async (tx) => {
        const isOpen = (await tokens.take(tx, "setup", token)) !== undefined && (await repo.isEmpty(tx));
        if (!isOpen) throw usedUp();
        const { user, teamId } = await makeAccount(tx, { email, emailShown: emailShown.trim(), fullName }, bind);
        return openSession(tx, user, teamId, about, "set_up");
      });
    },
    async create({ email: emailShown, password, fullName }, actor) {
      const email = lookupEmail(emailShown);
      demandGoodPassword(password, { email, fullName });
      await demandFree(email, "This address has an account already.");
      const bind = await identity.register({ email, password });
      try {
        const made = await db.tx((tx) =>
          makeAccount(tx, { email, emailShown: emailShown.trim(), fullName }, bind, actor),
        );
        return made.user;
      } catch (error) {
        if (isUniqueViolation(error)) throw new PerchError("conflict", "This address has an account already.");
        throw error;
      }
    },
    async createInvited({ email: emailShown, password, fullName }, about, andThen) {
      await limiter.take("signUp", networkOf(about.ip));
      const email = lookupEmail(emailShown);
      demandGoodPassword(password, { email, fullName });
      await demandFree(email, "This address has an account. Sign in.");
      const bind = await identity.register({ email, password });
      // An invitation is no way around being judged: who makes accounts for themselves can also invite them.
      const arrive = await judge.arrival(about);
      return db
        .tx(async (tx) => {
          const { user, teamId } = await makeAccount(tx, { email, emailShown: emailShown.trim(), fullName }, bind);
          await arrive(tx, { userId: user.id, emailShown: user.emailShown, chain: teamId, form: [] });
          const session = await openSession(tx, user, teamId, about);
          await andThen(tx, user, session.id);
          return session;
        })
        .catch((error: unknown) => {
          if (isUniqueViolation(error)) throw new PerchError("conflict", "This address has an account. Sign in.");
          throw error;
        });
    },
    async findByEmail(emailShown) {
      return db.tx(async (tx) => {
        const user = await repo.findByEmail(tx, lookupEmail(emailShown));
        return user && { user, teamId: await teamOf(tx, user.id) };
      });
    },
    async list(reason) {
      const users = await repo.list();
      // Everybody sees that they were listed; a few at a time, so that a running server can write in between.
      for (let from = 0; from < users.length; from += RECORDED_AT_ONCE) {
        const some = users.slice(from, from + RECORDED_AT_ONCE);
        await db.tx(async (tx) => {
          for (const { id } of some) {
            const entry = { chain: "server", actor: "operator", object: id, detail: { reason } } as const;
            await audit.record(tx, { ...entry, action: "admin.users_listed" });
          }
        });
      }
      return users;
    },
  };
}
