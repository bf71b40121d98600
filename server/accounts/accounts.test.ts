import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { TEST_ENGINES, type TestDatabase } from "../db/testing.ts";
import { PerchError } from "../errors.ts";
import { FIREFOX_ON_WINDOWS, QUICK_PASSWORDS, requestInfo, startPages, type TestPages } from "../http/pages/testing.ts";

const PASSWORD = "blaue gurken tanzen";
const NEW_PASSWORD = "gelbe gurken singen";
const about = requestInfo();
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error: unknown) => (error instanceof PerchError ? error.code : String(error)),
  );

describe.each(TEST_ENGINES)("accounts on $name", (engine) => {
  let test: TestDatabase;
  let server: TestPages;
  beforeAll(async () => {
    test = await engine.open();
  });
  beforeEach(() => {
    server = startPages(test.db);
  });
  afterAll(() => test.dispose());

  const tokenIn = (link: string | undefined) => new URL(link ?? "").searchParams.get("token") ?? "";
  const signUp = async (email: string, password = PASSWORD) => {
    await server.accounts.signUp({ email, password, fullName: "Marianne" }, about);
    return tokenIn((await server.linksTo(email))[0]);
  };
  const actorOf = async (token: string) => {
    const found = await server.sessions.find(token, about);
    if (found === undefined || found === "ended") throw new Error("no actor");
    return found;
  };

  // The set-up tests come first: they need a server without people.
  it("lets a set-up link die after 15 minutes", async () => {
    const link = tokenIn(await server.accounts.issueSetupLink());
    server.clock.advance(15 * 60_000);
    expect(await server.accounts.isLinkOpen("setup", link)).toBe(false);
    expect(await codeOf(server.accounts.setUp({ email: "f@x.example", password: PASSWORD, token: link }, about))).toBe(
      "not_found",
    );
  });

  it("sets up the first account once, within 15 minutes, and never a second", async () => {
    const person = { email: "first@x.example", password: PASSWORD };
    const early = tokenIn(await server.accounts.issueSetupLink());
    const link = tokenIn(await server.accounts.issueSetupLink());
    expect(await codeOf(server.accounts.setUp({ ...person, token: early }, about))).toBe("not_found");
    const results = await Promise.all(
      [1, 2, 3].map((n) =>
        codeOf(server.accounts.setUp({ ...person, email: `first${n}@x.example`, token: link }, about)),
      ),
    );
    expect(results.toSorted()).toEqual(["done", "not_found", "not_found"]);
    expect(await server.accounts.issueSetupLink()).toBeUndefined();
  });

  it("makes a person, a team of one and a session only when confirmed", async () => {
    const token = await signUp("Marianne@Example.org");
    expect(await server.accounts.findByEmail("Marianne@Example.org")).toBeUndefined();
    const session = await server.accounts.confirm({ token, password: PASSWORD }, about);
    const actor = await actorOf(session.token);
    expect(await server.connect.me(actor)).toMatchObject({
      user: { email: "Marianne@Example.org", name: "Marianne" },
      team: { name: "Marianne", role: "owner" },
      session: { scopes: ["phones:view", "phones:control", "account", "team", "privacy", "billing"] },
    });
    expect(await codeOf(server.accounts.confirm({ token, password: PASSWORD }, about))).toBe("not_found");
    await server.accounts.signIn({ email: "marianne@example.ORG", password: PASSWORD }, about);
    for (const chain of await server.audit.chains()) {
      expect((await server.audit.verify(chain)).brokenAt).toBeUndefined();
    }
  });

  it("signs in, refuses and ends sessions", async () => {
    const { token } = await server.accounts.confirm({ token: await signUp("a@x.example"), password: PASSWORD }, about);
    expect(await codeOf(server.accounts.signIn({ email: "a@x.example", password: "falsche gurken hier" }, about))).toBe(
      "unauthenticated",
    );
    const other = await server.signedIn("a@x.example", PASSWORD, { userAgent: FIREFOX_ON_WINDOWS });
    const actor = await actorOf(token);
    const list = await server.sessions.list(actor);
    expect(list.map(({ browser, system, current }) => ({ browser, system, current }))).toEqual(
      expect.arrayContaining([
        { browser: "Chrome 156", system: "Linux", current: true },
        { browser: "Firefox 153", system: "Windows", current: false },
      ]),
    );
    const ended: string[] = [];
    server.sessions.onEnded((id) => ended.push(id));
    expect(await server.sessions.revokeOthers(actor)).toBe(1);
    expect(ended).toEqual([other.id]);
    expect(await server.sessions.find(other.token, about)).toBe("ended");
    expect(await codeOf(server.sessions.revoke(actor, other.id))).toBe("not_found");
    await server.sessions.signOut(actor);
    expect(await server.sessions.find(token, about)).toBe("ended");
    expect(await server.sessions.find(`cp_${"A".repeat(43)}`, about)).toBeUndefined();
  });

  it("ends a session after 14 idle days, and after 60 days however it is used", async () => {
    const DAY_MS = 86_400_000;
    const { token } = await server.accounts.confirm({ token: await signUp("b@x.example"), password: PASSWORD }, about);
    for (let day = 0; day < 59; day += 13) {
      expect(await server.sessions.find(token, about)).toMatchObject({ role: "owner" });
      server.clock.advance(13 * DAY_MS);
    }
    expect(await server.sessions.find(token, about)).toBe("ended");
    const { token: idle } = await server.signedIn("b@x.example", PASSWORD);
    server.clock.advance(14 * DAY_MS - 1);
    expect(await server.sessions.find(idle, about)).toMatchObject({ role: "owner" });
    server.clock.advance(14 * DAY_MS);
    expect(await server.sessions.find(idle, about)).toBe("ended");
  });

  it("cannot touch another person's session", async () => {
    const mine = await server.accounts.confirm({ token: await signUp("m@x.example"), password: PASSWORD }, about);
    const theirs = await server.accounts.confirm({ token: await signUp("t@x.example"), password: PASSWORD }, about);
    expect(await codeOf(server.sessions.revoke(await actorOf(mine.token), theirs.id))).toBe("not_found");
    expect(await server.sessions.find(theirs.token, about)).toMatchObject({ role: "owner" });
  });

  it("tells the owner of a sign-in from a browser not seen before, and only then", async () => {
    await server.accounts.confirm({ token: await signUp("n@x.example"), password: PASSWORD }, about);
    const subjects = async () =>
      (await server.mail.preview()).flatMap(({ recipient, subject }) => (recipient === "n@x.example" ? [subject] : []));
    await server.accounts.signIn({ email: "n@x.example", password: PASSWORD }, about);
    expect(await subjects()).not.toContain("New sign-in to Perch");
    await server.accounts.signIn(
      { email: "n@x.example", password: PASSWORD },
      requestInfo({ userAgent: FIREFOX_ON_WINDOWS }),
    );
    expect((await subjects()).filter((subject) => subject === "New sign-in to Perch")).toHaveLength(1);
  });

  it("refuses a common or personal password at sign-up, reset and set-up", async () => {
    expect(await codeOf(server.accounts.signUp({ email: "p@x.example", password: "passwordpassword" }, about))).toBe(
      "bad_input",
    );
    await server.accounts.create({ email: "marianne.weber@x.example", password: PASSWORD }, "operator");
    await server.accounts.requestReset({ email: "marianne.weber@x.example" }, about);
    const token = tokenIn((await server.linksTo("marianne.weber@x.example"))[0]);
    expect(await codeOf(server.accounts.reset({ token, password: "marianne.weber1" }, about))).toBe("bad_input");
    expect(await codeOf(server.accounts.reset({ token, password: NEW_PASSWORD }, about))).toBe("done");
  });

  it("makes API tokens that end with their year and carry only their scopes", async () => {
    const user = await server.accounts.create({ email: "api@x.example", password: PASSWORD }, "operator");
    const owner = await server.accounts.findByEmail("api@x.example");
    if (owner === undefined) throw new Error("no owner");
    const { token } = await test.db.tx((tx) =>
      server.sessions.createApiToken(tx, {
        userId: user.id,
        teamId: owner.teamId,
        name: "ci",
        scopes: ["phones:view"],
      }),
    );
    expect(token).toMatch(/^pt_[\w-]{43}$/);
    expect(await server.sessions.find(token, about)).toMatchObject({
      scopes: ["phones:view"],
      credential: { kind: "token" },
    });
    server.clock.advance(365 * 86_400_000);
    expect(await server.sessions.find(token, about)).toBe("ended");
  });

  it("ABUSE-01 slows guesses from many places, and never locks the owner out", async () => {
    await server.accounts.confirm({ token: await signUp("o@x.example"), password: PASSWORD }, about);
    const answers: string[] = [];
    for (let place = 1; place <= 25; place += 1) {
      const from = requestInfo({ ip: `198.51.100.${place}` });
      answers.push(await codeOf(server.accounts.signIn({ email: "o@x.example", password: "geratene gurken 1" }, from)));
    }
    expect(answers.filter((code) => code === "unauthenticated")).toHaveLength(10);
    expect(answers.at(-1)).toBe("rate_limited");
    await server.accounts.signIn({ email: "o@x.example", password: PASSWORD }, about);
  });

  it("ABUSE-01 one password tried on everybody from everywhere costs few hashes, and owners still get in", async () => {
    let hashes = 0;
    const counting = startPages(test.db, {
      passwords: {
        hash: QUICK_PASSWORDS.hash,
        verify(phc, password) {
          hashes += 1;
          return QUICK_PASSWORDS.verify(phc, password);
        },
        verifyNothing(password) {
          hashes += 1;
          return QUICK_PASSWORDS.verifyNothing(password);
        },
      },
    });
    const people = Array.from({ length: 20 }, (_, n) => `sprayed${n}@x.example`);
    // Every other one exists; nothing may tell which.
    for (const email of people.filter((_, n) => n % 2 === 0)) {
      await counting.accounts.create({ email, password: PASSWORD }, "operator");
      await counting.accounts.signIn({ email, password: PASSWORD }, requestInfo({ ip: `203.0.113.${email.length}` }));
      counting.clock.advance(60_000);
    }
    hashes = 0;
    const answers = new Map<string, number>();
    for (let n = 0; n < 200; n += 1) {
      const from = requestInfo({ ip: `198.51.100.${n % 50}` });
      const email = people[n % people.length] ?? "";
      const code = await codeOf(counting.accounts.signIn({ email, password: "sommer und sonne 26" }, from));
      answers.set(code, (answers.get(code) ?? 0) + 1);
    }
    expect(hashes).toBeLessThanOrEqual(100);
    expect(answers.get("unauthenticated")).toBe(hashes);
    expect(answers.get("rate_limited")).toBe(200 - hashes);
    for (const email of ["sprayed0@x.example", "sprayed10@x.example"]) {
      const home = requestInfo({ ip: `203.0.113.${email.length}` });
      expect(await codeOf(counting.accounts.signIn({ email, password: PASSWORD }, home))).toBe("done");
    }
  });

  it("ABUSE-03 a stranger who signs up with somebody's address gets nothing", async () => {
    const strangers = await signUp("victim@x.example", "der fremde weiss es");
    expect(
      await codeOf(server.accounts.signIn({ email: "victim@x.example", password: "der fremde weiss es" }, about)),
    ).toBe("unauthenticated");
    expect(await codeOf(server.accounts.confirm({ token: strangers, password: "opfer kennt es nicht" }, about))).toBe(
      "bad_input",
    );
    server.clock.advance(1000);
    const own = await signUp("victim@x.example", PASSWORD);
    const session = await server.accounts.confirm({ token: own, password: PASSWORD }, about);
    expect(await codeOf(server.accounts.confirm({ token: strangers, password: "der fremde weiss es" }, about))).toBe(
      "conflict",
    );
    expect(
      await codeOf(server.accounts.signIn({ email: "victim@x.example", password: "der fremde weiss es" }, about)),
    ).toBe("unauthenticated");
    server.clock.advance(1000);
    await server.accounts.requestReset({ email: "victim@x.example" }, about);
    await server.accounts.reset(
      { token: tokenIn((await server.linksTo("victim@x.example"))[0]), password: NEW_PASSWORD },
      about,
    );
    expect(await server.sessions.find(session.token, about)).toBe("ended");
  });

  it("ABUSE-06 a token changes with every sign-in and rotation, and the old one is dead", async () => {
    const { id, token } = await server.accounts.confirm(
      { token: await signUp("r@x.example"), password: PASSWORD },
      about,
    );
    const { userId } = await actorOf(token);
    const proof = { authenticatedAt: new Date(server.clock.now()), method: "password" } as const;
    const rotated = (await test.db.tx((tx) => server.sessions.renew(tx, { userId, id }, proof))) ?? "";
    expect(rotated).not.toBe(token);
    expect(await server.sessions.find(token, about)).toBeUndefined();
    expect((await actorOf(rotated)).credential.id).toBe(id);
  });
});
