/**
 * What happens when the sign-in service is away, busy, or knows something else than we do: told to the stand-in, and by
 * `npm run test:counterparts` to GoTrue itself.
 */
import { eq } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newId, type UserId } from "../../../shared/ids.ts";
import type { ManualClock } from "../../clock.ts";
import type { TestDatabase, TestEngine } from "../../db/testing.ts";
import { QUICK_PASSWORDS, requestInfo, startPages, type TestPages } from "../../http/pages/testing.ts";
import type { JobContext } from "../../jobs/jobs.service.ts";
import { silentLog } from "../../log.ts";
import type { Actor } from "../../teams/team-scope.ts";
import { totpCodeAt } from "../testing/app-code.ts";
import { UNBOUND_JOB } from "./supabase.ts";
import type { Fault } from "./testing/fake-gotrue.ts";

const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;
export const PASSWORD = "blaue gurken tanzen";
export const about = requestInfo();
/** Ways to mail that the service has and nobody may ask for. */
const MAILS = /\/(signup|recover|resend|magiclink|otp|invite|reauthenticate)\b/;

/** A service under test, reached through something that can break the way to it. */
export interface ServiceUnderTest {
  readonly url: string;
  readonly serviceKey: string;
  readonly anonKey: string;
  readonly clock: ManualClock;
  readonly calls: readonly string[];
  fault: ((method: string, path: string) => Fault | undefined) | undefined;
}

