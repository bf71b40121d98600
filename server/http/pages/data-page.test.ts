import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { readArchive } from "../../privacy/export/testing.ts";
import { signIn, startTestServer, type TestPerson, type TestServer } from "../../testing.ts";

describe("the page about one's data", () => {
  let server: TestServer;
  let data: string;
  beforeAll(async () => {
    data = mkdtempSync(join(tmpdir(), "perch-data-page-"));
    server = await startTestServer({ DATA_DIR: data, KEY_FILE: `${data}.key` });
  });
  afterAll(async () => {
    await server.dispose();
    for (const path of [data, `${data}.key`]) rmSync(path, { recursive: true, force: true });
  });

  /** A browser of somebody who is signed in on the web, and proved it `agoMs` ago. */
  async function browserOf(person: TestPerson, agoMs = 0) {
    const session = await server.db.tx((tx) =>
      server.accounts.sessions.create(tx, {
        userId: person.userId,
        kind: "web",
        authenticatedAt: new Date(server.clock.now() - agoMs),
        method: "password",
        about: { requestId: "", ip: "127.0.0.1", userAgent: "test" },
      }),
    );
    const headers = { cookie: `perch=${session.token}` };
    const origin = new URL(server.url).origin;
    return {
      get: () => fetch(`${server.url}/account/data`, { headers, redirect: "manual" }),
      post: (path: string, fields: Record<string, string> | FormData) =>
        fetch(`${server.url}/account/data/${path}`, {
          method: "POST",
          headers: { ...headers, origin, "sec-fetch-site": "same-origin" },
          body: fields instanceof FormData ? fields : new URLSearchParams(fields),
          redirect: "manual",
        }),
    };
  }
  const fieldOf = (page: string, name: string) => new RegExp(`name="${name}" value="([^"]+)"`).exec(page)?.[1] ?? "";

  it("is for people who are signed in", async () => {
    const answer = await fetch(`${server.url}/account/data`, { redirect: "manual" });
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/sign-in?next=%2Faccount%2Fdata"]);
  });

  it("makes a copy, shows how far it is, gives it, and removes it", async () => {
    const anna = await signIn(server);
    const browser = await browserOf(anna);
    const before = await (await browser.get()).text();
    expect(before).toMatch(/Records<\/dt><dd>\d/);
    const key = fieldOf(before, "key");
    expect((await browser.post("export", { key })).headers.get("location")).toBe("/account/data");
    const ready = await vi.waitUntil(async () => {
      server.clock.advance(100);
      const answer = await browser.get();
      const page = await answer.text();
      if (page.includes("being made")) expect(answer.headers.get("refresh")).toBe("3");
      return page.includes("Your copy is ready") && page;
    }, 20_000);
    const id = fieldOf(ready, "id");
    const short = await browser.post("download", { id, passphrase: "short" });
    expect([short.status, await short.text()]).toEqual([400, expect.stringContaining("Use at least 8 characters")]);
    const download = await browser.post("download", { id, passphrase: "" });
    expect(download.headers.get("content-disposition")).toContain("perch-data-");
    const zip = Buffer.from(await download.arrayBuffer());
    expect((await readArchive(zip)).manifest.person.id).toBe(anna.userId);
    expect(await (await browser.get()).text()).toContain("<dt>Downloads left</dt><dd>4</dd>");

    const stale = await browserOf(anna, 3_600_000);
    expect((await stale.post("download", { id, passphrase: "" })).headers.get("location")).toBe(
      "/prove?next=%2Faccount%2Fdata",
    );
    const stranger = await browserOf(await signIn(server));
    expect((await stranger.post("download", { id, passphrase: "" })).status).toBe(404);

    await browser.post("remove", { id });
    expect(await (await browser.get()).text()).toContain("You removed it");

    const form = new FormData();
    form.set("file", new Blob([new Uint8Array(zip)]), "perch-data.zip");
    form.set("mode", "preview");
    const preview = await (await browser.post("import", form)).text();
    expect(preview).toContain("What would come");
    expect(preview).toContain("Nothing new is in it.");
    form.set("file", new Blob(["nonsense"]), "perch-data.zip");
    const refused = await browser.post("import", form);
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining("not a zip file")]);
  });
});
