import { createHash, randomBytes } from "node:crypto";
import { Script } from "node:vm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CHROME_EXTENSION_ID } from "../../../shared/accounts.ts";
import { newId } from "../../../shared/ids.ts";
import { totpCodeAt } from "../../accounts/testing/app-code.ts";
import { SoftAuthenticator } from "../../accounts/testing/soft-authenticator.ts";
import { type TestDatabase, testSqlite } from "../../db/testing.ts";
import { requestInfo, startPages, type TestPages } from "./testing.ts";

const PASSWORD = "blaue gurken tanzen";
const REDIRECT = `https://${CHROME_EXTENSION_ID}.chromiumapp.org/connected`;
const PASSKEYS = "/account/passkeys";
const MINUTE_MS = 60_000;
const about = requestInfo();

let test: TestDatabase;
let server: TestPages;
beforeAll(async () => {
  test = await testSqlite.open();
});
beforeEach(() => {
  server = startPages(test.db);
});
afterAll(() => test.dispose());

type Browser = ReturnType<TestPages["browser"]>;
const where = (answer: Response) => answer.headers.get("location");
const actorOf = async (token: string) => {
  const found = await server.sessions.find(token, about);
  if (found === undefined || found === "ended") throw new Error("no session");
  return found;
};
const member = async (email: string) => {
  await server.accounts.create({ email, password: PASSWORD }, "operator");
  const browser = server.browser();
  await browser.post("/sign-in", { email, password: PASSWORD });
  return { browser, actor: await actorOf(browser.cookies.get("perch") ?? "") };
};
const withApp = async (email: string) => {
  const { browser, actor } = await member(email);
  const { secret } = await server.factors.beginTotp(actor);
  const code = () => {
    server.clock.advance(30_000);
    return totpCodeAt(secret, server.clock.now());
  };
  const { codes } = await server.factors.confirmTotp(actor, code());
  return { browser, actor, code, codes };
};
const connectRequest = (prompt?: "login") => {
  const verifier = randomBytes(32).toString("base64url");
  const fields = {
    response_type: "code",
    client_id: "perch-extension",
    redirect_uri: REDIRECT,
    state: randomBytes(16).toString("base64url"),
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    ...(prompt && { prompt }),
  };
  return { verifier, fields, path: `/connect?${new URLSearchParams(fields)}` };
};
const json = async (answer: Response) => JSON.parse(await answer.text());
const addPasskey = async (browser: Browser, name: string) => {
  const device = new SoftAuthenticator(server.publicUrl.origin);
  const options = await json(await browser.post(`${PASSKEYS}/question`, {}));
  const added = await browser.post(PASSKEYS, { name, response: device.create(options) });
  expect(where(added)).toBe(`${PASSKEYS}?done=added`);
  return device;
};

describe("signing in with a second factor", () => {
  it("asks on a page of its own, and starts the session only there", async () => {
    const { code, codes } = await withApp("app@x.example");
    const browser = server.browser();
    const asked = await browser.post("/sign-in", { email: "app@x.example", password: PASSWORD });
    expect(where(asked)).toBe("/sign-in/code");
    expect(asked.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^perch-second=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; SameSite=Strict$/),
    ]);
    expect(await (await browser.get("/sign-in/code")).text()).toContain("Type your code");
    expect(await (await browser.get("/")).text()).not.toContain("You are signed in");
    const empty = await browser.post("/sign-in/code", { answer: " " });
    expect([empty.status, await empty.text()]).toEqual([400, expect.stringContaining("Type the code the app shows")]);
    const wrong = await browser.post("/sign-in/code", { answer: "000000" });
    expect([wrong.status, await wrong.text()]).toEqual([400, expect.stringContaining("This code is not right")]);
    expect(where(await browser.post("/sign-in/code", { answer: code() }))).toBe("/");
    expect([...browser.cookies.keys()]).toEqual(["perch"]);
    expect(await (await browser.get("/")).text()).toContain("app@x.example");

    const next = connectRequest().path;
    const other = server.browser();
    await other.post("/sign-in", { email: "app@x.example", password: PASSWORD, next });
    const inWindow = await other.post("/sign-in/code", { answer: "000000", next });
    expect(inWindow.status).toBe(200);
    expect(where(await other.post("/sign-in/code", { answer: codes[0] ?? "", next }))).toBe(next);
  });

  it("begins again without a sign-in that waits, or after five wrong codes", async () => {
    await withApp("over@x.example");
    const browser = server.browser();
    expect(where(await browser.get("/sign-in/code"))).toBe("/sign-in");
    expect((await browser.post("/sign-in/code", { answer: "000000" })).status).toBe(401);
    await browser.post("/sign-in", { email: "over@x.example", password: PASSWORD });
    for (let n = 0; n < 4; n += 1) await browser.post("/sign-in/code", { answer: "000000" });
    const fifth = await browser.post("/sign-in/code", { answer: "000000" });
    expect(await fifth.text()).toContain("Sign in again");
    expect(where(await browser.get("/sign-in/code"))).toBe("/sign-in");
  });
});

