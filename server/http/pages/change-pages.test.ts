/** The pages behind the links of a change of address and of recovery, and the choice of a team when connecting. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CHROME_EXTENSION_ID } from "../../../shared/accounts.ts";
import { newId } from "../../../shared/ids.ts";
import { type TestDatabase, testSqlite } from "../../db/testing.ts";
import { QUICK_PASSWORDS, requestInfo, startPages, type TestPages } from "./testing.ts";

const PASSWORD = "blaue gurken tanzen";
const DAY_MS = 24 * 3_600_000;
const REDIRECT = `https://${CHROME_EXTENSION_ID}.chromiumapp.org/connected`;

let test: TestDatabase;
let server: TestPages;
let tests = 0;
beforeAll(async () => {
  test = await testSqlite.open();
});
beforeEach(() => {
  server = startPages(test.db, { passwords: QUICK_PASSWORDS });
  // The outbox shows its newest mails; those of earlier tests are older.
  tests += 1;
  server.clock.advance(tests * 30 * DAY_MS);
});
afterAll(() => test.dispose());

const member = async (email: string) => {
  await server.accounts.create({ email, password: PASSWORD }, "operator");
  const { token } = await server.signedIn(email, PASSWORD);
  const actor = await server.sessions.find(token, requestInfo());
  if (actor === undefined || actor === "ended") throw new Error("no actor");
  return actor;
};
const linkTo = async (recipient: string, path: string) => {
  const texts = (await server.mail.preview()).filter((mail) => mail.recipient === recipient).map(({ text }) => text);
  const found = texts.map((text) => new RegExp(`${path}\\?token=[\\w-]{43}`).exec(text)?.[0]);
  return found.find((link) => link !== undefined) ?? "";
};
const tokenOf = (path: string) => new URL(path, "http://x").searchParams.get("token") ?? "";
const rows = async () => {
  const { users, sessions, oneTimeTokens, mailOutbox, auditLog, totpFactors, passwordCredentials } = test.db.t;
  const tables = [users, sessions, oneTimeTokens, mailOutbox, auditLog, totpFactors, passwordCredentials];
  return JSON.stringify(await Promise.all(tables.map((table) => test.db.read.select().from(table))));
};

/** A change that was confirmed, with both links. */
async function changed(from: string, to: string) {
  const actor = await member(from);
  await server.credentials.changeEmail(actor, { email: to });
  const confirm = await linkTo(to, "/email/confirm");
  return { actor, confirm };
}
async function locked(email: string) {
  const { userId } = await member(email);
  const at = new Date(server.clock.now());
  await test.db.tx((tx) =>
    tx.insert(test.db.t.totpFactors).values({ userId, sealedSecret: "s", createdAt: at, confirmedAt: at }),
  );
  const browser = server.browser();
  const answer = await browser.post("/recover", { email, password: PASSWORD });
  expect(answer.headers.get("location")).toBe("/recover/sent");
  return {
    browser,
    userId,
    finish: await linkTo(email, "/recover/finish"),
    cancel: await linkTo(email, "/recover/cancel"),
  };
}

describe("a change of address", () => {
  it("is confirmed with the password and taken back by the earlier address", async () => {
    const { confirm } = await changed("old@x.example", "New@x.example");
    const browser = server.browser();
    expect(await (await browser.get(confirm)).text()).toContain("<strong>New@x.example</strong>");
    const wrong = await browser.post("/email/confirm", { token: tokenOf(confirm), password: "falsche gurken" });
    expect(wrong.status).toBe(400);
    expect(await wrong.text()).toContain("not the password of the account");
    const done = await browser.post("/email/confirm", { token: tokenOf(confirm), password: PASSWORD });
    expect(await done.text()).toContain("Your address is changed");
    expect((await browser.get(confirm)).status).toBe(404);
    expect((await browser.post("/sign-in", { email: "new@x.example", password: PASSWORD })).status).toBe(303);

    const undo = await linkTo("old@x.example", "/email/undo");
    expect(await (await browser.get(undo)).text()).toContain("<strong>old@x.example</strong>");
    const undone = await browser.post("/email/undo", { token: tokenOf(undo) });
    expect(await undone.text()).toContain("The account is yours again");
    expect(browser.cookies.size).toBe(0);
    expect((await browser.get(undo)).status).toBe(404);
    const reset = await linkTo("old@x.example", "/reset/new");
    const set = await browser.post("/reset/new", { token: tokenOf(reset), password: "gelbe gurken singen" });
    expect(set.status).toBe(200);
    expect((await browser.post("/sign-in", { email: "old@x.example", password: "gelbe gurken singen" })).status).toBe(
      303,
    );
  });
});

