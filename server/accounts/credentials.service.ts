/** What a signed-in person changes about their own account: name, password, address. */
import type { SecurityOverview } from "../../shared/accounts.ts";
import type { Audit } from "../audit/audit.repo.ts";
import type { Clock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { Mail } from "../mail/mail.service.ts";
import type { TellProcessors } from "../privacy/processors/tell-processors.ts";
import type { Actor } from "../teams/team-scope.ts";
import type { TeamsRepo } from "../teams/teams.repo.ts";
import type { AccountsRepo } from "./accounts.repo.ts";
import type { EmailChange } from "./email-change.service.ts";
import type { Factors } from "./factors.service.ts";
import type { IdentityProvider } from "./identity-provider.ts";
import { momentWords } from "./moment-words.ts";
import type { OneTimeTokensRepo } from "./one-time-tokens.repo.ts";
import type { PageLinks } from "./page-links.ts";
import { demandGoodPassword } from "./password-rules.ts";
import type { Sessions } from "./sessions.service.ts";

export interface Credentials {
  /** Everything that lets somebody in. */
  overview(actor: Actor): Promise<SecurityOverview>;
  updateProfile(actor: Actor, input: { fullName: string }): Promise<void>;
  /**
   * Ends every other session and whatever was begun with the earlier password (a change of address, a recovery); gives
   * how many sessions. API tokens stay: they never held it. The person hears of it by mail.
   */
  changePassword(actor: Actor, input: { password: string }): Promise<{ ended: number }>;
  /** Sends a link to the new address and a notice to the present one. Tells nobody whether the new one has an account. */
  changeEmail(actor: Actor, input: { email: string }): Promise<void>;
  cancelEmailChange(actor: Actor): Promise<void>;
}

export function createCredentials(options: {
  db: Database;
  accounts: AccountsRepo;
  teams: TeamsRepo;
  identity: IdentityProvider;
  factors: Pick<Factors, "overviewParts">;
  tokens: OneTimeTokensRepo;
  sessions: Sessions;
  emailChange: EmailChange;
  mail: Mail;
  audit: Audit;
  clock: Clock;
  page: PageLinks;
  tellProcessors: TellProcessors;
}): Credentials {
  const { db, accounts, teams, identity, factors, tokens, sessions, emailChange, mail, audit, clock, page } = options;
  const { tellProcessors } = options;
  return {
    async overview({ userId }) {
      const [changedAt, factorParts, pending] = await Promise.all([
        identity.passwordChangedAt(userId),
        factors.overviewParts(userId),
        tokens.findOfUser(userId, "email_change"),
      ]);
      const waiting = pending?.data?.["emailShown"];
      return {
        ...factorParts,
        password: changedAt ? { changedAt: changedAt.toISOString() } : null,
        pendingEmail:
          pending && waiting !== undefined ? { email: waiting, expiresAt: pending.expiresAt.toISOString() } : null,
      };
    },
    async updateProfile({ userId, teamId }, { fullName }) {
      await db.tx(async (tx) => {
        await accounts.setName(tx, userId, fullName);
        await tellProcessors(tx, { userId, field: "fullName" });
        await audit.record(tx, { chain: teamId, actor: userId, action: "account.profile_changed", object: userId });
      });
    },
    async changePassword({ userId, teamId, credential }, { password }) {
      const [user, memberships] = await Promise.all([accounts.find(userId), teams.listOf(userId)]);
      if (user === undefined) throw new PerchError("session_ended", "You were signed out. Sign in again.");
      demandGoodPassword(password, {
        email: user.email,
        fullName: user.fullName ?? undefined,
        teams: memberships.map(({ name }) => name),
      });
      const step = await identity.changePassword(userId, password);
      const ended = await db.tx(async (tx) => {
        await step(tx);
        await tokens.dropBegun(tx, userId);
        await audit.record(tx, { chain: teamId, actor: userId, action: "account.password_changed", object: userId });
        const data = { at: momentWords(new Date(clock.now())), supportLink: page("/support") };
        await mail.queue(tx, { kind: "password_changed", userId, recipient: user.emailShown, data });
        return sessions.endIn(tx, userId, credential.kind === "session" ? { except: credential.id } : "all");
      });
      sessions.announceEnded(ended);
      mail.wake();
      return { ended: ended.length };
    },
    changeEmail: (actor, input) => emailChange.ask(actor, input),
    cancelEmailChange: (actor) => emailChange.cancel(actor),
  };
}
