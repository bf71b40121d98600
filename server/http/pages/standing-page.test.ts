import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FASTEST_FORM_MS, SIGNALS } from "../../abuse/signals.ts";
import { type TestDatabase, testSqlite } from "../../db/testing.ts";
import { startPages, type TestPages } from "./testing.ts";

const PASSWORD = "blaue gurken tanzen";
const LANGUAGE = { "accept-language": "de,en;q=0.5" };
let test: TestDatabase;
let pages: TestPages;
beforeAll(async () => {
  test = await testSqlite.open();
  pages = startPages(test.db);
});
afterAll(() => test.dispose());

const stampOf = (text: string) => /name="opened" value="([^"]+)"/.exec(text)?.[1] ?? "";

/** Signs up by the form and confirms by the mail; gives the browser, signed in. */
async function signUp(email: string, fields: Record<string, string>, headers: Record<string, string> = {}) {
  const browser = pages.browser({ ip: `192.0.2.${email.length}` });
  const asked = await browser.post("/sign-up", { email, fullName: "", password: PASSWORD, ...fields }, headers);
  expect(asked.status).toBe(303);
  const [link = ""] = await pages.linksTo(email);
  const token = new URL(link).searchParams.get("token") ?? "";
  expect((await browser.post("/confirm", { token, password: PASSWORD })).status).toBe(303);
  return browser;
}

describe("the standing page", () => {
  it("says that nothing speaks against a person who filled in the form", async () => {
    const page = await (await pages.browser().get("/sign-up")).text();
    pages.clock.advance(FASTEST_FORM_MS);
    // A form that comes back with what was wrong keeps its stamp: correcting a typo is quick.
    const wrong = await pages
      .browser()
      .post("/sign-up", { email: "anna", fullName: "", password: PASSWORD, opened: stampOf(page) });
    const opened = stampOf(await wrong.text());
    expect(opened).toBe(stampOf(page));
    const browser = await signUp("anna@x.example", { opened }, LANGUAGE);
    expect(await (await browser.get("/account/standing")).text()).toContain("Nothing speaks against your account.");
  });

  it("asks who is not signed in to sign in, and comes back", async () => {
    const browser = pages.browser();
    const asked = await browser.get("/account/standing");
    expect(asked.headers.get("location")).toBe("/sign-in?next=%2Faccount%2Fstanding");
    const signedIn = await browser.post("/sign-in", {
      ...{ email: "anna@x.example", password: PASSWORD, next: "/account/standing" },
    });
    expect(signedIn.headers.get("location")).toBe("/account/standing");
    expect((await browser.post("/account/standing", {})).status).toBe(400);
  });

  it("gives the reasons, takes one's word without a script, and shows it as text", async () => {
    const browser = await signUp("prog@mailinator.com", {});
    const before = await (await browser.get("/account/standing")).text();
    expect(before).not.toContain("<script");
    for (const signal of ["disposable_address", "form_skipped", "language_missing"] as const) {
      expect(before).toContain(SIGNALS[signal].words);
    }
    const decisionId = /name="decisionId" value="([^"]+)"/.exec(before)?.[1] ?? "";
    const empty = await browser.post("/account/standing", { decisionId, text: " " });
    expect(empty.status).toBe(400);
    expect(await empty.text()).toContain("Write why this is wrong.");
    const text = "<img src=x> I use it for privacy.";
    expect((await browser.post("/account/standing", { decisionId, text })).status).toBe(303);
    const after = await (await browser.get("/account/standing")).text();
    expect(after).toContain("&lt;img src=x&gt; I use it for privacy.");
    expect(after).toContain("We have your word.");
    const stranger = pages.browser();
    await stranger.post("/sign-in", { email: "anna@x.example", password: PASSWORD });
    expect((await stranger.post("/account/standing", { decisionId, text: "x" })).status).toBe(404);
  });
});
