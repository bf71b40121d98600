/**
 * Second factors of people who sign in through Supabase. An app's codes are checked there, and the answer has to be a token
 * that says so (`aal2`); that a code is taken once is seen to here, where it is not there. Passkeys stand in our own rows:
 * they belong to this server's address, and Supabase asks only as a wish who holds one, and takes one that was copied.
 * An app that was set up before the server moved to Supabase is asked for until it is removed.
 */
import type { UserId } from "../../../shared/ids.ts";
import type { Database } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import type { IdentitiesRepo } from "../identities.repo.ts";
import type { Passkeys, SecondFactors, SecondStep } from "../identity-factors.ts";
import type { OneTimeTokensRepo } from "../one-time-tokens.repo.ts";
import type { PasskeysRepo } from "../passkeys.repo.ts";
import type { GoTrue, UpstreamFactor, UpstreamPerson, UpstreamSession } from "./gotrue.ts";
import type { SigningKeys } from "./signing-keys.ts";

/** A code is right for a step of 30 s before and after its own; twice that and it is nothing any more. */
const CODE_KEPT_MS = 3 * 60_000;
const UNKNOWN_FACTOR =
  "Your account asks for a second factor that Perch does not know. Add an app's codes where you set that up, or write to us.";

export interface SupabaseFactorParts {
  readonly db: Database;
  readonly gotrue: GoTrue;
  readonly keys: SigningKeys;
  readonly identities: IdentitiesRepo;
  readonly tokens: OneTimeTokensRepo;
  /** What was set up on this server itself. */
  readonly earlier: SecondFactors;
}

export interface SupabaseFactors extends SecondFactors {
  /** What is asked for after a right password; nothing when it is enough. Ends the session there when it is. */
  afterPassword(session: UpstreamSession, userId: UserId | undefined): Promise<SecondStep | undefined>;
}

