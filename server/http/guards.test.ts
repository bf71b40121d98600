import { once } from "node:events";
import { IncomingMessage, request } from "node:http";
import { connect, Socket } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CHROME_EXTENSION_ID } from "../../shared/accounts.ts";
import { signIn, startTestServer, type TestPerson, type TestServer } from "../testing.ts";
import { clientAddress, createDoors } from "./guards.ts";
import { trustedProxies } from "./trusted-proxies.ts";

const CHROME = `chrome-extension://${CHROME_EXTENSION_ID}`;
const FIREFOX = "moz-extension://0f8fad5b-d9cb-469f-a165-70867728950e";

let server: TestServer;
let person: TestPerson;
beforeAll(async () => {
  server = await startTestServer();
  person = await signIn(server);
});
afterAll(() => server.dispose());
beforeEach(() => server.clock.advance(60_000));

/** A bare request: `fetch` would not let a test choose `Host` and `Origin`. */
function send(options: {
  path: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}): Promise<{ status: number; headers: IncomingMessage["headers"]; text: string }> {
  return new Promise((resolve, reject) => {
    const { path, method = "GET", headers = {}, body } = options;
    const call = request({ host: "127.0.0.1", port: server.port, path, method, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    call.on("error", reject);
    call.end(body);
  });
}
const bearer = () => ({ authorization: `Bearer ${person.token}` });
const rename = (headers: Record<string, string>, body = "{}") =>
  send({ path: "/trpc/sessions.revokeOthers", method: "POST", headers: { ...bearer(), ...headers }, body });

describe("the way to a copy of one's data", () => {
  it.each([
    ["a form of ours", {}, 404],
    ["a form of the extension in Firefox", { origin: FIREFOX, "sec-fetch-mode": "navigate" }, 404],
    ["a form of the extension in Chromium", { origin: "null", "sec-fetch-mode": "navigate" }, 404],
    ["a script in a sandbox", { origin: "null", "sec-fetch-mode": "cors" }, 403],
    ["a form of another site", { origin: "https://evil.example", "sec-fetch-mode": "navigate" }, 403],
  ] as const)("is taken from %s to whether the ticket counts, or not at all", async (_, headers, status) => {
    const type = { "content-type": "application/x-www-form-urlencoded" };
    const path = `/exports/${"A".repeat(43)}`;
    const answer = await send({ path, method: "POST", headers: { ...type, ...headers }, body: "" });
    expect(answer.status).toBe(status);
    expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
  });
});

describe("names", () => {
  it.each(["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "localhost:1", "localhost", "0.0.0.0"])(
    "ABUSE-21 refuse %j: a page that rebinds its own name gets nothing",
    async (host) => {
      for (const path of ["/", "/healthz", "/trpc/account.me", "/mail", "/metrics", "/sign-in"]) {
        const { status, text } = await send({ path, headers: { host, ...bearer() } });
        expect([path, status]).toEqual([path, 421]);
        expect(text).not.toContain(person.userId);
      }
    },
  );
  it.each(["GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"])(
    "refuse none: %j",
    async (text) => {
      const socket = connect(server.port, "127.0.0.1");
      socket.write(text);
      const [first] = await once(socket, "data");
      socket.destroy();
      expect(String(first)).toMatch(/^HTTP\/1\.1 4(00|21) /);
    },
  );
  it("accept our own in any case", async () => {
    for (const name of ["localhost", "127.0.0.1", "LOCALHOST", "[::1]"]) {
      expect((await send({ path: "/healthz", headers: { host: `${name}:${server.port}` } })).status).toBe(200);
    }
  });
  it("on port 80 go without it", () => {
    const doors = createDoors({ publicUrl: new URL("https://perch.example"), port: 80, extensionIds: [] });
    expect(["localhost", "perch.example", "localhost:80", "perch.example.evil"].map(doors.hostAllowed)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

describe("origins", () => {
  it.each([
    "https://evil.example",
    "null",
    "",
    "chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    `${CHROME}.evil.example`,
    `${CHROME}/`,
    "moz-extension://not-a-uuid",
    "moz-extension://0f8fad5b-d9cb-469f-a165-70867728950e.evil.example",
    "moz-extension://0F8FAD5B-D9CB-469F-A165-70867728950E",
    "http://localhost:1",
    "file://",
  ])("ABUSE-14 %j may not call, not even to ask", async (origin) => {
    for (const method of ["GET", "OPTIONS"]) {
      const answer = await send({ path: "/trpc/account.me", method, headers: { origin, ...bearer() } });
      expect(answer.status).toBe(403);
      expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
      expect(answer.text).not.toContain(person.userId);
    }
  });
  it.each([CHROME, FIREFOX])("%s may, by its own name, without credentials", async (origin) => {
    const ask = await send({ path: "/trpc/account.me", method: "OPTIONS", headers: { origin } });
    expect(ask.status).toBe(204);
    expect(ask.headers["access-control-allow-headers"]).toContain("authorization");
    for (const path of ["/trpc/account.me", "/trpc/account.nothing", "/healthz"]) {
      const answer = await send({ path, headers: { origin, ...bearer() } });
      expect(answer.headers["access-control-allow-origin"]).toBe(origin);
      expect(answer.headers["access-control-allow-credentials"]).toBeUndefined();
      expect(answer.headers["vary"]).toMatch(/origin/i);
      expect(answer.headers["cache-control"]).toBe("no-store");
      expect(answer.headers["x-content-type-options"]).toBe("nosniff");
    }
  });
});

describe("bodies", () => {
  it.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/octet-stream",
    "application/jsonp",
    "text/json",
    "text/plain; application/json",
    "",
  ])("of type %j run nothing", async (type) => {
    const second = await signIn(server, "owner");
    const { status, text } = await rename({ "content-type": type, authorization: `Bearer ${second.token}` });
    expect(status).toBe(415);
    expect(text).toContain("application/json");
  });
  it("of no type run nothing", async () => {
    expect((await rename({})).status).toBe(415);
  });
  it("of JSON do", async () => {
    expect((await rename({ "content-type": "application/json; charset=utf-8" })).status).toBe(200);
  });
  it("that are too large are refused before they are read", async () => {
    const answer = await rename({ "content-type": "application/json" }, `{"a":"${"x".repeat(600_000)}"}`);
    expect(answer.status).toBe(413);
  });
  it("cannot be smuggled past by another method", async () => {
    for (const method of ["GET", "PUT", "PATCH", "DELETE", "HEAD"]) {
      const answer = await send({ path: "/trpc/account.signOut", method, headers: bearer() });
      expect([method, answer.status]).toEqual([method, expect.toBeOneOf(method === "HEAD" ? [204] : [400, 415])]);
    }
    expect((await send({ path: "/trpc/account.me", headers: bearer() })).status).toBe(200);
  });
});

describe("the caller's address", () => {
  const from = (remote: string, forwarded: string | undefined, trusted: string[]) => {
    const socket = new Socket();
    Object.defineProperty(socket, "remoteAddress", { value: remote });
    const incoming = new IncomingMessage(socket);
    if (forwarded !== undefined) incoming.headers["x-forwarded-for"] = forwarded;
    return clientAddress(incoming, trustedProxies(trusted));
  };
  it.each([
    ["192.0.2.1", undefined, [], "192.0.2.1"],
    ["::ffff:192.0.2.1", undefined, [], "192.0.2.1"],
    ["192.0.2.1", "203.0.113.9", [], "192.0.2.1"],
    ["192.0.2.1", "203.0.113.9", ["198.51.100.1"], "192.0.2.1"],
    ["10.0.0.1", "203.0.113.9", ["10.0.0.1"], "203.0.113.9"],
    ["10.0.0.1", "1.1.1.1, 203.0.113.9", ["10.0.0.1"], "203.0.113.9"],
    ["10.0.0.1", "1.1.1.1, 203.0.113.9, 10.0.0.2", ["10.0.0.1", "10.0.0.2"], "203.0.113.9"],
    ["10.0.0.1", "", ["10.0.0.1"], "10.0.0.1"],
    ["10.0.0.1", undefined, ["10.0.0.1"], "10.0.0.1"],
    ["10.9.8.7", "203.0.113.9, 10.0.0.2", ["10.0.0.0/8"], "203.0.113.9"],
    ["::ffff:10.9.8.7", "203.0.113.9", ["10.0.0.0/8"], "203.0.113.9"],
    ["11.0.0.1", "203.0.113.9", ["10.0.0.0/8"], "11.0.0.1"],
    ["10.0.1.1", "203.0.113.9", ["10.0.0.0/24", "::1"], "10.0.1.1"],
    ["2001:db8:0:1::5", "2001:db8:9::1", ["2001:db8:0:1::/64"], "2001:db8:9::1"],
    ["2001:db8:0:2::5", "2001:db8:9::1", ["2001:db8:0:1::/64"], "2001:db8:0:2::5"],
    ["10.0.0.1", "10.0.0.0/8", ["10.0.0.0/8"], "10.0.0.0/8"],
  ])("from %s with %j, trusting %j, is %4$s", (remote, forwarded, trusted, expected) => {
    expect(from(remote, forwarded, trusted)).toBe(expected);
  });
  it("ABUSE-40 is never what an untrusted sender writes", () => {
    fc.assert(fc.property(fc.string(), (forwarded) => from("192.0.2.1", forwarded, ["10.0.0.1"]) === "192.0.2.1"));
  });
});
