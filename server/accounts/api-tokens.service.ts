/** API tokens: scoped, expiring, shown once, revocable. For the command line and CI. */
import type { z } from "zod";
import { type Role, roleMay, type Scope, scopesOf } from "../../shared/access.ts";
import type { CreatedToken, createTokenInput, TokenView } from "../../shared/accounts.ts";
import type { ApiTokenId, TeamId, UserId } from "../../shared/ids.ts";
import type { Audit } from "../audit/audit.repo.ts";
import type { Database, Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { Mail } from "../mail/mail.service.ts";
import type { Actor, TeamScope } from "../teams/team-scope.ts";
import type { TeamsRepo } from "../teams/teams.repo.ts";
import type { AccountsRepo } from "./accounts.repo.ts";
import type { ApiTokensRepo } from "./api-tokens.repo.ts";
import { momentWords } from "./moment-words.ts";
import type { PageLinks } from "./page-links.ts";
import type { NewApiTokenInput, Sessions } from "./sessions.service.ts";

type NewToken = z.infer<typeof createTokenInput>;

export interface ApiTokens {
  /** Those of the team for who may manage it, else one's own; the newest first. */
  list(actor: Actor, scope: TeamScope): Promise<TokenView[]>;
  create(actor: Actor, scope: TeamScope, input: NewToken): Promise<CreatedToken>;
  /** One's own, or any of the team's for who may manage it. Ends what goes on with it within a second. */
  revoke(actor: Actor, scope: TeamScope, id: ApiTokenId): Promise<void>;
  /** Made by an operator for a member; without `scopes` with all the member's role may use. Gives the token. */
  issue(
    userId: UserId,
    teamId: TeamId,
    input: Omit<NewToken, "scopes"> & { readonly scopes?: readonly Scope[] | undefined },
    actor: string,
  ): Promise<string>;
}

export function createApiTokens(options: {
  db: Database;
  repo: ApiTokensRepo;
  accounts: AccountsRepo;
  teams: TeamsRepo;
  sessions: Sessions;
  mail: Mail;
  audit: Audit;
  page: PageLinks;
}): ApiTokens {
  const { db, repo, accounts, teams, sessions, mail, audit, page } = options;

  async function issueIn(tx: Writer, input: NewApiTokenInput) {
    const user = await accounts.findIn(tx, input.userId);
    if (user === undefined) throw new PerchError("session_ended", "You were signed out. Sign in again.");
    const issued = await sessions.createApiToken(tx, input);
    await mail.queue(tx, {
      kind: "token_created",
      dedupeKey: `token:${issued.id}`,
      userId: user.id,
      recipient: user.emailShown,
      data: {
        name: input.name,
        scopes: input.scopes.join(", "),
        at: momentWords(issued.createdAt),
        securityLink: page("/reset"),
      },
    });
    return { user, issued };
  }

  return {
    async list(actor, scope) {
      const rows = await repo.list(scope.teamId, roleMay(actor.role, "team:manage") ? undefined : actor.userId);
      return rows.map(
        ({ userId, fullName, emailShown, createdAt, expiresAt, lastUsedAt, id, name, prefix, scopes }) => ({
          ...{ id, name, prefix, scopes },
          createdBy: { id: userId, name: fullName ?? emailShown },
          createdAt: createdAt.toISOString(),
          expiresAt: expiresAt.toISOString(),
          ...(lastUsedAt !== null && { lastUsedAt: lastUsedAt.toISOString() }),
        }),
      );
    },
    async create(actor, { teamId, userId }, { name, scopes, days }) {
      const chosen = usable(actor.role, scopes);
      const { user, issued } = await db.tx((tx) => issueIn(tx, { userId, teamId, name, scopes: chosen, days }));
      mail.wake();
      return {
        token: issued.token,
        view: {
          ...{ id: issued.id, name, prefix: issued.prefix, scopes: chosen },
          createdBy: { id: user.id, name: user.fullName ?? user.emailShown },
          createdAt: issued.createdAt.toISOString(),
          expiresAt: issued.expiresAt.toISOString(),
        },
      };
    },
    async revoke(actor, { teamId }, id) {
      const madeBy = roleMay(actor.role, "team:manage") ? undefined : actor.userId;
      const ended = await db.tx(async (tx) => {
        const ids = await sessions.endTokensIn(tx, { id, teamId, madeBy });
        if (ids.length === 0) throw new PerchError("not_found", "There is no such API token in this team.");
        await audit.record(tx, { chain: teamId, actor: actor.userId, action: "token.revoked", object: id });
        return ids;
      });
      sessions.announceEnded(ended);
    },
    async issue(userId, teamId, { name, scopes, days }, actor) {
      const { issued } = await db.tx(async (tx) => {
        const team = (await teams.listOfIn(tx, userId)).find(({ id }) => id === teamId);
        if (team === undefined) throw new PerchError("not_found", "This person is not in this team.");
        const chosen = usable(team.role, scopes ?? scopesOf(team.role));
        return issueIn(tx, { userId, teamId, name, scopes: chosen, days, actor });
      });
      mail.wake();
      return issued.token;
    },
  };
}

/** The scopes in their usual order, each once. Throws `bad_input` for one that the role could never use. */
function usable(role: Role, scopes: readonly Scope[]): Scope[] {
  const allowed = scopesOf(role);
  const beyond = scopes.find((scope) => !allowed.includes(scope));
  if (beyond !== undefined) {
    const words = `The role ${role} may never use the scope ${beyond}. Leave it out.`;
    throw new PerchError("bad_input", words, { fields: { scopes: words } });
  }
  return allowed.filter((scope) => scopes.includes(scope));
}