/** What the service's own API says to whoever has its secret key, past Perch. */
export async function asAdmin(service: ServiceUnderTest, method: string, path: string, body?: object) {
  const answer = await fetch(`${service.url}/auth/v1/admin${path}`, {
    method,
    headers: {
      apikey: service.serviceKey,
      authorization: `Bearer ${service.serviceKey}`,
      "content-type": "application/json",
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as { readonly id: string; readonly email: string } };
}

export function failuresContract(name: string, engines: readonly TestEngine[], service: () => ServiceUnderTest): void {
  describe.each(engines)(`failures of ${name} on $name`, (engine) => {
    let test: TestDatabase;
    let server: TestPages;
    let people = 0;
    const clock = () => service().clock;
    beforeAll(async () => {
      test = await engine.open();
    });
    afterAll(() => test.dispose());
    beforeEach(() => {
      const { url, serviceKey, anonKey } = service();
      server = startPages(test.db, {
        ...{ clock: clock(), passwords: QUICK_PASSWORDS },
        project: { url, serviceKey, anonKey, passesAddress: false },
      });
    });
    afterEach(() => {
      service().fault = undefined;
      expect(service().calls.filter((call) => MAILS.test(call))).toEqual([]);
      server.close();
    });

    const address = () => {
      people += 1;
      return `person${people}.${engine.name.toLowerCase()}@failures.example`;
    };
    const person = async () => {
      const user = await server.accounts.create({ email: address(), password: PASSWORD }, "operator");
      const { identities } = test.db.t;
      const [bound] = await test.db.read.select().from(identities).where(eq(identities.userId, user.id));
      return { ...user, subject: bound?.subject ?? "" };
    };
    const actorOf = async (userId: UserId): Promise<Actor> => {
      const team = (await server.memberships.listOf(userId))[0];
      if (team === undefined) throw new Error("no team");
      return {
        credential: { kind: "session", id: newId("session"), web: true },
        ...{ userId, teamId: team.id, role: "owner", scopes: [], authenticatedAt: new Date(clock().now()) },
        ...{
          method: "password",
          lacksSecondFactor: false,
          standing: "active",
          expiresAt: new Date(clock().now() + DAY_MS),
        },
      };
    };
    const run = async (kind: string, input: unknown = {}) => {
      const context: JobContext = {
        ...{
          signal: new AbortController().signal,
          progress: null,
          idempotencyKey: "",
          isLastAttempt: false,
          log: silentLog,
        },
        saveProgress: async () => {},
        finish: (work) => test.db.tx(work),
      };
      await server.services.jobs[kind]?.(input, context);
    };
    const checkDaily = () => {
      clock().advance(23 * HOUR_MS);
      return run("identity.check");
    };
    const actions = async (userId: UserId) => {
      const { auditLog } = test.db.t;
      const rows = await test.db.read
        .select({ action: auditLog.action })
        .from(auditLog)
        .where(eq(auditLog.object, userId));
      return rows.map(({ action }) => action);
    };
    const mailsTo = async (recipient: string) =>
      (await server.mail.preview()).filter((one) => one.recipient === recipient).map(({ subject }) => subject);
    const holds = async (token: string) => {
      const found = await server.sessions.find(token, about);
      return found !== undefined && found !== "ended";
    };
    const refused = (email: string, password: string, code: string) =>
      expect(server.accounts.signIn({ email, password }, about)).rejects.toMatchObject({ code });

    it.each([
      ["answers with an error", { status: 500 }],
      ["drops the line", "drop"],
    ] satisfies [string, Fault][])(
      "says when to try again while it %s, and who is signed in stays so",
      async (_what, fault) => {
        const { email } = await person();
        const { token } = await server.signedIn(email, PASSWORD);
        service().fault = () => fault;
        await expect(server.accounts.signIn({ email, password: PASSWORD }, about)).rejects.toMatchObject({
          ...{ code: "unavailable", retryAfterMs: 30_000 },
        });
        await refused(email, "something else", "unavailable");
        expect(await holds(token)).toBe(true);
        service().fault = undefined;
        expect(await server.signedIn(email, PASSWORD)).toHaveProperty("token");
      },
    );

    it("says when to try again while it is busy", async () => {
      const { email } = await person();
      service().fault = () => ({ status: 429, code: "over_request_rate_limit" });
      await expect(server.accounts.signIn({ email, password: PASSWORD }, about)).rejects.toMatchObject({
        ...{ code: "rate_limited", retryAfterMs: 60_000 },
      });
    });

    it.each(["was deleted", "was shut out"])(
      "ends everything of a person who %s there within a day, and tells them",
      async (what) => {
        const { id, email, subject } = await person();
        const { token } = await server.signedIn(email, PASSWORD);
        const { teamId } = await actorOf(id);
        const api = await test.db.tx((tx) =>
          server.sessions.createApiToken(tx, { userId: id, teamId, name: "t", scopes: ["phones:view"] }),
        );
        const other = await person();
        const theirs = await server.signedIn(other.email, PASSWORD);
        if (what === "was deleted") await asAdmin(service(), "DELETE", `/users/${subject}`);
        else await asAdmin(service(), "PUT", `/users/${subject}`, { ban_duration: "100h" });
        await run("identity.check");
        expect(await holds(token)).toBe(true);
        service().fault = () => ({ status: 503 });
        await expect(checkDaily()).rejects.toMatchObject({ code: "unavailable" });
        expect(await holds(token)).toBe(true);
        service().fault = undefined;
        await run("identity.check");
        expect([await holds(token), await holds(api.token), await holds(theirs.token)]).toEqual([false, false, true]);
        expect(await actions(id)).toContain("account.shut_out");
        expect(await mailsTo(email)).toContain("Unusual use of your Perch account");
        await refused(email, PASSWORD, "unauthenticated");
        const before = service().calls.length;
        await run("identity.check");
        expect(service().calls.length).toBe(before);
      },
    );

    it("lets the profile follow an address that was changed there, and the earlier one take it back", async () => {
      const { id, email, subject } = await person();
      await server.signedIn(email, PASSWORD);
      await asAdmin(service(), "PUT", `/users/${subject}`, { email: `new-${email}`, email_confirm: true });
      await server.signedIn(`new-${email}`, PASSWORD);
      expect((await server.accounts.findByEmail(`new-${email}`))?.user.id).toBe(id);
      expect(await actions(id)).toContain("account.email_changed");
      expect(await mailsTo(email)).toContain("The address of your Perch account was changed");
      const undo = (await server.linksTo(email)).find((link) => link.includes("/email/undo")) ?? "";
      await server.emailChange.undo({ token: new URL(undo).searchParams.get("token") ?? "" }, about);
      expect((await asAdmin(service(), "GET", `/users/${subject}`)).body.email).toBe(email);
      await refused(email, PASSWORD, "unauthenticated");
      const second = await person();
      await server.signedIn(second.email, PASSWORD);
      await asAdmin(service(), "PUT", `/users/${second.subject}`, {
        email: `new-${second.email}`,
        email_confirm: true,
      });
      await checkDaily();
      expect((await server.accounts.findByEmail(`new-${second.email}`))?.user.id).toBe(second.id);
    });

    it("leaves each person who they were when an address leads to somebody else there", async () => {
      const [one, two] = [await person(), await person()];
      const { token } = await server.signedIn(one.email, PASSWORD);
      const move = (subject: string, email: string) =>
        asAdmin(service(), "PUT", `/users/${subject}`, { email, email_confirm: true });
      await move(two.subject, `moved-${two.email}`);
      await move(one.subject, two.email);
      await checkDaily();
      expect((await server.accounts.findByEmail(two.email))?.user.id).toBe(two.id);
      const actor = await server.sessions.find(token, about);
      if (actor === undefined || actor === "ended") throw new Error("no session");
      await move(two.subject, one.email);
      // Somebody else's right password proves nothing about this person.
      await expect(server.accounts.prove(actor, { password: PASSWORD }, about)).rejects.toMatchObject({
        code: "bad_input",
      });
    });

    it("makes an account that is there already the person's by its password, never by its address alone", async () => {
      const email = address();
      await server.accounts.signUp({ email, password: PASSWORD }, about);
      const token = new URL((await server.linksTo(email))[0] ?? "").searchParams.get("token") ?? "";
      const make = (password: string) => asAdmin(service(), "POST", "/users", { email, password, email_confirm: true });
      const stranger = (await make("somebody's own secret")).body;
      await expect(server.accounts.confirm({ token, password: PASSWORD }, about)).rejects.toMatchObject({
        code: "conflict",
      });
      expect(await server.accounts.findByEmail(email)).toBeUndefined();
      await asAdmin(service(), "DELETE", `/users/${stranger.id}`);
      const { id } = (await make(PASSWORD)).body;
      await server.accounts.confirm({ token, password: PASSWORD }, about);
      const { identities } = test.db.t;
      const bound = await test.db.read.select().from(identities).where(eq(identities.subject, id));
      expect(bound).toMatchObject([{ provider: "supabase" }]);
    });

    it("keeps nobody there for whom no account came about here", async () => {
      const { subject } = await person();
      const { id: stray } = (
        await asAdmin(service(), "POST", "/users", { email: address(), password: PASSWORD, email_confirm: true })
      ).body;
      for (const one of [subject, stray, stray]) await run(UNBOUND_JOB, { subject: one });
      expect((await asAdmin(service(), "GET", `/users/${subject}`)).status).toBe(200);
      expect((await asAdmin(service(), "GET", `/users/${stray}`)).status).toBe(404);
      const { jobs } = test.db.t;
      const waiting = await test.db.read.select().from(jobs).where(eq(jobs.kind, UNBOUND_JOB));
      expect(waiting.map(({ input }) => input)).toContainEqual({ subject });
    });

    it("takes no password of more than 72 bytes", async () => {
      const long = {
        email: address(),
        password: "Zwölf fröhliche Gänse laufen über die schöne grüne Wiese hinter den Hügeln",
      };
      await expect(server.accounts.signUp(long, about)).rejects.toMatchObject({
        ...{ code: "bad_input", fields: { password: expect.stringContaining("72") } },
      });
      await refused(long.email, long.password, "unauthenticated");
    });

    it("takes everybody over who has a password here, with the hash it has, but for an address that is somebody's there", async () => {
      const before = startPages(test.db, { clock: clock(), passwords: QUICK_PASSWORDS });
      const [mine, theirs] = [address(), address()];
      const { id } = await before.accounts.create({ email: mine, password: PASSWORD }, "operator");
      await before.accounts.create({ email: theirs, password: PASSWORD }, "operator");
      await asAdmin(service(), "POST", "/users", {
        email: theirs,
        password: "somebody's own secret",
        email_confirm: true,
      });
      await refused(mine, PASSWORD, "unauthenticated");
      const move = () => server.services.supabase?.move.all("The server moves.");
      expect(await move()).toEqual({ moved: 1, taken: [theirs], withoutPassword: 0 });
      expect(await server.signedIn(mine, PASSWORD)).toHaveProperty("token");
      await refused(mine, "something else", "unauthenticated");
      expect(await actions(id)).toContain("account.moved");
      expect(await move()).toMatchObject({ moved: 0 });
    });

    it("asks for a code after the password; a sign-in elsewhere in between is no obstacle", async () => {
      const { id, email } = await person();
      const actor = await actorOf(id);
      const { secret } = await server.factors.beginTotp(actor);
      await server.factors.confirmTotp(actor, totpCodeAt(secret, clock().now()));
      const begin = async () => {
        const outcome = await server.accounts.signIn({ email, password: PASSWORD }, about);
        if (!("continuation" in outcome)) throw new Error("No code was asked for.");
        return outcome.continuation;
      };
      const answer = (continuation: string, code: string) =>
        server.accounts.answerSecondFactor({ continuation, answer: code }, about);
      const [first, second] = [await begin(), await begin()];
      await expect(answer(first, "000000")).rejects.toMatchObject({ code: "bad_input" });
      clock().advance(30_000);
      const code = totpCodeAt(secret, clock().now());
      expect(await answer(first, code)).toHaveProperty("token");
      await expect(answer(second, code)).rejects.toMatchObject({ code: "bad_input" });
      clock().advance(30_000);
      expect(await answer(second, totpCodeAt(secret, clock().now()))).toHaveProperty("token");
    });

    it("forgets a person there, more than once without a fault, and shows them what it holds before", async () => {
      const { id, email, subject } = await person();
      const elsewhere = server.services.identityElsewhere;
      expect(await elsewhere?.copy(id)).toMatchObject({ id: subject, email });
      service().fault = () => ({ status: 500 });
      await expect(elsewhere?.erase(id)).rejects.toMatchObject({ code: "unavailable" });
      service().fault = undefined;
      await elsewhere?.erase(id);
      await elsewhere?.erase(id);
      expect(await elsewhere?.copy(id)).toBeUndefined();
      expect((await asAdmin(service(), "GET", `/users/${subject}`)).status).toBe(404);
    });
  });
}
