import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newId } from "../../../shared/ids.ts";
import { REQUEST_KINDS, type SignedReceipt } from "../../../shared/privacy.ts";
import { type TestDatabase, testSqlite } from "../../db/testing.ts";
import { type ReceiptKey, verifyReceipt } from "../../privacy/receipts.ts";
import { RIGHT_LABELS } from "../../privacy/requests/request-words.ts";
import { QUICK_PASSWORDS, startPages, type TestPages } from "./testing.ts";

const PASSWORD = "blaue gurken tanzen";
let test: TestDatabase;
let pages: TestPages;
let email: string;
let from = 0;
beforeAll(async () => {
  test = await testSqlite.open();
});
afterAll(() => test.dispose());
beforeEach(async () => {
  await test.db.tx((tx) => tx.delete(test.db.t.mailOutbox));
  pages = startPages(test.db, { passwords: QUICK_PASSWORDS });
  email = `${newId("user").toLowerCase()}@x.example`;
  await pages.accounts.create({ email, password: PASSWORD, fullName: "Anna <b>" }, "operator");
});

const browser = () => pages.browser({ ip: `203.0.113.${from++ % 250}` });
const ask = (right: string, address = email, message = "", who = browser()) =>
  who.post("/support", { email: address, kind: "privacy", right, message });
const signedIn = async () => {
  const who = browser();
  expect((await who.post("/sign-in", { email, password: PASSWORD })).status).toBe(303);
  return who;
};
const pathOf = (link: string) => link.replace(pages.publicUrl.origin, "");
const tokenOf = (link: string) => new URL(link).searchParams.get("token") ?? "";
const linkTo = async (address = email) =>
  (await pages.linksTo(address)).find((link) => link.includes("/data-request?")) ?? "";
const receiptIn = (page: string) =>
  /href="(\/data-request\/receipt\?[^"]+)"/.exec(page)?.[1]?.replaceAll("&amp;", "&") ?? "";

describe("the support page", () => {
  it("offers every right, chosen beforehand by a link, without a script", async () => {
    const page = await (await browser().get("/support?kind=privacy&right=delete")).text();
    for (const kind of REQUEST_KINDS) expect(page).toContain(`>${RIGHT_LABELS[kind]}</option>`);
    expect(page).toContain('<option value="privacy" selected>');
    expect(page).toContain('<option value="delete" selected>');
    expect(page).not.toContain("<script");
    expect(await (await browser().get("/support")).text()).not.toContain("selected");
  });

  it("asks for what is missing, beside the field", async () => {
    const none = await ask("");
    expect(none.status).toBe(400);
    expect(await none.text()).toContain("Choose what we are to do with your data.");
    const empty = await (await ask("rectify")).text();
    expect(empty).toMatch(/id="message-note">Write what is wrong/);
    expect(await (await ask("access", email, "4242 4242 4242 4242")).text()).toContain("card number");
    expect(await test.db.read.$count(test.db.t.dataRequests)).toBe(0);
  });

  it("answers alike whether or not there is an account, and gives number and day", async () => {
    const outcome = async (address: string) => {
      const answer = await ask("delete", address);
      const body = (await answer.text()).replaceAll(address, "E").replaceAll(/DR-2026-\d+/g, "N");
      return { status: answer.status, body, headers: [...answer.headers].toSorted() };
    };
    const [known, unknown] = [await outcome(email), await outcome("nobody@nobody.example")];
    expect(known).toEqual(unknown);
    expect(known).toMatchObject({ status: 200, body: expect.stringContaining("<strong>31 January 2026</strong>") });
    expect(known.body).toContain("Your request has the number <strong>N</strong>");
  });
});

describe("the link of a request", () => {
  it("changes nothing when it is opened, and does once what was asked when it is confirmed", async () => {
    await ask("restrict");
    const link = await linkTo();
    for (let n = 0; n < 2; n += 1) {
      const page = await (await browser().get(pathOf(link))).text();
      expect(page).toContain("Is this request yours?");
      expect(page).toContain("to stop using your data and only keep it");
    }
    const done = await browser().post("/data-request", { token: tokenOf(link) });
    const page = await done.text();
    expect(page).toContain("Your data is only kept from now on");
    const actor = await pages.sessions.find((await pages.signedIn(email, PASSWORD)).token, {
      ...{ requestId: "", ip: "127.0.0.1", userAgent: "" },
    });
    expect(actor).toMatchObject({ standing: "restricted" });
    const again = await browser().post("/data-request", { token: tokenOf(link) });
    expect(again.status).toBe(404);
    expect(await again.text()).toContain("This link no longer works");
    expect((await browser().get(pathOf(link))).status).toBe(404);
  });

  it("shows who is locked out what is held about them, in counts, and nobody else's", async () => {
    await ask("access");
    const done = await browser().post("/data-request", { token: tokenOf(await linkTo()) });
    const page = await done.text();
    expect(page).toContain("What we hold about you");
    expect(page).toContain("<h3>E-mail address</h3>");
    expect(page).toContain("<h3>Password (hashed)</h3>");
    expect(page).not.toContain("Anna");
  });

  it("leaves an address without an account to a person, and says only that", async () => {
    await ask("access", "nobody@nobody.example");
    const done = await browser().post("/data-request", { token: tokenOf(await linkTo("nobody@nobody.example")) });
    expect(await done.text()).toContain("We have your request and answer by 31 January 2026");
  });
});

describe("who is signed in", () => {
  it("has the request done at once, for their own address only", async () => {
    const who = await signedIn();
    const access = await (await ask("access", email.toUpperCase(), "", who)).text();
    expect(access).toContain("<h3>E-mail address</h3>");
    expect(await (await ask("rectify", email, "My name is Ana.", who)).text()).toContain("answer by 31 January 2026");
    const foreign = await (await ask("access", "nobody@nobody.example", "", who)).text();
    expect(foreign).toContain("One step is left");
    // Deleting takes the link all the same.
    expect(await (await ask("delete", email, "", who)).text()).toContain("One step is left");
  });
});

describe("a receipt", () => {
  it("says in words what became of the request, and can be checked with the published key alone", async () => {
    const page = await (await ask("object", email, "", await signedIn())).text();
    const path = receiptIn(page);
    const receipt = await (await browser().get(path)).text();
    expect(receipt).toMatch(/<dd><strong>Done<\/strong><\/dd>/);
    expect(receipt).toContain("to leave your use out of our numbers");
    const json = /<pre><code>([\s\S]+)<\/code>/.exec(receipt)?.[1]?.replaceAll("&quot;", '"') ?? "";
    const signed = JSON.parse(json) as SignedReceipt;
    const key = (await (await browser().get("/trust/key")).json()) as ReceiptKey;
    expect(key).toMatchObject({ algorithm: "Ed25519", keyId: signed.keyId });
    expect(verifyReceipt(signed, key.publicKey)).toBe(true);
    expect(receipt).not.toContain("x.example");
    const stranger = await browser().get(`${path.slice(0, -1)}${path.endsWith("A") ? "B" : "A"}x`);
    expect(stranger.status).toBe(404);
  });
});
