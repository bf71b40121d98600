/** The routes there are, and what every answer of each carries. */
import { once } from "node:events";
import { type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:net";
import { Hono } from "hono";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CHROME_EXTENSION_ID } from "../../shared/accounts.ts";
import { newId, phoneId } from "../../shared/ids.ts";
import { SCREEN_PROTOCOL } from "../../shared/screen-protocol.ts";
import { type AppEnv, type AppOptions, createApp } from "../app.ts";
import { STRIPE_WEBHOOK_PATH } from "../billing/stripe/webhook.ts";
import { ManualClock } from "../clock.ts";
import { GEELARK_WEBHOOK_PATH } from "../phones/drivers/geelark/webhook.ts";
import { signIn, startTestServer, type TestPerson, type TestServer } from "../testing.ts";
import { strangeCookie } from "./cookies.ts";
import { createDoors } from "./guards.ts";
import type { PageServices } from "./pages/page-context.ts";
import { createPages } from "./pages/pages.ts";
import { PASSKEY_SCRIPT_PATH } from "./pages/passkey-form.ts";
import { MARK_PATH, STYLESHEET_PATH } from "./pages/stylesheet.ts";

/** Pages that take a form. */
const FORMS = [
  "/account/data/download",
  "/account/data/export",
  "/account/data/remove",
  "/account/passkeys",
  "/account/passkeys/question",
  "/account/passkeys/remove",
  "/account/passkeys/rename",
  "/account-deletion/undo",
  "/account/standing",
  "/announcement/close",
  "/confirm",
  "/connect",
  "/data-request",
  "/email/confirm",
  "/email/undo",
  "/invite/accept",
  "/invite/decline",
  "/invite/join",
  "/operator",
  "/operator/announce",
  "/operator/do",
  "/operator/look",
  "/prove",
  "/prove/passkey",
  "/prove/passkey/question",
  "/recover",
  "/recover/cancel",
  "/recover/finish",
  "/reset",
  "/reset/new",
  "/setup",
  "/sign-in",
  "/sign-in/code",
  "/sign-in/passkey",
  "/sign-in/passkey/question",
  "/sign-out",
  "/sign-up",
  "/support",
];
/** The page that takes a file. */
const UPLOAD = "/account/data/import";
/** Every door of the server. A new one is added here by hand, so that none opens unseen (OWASP API9). */
const ROUTES = [
  "GET /",
  "GET /.well-known/gpc.json",
  "GET /.well-known/security.txt",
  "GET /account-deletion/undo",
  "GET /account/data",
  "GET /account/passkeys",
  "GET /account/standing",
  `GET ${PASSKEY_SCRIPT_PATH}`,
  `GET ${STYLESHEET_PATH}`,
  `GET ${MARK_PATH}`,
  "GET /billing",
  "GET /billing/done",
  "GET /billing/invoice",
  "GET /billing/left",
  "GET /blobs/*",
  "GET /check-mail",
  "GET /confirm",
  "GET /connect",
  "GET /data-request",
  "GET /data-request/receipt",
  "GET /email/confirm",
  "GET /email/undo",
  "GET /erasure",
  "GET /files/phones/:phone/:name",
  "GET /files/phones/:phone/uploads/:upload",
  "GET /healthz",
  "GET /invite",
  "GET /invite/done",
  "GET /mail",
  "GET /mail/:id",
  "GET /metrics",
  "GET /operator",
  "GET /operator/:section",
  "GET /privacy",
  "GET /privacy/versions/:version",
  "GET /prove",
  "GET /readyz",
  "GET /recover",
  "GET /recover/cancel",
  "GET /recover/finish",
  "GET /recover/sent",
  "GET /reset",
  "GET /reset/new",
  "GET /reset/sent",
  "GET /runs/:run/:report",
  "GET /runs/:run/artifacts/:name",
  "GET /security",
  "GET /setup",
  "GET /sign-in",
  "GET /sign-in/code",
  "GET /sign-up",
  "GET /suites/:suite/junit.xml",
  "GET /support",
  "GET /trust",
  "GET /trust.json",
  "GET /uninstalled",
  "GET /version",
  "GET /trust/records",
  "GET /trust/records.json",
  "GET /trust/key",
  "GET /workspaces/export.zip",
  "PATCH /files/phones/:phone/uploads/:upload",
  "POST /exports/:ticket",
  "POST /hooks/:id",
  "POST /privacy/import",
  `POST ${UPLOAD}`,
  `POST ${STRIPE_WEBHOOK_PATH}`,
  `POST ${GEELARK_WEBHOOK_PATH}`,
  "ALL /trpc/*",
  ...FORMS.map((path) => `POST ${path}`),
];
/** Beside the routes: middleware, and the page for what is not there. */
const EVERYWHERE =
  /^(ALL|POST) (\/\*|\/(healthz|readyz|version|trpc\/\*|files\/\*|files\/phones\/:phone\/\*|runs\/\*|runs\/:run\/\*|blobs\/runs\/:run\/\*|suites\/\*|workspaces\/\*|exports\/\*)|\/trpc\/[\w.]+)$|^ALL \/privacy\/import$/;
