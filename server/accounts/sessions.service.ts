/**
 * Sessions and API tokens: who holds which secret, for how long, and the end of it. A session ends 14 days after its
 * last use and 60 days after it began at the latest (OWASP ASVS 5.0 V7.3).
 */
import { SCOPES, type Scope } from "../../shared/access.ts";
import { assurance, type SessionKind, type SessionView, type SignInMethod } from "../../shared/accounts.ts";
import type { ApiTokenId, CredentialId, SessionId, TeamId, UserId } from "../../shared/ids.ts";
import type { UseWatch } from "../abuse/unusual-use.ts";
import type { Audit } from "../audit/audit.repo.ts";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { RequestInfo } from "../http/request-info.ts";
import { networkOf } from "../limits/rate-limiter.ts";
import type { Actor } from "../teams/team-scope.ts";
import type { ApiTokensRepo, FoundApiToken, WhichTokens } from "./api-tokens.repo.ts";
import { deviceWords, sameDevice } from "./device-words.ts";
import { hashSecret, isSecret, newSecret } from "./secrets.ts";
import type { FoundSession, Proof, SessionsRepo, WhichSessions } from "./sessions.repo.ts";

const DAY_MS = 24 * 60 * 60_000;
export const SESSION_IDLE_MS = 14 * DAY_MS;
export const SESSION_LONGEST_MS = 60 * DAY_MS;
const API_TOKEN_LONGEST_DAYS = 365;
/** A session's last use is written at most this often: a write per call would cost more than the exactness is worth. */
const TOUCH_EVERY_MS = 5 * 60_000;
const NEVER = new Date(0);
const REMEMBERED_ENDS = 10_000;
/** Announced to other nodes as this prefix and the id of the session or API token. */
const ENDED_TOPIC = "session-ended:";

export interface IssuedSession {
  readonly id: SessionId;
  /** Shown once; only its hash is stored. */
  readonly token: string;
  readonly expiresAt: Date;
}
export interface NewSessionInput {
  readonly userId: UserId;
  readonly kind: SessionKind;
  readonly authenticatedAt: Date;
  readonly method: SignInMethod;
  /** The team to work in; left out: the person's oldest. */
  readonly teamId?: TeamId | undefined;
  readonly about: RequestInfo;
}

export interface Sessions {
  /** Who holds this bearer token; `ended` for one that was valid once. Notes the use now and then. */
  find(token: string, about: RequestInfo): Promise<Actor | "ended" | undefined>;
  create(tx: Writer, input: NewSessionInput): Promise<IssuedSession>;
  /** After a fresh proof: a new token for the same session; the old one stops working. `undefined`: no such session. */
  renew(
    tx: Writer,
    session: { readonly userId: UserId; readonly id: SessionId },
    proof: Proof,
  ): Promise<string | undefined>;
  /** The team this session works in from now on; the caller has checked that the person is in it. */
  setTeam(tx: Writer, session: SessionId, teamId: TeamId): Promise<void>;
  list(actor: Actor): Promise<SessionView[]>;
  /** Ends one session of the actor. Throws `not_found` for anything that is not theirs or has ended. */
  revoke(actor: Actor, id: SessionId): Promise<void>;
  /** Ends every other session of the actor; gives their number. */
  revokeOthers(actor: Actor): Promise<number>;
  /** Ends the actor's own session. */
  signOut(actor: Actor): Promise<void>;
  /** Ends sessions inside a transaction; hand the result to `announceEnded` after the commit. */
  endIn(tx: Writer, userId: UserId, which: WhichSessions): Promise<SessionId[]>;
  /** The same with API tokens. */
  endTokensIn(tx: Writer, which: WhichTokens): Promise<ApiTokenId[]>;
  /** Ends what ran out, so that what goes on with it ends too, at most `limit` sessions; gives how many. */
  endExpired(limit: number): Promise<number>;
  announceEnded(ids: readonly CredentialId[]): void;
  /** Calls `listener` with each session and API token that ended, on this node or another. Returns its removal. */
  onEnded(listener: (id: CredentialId) => void): () => void;
  /** Whether the person was seen with this browser and system, and from this network, before. */
  known(tx: Writer, userId: UserId, about: RequestInfo): Promise<{ any: boolean; device: boolean; network: boolean }>;
  createApiToken(tx: Writer, input: NewApiTokenInput): Promise<IssuedApiToken>;
}

