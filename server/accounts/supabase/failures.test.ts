/** What happens when the sign-in service is away, busy, wrong, or knows something else than we do. */
import { randomUUID } from "node:crypto";
import { eq } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { UserId } from "../../../shared/ids.ts";
import { ManualClock } from "../../clock.ts";
import { TEST_ENGINES, type TestDatabase, testSqlite } from "../../db/testing.ts";
import { QUICK_PASSWORDS, requestInfo, startPages, type TestPages } from "../../http/pages/testing.ts";
import type { JobContext } from "../../jobs/jobs.service.ts";
import { LIMITS } from "../../limits/rate-limiter.ts";
import { silentLog } from "../../log.ts";
import { totpCodeAt } from "../testing/app-code.ts";
import { UNBOUND_JOB } from "./supabase.ts";
import { ANON_KEY, FakeGoTrue, type Fault, SERVICE_KEY } from "./testing/fake-gotrue.ts";

const HOUR_MS = 60 * 60_000;
const PASSWORD = "blaue gurken tanzen";
const about = requestInfo();
/** Ways to mail that the service has and nobody may ask for. */
const MAILS = /\/(signup|recover|resend|magiclink|otp|invite|reauthenticate)\b/;

describe.each(TEST_ENGINES)("the sign-in service's failures on $name", (engine) => {
  let test: TestDatabase;
  let clock: ManualClock;
  let fake: FakeGoTrue;
  let server: TestPages;
  let people = 0;
  beforeAll(async () => {
    test = await engine.open();
  });
  afterAll(() => test.dispose());
  beforeEach(async () => {
    clock = new ManualClock(Date.now());
    fake = await new FakeGoTrue(clock).start();
    server = startPages(test.db, {
      ...{ clock, passwords: QUICK_PASSWORDS },
      project: { url: fake.url, serviceKey: SERVICE_KEY, anonKey: ANON_KEY, passesAddress: true },
    });
  });
  afterEach(async () => {
    expect(fake.calls.filter((call) => MAILS.test(call))).toEqual([]);
    server.close();
    await fake.close();
  });

  const person = async () => {
    people += 1;
    const email = `p${people}@x.example`;
    const user = await server.accounts.create({ email, password: PASSWORD }, "operator");
    const upstream = fake.byEmail(email);
    if (upstream === undefined) throw new Error("Nobody was made.");
    return { ...user, upstream };
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
  const check = () => {
    clock.advance(23 * HOUR_MS);
    return run("identity.check");
  };
  const actions = async (userId: UserId) => {
    const { auditLog } = test.db.t;
    return (
      await test.db.read.select({ action: auditLog.action }).from(auditLog).where(eq(auditLog.object, userId))
    ).map(({ action }) => action);
  };
  const mailsTo = async (recipient: string) =>
    (await server.mail.preview()).filter((one) => one.recipient === recipient).map(({ subject }) => subject);
  const holds = async (token: string) => {
    const found = await server.sessions.find(token, about);
    return found !== undefined && found !== "ended";
  };

  it.each([
    ["answers with an error", { status: 500 }],
    ["is behind a broken gateway", { status: 502, html: true }],
    ["drops the line", "drop"],
  ] satisfies [string, Fault][])(
    "says when to try again while it %s, and who is signed in stays so",
    async (_what, fault) => {
      const { email } = await person();
      const { token } = await server.signedIn(email, PASSWORD);
      fake.fault = () => fault;
      await expect(server.accounts.signIn({ email, password: PASSWORD }, about)).rejects.toMatchObject({
        ...{ code: "unavailable", retryAfterMs: 30_000 },
      });
      await expect(server.accounts.signIn({ email, password: "something else" }, about)).rejects.toMatchObject({
        code: "unavailable",
      });
      expect(await holds(token)).toBe(true);
      fake.fault = undefined;
      expect(await server.signedIn(email, PASSWORD)).toHaveProperty("token");
    },
  );

  it("is busy: says when to try again", async () => {
    const { email } = await person();
    fake.fault = () => ({ status: 429, code: "over_request_rate_limit" });
    await expect(server.accounts.signIn({ email, password: PASSWORD }, about)).rejects.toMatchObject({
      ...{ code: "rate_limited", retryAfterMs: 60_000 },
    });
    // Its own is 30 sign-ins in 5 minutes for each address.
    const { burst, everyMs } = LIMITS.signIn;
    expect(burst + (5 * 60_000) / everyMs).toBeLessThan(30);
  });

  it("hears whose address a sign-in comes from, where it believes us", async () => {
    const { email } = await person();
    await server.signedIn(email, PASSWORD, { ip: "192.0.2.7" });
    expect(fake.forwardedFor.at(-1)).toBe("192.0.2.7");
  });

  it.each(["was deleted", "was shut out"])(
    "tells that a person %s: everything ends within a day, and they hear of it",
    async (what) => {
      const { id, email, upstream } = await person();
      const { token } = await server.signedIn(email, PASSWORD);
      const team = (await server.memberships.listOf(id))[0];
      if (team === undefined) throw new Error("no team");
      const api = await test.db.tx((tx) =>
        server.sessions.createApiToken(tx, { userId: id, teamId: team.id, name: "t", scopes: ["phones:view"] }),
      );
      const other = await person();
      const theirs = await server.signedIn(other.email, PASSWORD);
      if (what === "was deleted") fake.users.delete(upstream.id);
      else upstream.banned_until = new Date(clock.now() + 100 * HOUR_MS).toISOString();
      await run("identity.check");
      expect(await holds(token)).toBe(true);
      fake.fault = () => ({ status: 503 });
      await expect(check()).rejects.toMatchObject({ code: "unavailable" });
      expect(await holds(token)).toBe(true);
      fake.fault = undefined;
      await run("identity.check");
      expect([await holds(token), await holds(api.token), await holds(theirs.token)]).toEqual([false, false, true]);
      expect(await actions(id)).toContain("account.shut_out");
      expect(await mailsTo(email)).toContain("Unusual use of your Perch account");
      await expect(server.accounts.signIn({ email, password: PASSWORD }, about)).rejects.toMatchObject({
        code: "unauthenticated",
      });
      const before = fake.calls.length;
      await run("identity.check");
      expect(fake.calls.length).toBe(before);
    },
  );

  it("knows a person by another address: the profile follows a confirmed one, and the earlier hears of it", async () => {
    const { id, email, upstream } = await person();
    await server.signedIn(email, PASSWORD);
    upstream.email = `new-${email}`;
    upstream.email_confirmed_at = undefined;
    await check();
    expect((await server.accounts.findByEmail(email))?.user.id).toBe(id);
    upstream.email_confirmed_at = new Date(clock.now()).toISOString();
    await server.signedIn(`new-${email}`, PASSWORD);
    expect((await server.accounts.findByEmail(`new-${email}`))?.user.id).toBe(id);
    expect(await actions(id)).toContain("account.email_changed");
    expect(await mailsTo(email)).toContain("The address of your Perch account was changed");
    const [undo] = (await server.linksTo(email)).filter((link) => link.includes("/email/undo"));
    await server.emailChange.undo({ token: new URL(undo ?? "").searchParams.get("token") ?? "" }, about);
    expect(upstream.email).toBe(email);
    await expect(server.accounts.signIn({ email, password: PASSWORD }, about)).rejects.toMatchObject({
      code: "unauthenticated",
    });
  });

  it("knows a person by the address of another: each stays who they were", async () => {
    const [one, two] = [await person(), await person()];
    const { token } = await server.signedIn(one.email, PASSWORD);
    two.upstream.email = `moved-${two.email}`;
    one.upstream.email = two.email;
    await check();
    expect((await server.accounts.findByEmail(two.email))?.user.id).toBe(two.id);
    const actor = await server.sessions.find(token, about);
    if (actor === undefined || actor === "ended") throw new Error("no session");
    two.upstream.email = one.email;
    // The address leads to somebody else there, whose right password proves nothing about this person.
    await expect(server.accounts.prove(actor, { password: PASSWORD }, about)).rejects.toMatchObject({
      code: "bad_input",
    });
  });

  it("has an account of the address already: its password makes it the person's, the address alone does not", async () => {
    people += 1;
    const email = `p${people}@x.example`;
    await server.accounts.signUp({ email, password: PASSWORD }, about);
    const token = new URL((await server.linksTo(email))[0] ?? "").searchParams.get("token") ?? "";
    const upstream = { id: randomUUID() };
    const other = (password: string) =>
      fetch(`${fake.url}/auth/v1/admin/users`, {
        method: "POST",
        headers: { apikey: SERVICE_KEY, authorization: `Bearer ${SERVICE_KEY}` },
        body: JSON.stringify({ ...upstream, email, password, email_confirm: true }),
      });
    await other("somebody's own secret");
    await expect(server.accounts.confirm({ token, password: PASSWORD }, about)).rejects.toMatchObject({
      code: "conflict",
    });
    expect(await server.accounts.findByEmail(email)).toBeUndefined();
    fake.users.delete(upstream.id);
    await other(PASSWORD);
    await server.accounts.confirm({ token, password: PASSWORD }, about);
    const { identities } = test.db.t;
    const bound = await test.db.read.select().from(identities).where(eq(identities.subject, upstream.id));
    expect(bound).toMatchObject([{ provider: "supabase" }]);
  });

  it("keeps nobody for whom no account came about here", async () => {
    const { upstream } = await person();
    const strayId = "99999999-2222-4333-8444-555555555555";
    await run(UNBOUND_JOB, { subject: upstream.id });
    expect(fake.users.has(upstream.id)).toBe(true);
    fake.users.set(strayId, { ...upstream, id: strayId, email: "stray@x.example" });
    await run(UNBOUND_JOB, { subject: strayId });
    expect(fake.users.has(strayId)).toBe(false);
    await run(UNBOUND_JOB, { subject: strayId });
    const { jobs } = test.db.t;
    const waiting = await test.db.read.select().from(jobs).where(eq(jobs.kind, UNBOUND_JOB));
    expect(waiting.map(({ input }) => input)).toContainEqual({ subject: upstream.id });
  });

  it("takes no password of more than 72 bytes, and says why it takes none of its own rules", async () => {
    people += 1;
    const email = `p${people}@x.example`;
    const long = { email, password: "Zwölf fröhliche Gänse laufen über die schöne grüne Wiese hinter den Hügeln" };
    await expect(server.accounts.signUp(long, about)).rejects.toMatchObject({
      code: "bad_input",
      fields: { password: expect.stringContaining("72") },
    });
    await expect(server.accounts.signIn(long, about)).rejects.toMatchObject({ code: "unauthenticated" });
    const { id } = await person();
    const actor = {
      userId: id,
      teamId: (await server.memberships.listOf(id))[0]?.id,
      credential: { kind: "session", id: "ses_x" },
    } as never;
    fake.fault = (method) => (method === "PUT" ? { status: 422, code: "weak_password" } : undefined);
    await expect(server.credentials.changePassword(actor, { password: "gelbe gurken singen" })).rejects.toMatchObject({
      code: "bad_input",
    });
  });

  it("asks for a code: the wrong ones are counted, and a sign-in elsewhere in between is no obstacle", async () => {
    const { id, email } = await person();
    const actor = {
      userId: id,
      teamId: (await server.memberships.listOf(id))[0]?.id,
      credential: { kind: "session", id: "ses_x" },
    } as never;
    const { secret } = await server.factors.beginTotp(actor);
    await server.factors.confirmTotp(actor, totpCodeAt(secret, clock.now()));
    expect(fake.sessions.size).toBe(0);
    const begin = async () => {
      const outcome = await server.accounts.signIn({ email, password: PASSWORD }, about);
      if (!("continuation" in outcome)) throw new Error("No code was asked for.");
      return outcome.continuation;
    };
    const answer = (continuation: string, code: string) =>
      server.accounts.answerSecondFactor({ continuation, answer: code }, about);
    const [first, second] = [await begin(), await begin()];
    await expect(answer(first, "000000")).rejects.toMatchObject({ code: "bad_input" });
    clock.advance(30_000);
    const code = totpCodeAt(secret, clock.now());
    expect(await answer(first, code)).toHaveProperty("token");
    await expect(answer(second, code)).rejects.toMatchObject({ code: "bad_input" });
    clock.advance(30_000);
    expect(await answer(second, totpCodeAt(secret, clock.now()))).toHaveProperty("token");
    expect(fake.sessions.size).toBe(0);
    const stored = JSON.stringify(await test.db.read.select().from(test.db.t.oneTimeTokens));
    expect(stored).not.toMatch(/eyJ[\w-]{20,}\.[\w-]{20,}/);
  });

  it("checks codes alone where it knows other factors: nobody gets round one that is not known here", async () => {
    const { email, upstream } = await person();
    const at = new Date(clock.now()).toISOString();
    upstream.factors.push({
      ...{ id: "77777777-2222-4333-8444-555555555555", factor_type: "phone", friendly_name: "", secret: "" },
      ...{ created_at: at, updated_at: at, status: "verified" },
    });
    await expect(server.accounts.signIn({ email, password: PASSWORD }, about)).rejects.toMatchObject({
      code: "capability_missing",
    });
  });
});

describe("moving from this server's own passwords to Supabase", () => {
  it("lets people in by a new password set by mail, and still asks for an app that was set up here", async () => {
    const test = await testSqlite.open();
    const clock = new ManualClock(Date.now());
    const fake = await new FakeGoTrue(clock).start();
    const before = startPages(test.db, { clock, passwords: QUICK_PASSWORDS });
    const email = "moved@x.example";
    const { id } = await before.accounts.create({ email, password: PASSWORD }, "operator");
    const actor = {
      userId: id,
      teamId: (await before.memberships.listOf(id))[0]?.id,
      credential: { kind: "session", id: "ses_x" },
    } as never;
    const { secret } = await before.factors.beginTotp(actor);
    await before.factors.confirmTotp(actor, totpCodeAt(secret, clock.now()));
    const after = startPages(test.db, {
      ...{ clock, passwords: QUICK_PASSWORDS },
      project: { url: fake.url, serviceKey: SERVICE_KEY, anonKey: ANON_KEY, passesAddress: false },
    });
    await expect(after.accounts.signIn({ email, password: PASSWORD }, about)).rejects.toMatchObject({
      code: "unauthenticated",
    });
    clock.advance(1_000);
    await after.accounts.requestReset({ email }, about);
    const token = new URL((await after.linksTo(email))[0] ?? "").searchParams.get("token") ?? "";
    await after.accounts.reset({ token, password: "gelbe gurken singen" }, about);
    const outcome = await after.accounts.signIn({ email, password: "gelbe gurken singen" }, about);
    if (!("continuation" in outcome)) throw new Error("No code was asked for.");
    clock.advance(30_000);
    const answer = totpCodeAt(secret, clock.now());
    expect(
      await after.accounts.answerSecondFactor({ continuation: outcome.continuation, answer }, about),
    ).toHaveProperty("token");
    expect(await test.db.read.$count(test.db.t.passwordCredentials)).toBe(0);
    await after.factors.removeTotp(actor);
    expect(await after.signedIn(email, "gelbe gurken singen")).toHaveProperty("token");
    after.close();
    await fake.close();
    await test.dispose();
  });
});
