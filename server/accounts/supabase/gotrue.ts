/**
 * What Perch asks of a Supabase project's sign-in service (GoTrue, github.com/supabase/auth), through Supabase's own client.
 * Each call has a client of its own that stores nothing. Mail is never asked for: `generateLink` gives what would have
 * been in it. Answers are read for what we need and nothing else.
 */
import { randomUUID } from "node:crypto";
import { AuthAdminApi, AuthClient, type AuthError, isAuthWeakPasswordError } from "@supabase/auth-js";
import { z } from "zod";
import type { Clock } from "../../clock.ts";
import { PerchError } from "../../errors.ts";
import type { Transport } from "./transport.ts";

const BUSY_MS = 60_000;
const DOWN_MS = 30_000;
/** Tokens we act with are minutes old; nothing is ever refreshed. */
const NO_REFRESH = "none";
/** Of what others may come between. */
const MOST_TRIES = 5;
/** What a factor is called where other programs of the project show it. */
const FACTOR_NAME = "Perch";

type Client = InstanceType<typeof AuthClient>;
const moment = z.iso.datetime({ offset: true });
const factor = z.object({
  id: z.guid(),
  factor_type: z.string(),
  status: z.string(),
  created_at: moment,
  updated_at: moment,
});
const person = z.object({
  id: z.guid(),
  email: z.string().default(""),
  email_confirmed_at: moment.nullish(),
  banned_until: moment.nullish(),
  factors: z.array(factor).nullish(),
});

export interface UpstreamFactor {
  readonly id: string;
  readonly isApp: boolean;
  readonly isVerified: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}
export interface UpstreamPerson {
  readonly id: string;
  readonly email: string;
  readonly isConfirmed: boolean;
  readonly isBanned: boolean;
  readonly factors: readonly UpstreamFactor[];
}
export interface UpstreamSession {
  readonly person: UpstreamPerson;
  /** Never leaves the server; stored, sealed, only while a second factor is waited for. */
  readonly accessToken: string;
}

/** Methods throw `rate_limited` and `unavailable`, with when to try again. */
export interface GoTrue {
  /** `taken`: the address has an account there. Throws `bad_input` for a password it does not take. */
  create(
    person: { id: string; email: string; password: string } | { id: string; email: string; hash: string },
  ): Promise<"made" | "taken">;
  find(id: string): Promise<UpstreamPerson | undefined>;
  /** All of it, as it came. */
  copy(id: string): Promise<unknown>;
  /** False where there is no such person. Ends every session they have there. */
  setPassword(id: string, password: string): Promise<boolean>;
  setEmail(id: string, email: string): Promise<"set" | "taken" | "gone">;
  /** Not only marked as deleted. Gone already is no fault. */
  remove(id: string): Promise<void>;
  signIn(email: string, password: string, ip?: string): Promise<UpstreamSession | undefined>;
  /** A session without a password, for what only the person themselves may do there. `undefined`: there is no such person. */
  actAs(person: Pick<UpstreamPerson, "id" | "email">): Promise<UpstreamSession | undefined>;
  signOut(accessToken: string): Promise<void>;
  /** A new secret (base32) for an app. */
  enrol(accessToken: string): Promise<string>;
  /** The token of a session with both factors; `wrong`, or `ended` when the session is no more. */
  verify(
    accessToken: string,
    factorId: string,
    code: string,
  ): Promise<{ readonly accessToken: string } | "wrong" | "ended">;
  removeFactor(id: string, factorId: string): Promise<void>;
  /** The name of a key that the project refuses; `undefined` when it takes both, or does not answer. */
  refusedKey(): Promise<"SUPABASE_SERVICE_ROLE_KEY" | "SUPABASE_ANON_KEY" | undefined>;
}

