import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CHROME_EXTENSION_ID } from "../../../shared/accounts.ts";
import { POLICY } from "../../../shared/policy/policy-v1.ts";
import { type TestDatabase, testSqlite } from "../../db/testing.ts";
import { PASSKEY_SCRIPT_PATH } from "./passkey-form.ts";
import { startPages, type TestPages } from "./testing.ts";

const PASSWORD = "blaue gurken tanzen";
const REDIRECT = `https://${CHROME_EXTENSION_ID}.chromiumapp.org/connected`;

let test: TestDatabase;
let server: TestPages;
beforeAll(async () => {
  test = await testSqlite.open();
});
beforeEach(() => {
  server = startPages(test.db);
});
afterAll(() => test.dispose());

const pathOf = (link: string | undefined) => {
  const url = new URL(link ?? "");
  return url.pathname + url.search;
};
const signUp = async (email: string, browser = server.browser()) => {
  const answer = await browser.post("/sign-up", { email, fullName: "", password: PASSWORD });
  expect(answer.status).toBe(303);
  return pathOf((await server.linksTo(email))[0]);
};
const tokenOf = (path: string) => new URL(path, "http://x").searchParams.get("token") ?? "";
const member = async (email: string) => {
  await server.accounts.create({ email, password: PASSWORD }, "operator");
  const browser = server.browser();
  expect((await browser.post("/sign-in", { email, password: PASSWORD })).status).toBe(303);
  return browser;
};
const connectPath = () =>
  `/connect?${new URLSearchParams({
    response_type: "code",
    client_id: "perch-extension",
    redirect_uri: REDIRECT,
    state: randomBytes(16).toString("base64url"),
    code_challenge: createHash("sha256").update("v".repeat(43)).digest("base64url"),
    code_challenge_method: "S256",
  })}`;
const fieldsOf = (path: string) => Object.fromEntries(new URL(path, "http://x").searchParams);
const rows = async () => {
  const { users, sessions, oneTimeTokens, connectCodes, mailOutbox, supportRequests } = test.db.t;
  const counts = [users, sessions, oneTimeTokens, connectCodes, mailOutbox, supportRequests].map((table) =>
    test.db.read.$count(table),
  );
  return Promise.all(counts);
};

