import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestDatabase, testSqlite } from "../../db/testing.ts";
import { informationSheet, recordsOfProcessing } from "../../privacy/map/records.ts";
import { startPages, type TestPages } from "./testing.ts";

describe("the page of what is processed", () => {
  let test: TestDatabase;
  let pages: TestPages;
  beforeAll(async () => {
    test = await testSqlite.open();
    pages = startPages(test.db);
  });
  afterAll(() => test.dispose());

  it("shows each purpose with what it is for, its clauses and when it goes, to anybody", async () => {
    const answer = await pages.browser().get("/trust/records");
    expect(answer.status).toBe(200);
    const text = await answer.text();
    for (const { categories, clauses } of recordsOfProcessing([]).activities) {
      for (const { label, leaves } of categories) {
        expect(text).toContain(`<li>${label}: ${leaves.join("; ")}.</li>`.replaceAll("'", "&#39;"));
      }
      for (const clause of clauses) expect(text).toContain(`<a href="/privacy#${clause}">${clause}</a>`);
    }
    expect(text).toContain("Nobody. Everything is on this server.");
  });

  it("is there for programs, too", async () => {
    const answer = await pages.browser().get("/trust/records.json");
    expect(answer.headers.get("content-type")).toContain("application/json");
    expect(await answer.json()).toEqual({ records: recordsOfProcessing([]), sheet: informationSheet([]) });
  });
});
