/**
 * Signing in beyond the password: the second answer, passkeys, and proving anew who one is. A passkey counts for two
 * factors (it is held, and its holder was verified), so nothing more is asked with it.
 */
import type { SignInMethod } from "../../shared/accounts.ts";
import type { TeamId, UserId } from "../../shared/ids.ts";
import type { Audit } from "../audit/audit.repo.ts";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { RequestInfo } from "../http/request-info.ts";
import { networkOf, type RateLimiter } from "../limits/rate-limiter.ts";
import type { Mail } from "../mail/mail.service.ts";
import type { Actor } from "../teams/team-scope.ts";
import type { AccountsRepo, User } from "./accounts.repo.ts";
import type { ChallengeFor, SecondStep } from "./identity-factors.ts";
import type { IdentityProvider, Step } from "./identity-provider.ts";
import { momentWords } from "./moment-words.ts";
import type { OneTimeTokensRepo } from "./one-time-tokens.repo.ts";
import type { PageLinks } from "./page-links.ts";
import { authenticationAnswer } from "./passkey-answers.ts";
import type { IssuedSession, Sessions } from "./sessions.service.ts";

export const SECOND_STEP_MS = 10 * 60_000;
/** So many wrong answers end a sign-in; the password is asked anew. */
const MOST_WRONG_ANSWERS = 5;
const BEGIN_AGAIN = "This sign-in took longer than ten minutes or was given up. Sign in again.";
const WRONG_CODE = "This code is not right, or was used already. Wait for the app's next code, or use a backup code.";
const WRONG_PROOF =
  "The password or the code is not right, or the code was used already. Try again with the next code.";
const WRONG_PASSKEY = "This passkey was not accepted here. Try again, or use your password.";

export interface SignInSteps {
  /** The second answer after a right password: a code of the app or a backup code. */
  answerSecondFactor(
    input: { readonly continuation: string; readonly answer: string },
    about: RequestInfo,
  ): Promise<IssuedSession>;
  /** Whether the continuation still waits for its answer. */
  isSecondStepOpen(continuation: string): Promise<boolean>;
  /** `response`: JSON of the browser's `PublicKeyCredential`. */
  signInWithPasskey(response: string, about: RequestInfo): Promise<IssuedSession>;
  /** With the code when there is an app. Gives the session's new token; the one before stops working. */
  prove(
    actor: Actor,
    input: { readonly password: string; readonly answer?: string | undefined },
    about: RequestInfo,
  ): Promise<string>;
  proveWithPasskey(actor: Actor, response: string, about: RequestInfo): Promise<string>;
}

