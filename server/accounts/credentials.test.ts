/** Changing name, password and address, and getting back in without the second factor, on every engine. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newId, type UserId } from "../../shared/ids.ts";
import { TEST_ENGINES, type TestDatabase } from "../db/testing.ts";
import { PerchError } from "../errors.ts";
import { QUICK_PASSWORDS, requestInfo, startPages, type TestPages } from "../http/pages/testing.ts";
import type { Actor } from "../teams/team-scope.ts";

const PASSWORD = "blaue gurken tanzen";
const NEW_PASSWORD = "gelbe gurken singen";
const HOUR_MS = 3_600_000;
const about = requestInfo();
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error: unknown) => (error instanceof PerchError ? error.code : String(error)),
  );

describe.each(TEST_ENGINES)("changes of an account on $name", (engine) => {
  let test: TestDatabase;
  let server: TestPages;
  let tests = 0;
  beforeAll(async () => {
    test = await engine.open();
  });
  beforeEach(() => {
    server = startPages(test.db, { passwords: QUICK_PASSWORDS });
    // The outbox shows its newest mails; those of earlier tests are older.
    tests += 1;
    server.clock.advance(tests * 30 * 24 * HOUR_MS);
  });
  afterAll(() => test.dispose());

  const session = async (email: string, password = PASSWORD) => {
    const answer = await server.accounts.signIn({ email, password }, about);
    // A thief's app asks for a code; their session is made here all the same.
    if ("token" in answer) return answer.token;
    const user = await server.accounts.findByEmail(email);
    if (user === undefined) throw new Error("no account");
    const proof = { authenticatedAt: new Date(server.clock.now()), method: "password_totp" } as const;
    const made = await test.db.tx((tx) =>
      server.sessions.create(tx, { userId: user.user.id, kind: "web", ...proof, about }),
    );
    return made.token;
  };
  const actorOf = async (token: string): Promise<Actor> => {
    const found = await server.sessions.find(token, about);
    if (found === undefined || found === "ended") throw new Error("no actor");
    return found;
  };
  const member = async (email: string) => {
    await server.accounts.create({ email, password: PASSWORD, fullName: "Ada" }, "operator");
    const token = await session(email);
    return { token, actor: await actorOf(token) };
  };
  const mailsTo = async (recipient: string) =>
    (await server.mail.preview()).filter((mail) => mail.recipient === recipient);
  /** The token of the newest mail's link to a page. */
  const linkTo = async (recipient: string, path: string) => {
    const texts = (await mailsTo(recipient)).map(({ text }) => text);
    const found = texts.map((text) => new RegExp(`${path}\\?token=([\\w-]{43})`).exec(text)?.[1]);
    return found.find((token) => token !== undefined) ?? "";
  };
  const subjects = async (recipient: string) => (await mailsTo(recipient)).map(({ subject }) => subject);
  const isLive = async (token: string) => {
    const found = await server.sessions.find(token, about);
    return found !== undefined && found !== "ended";
  };
  const addFactors = (userId: UserId, at = new Date(server.clock.now())) =>
    test.db.tx(async (tx) => {
      const { totpFactors, backupCodes, passkeys } = test.db.t;
      await tx.insert(totpFactors).values({ userId, sealedSecret: "s", createdAt: at, confirmedAt: at });
      await tx.insert(backupCodes).values({ userId, hash: `${userId} code`, createdAt: at });
      await addPasskey(userId, at, tx, passkeys);
    });
  const addPasskey = async (
    userId: UserId,
    createdAt: Date,
    tx: Parameters<Parameters<TestDatabase["db"]["tx"]>[0]>[0],
    passkeys = test.db.t.passkeys,
  ) => {
    const id = newId("passkey");
    await tx.insert(passkeys).values({
      ...{ id, userId, credentialId: id, publicKey: new Uint8Array([1]), counter: 0, transports: [] },
      ...{ backedUp: false, name: "Laptop", createdAt },
    });
  };

  it("shows everything that lets somebody in", async () => {
    const { actor } = await member("overview@x.example");
    const at = new Date(server.clock.now()).toISOString();
    expect(await server.credentials.overview(actor)).toEqual({
      ...{ password: { changedAt: at }, totp: null, backupCodesLeft: 0, passkeys: [], pendingEmail: null },
      passkeysPage: "http://localhost:8787/account/passkeys",
    });
    await addFactors(actor.userId);
    await server.credentials.changeEmail(actor, { email: "Elsewhere@x.example" });
    expect(await server.credentials.overview(actor)).toMatchObject({
      totp: { since: at },
      backupCodesLeft: 1,
      passkeys: [{ name: "Laptop", createdAt: at, backedUp: false }],
      pendingEmail: {
        email: "Elsewhere@x.example",
        expiresAt: new Date(server.clock.now() + 24 * HOUR_MS).toISOString(),
      },
    });
  });

  it("changes the name, also to none", async () => {
    const { actor } = await member("name@x.example");
    await server.credentials.updateProfile(actor, { fullName: "Ada Lovelace" });
    expect((await server.connect.me(actor)).user.name).toBe("Ada Lovelace");
    await server.credentials.updateProfile(actor, { fullName: "" });
    expect((await server.connect.me(actor)).user.name).toBeUndefined();
  });

  it("changes the password: other sessions, links and half-finished things end, API tokens stay", async () => {
    const { token, actor } = await member("password@x.example");
    const other = await session("password@x.example");
    const { userId, teamId } = actor;
    const api = await test.db.tx((tx) =>
      server.sessions.createApiToken(tx, { userId, teamId, name: "ci", scopes: ["account"] }),
    );
    await server.accounts.requestReset({ email: "password@x.example" }, about);
    const reset = await linkTo("password@x.example", "/reset/new");
    await server.credentials.changeEmail(actor, { email: "thief@x.example" });
    const ended: string[] = [];
    server.sessions.onEnded((id) => ended.push(id));
    expect(await codeOf(server.credentials.changePassword(actor, { password: "ada-password@x.example" }))).toBe(
      "bad_input",
    );
    expect(await server.credentials.changePassword(actor, { password: NEW_PASSWORD })).toEqual({ ended: 1 });
    expect(ended).toHaveLength(1);
    expect([await isLive(token), await isLive(other), await isLive(api.token)]).toEqual([true, false, true]);
    expect(await server.accounts.isLinkOpen("reset", reset)).toBe(false);
    expect((await server.credentials.overview(actor)).pendingEmail).toBeNull();
    expect(await subjects("password@x.example")).toContain("Your Perch password was changed");
    expect(await codeOf(session("password@x.example"))).toBe("unauthenticated");
    expect(await isLive(await session("password@x.example", NEW_PASSWORD))).toBe(true);
  });

  it("takes the team's name out of a password", async () => {
    const { actor } = await member("words@x.example");
    const { teams } = test.db.t;
    await test.db.tx((tx) => tx.update(teams).set({ name: "Nordlicht-Werkstatt" }));
    expect(await codeOf(server.credentials.changePassword(actor, { password: "Nordlicht!Werkstatt7" }))).toBe(
      "bad_input",
    );
  });

  it("changes the address once the new one and the password are proved", async () => {
    const { token, actor } = await member("before@x.example");
    await server.accounts.requestReset({ email: "before@x.example" }, about);
    const reset = await linkTo("before@x.example", "/reset/new");
    server.clock.advance(1000);
    await server.credentials.changeEmail(actor, { email: "After@x.example" });
    const link = await linkTo("After@x.example", "/email/confirm");
    expect(await server.emailChange.find("email_change", link)).toBe("After@x.example");
    expect(await codeOf(server.emailChange.confirm({ token: link, password: "falsche gurken hier" }, about))).toBe(
      "bad_input",
    );
    await server.emailChange.confirm({ token: link, password: PASSWORD }, about);
    expect(await codeOf(server.emailChange.confirm({ token: link, password: PASSWORD }, about))).toBe("not_found");
    expect((await server.connect.me(actor)).user.email).toBe("After@x.example");
    expect(await isLive(token)).toBe(true);
    expect(await server.accounts.isLinkOpen("reset", reset)).toBe(false);
    expect(await codeOf(session("before@x.example"))).toBe("unauthenticated");
    expect(await isLive(await session("after@X.example"))).toBe(true);
    expect(await subjects("before@x.example")).toEqual(
      expect.arrayContaining([
        "A new address for your Perch account was asked for",
        "The address of your Perch account was changed",
      ]),
    );
  });

  it("gives a link to exactly one of many, keeps it a day and five wrong passwords, and lets the person cancel", async () => {
    const { actor } = await member("links@x.example");
    const ask = async (email: string) => {
      server.clock.advance(HOUR_MS);
      await server.credentials.changeEmail(actor, { email });
      return linkTo(email, "/email/confirm");
    };
    const first = await ask("one@x.example");
    const second = await ask("two@x.example");
    expect(await server.emailChange.find("email_change", first)).toBeUndefined();
    await server.credentials.cancelEmailChange(actor);
    expect(await server.emailChange.find("email_change", second)).toBeUndefined();
    const late = await ask("late@x.example");
    server.clock.advance(24 * HOUR_MS);
    expect(await codeOf(server.emailChange.confirm({ token: late, password: PASSWORD }, about))).toBe("not_found");
    const guessed = await ask("guessed@x.example");
    for (let n = 0; n < 5; n += 1) {
      await codeOf(server.emailChange.confirm({ token: guessed, password: "geratene gurken" }, about));
    }
    expect(await codeOf(server.emailChange.confirm({ token: guessed, password: PASSWORD }, about))).toBe("not_found");
    const raced = await ask("raced@x.example");
    const answers = await Promise.all(
      [1, 2, 3].map(() => codeOf(server.emailChange.confirm({ token: raced, password: PASSWORD }, about))),
    );
    expect(answers.toSorted()).toEqual(["done", "not_found", "not_found"]);
  });

  it("ABUSE-02 a change to an address with an account looks like any other, and its owner alone hears", async () => {
    await server.accounts.create({ email: "taken@x.example", password: PASSWORD }, "operator");
    const { actor } = await member("curious@x.example");
    const seen = [];
    for (const email of ["taken@x.example", "vacant@x.example"]) {
      const answer = await server.credentials.changeEmail(actor, { email });
      const { pendingEmail } = await server.credentials.overview(actor);
      seen.push({ answer, expiresAt: pendingEmail?.expiresAt, mine: await mailsTo("curious@x.example") });
      expect(pendingEmail?.email).toBe(email);
    }
    expect(seen[0]?.expiresAt).toBe(seen[1]?.expiresAt);
    expect(seen[0]?.mine).toHaveLength(1);
    expect(seen[1]?.mine).toHaveLength(2);
    expect(await subjects("taken@x.example")).toEqual(["You already have a Perch account"]);
    expect((await server.linksTo("taken@x.example")).some((link) => link.includes("/email/confirm"))).toBe(false);
  });

  it("lets nobody take an address that got an account meanwhile", async () => {
    const { actor } = await member("slow@x.example");
    await server.credentials.changeEmail(actor, { email: "quick@x.example" });
    const link = await linkTo("quick@x.example", "/email/confirm");
    await server.accounts.create({ email: "quick@x.example", password: NEW_PASSWORD }, "operator");
    expect(await codeOf(server.emailChange.confirm({ token: link, password: PASSWORD }, about))).toBe("conflict");
    expect((await server.connect.me(actor)).user.email).toBe("slow@x.example");
  });

  it("ABUSE-08 the earlier address takes a hostile change back, with all that came after it", async () => {
    const { token, actor } = await member("owner@x.example");
    const { userId, teamId } = actor;
    await test.db.tx(async (tx) => addPasskey(userId, new Date(server.clock.now() - 1), tx));
    const own = await test.db.tx((tx) =>
      server.sessions.createApiToken(tx, { userId, teamId, name: "own", scopes: ["account"] }),
    );
    server.clock.advance(1000);
    await server.credentials.changeEmail(actor, { email: "thief@evil.example" });
    const confirm = await linkTo("thief@evil.example", "/email/confirm");
    await server.emailChange.confirm({ token: confirm, password: PASSWORD }, about);
    const undo = await linkTo("owner@x.example", "/email/undo");
    // The thief makes themselves at home: password, app, passkey, token, session, and yet another address.
    const thief = await actorOf(await session("thief@evil.example"));
    await server.credentials.changePassword(thief, { password: NEW_PASSWORD });
    await addFactors(userId);
    const api = await server.apiTokens.issue(userId, teamId, { name: "t", days: 365 }, userId);
    server.clock.advance(HOUR_MS);
    await server.credentials.changeEmail(thief, { email: "thief2@evil.example" });
    const again = await linkTo("thief2@evil.example", "/email/confirm");
    await server.emailChange.confirm({ token: again, password: NEW_PASSWORD }, about);
    const thiefsUndo = await linkTo("thief@evil.example", "/email/undo");

    server.clock.advance(6 * 24 * HOUR_MS);
    expect(await server.emailChange.find("email_undo", undo)).toBe("owner@x.example");
    expect(await server.emailChange.undo({ token: undo }, about)).toBe("owner@x.example");
    for (const dead of [token, api]) expect(await isLive(dead)).toBe(false);
    expect(await isLive(own.token)).toBe(true);
    expect(await codeOf(server.emailChange.undo({ token: thiefsUndo }, about))).toBe("not_found");
    for (const email of ["owner@x.example", "thief@evil.example", "thief2@evil.example"]) {
      for (const password of [PASSWORD, NEW_PASSWORD]) {
        expect(await codeOf(session(email, password)), email).toBe("unauthenticated");
      }
    }
    for (const told of ["owner@x.example", "thief2@evil.example"]) {
      expect(await subjects(told)).toContain("The address of your Perch account was changed back");
    }
    const resetToken = await linkTo("owner@x.example", "/reset/new");
    server.clock.advance(1000);
    await server.accounts.reset({ token: resetToken, password: "rote gurken springen" }, about);
    const back = await actorOf(await session("owner@x.example", "rote gurken springen"));
    expect(await server.credentials.overview(back)).toMatchObject({ totp: null, passkeys: [{ name: "Laptop" }] });
    for (const chain of await server.audit.chains()) {
      expect((await server.audit.verify(chain)).brokenAt).toBeUndefined();
    }
  });

  it("ABUSE-08 the undo link dies after a week, and whoever had the account later cannot outrun its owner", async () => {
    const { actor } = await member("week@x.example");
    await server.credentials.changeEmail(actor, { email: "week2@x.example" });
    const confirm = await linkTo("week2@x.example", "/email/confirm");
    await server.emailChange.confirm({ token: confirm, password: PASSWORD }, about);
    const undo = await linkTo("week@x.example", "/email/undo");
    server.clock.advance(HOUR_MS);
    await server.credentials.changeEmail(actor, { email: "week3@x.example" });
    await server.emailChange.confirm(
      { token: await linkTo("week3@x.example", "/email/confirm"), password: PASSWORD },
      about,
    );
    const later = await linkTo("week2@x.example", "/email/undo");
    await server.emailChange.undo({ token: later }, about);
    expect(await server.emailChange.find("email_undo", undo)).toBe("week@x.example");
    server.clock.advance(7 * 24 * HOUR_MS);
    expect(await codeOf(server.emailChange.undo({ token: undo }, about))).toBe("not_found");
  });

  describe("recovery", () => {
    const ask = async (email: string, password = PASSWORD) => {
      server.clock.advance(1000);
      await server.recovery.ask({ email, password }, about);
      const [mail] = await mailsTo(email);
      return mail?.subject === "Getting back into your Perch account" ? linkTo(email, "/recover/finish") : undefined;
    };
    const locked = async (email: string) => {
      const one = await member(email);
      await addFactors(one.actor.userId);
      return one;
    };

    it("takes a day, then removes the second factors and signs everybody out", async () => {
      const { token, actor } = await locked("lost@x.example");
      const link = (await ask("lost@x.example")) ?? "";
      expect(await server.recovery.find(link)).toEqual({ opensAt: new Date(server.clock.now() + 24 * HOUR_MS) });
      server.clock.advance(24 * HOUR_MS - 1);
      expect(await codeOf(server.recovery.finish({ token: link }, about))).toBe("conflict");
      expect(await isLive(token)).toBe(true);
      server.clock.advance(1);
      const results = await Promise.all([1, 2].map(() => codeOf(server.recovery.finish({ token: link }, about))));
      expect(results.toSorted()).toEqual(["done", "not_found"]);
      expect(await isLive(token)).toBe(false);
      expect(await server.credentials.overview(actor)).toMatchObject({
        ...{ totp: null, backupCodesLeft: 0, passkeys: [], password: expect.anything() },
      });
      expect(await subjects("lost@x.example")).toContain("Your Perch account was recovered");
      const { auditLog } = test.db.t;
      const actions = (await test.db.read.select().from(auditLog)).filter(({ object }) => object === actor.userId);
      expect(actions.map(({ action }) => action)).toContain("account.recovered");
    });

    it("ends four days after the asking", async () => {
      await locked("late-back@x.example");
      const link = (await ask("late-back@x.example")) ?? "";
      server.clock.advance(4 * 24 * HOUR_MS);
      expect(await codeOf(server.recovery.finish({ token: link }, about))).toBe("not_found");
    });

    it("is called off by whoever reads the mail, whichever link they have", async () => {
      const { actor } = await locked("no@x.example");
      const links = [await ask("no@x.example"), await ask("no@x.example")];
      await server.recovery.cancel({ token: links[0] ?? "" }, about);
      server.clock.advance(25 * HOUR_MS);
      for (const link of links) {
        expect(await codeOf(server.recovery.finish({ token: link ?? "" }, about))).toBe("not_found");
      }
      expect((await server.credentials.overview(actor)).totp).not.toBeNull();
    });

    it("ends when the owner signs in with a second factor, changes the password or the address", async () => {
      const { actor } = await locked("still-here@x.example");
      const { userId } = actor;
      const proof = { authenticatedAt: new Date(server.clock.now()), method: "passkey" } as const;
      const ways = [
        () => test.db.tx((tx) => server.sessions.create(tx, { userId, kind: "web", ...proof, about })),
        () =>
          test.db.tx(async (tx) => {
            if (actor.credential.kind === "session") {
              await server.sessions.renew(tx, { userId, id: actor.credential.id }, proof);
            }
          }),
        () => server.credentials.changePassword(actor, { password: NEW_PASSWORD }),
      ];
      let password = PASSWORD;
      for (const way of ways) {
        server.clock.advance(HOUR_MS);
        const link = (await ask("still-here@x.example", password)) ?? "";
        expect(await server.recovery.find(link)).toBeDefined();
        await way();
        expect(await server.recovery.find(link)).toBeUndefined();
        password = NEW_PASSWORD;
        await server.credentials.changePassword(actor, { password });
      }
    });

    it("ABUSE-02 answers alike for nobody, a wrong password and an account without a second factor", async () => {
      await member("plain@x.example");
      await locked("guarded@x.example");
      const rows = async () => test.db.read.$count(test.db.t.oneTimeTokens);
      for (const [email, password] of [
        ["nobody@x.example", PASSWORD],
        ["guarded@x.example", "falsche gurken hier"],
        ["plain@x.example", PASSWORD],
      ] as const) {
        const before = await rows();
        expect(await ask(email, password)).toBeUndefined();
        expect(await rows()).toBe(before + 1);
      }
    });
  });
});
