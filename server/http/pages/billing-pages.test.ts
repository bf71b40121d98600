import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestDatabase, testSqlite } from "../../db/testing.ts";
import type { InvoicePage } from "./billing-pages.ts";
import { startPages, type TestPages } from "./testing.ts";

const invoice: InvoicePage = {
  ...{ number: "R-1", words: "<b>Solo</b>, monthly", amount: 1_200, currency: "usd", state: "open" },
  url: "https://invoice.stripe.com/i/acct_1/secret",
};

describe("pages about billing", () => {
  let test: TestDatabase;
  let pages: TestPages;
  const asked: string[] = [];
  beforeAll(async () => {
    test = await testSqlite.open();
    pages = startPages(test.db, {
      async invoicePage(id) {
        asked.push(id);
        return id === "in_1" ? invoice : undefined;
      },
    });
  });
  afterAll(() => test.dispose());
  const get = async (path: string) => {
    const answer = await pages.browser().get(path);
    return { status: answer.status, text: await answer.text() };
  };

  it.each(["/billing", "/billing/done?checkout=chk_1", "/billing/left"])("%s says where to go on", async (path) => {
    expect(await get(path)).toMatchObject({ status: 200, text: expect.stringContaining("Perch") });
  });
  it("leads from a mail to the page where an invoice is paid", async () => {
    const { status, text } = await get("/billing/invoice?id=in_1");
    expect(status).toBe(200);
    expect(text).toContain("$12.00");
    expect(text).toContain("&lt;b&gt;Solo&lt;/b&gt;");
    expect(text).toContain(`href="${invoice.url}" rel="noreferrer"`);
  });
  it("knows nothing of any other, and looks for nothing that is no invoice", async () => {
    asked.length = 0;
    expect((await get("/billing/invoice?id=in_2")).status).toBe(404);
    for (const id of ["", "in_", "in_1%27--", "cus_1", "in_1/.."]) {
      expect((await get(`/billing/invoice?id=${id}`)).status).toBe(404);
    }
    expect(asked).toEqual(["in_2"]);
  });
});