describe("passkeys", () => {
  it("are added, used, renamed and removed", async () => {
    const { browser } = await member("keys@x.example");
    expect(await (await browser.get(PASSKEYS)).text()).toContain("No passkey yet");
    const device = await addPasskey(browser, "Laptop <1>");
    const listed = await (await browser.get(`${PASSKEYS}?done=added`)).text();
    expect(listed).toContain("Laptop &lt;1&gt;");
    expect(listed).toContain("The passkey was added.");
    const id = /name="id" value="(pk_[\w-]{22})"/.exec(listed)?.[1] ?? "";

    const other = server.browser();
    const options = await json(await other.post("/sign-in/passkey/question", {}));
    const response = device.get(options);
    expect(where(await other.post("/sign-in/passkey", { response }))).toBe("/");
    expect(await actorOf(other.cookies.get("perch") ?? "")).toMatchObject({ method: "passkey" });
    const again = await server.browser().post("/sign-in/passkey", { response });
    expect([again.status, await again.text()]).toEqual([401, expect.stringContaining("This passkey was not accepted")]);

    const nameless = await browser.post(`${PASSKEYS}/rename`, { id, name: " " });
    expect([nameless.status, await nameless.text()]).toEqual([
      400,
      expect.stringContaining("Give the passkey a name."),
    ]);
    expect(where(await browser.post(`${PASSKEYS}/rename`, { id, name: "Desk" }))).toBe(`${PASSKEYS}?done=renamed`);
    const stranger = (await member("stranger@x.example")).browser;
    expect((await stranger.post(`${PASSKEYS}/remove`, { id })).status).toBe(404);
    expect((await browser.post(`${PASSKEYS}/remove`, { id: newId("passkey") })).status).toBe(404);
    expect(where(await browser.post(`${PASSKEYS}/remove`, { id }))).toBe(`${PASSKEYS}?done=removed`);
    const question = await json(await other.post("/sign-in/passkey/question", {}));
    expect((await server.browser().post("/sign-in/passkey", { response: device.get(question) })).status).toBe(401);
  });

  it("are only for who is signed in and proved it within ten minutes", async () => {
    expect(where(await server.browser().get(PASSKEYS))).toBe(`/sign-in?${new URLSearchParams({ next: PASSKEYS })}`);
    const { browser } = await member("stale@x.example");
    const device = await addPasskey(browser, "Laptop");
    server.clock.advance(10 * MINUTE_MS + 1);
    const prove = `/prove?${new URLSearchParams({ next: PASSKEYS })}`;
    expect(where(await browser.get(PASSKEYS))).toBe(prove);
    expect(await json(await browser.post(`${PASSKEYS}/question`, {}))).toEqual({ goTo: prove });
    for (const path of ["", "/rename", "/remove"]) expect(where(await browser.post(PASSKEYS + path, {}))).toBe(prove);

    const page = await (await browser.get(prove)).text();
    expect(page).toContain("Use a passkey");
    const before = browser.cookies.get("perch") ?? "";
    const wrong = await browser.post("/prove", { password: "falsche gurken hier", next: PASSKEYS });
    expect([wrong.status, await wrong.text()]).toEqual([400, expect.stringContaining("The password is not right.")]);
    expect(where(await browser.post("/prove", { password: PASSWORD, next: PASSKEYS }))).toBe(PASSKEYS);
    expect(browser.cookies.get("perch")).not.toBe(before);
    expect(await server.sessions.find(before, about)).toBeUndefined();
    expect((await browser.get(PASSKEYS)).status).toBe(200);

    server.clock.advance(10 * MINUTE_MS + 1);
    const options = await json(await browser.post("/prove/passkey/question", {}));
    expect(where(await browser.post("/prove/passkey", { response: device.get(options), next: PASSKEYS }))).toBe(
      PASSKEYS,
    );
    expect(await actorOf(browser.cookies.get("perch") ?? "")).toMatchObject({ method: "passkey" });
    expect(where(await server.browser().get("/prove"))).toBe("/sign-in");
  });

  it("say where they work, where they do not", async () => {
    const here = await (await server.app.request("http://127.0.0.1:8787/sign-in")).text();
    expect(here).toContain('Passkeys work only at <a href="http://localhost:8787/sign-in">localhost:8787</a>');
    const numbers = startPages(test.db, { publicUrl: "https://192.0.2.7" });
    const page = await (await numbers.browser().get("/sign-in")).text();
    expect(page).toContain("Passkeys do not work at an address of numbers");
    expect(page).not.toContain("<script");
    const refused = await numbers.browser().post("/sign-in/passkey/question", {});
    expect([refused.status, await json(refused)]).toEqual([400, { message: expect.stringContaining("need a name") }]);
  });

  it("bring the only script, our own, and only to pages that ask for one", async () => {
    const browser = server.browser();
    const page = await (await browser.get("/sign-in")).text();
    const [path = ""] = /\/assets\/passkeys-[0-9a-f]{12}\.js/.exec(page) ?? [];
    const script = await browser.get(path);
    expect(script.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    expect(script.headers.get("cache-control")).toContain("immutable");
    expect(new Script(await script.text())).toBeDefined();
    for (const plain of ["/", "/sign-up", "/reset"]) {
      const answer = await browser.get(plain);
      expect(answer.headers.get("content-security-policy")).not.toContain("script-src");
      expect(await answer.text()).not.toContain("<script");
    }
  });
});

describe("proving anew for the extension", () => {
  /** An extension's session of the person, with the browser's consent. */
  const connected = async (browser: Browser) => {
    const { verifier, fields } = connectRequest();
    const approved = await browser.post("/connect", { ...fields, action: "approve" });
    const code = new URL(where(approved) ?? "").searchParams.get("code") ?? "";
    return server.connect.exchange({ code, verifier, redirectUri: REDIRECT }, about);
  };

  it("asks for a proof of now, and gives the extension's session a new token with it", async () => {
    const { browser } = await member("ext@x.example");
    const before = await connected(browser);
    server.clock.advance(61_000);
    const { verifier, fields, path } = connectRequest("login");
    const prove = where(await browser.get(path));
    expect(prove).toBe(`/prove?${new URLSearchParams({ next: path })}`);
    expect(await (await browser.get(prove ?? "")).text()).toContain("The extension is about to do");
    expect((await browser.post("/prove", { password: "falsche gurken hier", next: path })).status).toBe(200);
    expect(where(await browser.post("/prove", { password: PASSWORD, next: path }))).toBe(path);
    expect(await (await browser.get(path)).text()).toContain("Connect again, with your proof?");
    const approved = await browser.post("/connect", { ...fields, action: "approve" });
    const code = new URL(where(approved) ?? "").searchParams.get("code") ?? "";
    const after = await server.connect.exchange(
      { code, verifier, redirectUri: REDIRECT },
      about,
      await actorOf(before.token),
    );
    expect(after.me.session.id).toBe(before.me.session.id);
    expect(Date.parse(after.me.session.provenUntil)).toBe(server.clock.now() + 10 * MINUTE_MS);
    expect(await server.sessions.find(before.token, about)).toBeUndefined();

    server.clock.advance(10 * MINUTE_MS + 1);
    const late = connectRequest("login");
    expect(where(await browser.post("/connect", { ...late.fields, action: "approve" }))).toBe(
      `/prove?${new URLSearchParams({ next: late.path })}`,
    );
    expect((await browser.get(connectRequest().path)).status).toBe(200);
  });

  it("asks for the code of an app that was set up since", async () => {
    const { browser, code } = await withApp("since@x.example");
    const { path } = connectRequest("login");
    const prove = where(await browser.get(path)) ?? "";
    expect(prove).toContain("/prove?");
    expect(await (await browser.get(prove)).text()).toContain("Six digits from your app");
    const without = await browser.post("/prove", { password: PASSWORD, next: path });
    expect(await without.text()).toContain("Type the code the app shows");
    expect(where(await browser.post("/prove", { password: PASSWORD, answer: code(), next: path }))).toBe(path);
    expect((await browser.get(path)).status).toBe(200);
    expect(await actorOf(browser.cookies.get("perch") ?? "")).toMatchObject({ method: "password_totp" });
  });

  it("ABUSE-06 a proof puts a new token in the place of the earlier one", async () => {
    const { browser } = await member("rotate@x.example");
    const before = browser.cookies.get("perch") ?? "";
    await browser.post("/prove", { password: PASSWORD });
    const thief = server.browser();
    thief.cookies.set("perch", before);
    expect(where(await thief.get(PASSKEYS))).toContain("/sign-in");
    expect((await browser.get(PASSKEYS)).status).toBe(200);
  });
});
