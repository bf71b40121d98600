/**
 * How the extension gets its token: authorization code with PKCE (RFC 6749 §4.1, RFC 7636, RFC 9700). A code lives
 * 60 s, works once and only together with the verifier and the redirect it was made for; a second use ends the session
 * the first one produced.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { z } from "zod";
import {
  connectQuery,
  type Exchanged,
  type exchangeInput,
  FIREFOX_EXTENSION_ID,
  type Me,
} from "../../shared/accounts.ts";
import type { SessionId } from "../../shared/ids.ts";
import type { Audit } from "../audit/audit.repo.ts";
import type { Clock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { RequestInfo } from "../http/request-info.ts";
import type { Actor } from "../teams/team-scope.ts";
import { STEP_UP_MS } from "../teams/team-scope.ts";
import type { TeamsRepo } from "../teams/teams.repo.ts";
import type { AccountsRepo } from "./accounts.repo.ts";
import type { ConnectRepo } from "./connect.repo.ts";
import { hashSecret, isSecret, newSecret } from "./secrets.ts";
import type { Sessions } from "./sessions.service.ts";

export const CONNECT_CODE_MS = 60_000;

export type ConnectRequest = z.infer<typeof connectQuery>;

export interface Connect {
  /** Checks the query of `/connect`. Throws `bad_input`; never redirect anywhere then. */
  parse(query: Readonly<Record<string, string>>): ConnectRequest;
  /** The origins an answer may be sent to. */
  readonly redirectOrigins: readonly string[];
  /**
   * The address that ends the flow with a code, for the team to work in. Only called when the person pressed the
   * button. Throws `bad_input` for a team that is not theirs.
   */
  approve(request: ConnectRequest, caller: Actor, teamId?: string): Promise<string>;
  /** The person's teams to choose from, the oldest membership first. */
  teamsOf(caller: Actor): Promise<Me["team"][]>;
  /** The address that ends the flow without one (RFC 6749 §4.1.2.1). */
  decline(request: ConnectRequest): string;
  /** With the caller's present session, that session goes on under a new token (step-up). */
  exchange(input: z.infer<typeof exchangeInput>, about: RequestInfo, caller?: Actor): Promise<Exchanged>;
  me(caller: Pick<Actor, "userId" | "teamId" | "credential" | "scopes" | "authenticatedAt" | "expiresAt">): Promise<Me>;
}

/** Where browsers catch the answer of `identity.launchWebAuthFlow` for exactly these extensions. */
export function redirectOriginsOf(chromeIds: readonly string[], firefoxId: string = FIREFOX_EXTENSION_ID): string[] {
  const firefox = createHash("sha1").update(firefoxId).digest("hex");
  return [...chromeIds.map((id) => `https://${id}.chromiumapp.org`), `https://${firefox}.extensions.allizom.org`];
}