export interface NewApiTokenInput {
  readonly userId: UserId;
  readonly teamId: TeamId;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Left out: a year, the longest there is. */
  readonly days?: number | undefined;
  /** Who makes it, for the audit log; left out: the person themselves. */
  readonly actor?: string | undefined;
}
export interface IssuedApiToken {
  readonly id: ApiTokenId;
  /** Shown once; only its hash is stored. */
  readonly token: string;
  readonly prefix: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

export function createSessions(options: {
  db: Database;
  repo: SessionsRepo;
  apiTokens: ApiTokensRepo;
  audit: Audit;
  clock: Clock;
  /** Looks at how sessions are used; left out, nobody does. */
  watch?: UseWatch;
}): Sessions {
  const { db, repo, apiTokens, audit, clock, watch } = options;
  const listeners = new Set<(id: CredentialId) => void>();
  // On PostgreSQL this node hears its own announcement too; a session ends once.
  const told = new Set<CredentialId>();
  const tell = (id: CredentialId) => {
    if (told.has(id)) return;
    told.add(id);
    if (told.size > REMEMBERED_ENDS) for (const oldest of [...told].slice(0, REMEMBERED_ENDS / 2)) told.delete(oldest);
    for (const listener of listeners) listener(id);
  };
  db.onAnnounced((topic) => {
    if (topic.startsWith(ENDED_TOPIC)) tell(asCredentialId(topic.slice(ENDED_TOPIC.length)));
  });

  async function announced<Id extends CredentialId>(tx: Writer, ids: Id[]): Promise<Id[]> {
    if (db.engine === "postgres") for (const id of ids) await db.announce(tx, ENDED_TOPIC + id);
    return ids;
  }
  const endIn: Sessions["endIn"] = async (tx, userId, which) =>
    announced(tx, await repo.end(tx, userId, which, new Date(clock.now())));

  async function endAndTell(
    actor: Actor,
    which: WhichSessions,
    action: "session.revoked" | "account.signed_out",
  ): Promise<SessionId[]> {
    const ids = await db.tx(async (tx) => {
      const ended = await endIn(tx, actor.userId, which);
      for (const id of ended) await audit.record(tx, { chain: actor.teamId, actor: actor.userId, action, object: id });
      return ended;
    });
    ids.forEach(tell);
    return ids;
  }

  async function findSession(token: string, about: RequestInfo): Promise<Actor | "ended" | undefined> {
    const found = await repo.findByToken(hashSecret(token));
    if (found === undefined) return undefined;
    const now = clock.now();
    if (found.endedAt !== null || found.idleExpiresAt.getTime() <= now || found.absoluteExpiresAt.getTime() <= now) {
      return "ended";
    }
    const isOdd = watch?.isOdd(found, about) ?? false;
    const isNews = isOdd && found.authenticatedAt > NEVER;
    if (!isNews && now - found.seenAt.getTime() < TOUCH_EVERY_MS) return sessionCaller(found, found.idleExpiresAt);
    const idleExpiresAt = new Date(Math.min(now + SESSION_IDLE_MS, found.absoluteExpiresAt.getTime()));
    // An odd use leaves the session where it was at home, so that its owner goes on undisturbed.
    const { ip, userAgent } = isOdd ? found : about;
    const mustProve = await db.tx(async (tx) => {
      await repo.touch(tx, found, { at: new Date(now), idleExpiresAt, ip, userAgent });
      if (dayOf(found.seenAt.getTime()) < dayOf(now)) await repo.noteDay(tx, found.userId, new Date(dayOf(now)));
      const unproven = isNews && watch !== undefined && (await watch.used(tx, found, about));
      if (unproven) await repo.forgetProof(tx, found.id);
      return unproven;
    });
    return sessionCaller(mustProve ? { ...found, authenticatedAt: NEVER } : found, idleExpiresAt);
  }

  async function findApiToken(token: string): Promise<Actor | "ended" | undefined> {
    const found = await apiTokens.findByToken(hashSecret(token));
    if (found === undefined) return undefined;
    const now = clock.now();
    if (found.revokedAt !== null || found.expiresAt.getTime() <= now) return "ended";
    if (now - (found.lastUsedAt?.getTime() ?? 0) >= TOUCH_EVERY_MS) {
      await db.tx(async (tx) => {
        await apiTokens.touch(tx, found.id, new Date(now));
        const isToday = dayOf(found.lastUsedAt?.getTime() ?? 0) === dayOf(now);
        if (!isToday) await repo.noteDay(tx, found.userId, new Date(dayOf(now)));
      });
    }
    return tokenCaller(found);
  }

  return {
    async find(token, about) {
      if (isSecret(token, "cp_")) return findSession(token, about);
      if (isSecret(token, "pt_")) return findApiToken(token);
      return undefined;
    },
    async create(tx, { userId, kind, authenticatedAt, method, teamId, about }) {
      const token = newSecret("cp_");
      const now = clock.now();
      const idleExpiresAt = new Date(now + SESSION_IDLE_MS);
      const earlier = about.timeZone === undefined ? [] : await repo.listPlaces(tx, userId);
      const id = await repo.insert(tx, {
        tokenHash: hashSecret(token),
        userId,
        kind,
        method,
        teamId: teamId ?? null,
        createdAt: new Date(now),
        authenticatedAt,
        seenAt: new Date(now),
        idleExpiresAt,
        absoluteExpiresAt: new Date(now + SESSION_LONGEST_MS),
        ip: about.ip,
        userAgent: about.userAgent.slice(0, 512),
        timeZone: about.timeZone ?? null,
      });
      if (assurance(method) === 2) await repo.dropRecoveries(tx, userId);
      await repo.noteDay(tx, userId, new Date(dayOf(now)));
      await watch?.began(tx, { id, userId }, about, earlier);
      return { id, token, expiresAt: idleExpiresAt };
    },
    async renew(tx, session, proof) {
      const token = newSecret("cp_");
      if (assurance(proof.method) === 2) await repo.dropRecoveries(tx, session.userId);
      const renewed = await repo.replaceToken(tx, session.userId, session.id, hashSecret(token), proof);
      return renewed ? token : undefined;
    },
    setTeam: (tx, session, teamId) => repo.setTeam(tx, session, teamId),
    async list(actor) {
      const rows = await repo.listLive(actor.userId, new Date(clock.now()));
      return rows.map((row) => ({
        id: row.id,
        kind: row.kind,
        method: row.method,
        current: row.id === actor.credential.id,
        ...deviceWords(row.userAgent),
        ...(row.timeZone !== null && { timeZone: row.timeZone }),
        ...(row.ip !== null && { ip: row.ip }),
        createdAt: row.createdAt.toISOString(),
        lastSeenAt: row.seenAt.toISOString(),
        expiresAt: row.idleExpiresAt.toISOString(),
      }));
    },
    async revoke(actor, id) {
      const ended = await endAndTell(actor, { id }, "session.revoked");
      if (ended.length === 0) throw new PerchError("not_found", "This session has already ended.");
    },
    async revokeOthers(actor) {
      const { credential } = actor;
      const which = credential.kind === "session" ? { except: credential.id } : "all";
      return (await endAndTell(actor, which, "session.revoked")).length;
    },
    async signOut(actor) {
      if (actor.credential.kind === "token") {
        throw new PerchError("forbidden", "An API token cannot sign out. Revoke the token instead.");
      }
      await endAndTell(actor, { id: actor.credential.id }, "account.signed_out");
    },
    endIn,
    async endTokensIn(tx, which) {
      return announced(tx, await apiTokens.revoke(tx, which, new Date(clock.now())));
    },
    async endExpired(limit) {
      if (!(await repo.someExpired(new Date(clock.now())))) return 0;
      const ids = await db.tx(async (tx) => announced(tx, await repo.endExpired(tx, new Date(clock.now()), limit)));
      ids.forEach(tell);
      return ids.length;
    },
    announceEnded: (ids) => ids.forEach(tell),
    onEnded(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async known(tx, userId, about) {
      const seen = await repo.listSeen(tx, userId);
      return {
        any: seen.length > 0,
        device: seen.some(({ userAgent }) => sameDevice(userAgent, about.userAgent)),
        network: seen.some(({ ip }) => ip !== null && networkOf(ip) === networkOf(about.ip)),
      };
    },
    async createApiToken(tx, { userId, teamId, name, scopes, days = API_TOKEN_LONGEST_DAYS, actor = userId }) {
      const token = newSecret("pt_");
      const prefix = token.slice(0, 8);
      const createdAt = new Date(clock.now());
      const expiresAt = new Date(createdAt.getTime() + days * DAY_MS);
      const made = { userId, teamId, name, scopes, prefix, createdAt, expiresAt };
      const id = await apiTokens.insert(tx, { ...made, tokenHash: hashSecret(token) });
      const detail = { scopes: scopes.join(" "), days };
      await audit.record(tx, { chain: teamId, actor, action: "token.created", object: id, detail });
      return { id, token, prefix, createdAt, expiresAt };
    },
  };
}

/** The start of the day, UTC: when somebody was here is not kept more exactly with the account. */
function dayOf(at: number): number {
  return Math.floor(at / DAY_MS) * DAY_MS;
}

function sessionCaller(found: FoundSession, expiresAt: Date): Actor {
  const { id, kind, method, userId, teamId, role, authenticatedAt } = found;
  return {
    credential: { kind: "session", id, web: kind === "web" },
    userId,
    teamId,
    role,
    scopes: SCOPES,
    authenticatedAt,
    method,
    lacksSecondFactor: found.requireSecondFactor && assurance(method) === 1,
    standing: found.standing,
    expiresAt,
  };
}

function tokenCaller({ id, userId, teamId, role, scopes, createdAt, expiresAt, standing }: FoundApiToken): Actor {
  return {
    credential: { kind: "token", id },
    userId,
    teamId,
    role,
    scopes,
    authenticatedAt: createdAt,
    method: undefined,
    // Making a token took a fresh proof, with a second factor where the team asks for one.
    lacksSecondFactor: false,
    standing,
    expiresAt,
  };
}

/** The text comes from our own announcement, which holds nothing else after its prefix. */
function asCredentialId(text: string): CredentialId {
  return text as CredentialId;
}
