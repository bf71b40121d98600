/**
 * The identity provider for servers with a Supabase project: passwords and apps' codes are checked and kept there. Our
 * links, our mail, our sessions; Supabase's tokens never leave this process. A person is whom Supabase calls by the same
 * id, never whoever has the same address there.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { UserId } from "../../../shared/ids.ts";
import type { Clock, Monotonic } from "../../clock.ts";
import type { Database, Writer } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import type { Jobs } from "../../jobs/jobs.service.ts";
import type { AccountsRepo } from "../accounts.repo.ts";
import type { PendingSignUp } from "../accounts.tables.ts";
import { createEmbeddedFactors } from "../embedded-factors.ts";
import { createEmbeddedPasskeys, passkeysWork } from "../embedded-passkeys.ts";
import { createIdentitiesRepo } from "../identities.repo.ts";
import type { Confirmed, IdentityProvider, NewIdentity } from "../identity-provider.ts";
import { RESET_LINK_MS, SIGN_UP_LINK_MS } from "../link-lifetimes.ts";
import type { OneTimeTokensRepo } from "../one-time-tokens.repo.ts";
import { createPasskeysRepo } from "../passkeys.repo.ts";
import { normalise, type Passwords } from "../passwords.ts";
import { createSecondFactorsRepo } from "../second-factors.repo.ts";
import type { GoTrue } from "./gotrue.ts";
import type { SigningKeys } from "./signing-keys.ts";
import { createSupabaseFactors, withStanding } from "./supabase-factors.ts";

/** Bytes of a password that bcrypt looks at, and so the most that Supabase takes. */
export const LONGEST_PASSWORD = 72;
/**
 * Supabase answers at once for an address without an account, and only after hashing for one that has: a wrong answer
 * takes this long here, whichever it was.
 */
const WRONG_ANSWER_MS = 500;
/** Removes what was made at Supabase for an account that then did not come about here. */
export const UNBOUND_JOB = "identity.unbound";
export const UNBOUND_AFTER_MS = 60 * 60_000;
const LEGACY =
  "This Supabase project publishes no key that sign-ins can be checked with: it still signs with its legacy JWT secret (HS256). In the project's settings, under JWT keys, migrate to asymmetric signing keys (ES256) and make the new key the current one. Then start again.";
const OTHER_PASSWORD =
  "This address has an account at the sign-in service already, with another password. Sign up with that password, or write to us.";