/** The same for everybody, and named by what is in it. */
const STATIC = /^\/assets\//;

describe("the server", () => {
  it("has the routes that are written here, and no other", () => {
    const publicUrl = new URL("http://localhost:8787");
    const pages = createPages({ publicUrl, clock: new ManualClock(), asked: {} } as unknown as PageServices);
    const app = createApp({
      doors: createDoors({ publicUrl, port: 8787, extensionIds: [] }),
      pages: new Hono<AppEnv>().route("/", pages),
    } as AppOptions);
    const found = new Set(app.routes.map(({ method, path }) => `${method} ${path}`));
    const routes = [...found].filter((one) => one === "ALL /trpc/*" || !EVERYWHERE.test(one));
    expect(routes.sort()).toEqual([...ROUTES].sort());
  });
});

let server: TestServer;
let person: TestPerson;
beforeAll(async () => {
  server = await startTestServer();
  person = await signIn(server);
});
afterAll(() => server.dispose());
beforeEach(() => server.clock.advance(60_000));

interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** A bare request: `fetch` would not let a test choose `Host`, and hides what came before an upgrade. */
function send(path: string, options: { method?: string; headers?: Record<string, string>; port?: number } = {}) {
  const { method = "GET", headers = {}, port = server.port } = options;
  return new Promise<Answered>((resolve, reject) => {
    const call = request({ host: "127.0.0.1", port, path, method, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    call.on("error", reject);
    call.end();
  });
}

function expectGuarded(what: string, { headers }: Pick<Answered, "headers">, { kept = false, secure = false } = {}) {
  const told = Object.entries(headers).map(([name, value]) => [name, String(value)]);
  expect(Object.fromEntries(told), what).toMatchObject({
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "content-security-policy": expect.stringMatching(/default-src 'none'.*frame-ancestors 'none'/),
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": expect.stringMatching(/^(no-referrer|same-origin)$/),
    "permissions-policy": expect.stringContaining("camera=()"),
    "cache-control": kept ? expect.stringContaining("max-age") : "no-store",
    ...(secure && { "strict-transport-security": "max-age=31536000" }),
  });
  expect(headers["content-security-policy"], what).not.toMatch(/unsafe|\*/);
  expect(headers["access-control-allow-credentials"], what).toBeUndefined();
  const publicUrl = new URL(secure ? "https://perch.example" : `http://localhost:${server.port}`);
  for (const line of headers["set-cookie"] ?? []) expect(strangeCookie(line, publicUrl), what).toBeUndefined();
  for (const leak of ["server", "x-powered-by", "via"]) expect(headers[leak], `${what}: ${leak}`).toBeUndefined();
}

const filled = (path: string) =>
  path
    .replace(":phone", newId("phone"))
    .replace(":upload", newId("upload"))
    .replace(":run", newId("run"))
    .replace(":suite", newId("suite"))
    .replace(/:id|:name|:report/, "junit.xml")
    .replace(":ticket", "A".repeat(43))
    .replace("*", "account.me");

describe("every answer", () => {
  it.each(ROUTES)("ABUSE-18 of %s cannot be framed, sniffed, embedded, kept or told on", async (route) => {
    const [verb = "", path = ""] = route.split(" ");
    const kept = STATIC.test(path);
    for (const method of new Set([verb === "ALL" ? "POST" : verb, "GET", "HEAD", "OPTIONS", "DELETE"])) {
      for (const headers of [{}, { authorization: `Bearer ${person.token}` }, { origin: "https://evil.example" }]) {
        const answer = await send(filled(path), { method, headers });
        expectGuarded(`${method} ${path}`, answer, { kept: kept && answer.status === 200 });
      }
    }
  });

  it.each([
    "/nothing",
    "/trpc/nothing",
    "/trpc/",
    "/runs/x",
    "/%00",
    "/..%2f..%2fetc/passwd",
    "/sign-in/",
    "//evil.example/",
  ])("ABUSE-18 about %s, which is not there, neither", async (path) => {
    const answer = await send(path);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expectGuarded(path, answer);
  });

  it("ABUSE-18 to a call that failed, was too large or of another name neither", async () => {
    const large = { "content-type": "application/json", "content-length": "99999999" };
    expectGuarded("too large", await send("/trpc/account.signOut", { method: "POST", headers: large }));
    expectGuarded("another name", await send("/", { headers: { host: "evil.example" } }));
    expectGuarded("no such method", await send("/healthz", { method: "PROPFIND" }));
  });

  it("ABUSE-18 to what is no request neither", async () => {
    const raw = async (bytes: string) => {
      const socket = connect(server.port, "127.0.0.1");
      socket.write(bytes);
      const [first] = await once(socket, "data");
      socket.destroy();
      const [line = "", ...rest] = String(first).split("\r\n\r\n")[0]?.split("\r\n") ?? [];
      const headers = Object.fromEntries(
        rest.map((one) => one.split(/: (.*)/)).map(([n = "", v]) => [n.toLowerCase(), v]),
      );
      return { status: Number(line.split(" ")[1]), headers };
    };
    for (const [bytes, status] of [
      ["nonsense\r\n\r\n", 400],
      [`GET / HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(20_000)}\r\n\r\n`, 431],
      ["POST /hooks/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400],
    ] as const) {
      const answer = await raw(bytes);
      expect(answer.status).toBe(status);
      expectGuarded(bytes.slice(0, 20), answer);
    }
  });

  it("ABUSE-18 to a refused socket neither", async () => {
    const opening = {
      ...{ connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" },
      ...{ "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-protocol": SCREEN_PROTOCOL },
    };
    const own = `localhost:${server.port}`;
    for (const [path, headers, status] of [
      ["/screen", { ...opening, origin: "https://evil.example" }, 403],
      ["/screen", { ...opening, origin: `chrome-extension://${CHROME_EXTENSION_ID}` }, 401],
      ["/screen", { ...opening, host: "evil.example" }, 421],
      ["/screen", { ...opening, "sec-websocket-version": "8" }, 426],
      ["/trpc", opening, 404],
    ] as const) {
      const answer = await send(path, { headers: { host: own, ...headers } });
      expect(answer.status).toBe(status);
      expectGuarded(`${path} ${status}`, answer);
    }
  });
});

describe("every form", () => {
  const PLAIN = "application/x-www-form-urlencoded";
  const MULTIPART = "multipart/form-data; boundary=x";
  it.each([...FORMS, UPLOAD])(
    "ABUSE-13 %s counts as a form of its kind of our own pages and nothing else",
    async (path) => {
      const [kind, other] = path === UPLOAD ? [MULTIPART, PLAIN] : [PLAIN, MULTIPART];
      const own = { origin: `http://localhost:${server.port}`, "content-type": kind };
      for (const type of [other, "text/plain", "application/json", "application/octet-stream", ""]) {
        const { status } = await send(path, { method: "POST", headers: { ...own, "content-type": type } });
        expect([type, status]).toEqual([type, 415]);
      }
      const elsewhere = ["https://evil.test", "null", `https://localhost:${server.port}`, "http://localhost:1", ""];
      for (const origin of [...elsewhere, `chrome-extension://${CHROME_EXTENSION_ID}`]) {
        const { status } = await send(path, { method: "POST", headers: { ...own, origin } });
        expect([origin, status]).toEqual([origin, 403]);
      }
      const { origin: _none, ...without } = own;
      expect((await send(path, { method: "POST", headers: without })).status).toBe(403);
      for (const site of ["cross-site", "same-site", "none"]) {
        const { status } = await send(path, { method: "POST", headers: { ...own, "sec-fetch-site": site } });
        expect([site, status]).toEqual([site, 403]);
      }
    },
  );
});

describe("over https", () => {
  it("ABUSE-18 every answer asks for TLS from then on", async () => {
    const secure = await startTestServer({ PUBLIC_URL: "https://perch.example" });
    try {
      const host = `localhost:${secure.port}`;
      for (const path of ["/", "/healthz", "/trpc/account.me", "/nothing", STYLESHEET_PATH, "/metrics", "/hooks/x"]) {
        const answer = await send(path, { port: secure.port, headers: { host } });
        expectGuarded(path, answer, { secure: true, kept: STATIC.test(path) });
      }
    } finally {
      await secure.dispose();
    }
  });
});

describe("another team's things over HTTP", () => {
  it("ABUSE-22 answer byte for byte as things that never were, and are not kept", async () => {
    const stranger = await signIn(server);
    const launched = await fetch(`${server.url}/trpc/phones.launch`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${person.token}` },
      body: JSON.stringify({ idempotencyKey: "a-phone-of-mine" }),
    });
    const id = phoneId.parse(((await launched.json()) as { result: { data: { id: string } } }).result.data.id);
    server.phones.save(id, "a.txt", "secret");
    const headers = { authorization: `Bearer ${stranger.token}` };
    const input = (phone: string) => encodeURIComponent(JSON.stringify({ phoneId: phone }));
    const paths: ((phone: string) => string)[] = [
      (phone) => `/files/phones/${phone}/a.txt`,
      (phone) => `/trpc/phones.get?input=${input(phone)}`,
      (phone) => `/trpc/phones.files?input=${input(phone)}`,
    ];
    for (const path of paths) {
      const [foreign, absent] = [await send(path(id), { headers }), await send(path(newId("phone")), { headers })];
      const words = ({ status, headers: told, text }: Answered) => {
        const { date, "x-request-id": requestId, ...rest } = told;
        return JSON.stringify([status, rest, text.replaceAll(String(requestId), "")]);
      };
      expect(foreign.status).toBe(404);
      expect(words(foreign)).toBe(words(absent));
      expectGuarded(path(id), foreign);
      expect((await send(path(id), { headers: { authorization: `Bearer ${person.token}` } })).status).toBe(200);
    }
  });
});