export function createGoTrue(options: {
  /** `SUPABASE_URL/auth/v1`. */
  url: string;
  serviceKey: string;
  anonKey: string;
  /** Whether the service believes this server about whose address a sign-in comes from. */
  passesAddress: boolean;
  fetch: Transport["fetch"];
  clock: Clock;
}): GoTrue {
  const { url, fetch, clock } = options;
  const headersOf = (key: string) => ({ apikey: key, Authorization: `Bearer ${key}` });
  const admin = new AuthAdminApi({ url, headers: headersOf(options.serviceKey), fetch });

  function client(key = options.anonKey, more: Readonly<Record<string, string>> = {}): Client {
    return new AuthClient({
      ...{ url, fetch, headers: { ...headersOf(key), ...more }, skipAutoInitialize: true },
      ...{ persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    });
  }

  function personOf(user: unknown): UpstreamPerson {
    const parsed = person.safeParse(user);
    if (!parsed.success) throw unavailable(parsed.error);
    const { id, email, email_confirmed_at: confirmed, banned_until: banned, factors } = parsed.data;
    return {
      ...{ id, email, isConfirmed: typeof confirmed === "string" },
      isBanned: typeof banned === "string" && new Date(banned).getTime() > clock.now(),
      factors: (factors ?? []).map((one) => ({
        ...{ id: one.id, isApp: one.factor_type === "totp", isVerified: one.status === "verified" },
        ...{ createdAt: new Date(one.created_at), updatedAt: new Date(one.updated_at) },
      })),
    };
  }

  /** A client that acts with a token of a person; `undefined` when its session has ended. */
  async function actingWith(accessToken: string): Promise<Client | undefined> {
    const acting = client();
    const { error } = await acting.setSession({ access_token: accessToken, refresh_token: NO_REFRESH });
    if (error === null) return acting;
    if (isOver(error)) return undefined;
    throw failure(error);
  }

  async function get(id: string) {
    const { data, error } = await admin.getUserById(id);
    if (error === null) return data.user;
    if (error.status === 404) return undefined;
    throw failure(error);
  }

  /** Sessions are opened for a person one after another: a later link ends an earlier one. Other nodes may come between. */
  const turns = new Map<string, Promise<unknown>>();
  function inTurn<T>(id: string, work: () => Promise<T>): Promise<T> {
    const turn = Promise.resolve(turns.get(id)).then(work, work);
    const ended = turn.then(
      () => {},
      () => {},
    );
    turns.set(id, ended);
    void ended.then(() => turns.get(id) === ended && turns.delete(id));
    return turn;
  }

  async function actAs({ id, email }: Pick<UpstreamPerson, "id" | "email">): Promise<UpstreamSession | undefined> {
    for (let attempt = 1; ; attempt += 1) {
      // Not a magic link: asked for an address that has just gone, that would make a new account.
      const { data: made, error: noLink } = await admin.generateLink({ type: "recovery", email });
      if (noLink?.status === 404) return undefined;
      if (noLink !== null) throw failure(noLink);
      const token = made.properties.hashed_token;
      const { data, error } = await client().verifyOtp({ type: "recovery", token_hash: token });
      if (error !== null && error.code === "otp_expired" && attempt < MOST_TRIES) continue;
      if (error !== null) throw failure(error);
      const session = { person: personOf(data.user), accessToken: data.session?.access_token ?? "" };
      if (session.person.id === id) return session;
      await admin.signOut(session.accessToken, "local");
      return undefined;
    }
  }

  return {
    async create(input) {
      const { id, email } = input;
      const secret = "hash" in input ? { password_hash: input.hash } : { password: input.password };
      const { error } = await admin.createUser({ id, email, email_confirm: true, ...secret });
      if (error === null) return "made";
      if (error.code === "email_exists" || (await isTaken(error, email))) return "taken";
      throw failure(error);
    },
    async find(id) {
      const user = await get(id);
      return user && personOf(user);
    },
    copy: get,
    async setPassword(id, password) {
      const { error } = await admin.updateUserById(id, { password });
      if (error === null) return true;
      if (error.status === 404) return false;
      throw failure(error);
    },
    async setEmail(id, email) {
      const { error } = await admin.updateUserById(id, { email, email_confirm: true });
      if (error === null) return "set";
      if (error.status === 404) return "gone";
      if (await isTaken(error, email)) return "taken";
      throw failure(error);
    },
    async remove(id) {
      const { error } = await admin.deleteUser(id, false);
      if (error !== null && error.status !== 404) throw failure(error);
      if ((await get(id)) !== undefined)
        throw unavailable(new Error("A person is still there after they were removed."));
    },
    async signIn(email, password, ip) {
      const signing =
        options.passesAddress && ip !== undefined ? client(options.serviceKey, { "Sb-Forwarded-For": ip }) : client();
      const { data, error } = await signing.signInWithPassword({ email, password });
      if (error === null) return { person: personOf(data.user), accessToken: data.session.access_token };
      if (REFUSALS.has(error.code ?? "")) return undefined;
      throw failure(error);
    },
    actAs: (person) => inTurn(person.id, () => actAs(person)),
    async signOut(accessToken) {
      // What stays there when this fails is a session whose tokens nobody has.
      await admin.signOut(accessToken, "local");
    },
    async enrol(accessToken) {
      const acting = await actingWith(accessToken);
      if (acting === undefined) throw unavailable(undefined);
      const { data, error } = await acting.mfa.enroll({
        factorType: "totp",
        friendlyName: FACTOR_NAME,
        issuer: FACTOR_NAME,
      });
      if (error !== null) throw failure(error);
      return data.totp.secret;
    },
    async verify(accessToken, factorId, code) {
      const acting = await actingWith(accessToken);
      if (acting === undefined) return "ended";
      for (let attempt = 1; ; attempt += 1) {
        const { data, error } = await acting.mfa.challengeAndVerify({ factorId, code });
        if (error === null) return { accessToken: data.access_token };
        if (isOver(error)) return "ended";
        if (error.status === 404 || WRONG_CODE.has(error.code ?? "")) return "wrong";
        // Sign-ins of one person at once end each other's sessions there, or get in each other's way in its database, which
        // is answered like any fault of it.
        if (error.status !== 500 || attempt === MOST_TRIES) throw failure(error);
        if ((await actingWith(accessToken)) === undefined) return "ended";
      }
    },
    async refusedKey() {
      const { error } = await admin.getUserById(randomUUID());
      if (isRefusal(error?.status)) return "SUPABASE_SERVICE_ROLE_KEY";
      const answer = await options.fetch(`${url}/settings`, { headers: headersOf(options.anonKey) });
      return isRefusal(answer.status) ? "SUPABASE_ANON_KEY" : undefined;
    },
    async removeFactor(userId, id) {
      const { error } = await admin.mfa.deleteFactor({ userId, id });
      if (error !== null && error.status !== 404) throw failure(error);
    },
  };

  /**
   * Whether an address could not be given because somebody has it: that breaks a unique index there, which is answered like
   * any fault of the database.
   */
  async function isTaken(error: AuthError, email: string): Promise<boolean> {
    if (error.status !== 500) return false;
    const link = await admin.generateLink({ type: "recovery", email });
    return link.error === null;
  }
}

/** One answer for all of them: nobody learns more from it. */
const REFUSALS: ReadonlySet<string> = new Set([
  "invalid_credentials",
  "user_banned",
  "email_not_confirmed",
  "user_not_found",
]);
const WRONG_CODE: ReadonlySet<string> = new Set([
  "mfa_verification_failed",
  "mfa_challenge_expired",
  "mfa_factor_not_found",
  "mfa_verification_rejected",
]);

function isRefusal(status: number | undefined): boolean {
  return status === 401 || status === 403;
}

function isOver({ name, code, status }: AuthError): boolean {
  return name === "AuthSessionMissingError" || code === "user_not_found" || (status === 403 && code === "bad_jwt");
}

function unavailable(cause: unknown): PerchError {
  return new PerchError(
    "unavailable",
    "Signing in does not work right now: the sign-in service does not answer. Who is signed in stays so. Try again in a minute.",
    { retryAfterMs: DOWN_MS, cause },
  );
}

function failure(error: AuthError): PerchError {
  if (error.status === 429) {
    return new PerchError("rate_limited", "The sign-in service is busy. Try again in a minute.", {
      ...{ retryAfterMs: BUSY_MS, cause: error },
    });
  }
  if (isAuthWeakPasswordError(error)) {
    const words = error.reasons.includes("pwned")
      ? "This password is known from a leak of another service. Choose a different one."
      : "The sign-in service does not take this password. Choose a longer one with more kinds of characters.";
    return new PerchError("bad_input", words, { fields: { password: words } });
  }
  if (
    error.code === "email_address_invalid" ||
    (error.code === "validation_failed" && error.message.includes("email"))
  ) {
    const words = "The sign-in service does not take this address. Try another one.";
    return new PerchError("bad_input", words, { fields: { email: words } });
  }
  return unavailable(error);
}
