import { request } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHROME_EXTENSION_ID } from "../../shared/accounts.ts";
import { signIn, startTestServer, type TestServer } from "../testing.ts";

let server: TestServer;
let token: string;
beforeAll(async () => {
  server = await startTestServer({ TRUSTED_PROXIES: "192.0.2.1" });
  token = (await signIn(server)).token;
});
afterAll(() => server.dispose());

/** A request with exactly these headers; `fetch` would not let a test write `Host` or `Origin`. */
async function send(
  path: string,
  headers: Record<string, string>,
  body?: string,
  method = body === undefined ? "GET" : "POST",
) {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: string }>((resolve, reject) => {
    const sent = request(
      { agent: false, host: "127.0.0.1", port: server.port, path, method, headers },
      async (response) => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: await text(response) });
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}
const local = () => ({ host: `localhost:${server.port}` });
const chrome = `chrome-extension://${CHROME_EXTENSION_ID}`;
const firefox = "moz-extension://01234567-89ab-cdef-0123-456789abcdef";

describe("names", () => {
  it.each(["evil.test", "localhost.evil.test", "127.0.0.1", "localhost:1", "[::1]"])(
    "ABUSE-21 refuses to be %s",
    async (host) => {
      const answer = await send("/healthz", { host });
      expect(answer.status).toBe(403);
      expect(answer.body).not.toContain("apiVersion");
    },
  );
  it.each(["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])("answers as %s", async (name) => {
    expect((await send("/healthz", { host: `${name}:${server.port}` })).status).toBe(200);
  });
});

describe("origins", () => {
  it.each([
    "https://evil.test",
    "null",
    "chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    `${chrome}.evil.test`,
    "moz-extension://not-a-uuid",
    `${firefox}.evil.test`,
  ])("ABUSE-14 refuses calls from %s", async (origin) => {
    const answer = await send("/trpc/account.me", { ...local(), origin, authorization: `Bearer ${token}` });
    expect(answer.status).toBe(403);
    expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
  });
  it.each([chrome, firefox])("lets %s call, without credentials", async (origin) => {
    const answer = await send("/trpc/account.me", { ...local(), origin, authorization: `Bearer ${token}` });
    expect(answer.status).toBe(200);
    expect(answer.headers["access-control-allow-origin"]).toBe(origin);
    expect(answer.headers["access-control-allow-credentials"]).toBeUndefined();
    const preflight = await send(
      "/trpc/account.me",
      { ...local(), origin, "access-control-request-method": "POST" },
      undefined,
      "OPTIONS",
    );
    expect(preflight.status).toBe(204);
    expect(preflight.headers["access-control-allow-headers"]).toContain("authorization");
  });
});

describe("bodies", () => {
  it.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/octet-stream",
    "",
  ])("ABUSE-13 runs no call sent as “%s”", async (type) => {
    const headers = { ...local(), authorization: `Bearer ${token}`, ...(type !== "" && { "content-type": type }) };
    const answer = await send("/trpc/account.signOut", headers, "{}");
    expect(answer.status).toBe(415);
    expect((await send("/trpc/account.me", { ...local(), authorization: `Bearer ${token}` })).status).toBe(200);
  });
  it("refuses a body and a batch that are too large", async () => {
    const headers = { ...local(), authorization: `Bearer ${token}`, "content-type": "application/json" };
    expect((await send("/trpc/phones.get", headers, JSON.stringify({ x: "y".repeat(600_000) }))).status).toBe(413);
    const batch = Array.from({ length: 40 }, () => "account.me").join(",");
    expect((await send(`/trpc/${batch}?batch=1&input=%7B%7D`, headers)).status).toBe(400);
  });
});

describe("answers", () => {
  it("carry the headers that keep browsers honest, errors and calls alike", async () => {
    for (const path of ["/", "/healthz", "/trpc/account.me", "/nothing-here"]) {
      const answer = await send(path, local());
      expect(answer.headers).toMatchObject({
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": expect.stringMatching(/^(no-referrer|same-origin)$/),
        "x-request-id": expect.stringMatching(/^[0-9a-f-]{36}$/),
      });
    }
  });
  it("ABUSE-40 believes nobody but a trusted proxy about the caller's address", async () => {
    const { db } = server;
    const { sessions } = db.t;
    await send("/trpc/account.me", { ...local(), authorization: `Bearer ${token}`, "x-forwarded-for": "203.0.113.9" });
    const rows = await db.read.select({ ip: sessions.ip }).from(sessions);
    expect(rows.map((row) => row.ip)).not.toContain("203.0.113.9");
    expect((await send("/metrics", { ...local(), "x-forwarded-for": "203.0.113.9" })).status).toBe(200);
  });
});