export function createSignInSteps(options: {
  db: Database;
  repo: AccountsRepo;
  identity: IdentityProvider;
  tokens: OneTimeTokensRepo;
  sessions: Sessions;
  mail: Mail;
  audit: Audit;
  limiter: RateLimiter;
  clock: Clock;
  page: PageLinks;
  limitSignIn(email: string, about: RequestInfo): Promise<void>;
  openSession(tx: Writer, user: User, teamId: TeamId, about: RequestInfo, method: SignInMethod): Promise<IssuedSession>;
  teamOf(tx: Writer, userId: UserId): Promise<TeamId>;
}): SignInSteps & { begin(tx: Writer, userId: UserId, second: SecondStep): Promise<string> } {
  const { db, repo, identity, tokens, sessions, mail, audit, limiter, clock, page } = options;
  const { limitSignIn, openSession, teamOf } = options;

  /** Guesses at one person's codes share one bucket, but for those from a network the person is known from. */
  async function limitAnswers(userId: UserId, about: RequestInfo): Promise<void> {
    const network = networkOf(about.ip);
    const isKnownPlace = await db.tx(async (tx) => (await sessions.known(tx, userId, about)).network);
    await limiter.take("secondFactor", isKnownPlace ? `${userId} ${network}` : userId);
  }

  /** Nobody guesses a signature: this only bounds the work. */
  async function limitPasskeys(about: RequestInfo): Promise<void> {
    await limiter.take("write", networkOf(about.ip));
  }

  async function userIn(tx: Writer, userId: UserId): Promise<User> {
    const user = await repo.findIn(tx, userId);
    if (user === undefined) throw new PerchError("unauthenticated", BEGIN_AGAIN);
    return user;
  }

  async function queueAboutFactors(
    tx: Writer,
    user: User,
    kind: "second_factor_changed" | "unusual_use",
    what: string,
  ) {
    const data = { what, at: momentWords(new Date(clock.now())), securityLink: page("/reset") };
    await mail.queue(tx, { kind, userId: user.id, recipient: user.emailShown, data });
  }

  /** A backup code is gone for good: the person hears of it. */
  async function noteMethod(tx: Writer, user: User, chain: TeamId, method: SignInMethod): Promise<void> {
    if (method !== "password_backup_code") return;
    await audit.record(tx, { chain, actor: user.id, action: "account.backup_code_used" });
    await queueAboutFactors(tx, user, "second_factor_changed", "A backup code was used up to sign in.");
  }

  async function passkeyStep(what: ChallengeFor, response: string) {
    const answer = authenticationAnswer(response);
    if (answer === undefined) throw new PerchError("unauthenticated", WRONG_PASSKEY);
    return identity.passkeys.authenticate(what, answer);
  }

  /** The session goes on under a new token once `check` names the method; a wrong answer is written down. */
  async function renewAfter(
    actor: Actor,
    about: RequestInfo,
    wrong: PerchError,
    check: Step<SignInMethod | undefined>,
  ): Promise<string> {
    const { credential, userId, teamId: chain } = actor;
    if (credential.kind !== "session") throw new PerchError("forbidden", "An API token cannot do that.");
    const token = await db.tx(async (tx) => {
      const method = await check(tx);
      if (method === undefined) {
        await audit.record(tx, { chain, actor: userId, action: "account.second_factor_failed" });
        return undefined;
      }
      await noteMethod(tx, await userIn(tx, userId), chain, method);
      await audit.record(tx, { chain, actor: userId, action: "account.stepped_up", object: credential.id });
      const authenticatedAt = new Date(clock.now());
      return sessions.renew(tx, { userId, id: credential.id }, { authenticatedAt, method, about });
    });
    mail.wake();
    if (token === undefined) throw wrong;
    return token;
  }

  return {
    begin: (tx, userId, second) => tokens.issue(tx, "second_factor", SECOND_STEP_MS, { userId, data: second }),
    async isSecondStepOpen(continuation) {
      return (await tokens.find("second_factor", continuation)) !== undefined;
    },
    async answerSecondFactor({ continuation, answer }, about) {
      const begun = await tokens.find("second_factor", continuation);
      const userId = begun?.userId;
      if (!userId) throw new PerchError("unauthenticated", BEGIN_AGAIN);
      await limitAnswers(userId, about);
      const verify = await identity.factors.verify(userId, answer, begun.data ?? {});
      const outcome = await db.tx(async (tx) => {
        // Counted before it is looked at, so that many at once are no more tries than one after another; none is left
        // once the last one has taken the continuation.
        const tries = await tokens.countAttempt(tx, "second_factor", continuation);
        if (tries === 0) return "over";
        const user = await userIn(tx, userId);
        const chain = await teamOf(tx, userId);
        const method = await verify(tx);
        if (method !== undefined) {
          await tokens.take(tx, "second_factor", continuation);
          await noteMethod(tx, user, chain, method);
          return openSession(tx, user, chain, about, method);
        }
        await audit.record(tx, { chain, actor: userId, action: "account.second_factor_failed" });
        if (tries < MOST_WRONG_ANSWERS) return "wrong";
        await tokens.take(tx, "second_factor", continuation);
        const what = `Somebody typed your right password and then ${MOST_WRONG_ANSWERS} wrong codes. Nobody was let in, but the password is known to whoever it was.`;
        await queueAboutFactors(tx, user, "unusual_use", what);
        return "over";
      });
      mail.wake();
      if (outcome === "wrong") throw new PerchError("bad_input", WRONG_CODE, { fields: { answer: WRONG_CODE } });
      if (outcome === "over") throw new PerchError("unauthenticated", BEGIN_AGAIN);
      return outcome;
    },
    async signInWithPasskey(response, about) {
      await limitPasskeys(about);
      const step = await passkeyStep("sign_in", response);
      const session = await db.tx(async (tx) => {
        const proof = await step(tx);
        const user = proof && (await repo.findIn(tx, proof.userId));
        if (!user) {
          await audit.record(tx, { chain: "server", actor: "anonymous", action: "account.sign_in_failed" });
          return undefined;
        }
        return openSession(tx, user, await teamOf(tx, user.id), about, "passkey");
      });
      if (session === undefined) throw new PerchError("unauthenticated", WRONG_PASSKEY);
      mail.wake();
      return session;
    },
    async prove(actor, { password, answer }, about) {
      const user = await repo.find(actor.userId);
      if (user === undefined) throw new PerchError("session_ended", "You were signed out. Sign in again.");
      await limitSignIn(user.email, about);
      const known = await identity.authenticate(user.email, password, about.ip);
      // An address may lead to somebody else at the provider by now.
      const holder = known && (await repo.findByIdentity(identity.name, known.subject));
      const proof = holder?.id === user.id ? known : undefined;
      const { second } = proof ?? {};
      if (second !== undefined) await limitAnswers(user.id, about);
      const verify = second && (await identity.factors.verify(user.id, answer ?? "", second));
      const wrong = new PerchError("bad_input", answer === undefined ? "The password is not right." : WRONG_PROOF);
      return renewAfter(actor, about, wrong, async (tx) => {
        if (proof === undefined) return undefined;
        return verify === undefined ? "password" : verify(tx);
      });
    },
    async proveWithPasskey(actor, response, about) {
      await limitPasskeys(about);
      const step = await passkeyStep("prove", response);
      return renewAfter(actor, about, new PerchError("bad_input", WRONG_PASSKEY), async (tx) =>
        (await step(tx))?.userId === actor.userId ? "passkey" : undefined,
      );
    },
  };
}
