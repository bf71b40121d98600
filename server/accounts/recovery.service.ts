/**
 * The way back in for a person who knows the password and reads the mail, but lost the second factor and its backup
 * codes. It takes a day, in which whoever reads the mail can say no and an owner who still has the factor ends it by
 * signing in. Without a second factor the ordinary reset is the way.
 */
import type { Audit } from "../audit/audit.repo.ts";
import type { Clock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { RequestInfo } from "../http/request-info.ts";
import { networkOf, type RateLimiter } from "../limits/rate-limiter.ts";
import type { Mail } from "../mail/mail.service.ts";
import type { TeamsRepo } from "../teams/teams.repo.ts";
import type { AccountsRepo } from "./accounts.repo.ts";
import { type IdentityProvider, lookupEmail } from "./identity-provider.ts";
import { momentWords } from "./moment-words.ts";
import type { OneTimeToken, OneTimeTokensRepo } from "./one-time-tokens.repo.ts";
import type { PageLinks } from "./page-links.ts";
import type { Sessions } from "./sessions.service.ts";
import type { SignInLimit } from "./sign-in-limit.ts";

const DAY_MS = 24 * 60 * 60_000;
const RECOVERY_WAIT_MS = DAY_MS;
/** From the asking on; the link works in the time after the wait. */
const RECOVERY_LINK_MS = 4 * DAY_MS;
const USED_UP = "This link has expired, was used already, or somebody said no. Ask for a new one.";

export interface Recovery {
  /** Sends the link when address and password are right and the account has a second factor; answers the same if not. */
  ask(input: { email: string; password: string }, about: RequestInfo): Promise<void>;
  /** From when on a link works; `undefined` when it works no more. Free of side effects. */
  find(token: string): Promise<{ readonly opensAt: Date } | undefined>;
  /** Says no: every recovery of the account under way ends. */
  cancel(input: { token: string }, about: RequestInfo): Promise<void>;
  /** Removes the second factors and ends every session. Throws `conflict` before the wait is over. */
  finish(input: { token: string }, about: RequestInfo): Promise<void>;
}

export function createRecovery(options: {
  db: Database;
  accounts: AccountsRepo;
  teams: TeamsRepo;
  identity: IdentityProvider;
  tokens: OneTimeTokensRepo;
  sessions: Sessions;
  mail: Mail;
  audit: Audit;
  limiter: RateLimiter;
  limitSignIn: SignInLimit;
  clock: Clock;
  page: PageLinks;
}): Recovery {
  const { db, accounts, teams, identity, tokens, sessions, mail, audit, clock, page } = options;
  const { limiter, limitSignIn } = options;

  return {
    async ask({ email: emailShown, password }, about) {
      const email = lookupEmail(emailShown);
      await limitSignIn(email, about);
      await limiter.take("mail", email);
      const proof = await identity.authenticate(email, password, about.ip);
      const user = proof && (await accounts.findByIdentity(identity.name, proof.subject));
      await db.tx(async (tx) => {
        const opens = new Date(clock.now() + RECOVERY_WAIT_MS);
        const isLocked = user !== undefined && proof?.second !== undefined;
        const data = { opensAt: opens.toISOString() };
        // The same row is written for nobody, already expired, so that both take as long.
        const token = await tokens.issue(
          tx,
          "recovery",
          isLocked ? RECOVERY_LINK_MS : 0,
          isLocked ? { userId: user.id, data } : { data },
        );
        if (proof === undefined) {
          await audit.record(tx, { chain: "server", actor: "anonymous", action: "account.sign_in_failed" });
        }
        if (!isLocked) return;
        await mail.queue(tx, {
          kind: "recovery",
          userId: user.id,
          recipient: user.emailShown,
          data: {
            link: page("/recover/finish", { token }),
            waitUntil: momentWords(opens),
            cancelLink: page("/recover/cancel", { token }),
          },
        });
      });
      mail.wake();
    },
    async find(token) {
      const opens = opensAt(await tokens.find("recovery", token));
      return opens && { opensAt: opens };
    },
    async cancel({ token }, about) {
      await limiter.take("signIn", networkOf(about.ip));
      await db.tx(async (tx) => {
        const taken = await tokens.take(tx, "recovery", token);
        if (!taken?.userId) throw new PerchError("not_found", USED_UP);
        await tokens.dropOfUser(tx, "recovery", taken.userId);
      });
    },
    async finish({ token }, about) {
      await limiter.take("signIn", networkOf(about.ip));
      const found = await tokens.find("recovery", token);
      const opens = opensAt(found);
      if (opens === undefined || !found?.userId) throw new PerchError("not_found", USED_UP);
      if (opens.getTime() > clock.now()) {
        throw new PerchError("conflict", `This link works from ${momentWords(opens)} on. Open it again then.`);
      }
      const removeFactors = await identity.factors.removeAll(found.userId);
      const ended = await db.tx(async (tx) => {
        const taken = await tokens.take(tx, "recovery", token);
        const user = taken?.userId ? await accounts.findIn(tx, taken.userId) : undefined;
        if (user === undefined) throw new PerchError("not_found", USED_UP);
        await removeFactors(tx);
        await tokens.dropBegun(tx, user.id);
        const [team] = await teams.listOfIn(tx, user.id);
        await audit.record(tx, {
          chain: team?.id ?? "server",
          actor: user.id,
          action: "account.recovered",
          object: user.id,
        });
        const data = { at: momentWords(new Date(clock.now())), supportLink: page("/support") };
        await mail.queue(tx, { kind: "account_recovered", userId: user.id, recipient: user.emailShown, data });
        return sessions.endIn(tx, user.id, "all");
      });
      sessions.announceEnded(ended);
      mail.wake();
    },
  };
}

function opensAt(token: OneTimeToken | undefined): Date | undefined {
  const text = token?.data?.["opensAt"];
  return text === undefined ? undefined : new Date(text);
}