export function createConnect(options: {
  db: Database;
  repo: ConnectRepo;
  accounts: AccountsRepo;
  teams: TeamsRepo;
  sessions: Sessions;
  audit: Audit;
  clock: Clock;
  extensionIds: readonly string[];
  limits: Me["limits"];
}): Connect {
  const { db, repo, accounts, teams, sessions, audit, clock, limits } = options;
  const redirectOrigins = redirectOriginsOf(options.extensionIds);

  async function me({
    userId,
    teamId,
    credential,
    scopes,
    authenticatedAt,
    expiresAt,
  }: Parameters<Connect["me"]>[0]): Promise<Me> {
    const [user, memberships] = await Promise.all([accounts.find(userId), teams.listOf(userId)]);
    const team = memberships.find(({ id }) => id === teamId);
    if (user === undefined || team === undefined)
      throw new PerchError("session_ended", "You were signed out. Sign in again.");
    return {
      user: { id: user.id, email: user.emailShown, ...(user.fullName !== null && { name: user.fullName }) },
      team,
      session: {
        id: shownId(credential),
        scopes,
        expiresAt: expiresAt.toISOString(),
        provenUntil: new Date(authenticatedAt.getTime() + STEP_UP_MS).toISOString(),
      },
      limits,
    };
  }

  return {
    redirectOrigins,
    parse(query) {
      const parsed = connectQuery.safeParse(query);
      if (!parsed.success || !isAllowedRedirect(parsed.data.redirect_uri, redirectOrigins)) {
        throw new PerchError(
          "bad_input",
          "This is not a request of an extension this server knows. Open Perch in your browser and connect from there.",
        );
      }
      return parsed.data;
    },
    teamsOf: ({ userId }) => teams.listOf(userId),
    async approve(request, caller, teamId = caller.teamId) {
      const code = newSecret();
      const now = clock.now();
      await db.tx(async (tx) => {
        const team = (await teams.listOfIn(tx, caller.userId)).find(({ id }) => id === teamId);
        if (team === undefined) throw new PerchError("bad_input", "You are not in this team. Choose another one.");
        await repo.insert(
          tx,
          hashSecret(code),
          {
            userId: caller.userId,
            redirectUri: request.redirect_uri,
            challenge: request.code_challenge,
            authenticatedAt: caller.authenticatedAt,
            method: caller.method ?? "password",
            teamId: team.id,
          },
          new Date(now),
          new Date(now + CONNECT_CODE_MS),
        );
      });
      return answer(request, { code });
    },
    decline: (request) => answer(request, { error: "access_denied" }),
    async exchange({ code, verifier, redirectUri, timeZone }, about, present) {
      const refused = () =>
        new PerchError("unauthenticated", "Connecting took too long or was tried twice. Connect again.");
      if (!isSecret(code)) throw refused();
      const hash = hashSecret(code);
      const now = new Date(clock.now());
      const outcome = await db.tx(async (tx) => {
        const row = await repo.use(tx, hash, now);
        if (row === undefined) {
          const earlier = await repo.findProduced(tx, hash);
          const ended: SessionId[] = earlier ? await sessions.endIn(tx, earlier.userId, { id: earlier.sessionId }) : [];
          return { ended };
        }
        // The code stays used after a wrong proof: whoever has it does not get to guess.
        if (!isProof(verifier, row.challenge) || redirectUri !== row.redirectUri) return { ended: [] };
        const { userId, authenticatedAt, method } = row;
        const mine = await teams.listOfIn(tx, userId);
        const team = mine.find(({ id }) => id === row.teamId) ?? mine[0];
        if (team === undefined) throw refused();
        const isSame = present?.credential.kind === "session" && !present.credential.web && present.userId === userId;
        if (isSame && present.credential.kind === "session") {
          const { id } = present.credential;
          const token = await sessions.renew(tx, { userId, id }, { authenticatedAt, method, about });
          if (token === undefined) throw refused();
          await repo.produced(tx, hash, id);
          await audit.record(tx, { chain: present.teamId, actor: userId, action: "account.stepped_up", object: id });
          return { ended: [], token };
        }
        const { id, token } = await sessions.create(tx, {
          userId,
          kind: "extension",
          authenticatedAt,
          method,
          teamId: team.id,
          about: { ...about, timeZone },
        });
        await repo.produced(tx, hash, id);
        await audit.record(tx, { chain: team.id, actor: userId, action: "account.connected", object: id });
        return { ended: [], token };
      });
      sessions.announceEnded(outcome.ended);
      if (outcome.token === undefined) throw refused();
      const caller = await sessions.find(outcome.token, about);
      if (caller === undefined || caller === "ended") throw refused();
      return { token: outcome.token, expiresAt: caller.expiresAt.toISOString(), me: await me(caller) };
    },
    me,
  };
}

/** A client only compares this id with those of `sessions.list`; an API token's equals none of them, which is right. */
function shownId({ id }: Actor["credential"]): SessionId {
  return id as SessionId;
}

/** Exact origin from the list, a plain path, and nothing that a parser reads differently from a browser. */
function isAllowedRedirect(text: string, origins: readonly string[]): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return (
    origins.includes(url.origin) && url.href === text && url.search === "" && url.hash === "" && url.username === ""
  );
}

/** S256: the challenge is the SHA-256 of the verifier (RFC 7636 §4.6). */
function isProof(verifier: string, challenge: string): boolean {
  const expected = Buffer.from(challenge, "base64url");
  const given = createHash("sha256").update(verifier, "ascii").digest();
  return expected.length === given.length && timingSafeEqual(expected, given);
}

function answer(request: ConnectRequest, parameters: Record<string, string>): string {
  const url = new URL(request.redirect_uri);
  for (const [name, value] of Object.entries({ ...parameters, state: request.state }))
    url.searchParams.set(name, value);
  return url.href;
}
