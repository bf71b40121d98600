/**
 * How often a password may be tried: per network, per account and on the whole server. The latter two count only tries
 * from networks the account's owner was not seen in, so that whoever guesses cannot lock the owner out.
 */
import type { Database } from "../db/database.ts";
import type { RequestInfo } from "../http/request-info.ts";
import { networkOf, type RateLimiter } from "../limits/rate-limiter.ts";
import type { AccountsRepo } from "./accounts.repo.ts";
import type { Sessions } from "./sessions.service.ts";

/** Counts one try at the account of a looked-up address; throws `rate_limited`. */
export type SignInLimit = (email: string, about: RequestInfo) => Promise<void>;

export function createSignInLimit(options: {
  db: Database;
  repo: AccountsRepo;
  sessions: Sessions;
  limiter: RateLimiter;
}): SignInLimit {
  const { db, repo, sessions, limiter } = options;
  return async (email, about) => {
    await limiter.take("signIn", networkOf(about.ip));
    const isKnownPlace = await db.tx(async (tx) => {
      const user = await repo.findByEmail(tx, email);
      return user !== undefined && (await sessions.known(tx, user.id, about)).network;
    });
    if (isKnownPlace) return;
    await limiter.take("signIn", `account ${email}`);
    await limiter.take("signInAnywhere", "server");
  };
}