export function createSupabaseFactors(parts: SupabaseFactorParts): SupabaseFactors {
  const { gotrue, keys, identities, tokens, earlier } = parts;

  async function personOf(userId: UserId): Promise<UpstreamPerson | undefined> {
    const subject = await identities.subjectOf(userId);
    return subject === undefined ? undefined : gotrue.find(subject);
  }
  async function demandPerson(userId: UserId): Promise<UpstreamPerson> {
    const person = await personOf(userId);
    if (person === undefined)
      throw new PerchError(
        "conflict",
        "Your account is not at the sign-in service yet. Set a new password by mail first.",
      );
    return person;
  }
  async function act(person: UpstreamPerson): Promise<UpstreamSession> {
    const session = await gotrue.actAs(person);
    if (session === undefined) throw new PerchError("unavailable", "Your account was changed meanwhile. Try again.");
    return session;
  }
  const apps = (person: UpstreamPerson | undefined) => person?.factors.filter(({ isApp }) => isApp) ?? [];
  const appInUse = (person: UpstreamPerson | undefined) => apps(person).find(({ isVerified }) => isVerified);
  const claim = (userId: UserId, code: string) => ({ userId, text: code });

  async function removeFactors(person: UpstreamPerson, factors: readonly UpstreamFactor[]): Promise<void> {
    for (const { id } of factors) await gotrue.removeFactor(person.id, id);
  }

  async function verifyAnew(person: UpstreamPerson, factor: UpstreamFactor, code: string) {
    const { accessToken } = await act(person);
    const answer = await gotrue.verify(accessToken, factor.id, code);
    if (answer === "wrong") await gotrue.signOut(accessToken);
    return answer;
  }

  /** Whether the service says, in a token we can believe, that the code belongs to the person's app. */
  async function isRight(
    person: UpstreamPerson,
    factor: UpstreamFactor,
    code: string,
    begun?: string,
  ): Promise<boolean> {
    const first = begun === undefined ? "ended" : await gotrue.verify(begun, factor.id, code);
    // A sign-in of the same person elsewhere, with both factors, ends those that still wait for the second.
    const answer = first === "ended" ? await verifyAnew(person, factor, code) : first;
    if (typeof answer === "string") return false;
    const facts = await keys.verify(answer.accessToken);
    await gotrue.signOut(answer.accessToken);
    return facts.subject === person.id && facts.aal === "aal2";
  }

  return {
    async afterPassword({ person, accessToken }, userId) {
      const verified = person.factors.filter(({ isVerified }) => isVerified);
      if (verified.some(({ isApp }) => isApp)) return { accessToken };
      await gotrue.signOut(accessToken);
      if (verified.length > 0) throw new PerchError("capability_missing", UNKNOWN_FACTOR);
      const here = userId && (await earlier.list(userId));
      return here?.totp ? { setUp: "here" } : undefined;
    },
    async list(userId) {
      const [person, here] = await Promise.all([personOf(userId), earlier.list(userId)]);
      const app = appInUse(person);
      return app === undefined ? here : { ...here, totp: { since: app.updatedAt } };
    },
    async beginTotp(userId) {
      const person = await demandPerson(userId);
      const inUse = appInUse(person) !== undefined || (await earlier.list(userId)).totp !== null;
      if (inUse) return { secret: "", step: async () => false };
      await removeFactors(person, apps(person));
      const { accessToken } = await act(person);
      const secret = await gotrue.enrol(accessToken);
      await gotrue.signOut(accessToken);
      return { secret, step: async () => true };
    },
    async confirmTotp(userId, code) {
      const person = await personOf(userId);
      const waiting = apps(person).find(({ isVerified }) => !isVerified);
      const typed = code.replace(/\s/g, "");
      if (person === undefined || waiting === undefined || !(await isRight(person, waiting, typed))) {
        return async () => undefined;
      }
      return async (tx) => {
        await tokens.claim(tx, "used_code", claim(userId, typed), CODE_KEPT_MS);
        return [];
      };
    },
    async removeTotp(userId) {
      const person = await personOf(userId);
      const hadApp = appInUse(person) !== undefined;
      if (person !== undefined) await removeFactors(person, apps(person));
      const removeEarlier = await earlier.removeTotp(userId);
      return async (tx) => (await removeEarlier(tx)) || hadApp;
    },
    newBackupCodes: async () => async () => undefined,
    async removeAll(userId, since) {
      const person = await personOf(userId);
      const theirs = person?.factors.filter(({ createdAt }) => since === undefined || createdAt >= since) ?? [];
      if (person !== undefined) await removeFactors(person, theirs);
      return earlier.removeAll(userId, since);
    },
    async verify(userId, answer, second) {
      if (second["setUp"] === "here") return earlier.verify(userId, answer, second);
      const typed = answer.replace(/\s/g, "");
      const { accessToken } = second;
      const person = accessToken === undefined || !/^\d{6}$/.test(typed) ? undefined : await personOf(userId);
      const app = appInUse(person);
      if (person === undefined || app === undefined || person.isBanned) return async () => undefined;
      const right = await isRight(person, app, typed, accessToken);
      return async (tx) =>
        right && (await tokens.claim(tx, "used_code", claim(userId, typed), CODE_KEPT_MS))
          ? "password_totp"
          : undefined;
    },
  };
}

/** A passkey lets nobody in whom Supabase no longer knows, or has shut out. */
export function withStanding(
  passkeys: Passkeys,
  {
    db,
    repo,
    identities,
    gotrue,
  }: Pick<SupabaseFactorParts, "db" | "identities" | "gotrue"> & { repo: Pick<PasskeysRepo, "findByCredential"> },
): Passkeys {
  return {
    ...passkeys,
    async authenticate(what, response) {
      const step = await passkeys.authenticate(what, response);
      const owner = (await repo.findByCredential(db.read, response.id))?.userId;
      const subject = owner && (await identities.subjectOf(owner));
      const person = subject === undefined ? undefined : await gotrue.find(subject);
      return async (tx) => {
        const proof = await step(tx);
        return proof && person?.isBanned === false ? { ...proof, subject: person.id } : undefined;
      };
    },
  };
}
