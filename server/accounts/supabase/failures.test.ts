/** The failures' contract, and what only a stand-in can be made to do. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "../../clock.ts";
import { TEST_ENGINES, type TestDatabase, testSqlite } from "../../db/testing.ts";
import { QUICK_PASSWORDS, startPages, type TestPages } from "../../http/pages/testing.ts";
import { LIMITS } from "../../limits/rate-limiter.ts";
import { totpCodeAt } from "../testing/app-code.ts";
import { about, failuresContract, PASSWORD, type ServiceUnderTest } from "./failures.contract.ts";
import { ANON_KEY, FakeGoTrue, SERVICE_KEY } from "./testing/fake-gotrue.ts";

const clock = new ManualClock(Date.now());
const fake = new FakeGoTrue(clock);
beforeAll(async () => void (await fake.start()));
afterAll(() => fake.close());

const service: ServiceUnderTest = {
  ...{ serviceKey: SERVICE_KEY, anonKey: ANON_KEY, clock, calls: fake.calls },
  get url() {
    return fake.url;
  },
  get fault() {
    return fake.fault;
  },
  set fault(fault) {
    fake.fault = fault;
  },
};
failuresContract("the stand-in", TEST_ENGINES, () => service);

describe("the sign-in service", () => {
  let test: TestDatabase;
  let server: TestPages;
  let people = 0;
  beforeAll(async () => {
    test = await testSqlite.open();
  });
  afterAll(() => test.dispose());
  beforeEach(() => {
    server = startPages(test.db, {
      ...{ clock, passwords: QUICK_PASSWORDS },
      project: { url: fake.url, serviceKey: SERVICE_KEY, anonKey: ANON_KEY, passesAddress: true },
    });
  });
  afterEach(() => {
    fake.fault = undefined;
    server.close();
  });
  const person = async () => {
    people += 1;
    const email = `p${people}@x.example`;
    const user = await server.accounts.create({ email, password: PASSWORD }, "operator");
    const upstream = fake.byEmail(email);
    if (upstream === undefined) throw new Error("Nobody was made.");
    return { ...user, upstream };
  };
  const signIn = (email: string, password = PASSWORD) => server.accounts.signIn({ email, password }, about);

  it("behind a broken gateway answers in no form that is known, and is away all the same", async () => {
    const { email } = await person();
    fake.fault = () => ({ status: 502, html: true });
    await expect(signIn(email)).rejects.toMatchObject({ code: "unavailable" });
  });

  it("hears whose address a sign-in comes from where it believes us, and limits it less than we do", async () => {
    const { email } = await person();
    await server.signedIn(email, PASSWORD, { ip: "192.0.2.7" });
    expect(fake.forwardedFor.at(-1)).toBe("192.0.2.7");
    // Its own is 30 sign-ins in 5 minutes for each address.
    const { burst, everyMs } = LIMITS.signIn;
    expect(burst + (5 * 60_000) / everyMs).toBeLessThan(30);
  });

  it("knows a person by an address that was not confirmed: the profile keeps its own", async () => {
    const { email, upstream } = await person();
    await server.signedIn(email, PASSWORD);
    Object.assign(upstream, { email: `new-${email}`, email_confirmed_at: undefined });
    clock.advance(23 * 60 * 60_000);
    await server.services.jobs["identity.check"]?.({}, { signal: new AbortController().signal } as never);
    expect(await server.accounts.findByEmail(email)).toBeDefined();
  });

  it("takes a password by rules of its own: we say which", async () => {
    const { id } = await person();
    const actor = {
      userId: id,
      teamId: (await server.memberships.listOf(id))[0]?.id,
      credential: { kind: "token" },
    } as never;
    fake.fault = (method) => (method === "PUT" ? { status: 422, code: "weak_password" } : undefined);
    await expect(server.credentials.changePassword(actor, { password: "gelbe gurken singen" })).rejects.toMatchObject({
      code: "bad_input",
    });
  });

  it("is left without an open session, and none of its tokens is stored in clear", async () => {
    const { email, upstream } = await person();
    fake.sessions.clear();
    await server.signedIn(email, PASSWORD);
    expect(fake.sessions.size).toBe(0);
    const at = new Date(clock.now()).toISOString();
    upstream.factors.push({
      ...{
        id: "77777777-2222-4333-8444-555555555555",
        factor_type: "totp",
        friendly_name: "",
        secret: "JBSWY3DPEHPK3PXP",
      },
      ...{ created_at: at, updated_at: at, status: "verified" },
    });
    const outcome = await signIn(email);
    expect(fake.sessions.size).toBe(1);
    const pages = (await test.db.pages())?.toString("latin1") ?? "";
    expect(pages.length).toBeGreaterThan(10_000);
    expect(pages).not.toMatch(/eyJ[\w-]{20,}\.[\w-]{20,}/);
    if (!("continuation" in outcome)) throw new Error("No code was asked for.");
    const answer = totpCodeAt("JBSWY3DPEHPK3PXP", clock.now());
    await server.accounts.answerSecondFactor({ continuation: outcome.continuation, answer }, about);
    expect(fake.sessions.size).toBe(0);
  });

  it("says that a code was right, but its token says otherwise: nobody is let in", async () => {
    const { email, upstream } = await person();
    const at = new Date(clock.now()).toISOString();
    upstream.factors.push({
      ...{
        id: "77777777-2222-4333-8444-777777777777",
        factor_type: "totp",
        friendly_name: "",
        secret: "JBSWY3DPEHPK3PXP",
      },
      ...{ created_at: at, updated_at: at, status: "verified" },
    });
    const other = await person();
    const answer = totpCodeAt("JBSWY3DPEHPK3PXP", clock.now());
    for (const claims of [{ aal: "aal1" }, { sub: other.upstream.id }]) {
      const outcome = await signIn(email);
      if (!("continuation" in outcome)) throw new Error("No code was asked for.");
      fake.forge = { claims };
      const { continuation } = outcome;
      await expect(server.accounts.answerSecondFactor({ continuation, answer }, about)).rejects.toMatchObject({
        code: "bad_input",
      });
      fake.forge = {};
    }
  });

  it("knows a second factor that we do not: nobody gets round it", async () => {
    const { email, upstream } = await person();
    const at = new Date(clock.now()).toISOString();
    upstream.factors.push({
      ...{ id: "77777777-2222-4333-8444-666666666666", factor_type: "phone", friendly_name: "", secret: "" },
      ...{ created_at: at, updated_at: at, status: "verified" },
    });
    await expect(signIn(email)).rejects.toMatchObject({ code: "capability_missing" });
  });
});

describe("moving from this server's own passwords to Supabase", () => {
  it("lets people in by a new password set by mail, and still asks for an app that was set up here", async () => {
    const test = await testSqlite.open();
    const before = startPages(test.db, { clock, passwords: QUICK_PASSWORDS });
    const email = "moved@x.example";
    const { id } = await before.accounts.create({ email, password: PASSWORD }, "operator");
    const actor = {
      userId: id,
      teamId: (await before.memberships.listOf(id))[0]?.id,
      credential: { kind: "token" },
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
    const another = (await after.accounts.create({ email: "later@x.example", password: PASSWORD }, "operator"))
      .emailShown;
    // Back again: whoever never had a password here sets one by mail.
    clock.advance(1_000);
    await before.accounts.requestReset({ email: another }, about);
    const back = new URL((await before.linksTo(another))[0] ?? "").searchParams.get("token") ?? "";
    await before.accounts.reset({ token: back, password: "gelbe gurken singen" }, about);
    expect(await before.signedIn(another, "gelbe gurken singen")).toHaveProperty("token");
    after.close();
    await test.dispose();
  });
});