describe("recovery", () => {
  it("waits a day, then lets the person in with address and password", async () => {
    const { browser, finish } = await locked("back@x.example");
    const early = await (await browser.get(finish)).text();
    expect(early).toContain("Not yet");
    expect(early).toMatch(/works from <strong>\d+ \w+ 2026 at 00:00 UTC<\/strong>/);
    expect((await browser.post("/recover/finish", { token: tokenOf(finish) })).status).toBe(409);
    server.clock.advance(DAY_MS);
    expect(await (await browser.get(finish)).text()).toContain("Remove the second factors?");
    expect(
      (await browser.post("/sign-in", { email: "back@x.example", password: PASSWORD })).headers.get("location"),
    ).toBe("/sign-in/code");
    const done = await browser.post("/recover/finish", { token: tokenOf(finish) });
    expect(await done.text()).toContain("You can sign in again");
    expect(
      (await browser.post("/sign-in", { email: "back@x.example", password: PASSWORD })).headers.get("location"),
    ).toBe("/");
  });

  it("is called off by the other link of the same mail", async () => {
    const { browser, finish, cancel } = await locked("stop@x.example");
    expect(await (await browser.get(cancel)).text()).toContain("Call the recovery off?");
    expect(await (await browser.post("/recover/cancel", { token: tokenOf(cancel) })).text()).toContain(
      "Nothing changes",
    );
    server.clock.advance(DAY_MS);
    expect((await browser.get(finish)).status).toBe(404);
    expect((await browser.post("/recover/finish", { token: tokenOf(finish) })).status).toBe(404);
  });
});

describe("links of mails", () => {
  it("ABUSE-05 none of the links, and no API token, can be found in the database", async () => {
    const { actor, confirm } = await changed("dump@x.example", "dump2@x.example");
    await server.browser().post("/email/confirm", { token: tokenOf(confirm), password: PASSWORD });
    const undo = await linkTo("dump@x.example", "/email/undo");
    const { finish } = await locked("dump3@x.example");
    const api = await server.apiTokens.issue(actor.userId, actor.teamId, { name: "t", days: 7 }, "operator");
    const dump = JSON.stringify(
      await Promise.all(Object.values(test.db.t).map((table) => test.db.read.select().from(table))),
    );
    expect(dump).toContain("dump2@x.example");
    for (const secret of [...[confirm, undo, finish].map(tokenOf), api.slice(3)]) {
      expect(secret).toMatch(/^[\w-]{43}$/);
      expect(dump.includes(secret)).toBe(false);
    }
  });

  it("ABUSE-09 opening the links of a change of address and of recovery, however often, does nothing", async () => {
    const { confirm } = await changed("scanned@x.example", "scanned2@x.example");
    const { finish, cancel } = await locked("scanned3@x.example");
    const before = await changed("scanned4@x.example", "scanned5@x.example");
    await server.browser().post("/email/confirm", { token: tokenOf(before.confirm), password: PASSWORD });
    const undo = await linkTo("scanned4@x.example", "/email/undo");
    server.clock.advance(DAY_MS - 1);
    const was = await rows();
    for (const path of [confirm, undo, finish, cancel, confirm, undo, finish, cancel]) {
      const answer = await server.browser().get(path);
      expect(answer.status, path).toBe(200);
      expect(answer.headers.getSetCookie()).toEqual([]);
      expect(answer.headers.get("content-security-policy")).not.toContain("script-src");
    }
    expect(await rows()).toBe(was);
  });

  it.each(["/email/confirm", "/email/undo", "/recover", "/recover/finish", "/recover/cancel"])(
    "ABUSE-13 %s takes plain forms of our own pages and nothing else",
    async (path) => {
      const before = await rows();
      const browser = server.browser();
      for (const type of ["multipart/form-data; boundary=x", "text/plain", "application/json", ""]) {
        expect((await browser.post(path, { token: "t" }, { "content-type": type })).status, type).toBe(415);
      }
      for (const origin of ["https://evil.test", "null", `chrome-extension://${CHROME_EXTENSION_ID}`, ""]) {
        expect((await browser.post(path, { token: "t" }, { origin })).status, origin).toBe(403);
      }
      expect(await rows()).toBe(before);
    },
  );
});

describe("connecting", () => {
  const query = {
    ...{ response_type: "code", client_id: "perch-extension", redirect_uri: REDIRECT, state: "s".repeat(22) },
    code_challenge: createHash("sha256").update("v".repeat(43)).digest("base64url"),
    code_challenge_method: "S256",
  };
  const path = `/connect?${new URLSearchParams(query)}`;

  it("asks which team to work in when there are several, the present one chosen", async () => {
    const actor = await member("teams@x.example");
    const browser = server.browser();
    await browser.post("/sign-in", { email: "teams@x.example", password: PASSWORD });
    expect(await (await browser.get(path)).text()).not.toContain('name="team"');
    const { teams, teamMembers } = test.db.t;
    const id = newId("team");
    const at = new Date(server.clock.now() + 1);
    await test.db.tx(async (tx) => {
      await tx.insert(teams).values({ id, name: "Werk <b>", createdAt: at });
      await tx.insert(teamMembers).values({ teamId: id, userId: actor.userId, role: "operator", joinedAt: at });
    });
    const page = await (await browser.get(path)).text();
    expect(page).toContain(`value="${actor.teamId}" checked`);
    expect(page).toContain(`value="${id}"`);
    expect(page).toContain("Werk &lt;b&gt;");
    const proving = await browser.get(`${path}&prompt=login`);
    expect(await proving.text()).not.toContain('name="team"');
    const approve = async (team: string) => browser.post("/connect", { ...query, team, action: "approve" });
    const code = new URL((await approve(id)).headers.get("location") ?? "").searchParams.get("code") ?? "";
    const input = { code, verifier: "v".repeat(43), redirectUri: REDIRECT };
    expect((await server.connect.exchange(input, requestInfo())).me.team).toMatchObject({ id, role: "operator" });
    for (const team of [newId("team"), "nonsense"]) {
      const answer = await approve(team);
      expect(answer.status).toBe(400);
      expect(answer.headers.get("location")).toBeNull();
    }
  });
});