export function createSupabaseIdentity(options: {
  db: Database;
  repo: AccountsRepo;
  tokens: OneTimeTokensRepo;
  passwords: Passwords;
  jobs: Pick<Jobs, "enqueue">;
  gotrue: GoTrue;
  keys: SigningKeys;
  clock: Clock;
  monotonic: Monotonic;
  publicUrl: URL;
  /** Of apps that were set up before the server moved to Supabase. */
  factorsKey: Buffer;
  /** Left out: half a second. */
  wrongAnswerMs?: number;
}): IdentityProvider {
  const { db, repo, tokens, passwords, jobs, gotrue, keys, clock, monotonic, publicUrl } = options;
  const { wrongAnswerMs = WRONG_ANSWER_MS } = options;
  const identities = createIdentitiesRepo(db, clock, "supabase");
  const passkeysRepo = createPasskeysRepo(db, clock);
  const factors = createSupabaseFactors({
    ...{ db, gotrue, keys, identities, tokens },
    earlier: createEmbeddedFactors({
      ...{ db, clock, repo: createSecondFactorsRepo(db, clock), passkeys: passkeysRepo, key: options.factorsKey },
    }),
  });

  /** The person of a right password, as a token says that can be believed. */
  async function signIn(email: string, password: string, ip?: string) {
    const session = await gotrue.signIn(email, password, ip);
    if (session === undefined) return undefined;
    const { subject } = await keys.verify(session.accessToken);
    if (subject !== session.person.id) throw new PerchError("unavailable", "The sign-in service contradicts itself.");
    return session;
  }

  /**
   * Who has this address and this password there, made where nobody has. An account that is there already is the person's
   * when the password is theirs; the address alone proves nothing.
   */
  async function settle({ email, password }: NewIdentity): Promise<string> {
    const typed = demandShort(password);
    const subject = randomUUID();
    const runAt = new Date(clock.now() + UNBOUND_AFTER_MS);
    await db.tx((tx) => jobs.enqueue(tx, { kind: UNBOUND_JOB, input: { subject }, runAt }));
    if ((await gotrue.create({ id: subject, email, password: typed })) === "made") return subject;
    const session = await signIn(email, typed);
    if (session === undefined) throw new PerchError("conflict", OTHER_PASSWORD);
    await gotrue.signOut(session.accessToken);
    return session.person.id;
  }

  /** Of somebody whose account is here: theirs, or one made now when the account comes from before Supabase. */
  async function setPassword(userId: UserId, email: string, password: string): Promise<(tx: Writer) => Promise<void>> {
    const subject = await identities.subjectOf(userId);
    if (subject !== undefined) {
      const isThere = await gotrue.setPassword(subject, demandShort(password));
      if (!isThere) throw new PerchError("conflict", "The sign-in service no longer knows your account. Write to us.");
      return (tx) => identities.notePassword(tx, userId, "set");
    }
    const made = await settle({ email, password });
    return async (tx) => {
      await repo.bindIdentity(tx, "supabase", made, userId);
      await repo.removePassword(tx, userId);
    };
  }

  const bindTo =
    (subject: string): Confirmed["bind"] =>
    async () =>
      subject;

  return {
    name: "supabase",
    capabilities: { backupCodes: false, passkeys: passkeysWork(publicUrl) },
    factors,
    passkeys: withStanding(createEmbeddedPasskeys({ db, repo: passkeysRepo, tokens, publicUrl }), {
      ...{ db, repo: passkeysRepo, identities, gotrue },
    }),
    elsewhere: {
      async erase(userId) {
        const subject = await identities.subjectOf(userId);
        if (subject !== undefined) await gotrue.remove(subject);
      },
      async copy(userId) {
        const subject = await identities.subjectOf(userId);
        return subject === undefined ? undefined : gotrue.copy(subject);
      },
      async demandUsable() {
        if ((await keys.look()) === "none") throw new PerchError("bad_input", LEGACY);
        const refused = await gotrue.refusedKey();
        if (refused !== undefined) {
          throw new PerchError(
            "bad_input",
            `The project of SUPABASE_URL refuses ${refused}. Copy the key anew from its settings.`,
          );
        }
      },
    },
    // Nothing is told to Supabase before the address is proved: only its hash waits, here, as in the embedded provider.
    async signUp({ email, emailShown, fullName, password, form }) {
      demandShort(password);
      const phc = await passwords.hash(password);
      const pending: PendingSignUp = { email, emailShown, phc, ...(form && { form }), ...(fullName && { fullName }) };
      return async (tx) => {
        const existing = await repo.findByEmail(tx, email);
        const token = await tokens.issue(tx, "sign_up", existing ? 0 : SIGN_UP_LINK_MS, existing ? {} : { pending });
        return existing ? { result: "exists", userId: existing.id } : { result: "confirm", token };
      };
    },
    async isLinkOpen(kind, token) {
      return (await tokens.find(kind, token)) !== undefined;
    },
    async confirmSignUp(token, password) {
      const pending = (await tokens.find("sign_up", token))?.pending;
      if (!pending) return "no_link";
      if ((await passwords.verify(pending.phc, password)) === "wrong") return "wrong_password";
      const subject = await settle({ email: pending.email, password });
      return async (tx) => {
        const taken = await tokens.take(tx, "sign_up", token);
        if (!taken?.pending) return undefined;
        const { phc: _phc, ...person } = taken.pending;
        return { ...person, bind: bindTo(subject) };
      };
    },
    async authenticate(email, password, ip) {
      const since = monotonic.now();
      const typed = normalise(password);
      const session = isShort(typed) ? await signIn(email, typed, ip) : undefined;
      if (session === undefined) {
        await sleep(Math.max(0, wrongAnswerMs - (monotonic.now() - since)));
        return undefined;
      }
      const { person } = session;
      const second = await factors.afterPassword(session, await identities.userOf(person.id));
      const known = person.isConfirmed && person.email !== "" ? { email: person.email } : {};
      return { subject: person.id, ...known, ...(second && { second }) };
    },
    async requestReset(email) {
      return async (tx) => {
        const user = await repo.findByEmail(tx, email);
        const token = await tokens.issue(tx, "reset", user ? RESET_LINK_MS : 0, user ? { userId: user.id } : {});
        return user && { token, userId: user.id };
      };
    },
    async resetOwner(token) {
      return (await tokens.find("reset", token))?.userId ?? undefined;
    },
    async completeReset(token, password) {
      const owner = (await tokens.find("reset", token))?.userId;
      const user = owner ? await repo.find(owner) : undefined;
      if (user === undefined) return async () => undefined;
      const note = await setPassword(user.id, user.email, password);
      return async (tx) => {
        const taken = await tokens.take(tx, "reset", token);
        if (taken?.userId !== user.id) return undefined;
        await note(tx);
        await tokens.dropOfUser(tx, "reset", user.id);
        return { userId: user.id };
      };
    },
    passwordChangedAt: (userId) => identities.passwordChangedAt(userId),
    async changePassword(userId, password) {
      const user = await repo.find(userId);
      const note = await setPassword(userId, user?.email ?? "", password);
      return async (tx) => {
        await note(tx);
        await tokens.dropOfUser(tx, "reset", userId);
      };
    },
    async withdrawPassword(userId) {
      const subject = await identities.subjectOf(userId);
      if (subject !== undefined) await gotrue.setPassword(subject, randomBytes(48).toString("base64url"));
      return async (tx) => {
        await identities.notePassword(tx, userId, "none");
        await repo.removePassword(tx, userId);
      };
    },
    async changeEmail(userId, to) {
      const step = async (tx: Writer) => {
        await repo.setEmail(tx, userId, to);
        await tokens.dropOfUser(tx, "reset", userId);
      };
      const holder = await db.tx((tx) => repo.findByEmail(tx, to.email));
      // The step throws, as its callers expect.
      if (holder !== undefined && holder.id !== userId) return step;
      const subject = await identities.subjectOf(userId);
      const outcome = subject === undefined ? "set" : await gotrue.setEmail(subject, to.email);
      if (outcome === "taken")
        throw new PerchError("conflict", "This address has another account at the sign-in service.");
      return step;
    },
    async register(person) {
      return bindTo(await settle(person));
    },
  };
}

function isShort(typed: string): boolean {
  return Buffer.byteLength(typed) <= LONGEST_PASSWORD;
}

/** As it is hashed. Throws `bad_input` for one that Supabase would cut or refuse. */
function demandShort(password: string): string {
  const typed = normalise(password);
  if (isShort(typed)) return typed;
  const words = `Use at most ${LONGEST_PASSWORD} letters; letters beyond A to Z count for two to four.`;
  throw new PerchError("bad_input", words, { fields: { password: words } });
}
