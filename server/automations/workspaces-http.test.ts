import { randomBytes } from "node:crypto";
import { unzipSync, zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, signIn, startTestServer, type TestPerson, type TestServer } from "../testing.ts";

describe("files over HTTP", () => {
  let server: TestServer;
  let person: TestPerson;
  beforeAll(async () => {
    server = await startTestServer();
    person = await signIn(server);
  });
  afterAll(() => server.dispose());
  const ask = (path: string, input: unknown) => call(server, "mutation", path, input, person.token);

  it("takes an import of its size and gives it back", async () => {
    const large = Uint8Array.from(randomBytes(3_500_000));
    const files = { "shop/a.png": large, "shop/b.png": large, "shop/c.js": new TextEncoder().encode("1") };
    const source = { zip: Buffer.from(zipSync(files)).toString("base64") };
    const preview = await ask("workspaces.preview", source);
    if (!preview.ok) throw new Error(preview.error.message);
    const { plan } = preview.data as { plan: string };
    expect(await ask("workspaces.import", { source, plan })).toMatchObject({ ok: true, data: { flows: 0, files: 3 } });
    const answer = await fetch(`${server.url}/workspaces/export.zip?path=shop`, {
      headers: { authorization: `Bearer ${person.token}` },
    });
    expect(answer.headers.get("content-disposition")).toContain("shop.zip");
    expect(unzipSync(new Uint8Array(await answer.arrayBuffer()))).toEqual(files);
  });

  it("says what is wrong with an address of an export", async () => {
    const read = (query: string) =>
      fetch(`${server.url}/workspaces/export.zip${query}`, { headers: { authorization: `Bearer ${person.token}` } });
    expect((await read("?path=../etc")).status).toBe(400);
    expect((await read("?path=gone")).status).toBe(404);
    expect(await (await read("?path=..")).text()).toContain("no folder");
  });

  it("refuses a call that is larger than it may be", async () => {
    const post = (path: string, length: number) =>
      fetch(`${server.url}/trpc/${path}`, {
        method: "POST",
        headers: { authorization: `Bearer ${person.token}`, "content-type": "application/json" },
        body: JSON.stringify({ path: "a.png", base64: "A".repeat(length) }),
      });
    expect((await post("workspaces.saveFile", 5 * 1024 * 1024)).status).toBe(200);
    expect((await post("flows.save", 600_000)).status).toBe(413);
  });
});
