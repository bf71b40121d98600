import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestDatabase, testSqlite } from "../../db/testing.ts";
import { withSecondVersion } from "../../privacy/policy/policy.fixture.ts";
import { COOKIES, cookieNamed } from "../cookies.ts";
import type { PageServices, PagesEnv } from "./page-context.ts";
import { createPages } from "./pages.ts";
import { requestInfo, startPages, type TestPages } from "./testing.ts";

let opened: TestDatabase;
let pages: TestPages;
beforeAll(async () => {
  opened = await testSqlite.open();
  pages = startPages(opened.db, { versions: withSecondVersion("2020-01-01") });
});
afterAll(() => opened.dispose());

const textOf = async (path: string) => (await pages.browser().get(path)).text();

describe("the policy page", () => {
  it("lists every cookie, who works for the server, and every version", async () => {
    const text = await textOf("/privacy");
    for (const id of Object.keys(COOKIES) as (keyof typeof COOKIES)[]) {
      expect(text).toContain(`<code>${cookieNamed(id, pages.publicUrl)}</code>`);
      expect(text).toContain(COOKIES[id].purpose);
    }
    expect(text).toContain("Nobody: everything stays on the machine");
    expect(text).toContain('href="/privacy/versions/1"');
    expect(text).toContain('href="/trust"');
  });

  it("shows no version that was not announced, and no number that is none", async () => {
    expect(await textOf("/privacy")).not.toContain("Version 2");
    for (const version of ["2", "0", "1.0", "x", "01"]) {
      expect((await pages.browser().get(`/privacy/versions/${version}`)).status).toBe(404);
    }
    expect(await textOf("/privacy/versions/1")).toContain("In force since 19 April 2026.");
  });

  it("shows what was announced word by word, on its own page too, and to who signs up meanwhile", async () => {
    expect(await textOf("/sign-up")).toContain('<a href="/privacy">privacy policy</a>');
    pages.clock.advance(60_000);
    await pages.desks.policy.announce(2, "r");
    const text = await textOf("/privacy");
    expect(text).toContain("Version 2 comes");
    expect(text).toContain("older than <del>90</del> <ins>60</ins> days.");
    expect(text).toContain('id="P4.4"');
    const second = await textOf("/privacy/versions/2");
    expect(second).toContain("Announced; applies from");
    expect(second).toContain("<del>90</del>");
    const signUp = await textOf("/sign-up");
    expect(signUp).toContain("privacy policy, version 1");
    expect(signUp).toContain('href="/privacy/versions/2"');

    await pages.desks.policy.tell({ version: 2 }, { signal: { throwIfAborted() {} } } as never);
    await pages.desks.policy.tick();
    pages.clock.advance(14 * 24 * 3_600_000);
    const later = await textOf("/privacy");
    expect(later).toContain("Version 2 · last updated");
    expect(later).toContain("older than 60 days");
    expect(later).not.toContain("<del>");
    expect(await textOf("/privacy/versions/1")).toContain("An earlier version");
  });
});

describe("the home page", () => {
  it("has a contact link and one to what proves the promises, for who is not signed in", async () => {
    const text = await textOf("/");
    expect(text).toMatch(/<nav[^>]*>.*href="\/support"/s);
    expect(text).toMatch(/<footer.*href="\/trust".*href="\/support"/s);
    expect((await pages.browser().get("/support")).status).toBe(200);
  });
});

describe("a page that sets a cookie which is not as the register says", () => {
  it("fails, and the cookie does not leave", async () => {
    let publicUrl = pages.publicUrl;
    const app = new Hono<PagesEnv>().use(async (c, next) => {
      c.set("request", requestInfo());
      await next();
    });
    const services: PageServices = {
      ...pages.pageServices,
      get publicUrl() {
        return publicUrl;
      },
    };
    app.route("/", createPages(services));
    const signOut = () =>
      app.request(new URL("/sign-out", pages.publicUrl).href, {
        method: "POST",
        headers: { origin: pages.publicUrl.origin, "content-type": "application/x-www-form-urlencoded" },
      });
    expect((await signOut()).headers.getSetCookie()).toHaveLength(1);
    // Pages now write another name than the one the guard was made for.
    publicUrl = new URL("https://perch.example");
    const answer = await signOut();
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([500, []]);
  });
});
