import { createServer } from "node:http";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { API_VERSION } from "../../shared/version.ts";
import { type StubServer, startStubServer } from "../testing/stub-server.ts";
import { probeServer, serverOrigin } from "./probe.ts";

let server: StubServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});
const known = { online: true, hasPermission: true };

describe("serverOrigin", () => {
  it.each([
    ["localhost:8787", "http://localhost:8787"],
    [" 127.0.0.1:8787 ", "http://127.0.0.1:8787"],
    ["phones.example.org", "https://phones.example.org"],
    ["phones.example.org:8443/path?x", "https://phones.example.org:8443"],
    ["http://nas.lan:8787/", "http://nas.lan:8787"],
    ["HTTPS://Phones.Example.ORG", "https://phones.example.org"],
  ])("reads %s as %s", (typed, origin) => {
    expect(serverOrigin(typed)).toBe(origin);
  });

  it.each([
    "",
    "   ",
    "ftp://phones.example.org",
    "https://user:pass@phones.example.org",
    "https://",
    "a b c",
    "javascript:alert(1)",
  ])("refuses %j", (typed) => {
    expect(serverOrigin(typed)).toBeUndefined();
  });

  it("gives an http origin or nothing, whatever is typed, and reads its own answer back", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl()), (typed) => {
        const origin = serverOrigin(typed);
        if (origin === undefined) return;
        expect(origin).toMatch(/^https?:\/\/[^/?#@]+$/);
        expect(serverOrigin(origin)).toBe(origin);
      }),
    );
  });
});

describe("probeServer", () => {
  it("knows a Perch server", async () => {
    server = await startStubServer();
    expect(await probeServer(server.origin, known)).toMatchObject({ ok: true, health: { product: "perch" } });
  });

  it("tells older and newer servers apart", async () => {
    server = await startStubServer({ health: { product: "perch", apiVersion: API_VERSION + 1, version: "9.0.0" } });
    expect(await probeServer(server.origin, known)).toMatchObject({
      failure: { kind: "wrong_version", serverNewer: true },
    });
  });

  it("recognises that something else answers", async () => {
    server = await startStubServer({ health: "<html>hello</html>" });
    expect(await probeServer(server.origin, known)).toMatchObject({ failure: { kind: "not_perch" } });
  });

  it("says when nothing answers", async () => {
    server = await startStubServer();
    const { origin } = server;
    await server.close();
    server = undefined;
    expect(await probeServer(origin, known)).toEqual({
      ok: false,
      failure: { kind: "server_unreachable", server: origin },
    });
  });

  it("does not follow a redirect to another server", async () => {
    server = await startStubServer();
    const { origin } = server;
    const detour = createServer((_, response) => response.writeHead(302, { Location: `${origin}/healthz` }).end());
    await new Promise<void>((resolve) => detour.listen(0, "localhost", resolve));
    const address = detour.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const probe = await probeServer(`http://localhost:${port}`, known);
    detour.close();
    expect(probe.ok).toBe(false);
  });
});