describe("pages", () => {
  it("shows home with policy and contact links, to anybody", async () => {
    const text = await (await server.browser().get("/")).text();
    expect(text).toContain('href="/privacy"');
    expect(text).toContain('href="/support"');
    expect(text).toContain("chrome-mv3");
  });

  it("publishes every clause of the policy, with its number and date", async () => {
    const text = await (await server.browser().get("/privacy")).text();
    for (const { id } of POLICY.clauses) expect(text).toContain(`id="${id}"`);
    expect(text).toContain("19 April 2026");
    expect(text).toContain("Version 1");
  });

  it("walks through sign-up, mail, confirmation, sign-out and sign-in", async () => {
    const browser = server.browser();
    const link = await signUp("walk@x.example", browser);
    expect(await (await browser.get(link)).text()).toContain("Confirm your address");
    const wrong = await browser.post("/confirm", { token: tokenOf(link), password: "rote gurken tanzen" });
    expect(wrong.status).toBe(400);
    expect(await wrong.text()).toContain("not the password chosen at sign-up");
    const done = await browser.post("/confirm", { token: tokenOf(link), password: PASSWORD });
    expect(done.headers.get("location")).toBe("/");
    const [cookie = ""] = done.headers.getSetCookie();
    expect(cookie).toMatch(/^perch=cp_[\w-]{43}; Max-Age=5184000; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(await (await browser.get("/")).text()).toContain("walk@x.example");
    expect((await browser.post("/sign-out", {})).status).toBe(303);
    expect(browser.cookies.size).toBe(0);
    expect((await browser.post("/sign-in", { email: "walk@x.example", password: PASSWORD })).status).toBe(303);
    expect(await (await browser.get("/")).text()).toContain("walk@x.example");
  });

  it("names the cookie __Host- and marks it Secure under https, and asks for TLS from then on", async () => {
    const secure = startPages(test.db, { publicUrl: "https://perch.example" });
    await secure.accounts.create({ email: "tls@x.example", password: PASSWORD }, "operator");
    const answer = await secure.browser().post("/sign-in", { email: "tls@x.example", password: PASSWORD });
    expect(answer.headers.getSetCookie()[0]).toMatch(
      /^__Host-perch=cp_[\w-]+; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    );
    expect(answer.headers.get("strict-transport-security")).toBe("max-age=31536000");
  });

  it("keeps what was typed and says what to correct", async () => {
    const answer = await server
      .browser()
      .post("/sign-up", { email: "no address", fullName: "Ada <b>", password: "kurz" });
    const text = await answer.text();
    expect(answer.status).toBe(400);
    expect(text).toContain("This is not an e-mail address.");
    expect(text).toContain("Use at least 12 characters.");
    expect(text).toContain('value="Ada &lt;b&gt;"');
    expect(text).not.toContain("kurz");
    expect(text).toContain('aria-invalid="true"');
  });

  it("takes a support message, mails a receipt, and refuses card numbers", async () => {
    const browser = server.browser();
    const message = { email: "s@x.example", kind: "question", message: "How do I park a phone?" };
    const answer = await browser.post("/support", message);
    expect(await answer.text()).toContain("31 January 2026");
    const { supportRequests } = test.db.t;
    expect(await test.db.read.select().from(supportRequests)).toMatchObject([
      { kind: "question", email: "s@x.example", message: message.message, answeredAt: null },
    ]);
    expect((await server.mail.preview()).some(({ recipient }) => recipient === "s@x.example")).toBe(true);
    const card = await browser.post("/support", { ...message, message: "charge 4242 4242 4242 4242 please" });
    expect(card.status).toBe(400);
    expect(await card.text()).toContain("card number");
    expect(await test.db.read.$count(supportRequests)).toBe(1);
  });

  it("says so in words, with the reference, when there is no page or too many tries", async () => {
    const browser = server.browser();
    const missing = await browser.get("/nothing");
    expect(missing.status).toBe(404);
    expect(await missing.text()).toContain("11111111-2222-4333-8444-555555555555");
    const answers = [];
    for (let n = 0; n < 11; n += 1)
      answers.push(await browser.post("/sign-in", { email: "x@x.example", password: "falsch falsch" }));
    expect(answers.at(-1)?.status).toBe(429);
    expect(Number(answers.at(-1)?.headers.get("retry-after"))).toBeGreaterThan(0);
  });

  it("gives machines security.txt and gpc.json", async () => {
    const browser = server.browser();
    const security = await (await browser.get("/.well-known/security.txt")).text();
    // RFC 9116: the two that must be there, once each, an end within a year, and the address it was read from.
    expect(security).toContain("Contact: http://localhost:8787/support\nExpires: 2026-06-30T00:00:00.000Z");
    expect(security).toContain("Canonical: http://localhost:8787/.well-known/security.txt\n");
    const policy = /^Policy: (.*)$/m.exec(security)?.[1] ?? "";
    expect(await (await browser.get(pathOf(policy))).text()).toContain("Report a security problem");
    expect(await (await browser.get("/.well-known/gpc.json")).json()).toEqual({ gpc: true, lastUpdate: "2026-04-19" });
  });

  it("sends strict headers with every page and every error", async () => {
    const browser = server.browser();
    for (const path of [
      "/",
      "/privacy",
      "/support",
      "/sign-in",
      "/sign-up",
      "/reset",
      "/setup",
      "/mail",
      "/nothing",
      "/connect",
    ]) {
      const { headers } = await browser.get(path);
      const scripts = path === "/sign-in" ? "script-src 'self'; connect-src 'self'; " : "";
      expect(headers.get("content-security-policy"), path).toBe(
        `default-src 'none'; ${scripts}style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
      );
      expect(headers.get("referrer-policy"), path).toBe("same-origin");
      expect(headers.get("cache-control"), path).toBe("no-store");
      expect(headers.get("x-frame-options"), path).toBe("DENY");
      expect(headers.getSetCookie(), path).toEqual([]);
    }
  });
});

describe("connect page", () => {
  it("asks to sign in first and comes back", async () => {
    const path = connectPath();
    const browser = server.browser();
    const answer = await browser.get(path);
    expect(answer.headers.get("location")).toBe(`/sign-in?${new URLSearchParams({ next: path })}`);
    await server.accounts.create({ email: "back@x.example", password: PASSWORD }, "operator");
    const signedIn = await browser.post("/sign-in", { email: "back@x.example", password: PASSWORD, next: path });
    expect(signedIn.headers.get("location")).toBe(path);
  });

  it("mints a code only when the person presses Connect", async () => {
    const browser = await member("consent@x.example");
    const path = connectPath();
    const before = await rows();
    for (let n = 0; n < 2; n += 1) {
      const page = await browser.get(path);
      expect(page.headers.get("content-security-policy")).toContain(
        `form-action 'self' https://${CHROME_EXTENSION_ID}.chromiumapp.org;`,
      );
      expect(await page.text()).toContain("Chrome 156 on Linux");
    }
    expect(await rows()).toEqual(before);
    const declined = new URL(
      (await browser.post("/connect", { ...fieldsOf(path), action: "decline" })).headers.get("location") ?? "",
    );
    expect(declined.searchParams.get("error")).toBe("access_denied");
    const approved = new URL(
      (await browser.post("/connect", { ...fieldsOf(path), action: "approve" })).headers.get("location") ?? "",
    );
    const code = approved.searchParams.get("code") ?? "";
    const exchanged = await server.connect.exchange(
      { code, verifier: "v".repeat(43), redirectUri: REDIRECT },
      { requestId: "r", ip: "127.0.0.1", userAgent: "" },
    );
    expect(exchanged.me.user.email).toBe("consent@x.example");
  });

  it("never redirects for a request that is not from a known extension", async () => {
    const browser = await member("evil@x.example");
    const path = connectPath().replace(encodeURIComponent(REDIRECT), encodeURIComponent("https://evil.test/"));
    for (const answer of [
      await browser.get(path),
      await browser.post("/connect", { ...fieldsOf(path), action: "approve" }),
    ]) {
      expect(answer.status).toBe(400);
      expect(answer.headers.get("location")).toBeNull();
    }
  });

  it("goes on to our own connect page only", async () => {
    await server.accounts.create({ email: "next@x.example", password: PASSWORD }, "operator");
    for (const next of [
      "https://evil.test/",
      "//evil.test/connect?",
      "/connect?\\..\\..",
      "/\\evil.test/connect?x",
      "/connect/../mail?x",
      "javascript:alert(1)",
    ]) {
      const answer = await server.browser().post("/sign-in", { email: "next@x.example", password: PASSWORD, next });
      const target = new URL(answer.headers.get("location") ?? "", "http://localhost:8787");
      expect(target.origin).toBe("http://localhost:8787");
      expect(["/", "/connect"]).toContain(target.pathname);
    }
  });

  it("does not take an extension's token for a web session", async () => {
    const browser = await member("ext@x.example");
    const path = connectPath();
    const approved = await browser.post("/connect", { ...fieldsOf(path), action: "approve" });
    const code = new URL(approved.headers.get("location") ?? "").searchParams.get("code") ?? "";
    const { token } = await server.connect.exchange(
      { code, verifier: "v".repeat(43), redirectUri: REDIRECT },
      { requestId: "r", ip: "127.0.0.1", userAgent: "" },
    );
    const thief = server.browser();
    thief.cookies.set("perch", token);
    expect((await thief.get(path)).status).toBe(303);
  });
});

describe("abuse of the pages", () => {
  it("ABUSE-14 a page a script fetches knows nobody, whatever cookie comes along", async () => {
    const browser = await member("fetched@x.example");
    for (const path of ["/", "/sign-in", connectPath()]) {
      const fetched = await browser.get(path, { "sec-fetch-dest": "empty", "sec-fetch-site": "same-origin" });
      expect(await fetched.text(), path).not.toContain("fetched@x.example");
    }
    expect(await (await browser.get("/", { "sec-fetch-dest": "document" })).text()).toContain("fetched@x.example");
  });

  it("ABUSE-17 what is typed comes back as text, never as a part of the page", async () => {
    const payloads = [
      '"><script>alert(1)</script>',
      "'><img src=x onerror=alert(1)>",
      "</textarea><svg onload=alert(1)>",
      "</title><iframe srcdoc='<script>alert(1)</script>'>",
      "javascript:alert(1)//",
      '" autofocus onfocus=alert(1) x="',
      "<b>{{7*7}}</b>",
    ];
    const browser = server.browser();
    for (const text of payloads) {
      const answers = [
        await browser.post("/sign-up", { email: text, fullName: text, password: "kurz" }),
        await browser.post("/sign-in", { email: text, password: "", next: text }),
        await browser.post("/support", { email: text, kind: text, message: text }),
        await browser.post("/reset", { email: text }),
        await browser.get(`/confirm?${new URLSearchParams({ token: text })}`),
        await browser.get(`/reset/new?${new URLSearchParams({ token: text })}`),
        await browser.get(`/sign-in?${new URLSearchParams({ next: text })}`),
        await browser.get(`/connect?${new URLSearchParams({ state: text, redirect_uri: text })}`),
        await browser.get(`/${encodeURIComponent(text)}`),
      ];
      for (const answer of answers) {
        // The one script of ours.
        const page = (await answer.text()).replaceAll(`<script src="${PASSKEY_SCRIPT_PATH}" defer></script>`, "");
        if (/[<"]/.test(text)) expect(page).not.toContain(text);
        expect(page).not.toMatch(/<(script|iframe|img|b>|svg onload)|(href|src|action)="javascript/);
      }
    }
  });

  it("ABUSE-05 no issued secret can be found in the database", async () => {
    const browser = server.browser();
    const link = await signUp("leak@x.example", browser);
    await browser.post("/confirm", { token: tokenOf(link), password: PASSWORD });
    const pending = tokenOf(await signUp("leak2@x.example"));
    await browser.post("/reset", { email: "leak@x.example" });
    const reset = (await server.mail.preview()).find(({ subject }) => subject === "Set a new Perch password");
    const resetToken = /token=([\w-]{43})/.exec(reset?.text ?? "")?.[1] ?? "";
    const approved = await browser.post("/connect", { ...fieldsOf(connectPath()), action: "approve" });
    const code = new URL(approved.headers.get("location") ?? "").searchParams.get("code") ?? "";
    const secrets = [tokenOf(link), pending, resetToken, code, browser.cookies.get("perch") ?? "", PASSWORD];
    for (const secret of secrets) expect(secret.length).toBeGreaterThan(15);
    const dump = JSON.stringify(
      await Promise.all(Object.values(test.db.t).map((table) => test.db.read.select().from(table))),
    );
    expect(dump).toContain("leak@x.example");
    for (const secret of secrets) expect(dump.includes(secret.replace(/^cp_/, ""))).toBe(false);
  });

  it("ABUSE-06 signing in ends the session the browser had", async () => {
    const browser = await member("fix@x.example");
    const before = browser.cookies.get("perch") ?? "";
    await browser.post("/sign-in", { email: "fix@x.example", password: PASSWORD });
    expect(browser.cookies.get("perch")).not.toBe(before);
    expect(await server.sessions.find(before, { requestId: "r", ip: "127.0.0.1", userAgent: "" })).toBe("ended");
  });

  it("ABUSE-09 opening the links of mails, however often, does nothing", async () => {
    const link = await signUp("scan@x.example");
    await server.accounts.create({ email: "scan2@x.example", password: PASSWORD }, "operator");
    await server.browser().post("/reset", { email: "scan2@x.example" });
    const reset = pathOf((await server.linksTo("scan2@x.example"))[0]);
    const setup = pathOf((await startPages(test.db).accounts.issueSetupLink()) ?? "http://x/setup?token=none");
    const before = await rows();
    for (const path of [link, reset, setup, link, reset, setup]) {
      const answer = await server.browser().get(path);
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
    expect(await rows()).toEqual(before);
    expect((await server.browser().post("/confirm", { token: tokenOf(link), password: PASSWORD })).status).toBe(303);
    const fields = { token: tokenOf(reset), password: "gelbe gurken singen" };
    expect((await server.browser().post("/reset/new", fields)).status).toBe(200);
    expect((await server.browser().post("/reset/new", fields)).status).toBe(404);
  });

  it.each([
    ...["/sign-in", "/sign-up", "/sign-out", "/confirm", "/reset", "/reset/new", "/setup", "/connect", "/support"],
    ...["/sign-in/code", "/sign-in/passkey", "/sign-in/passkey/question"],
    ...["/prove", "/prove/passkey", "/prove/passkey/question"],
    ...["", "/question", "/rename", "/remove"].map((path) => `/account/passkeys${path}`),
  ])("ABUSE-13 %s takes plain forms of our own pages and nothing else", async (path) => {
    const browser = server.browser();
    const before = await rows();
    for (const type of [
      "multipart/form-data; boundary=x",
      "text/plain",
      "application/json",
      "application/octet-stream",
      "",
    ]) {
      expect((await browser.post(path, { email: "c@x.example" }, { "content-type": type })).status, type).toBe(415);
    }
    for (const origin of [
      "https://evil.test",
      "null",
      "http://localhost:8788",
      "https://localhost:8787",
      `chrome-extension://${CHROME_EXTENSION_ID}`,
      "",
    ]) {
      expect((await browser.post(path, {}, { origin })).status, origin).toBe(403);
    }
    for (const site of ["cross-site", "same-site", "none"]) {
      expect((await browser.post(path, {}, { "sec-fetch-site": site })).status, site).toBe(403);
    }
    expect(await rows()).toEqual(before);
  });

  it("ABUSE-40 the outbox opens at the machine only, whatever headers say", async () => {
    await signUp("box@x.example");
    expect(await (await server.browser().get("/mail")).text()).toContain("box@x.example");
    expect((await server.browser({ ip: "::1" }).get("/mail")).status).toBe(200);
    expect((await server.browser({ ip: "192.0.2.7" }).get("/mail")).status).toBe(404);
    for (const header of ["x-forwarded-for", "forwarded", "x-real-ip", "via"]) {
      expect((await server.browser().get("/mail", { [header]: "127.0.0.1" })).status, header).toBe(404);
      expect((await server.browser({ ip: "192.0.2.7" }).get("/mail", { [header]: "127.0.0.1" })).status, header).toBe(
        404,
      );
    }
    const [mail] = await server.mail.preview();
    const letter = `/mail/${mail?.id}?look=dark`;
    const shown = await server.browser().get(letter);
    expect(shown.headers.get("content-security-policy")).toMatch(/^sandbox; default-src 'none'; style-src/);
    const html = await shown.text();
    expect(html).toContain(mail?.subject);
    expect(html).not.toContain("prefers-color-scheme");
    expect((await server.browser({ ip: "192.0.2.7" }).get(letter)).status).toBe(404);
    expect((await server.browser().get(letter, { via: "x" })).status).toBe(404);
    expect((await server.browser().get("/mail/none")).status).toBe(404);
    for (const dest of ["empty", "iframe", "script", "image"]) {
      expect((await server.browser().get("/mail", { "sec-fetch-dest": dest })).status, dest).toBe(404);
    }
    expect((await server.browser().get("/mail", { "sec-fetch-dest": "document" })).status).toBe(200);
    const behindProxy = startPages(test.db, { publicUrl: "https://perch.example" });
    expect((await behindProxy.browser().get(letter)).status).toBe(404);
    expect((await behindProxy.browser().get("/mail")).status).toBe(404);
    const mailing = startPages(test.db, { smtpUrl: "smtp://127.0.0.1:9" });
    expect((await mailing.browser().get("/mail")).status).toBe(404);
  });
});
