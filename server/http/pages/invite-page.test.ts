import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type TestDatabase, testSqlite } from "../../db/testing.ts";
import { createTestTeams, type TestTeams } from "../../teams/testing.ts";
import type { TestPerson } from "../../testing.ts";
import { safeNext } from "./page-context.ts";

const PASSWORD = "blaue gurken tanzen";

describe("the page of an invitation", () => {
  let test: TestDatabase;
  let world: TestTeams;
  let owner: TestPerson;
  let count = 0;
  beforeAll(async () => {
    test = await testSqlite.open();
  });
  beforeEach(async () => {
    world = createTestTeams(test.db);
    owner = await world.person();
    count += 1;
  });
  afterAll(() => test.dispose());

  const invited = async (email: string) => {
    const input = { email, role: "operator", days: 7 } as const;
    const invitation = await world.pages.invitations.invite((await world.as(owner))[1], input);
    const [link = ""] = await world.pages.linksTo(email);
    const url = new URL(link);
    return { id: invitation.id, path: url.pathname + url.search, token: url.searchParams.get("token") ?? "" };
  };
  const signedIn = async (email: string) => {
    await world.pages.accounts.create({ email, password: PASSWORD }, "operator");
    const browser = world.pages.browser();
    expect((await browser.post("/sign-in", { email, password: PASSWORD })).status).toBe(303);
    return browser;
  };
  const textOf = async (answer: Response | Promise<Response>) => (await answer).text();
  const roleOf = async (email: string) => {
    const found = await world.pages.accounts.findByEmail(email);
    return found && (await world.roles(owner.teamId)).get(found.user.id);
  };

  it("ABUSE-25 shows who invites to what, and a GET changes nothing", async () => {
    const email = `new${count}@x.example`;
    const { path } = await invited(email);
    const browser = world.pages.browser();
    for (const text of [await textOf(browser.get(path)), await textOf(browser.get(path))]) {
      expect(text).toContain("<strong>Team</strong>");
      expect(text).toContain("Operator: uses the phones");
      expect(text).toContain(world.address(owner));
      expect(text).toContain("Create account and join");
    }
    expect(await roleOf(email)).toBeUndefined();
    expect((await browser.get("/invite?token=nonsense")).status).toBe(404);
    expect((await browser.get("/invite")).status).toBe(404);
  });

  it("makes an account for the invited address, without a second mail, and no other", async () => {
    const email = `join${count}@x.example`;
    const { path, token } = await invited(email);
    const browser = world.pages.browser();
    const weak = await browser.post("/invite/join", { token, fullName: "Ada", password: "short" });
    expect(weak.status).toBe(400);
    expect(await textOf(weak)).toContain("Use at least 12 characters");
    const form = { token, fullName: "Ada", password: PASSWORD, email: "else@x.example" };
    const joined = await browser.post("/invite/join", form);
    expect(joined.headers.get("location")).toBe("/invite/done?team=Team");
    expect(await textOf(browser.get("/invite/done?team=Team"))).toContain("You are in “Team”");
    expect((await browser.get("/invite/done?team=You+won")).headers.get("location")).toBe("/");
    expect(await roleOf(email)).toBe("operator");
    expect(await world.pages.accounts.findByEmail("else@x.example")).toBeUndefined();
    expect((await browser.get(path)).status).toBe(404);
    expect((await browser.post("/invite/join", form)).status).toBe(404);
  });

  it("lets who has an account sign in and come back, and accept or decline", async () => {
    const email = `old${count}@x.example`;
    await world.pages.accounts.create({ email, password: PASSWORD }, "operator");
    const { path, token } = await invited(email);
    const browser = world.pages.browser();
    const text = await textOf(browser.get(path));
    expect(text).toContain("Sign in to answer");
    expect(text).not.toContain("Create account and join");
    const back = await browser.post("/sign-in", { email, password: PASSWORD, next: path });
    expect(back.headers.get("location")).toBe(path);
    expect(await textOf(browser.get(path))).toContain('action="/invite/accept"');
    expect((await browser.post("/invite/accept", { token })).status).toBe(303);
    expect(await roleOf(email)).toBe("operator");
    const second = `no${count}@x.example`;
    const decliner = await signedIn(second);
    const other = await invited(second);
    expect(await textOf(decliner.post("/invite/decline", { token: other.token }))).toContain("Declined");
    expect(await roleOf(second)).toBeUndefined();
  });

  it("ABUSE-25 tells somebody else that it is not for them, and takes no answer of theirs", async () => {
    const { path, token } = await invited(`them${count}@x.example`);
    const browser = await signedIn(`me${count}@x.example`);
    const text = await textOf(browser.get(path));
    expect(text).toContain(`You are signed in as me${count}@x.example`);
    expect(text).not.toContain("/invite/accept");
    for (const action of ["accept", "decline"]) {
      expect((await browser.post(`/invite/${action}`, { token })).status).toBe(403);
      expect((await world.pages.browser().post(`/invite/${action}`, { token })).status).toBe(403);
      const from = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
      expect((await browser.post(`/invite/${action}`, { token }, from)).status).toBe(403);
    }
    expect((await world.pages.browser().get(path)).status).toBe(200);
  });

  it("is asked for once more from itself when another site led here, whose visit comes without the cookie", async () => {
    const { path } = await invited(`mail${count}@x.example`);
    const browser = world.pages.browser();
    const led = await browser.get(path, { "sec-fetch-site": "cross-site" });
    expect(led.headers.get("refresh")).toBe(`0; url=${path}`);
    const again = await browser.get(path, { "sec-fetch-site": "same-origin" });
    expect(again.headers.get("refresh")).toBeNull();
  });

  it("is a place to come back to after signing in; addresses from outside are not", () => {
    const home = new URL("http://localhost:8787");
    expect(safeNext("/invite?token=a", home)).toBe("/invite?token=a");
    for (const wrong of [
      "/invite",
      "/inviter?x",
      "//evil.example/invite?x",
      "/invite?/../../x",
      "https://evil.example/",
    ]) {
      expect([undefined, "/invite?/../../x"]).toContain(safeNext(wrong, home));
    }
    expect(safeNext("/invite/../sign-out?x", home)).toBeUndefined();
  });
});
