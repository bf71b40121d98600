import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { parseEgressAllow } from "../../egress/allow.ts";
import {
  Cleanup,
  FakeInternet,
  LOOPBACK_SPELLINGS,
  NO_ALLOW,
  PUBLIC,
  portOf,
  startSite,
  startTcp,
} from "../../egress/internet.fixture.ts";
import { selfSigned } from "./certificate.fixture.ts";
import { open } from "./engine.fixture.ts";
import type { ScriptRequest } from "./http-message.ts";
import { createUserHttp, type UserHttp, type UserHttpOptions } from "./user-http.ts";

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** A loopback site that remembers what it was asked, and how many connections it saw. */
async function site(answer: (seen: Seen, outgoing: ServerResponse) => void = (_seen, outgoing) => outgoing.end("ok")) {
  const seen: Seen[] = [];
  let connections = 0;
  const { port, server } = await startSite(cleanup, async (incoming, outgoing) => {
    const parts: Buffer[] = [];
    for await (const part of incoming) parts.push(part);
    const one = {
      method: incoming.method,
      url: incoming.url,
      headers: incoming.headers,
      body: Buffer.concat(parts).toString(),
    };
    seen.push(one);
    answer(one, outgoing);
  });
  server.on("connection", () => {
    connections += 1;
  });
  return { port, seen, connections: () => connections, listed: parseEgressAllow(`127.0.0.1:${port}`) };
}

const never = new AbortController().signal;

async function send(http: UserHttp, request: Partial<ScriptRequest> & { url: string }, idempotencyKey?: string) {
  const key = idempotencyKey === undefined ? {} : { idempotencyKey };
  const outcome = await http({ method: "GET", headers: {}, ...request }, { signal: never, ...key });
  return outcome.ok ? outcome.response : outcome.message;
}

const listing = (allow: UserHttpOptions["allow"], more: Partial<UserHttpOptions> = {}) =>
  createUserHttp({ allow, ...more });

/** A name of the pretended internet that leads to a loopback port. */
function internetWith(port: number, at = 80) {
  const internet = new FakeInternet().name("a.example", [PUBLIC]).route(PUBLIC, at, port);
  return { internet, http: createUserHttp({ allow: NO_ALLOW, resolve: internet.resolve, connect: internet.connect }) };
}

describe("a request", () => {
  it("gets status, text and headers", async () => {
    const { port, seen } = await site((_seen, outgoing) => {
      outgoing.writeHead(201, { "X-One": "1", "Set-Cookie": ["a=1", "b=2"], "Content-Type": "text/plain" });
      outgoing.end("grüezi 🎈");
    });
    const { http } = internetWith(port);
    expect(await send(http, { url: "http://a.example/path?q=%20#part", headers: { "X-Mine": "yes" } })).toEqual({
      status: 201,
      body: "grüezi 🎈",
      headers: expect.objectContaining({ "x-one": "1", "set-cookie": "a=1, b=2" }),
    });
    expect(seen).toEqual([
      {
        method: "GET",
        url: "/path?q=%20",
        body: "",
        headers: {
          host: "a.example",
          "x-mine": "yes",
          "user-agent": "Perch",
          accept: "*/*",
          "accept-encoding": "identity",
          connection: "close",
        },
      },
    ]);
  });

  it("sends a body, and its key once the method changes something", async () => {
    const { port, seen } = await site();
    const { http } = internetWith(port);
    const url = "http://a.example/";
    await send(http, { url, method: "post", body: "價", headers: { "Content-Type": "text/plain" } }, "run/3/1");
    await send(http, { url, method: "DELETE" }, "run/3/2");
    await send(http, { url, method: "PUT", headers: { "Idempotency-Key": "own" } }, "run/3/3");
    await send(http, { url }, "run/3/4");
    expect(
      seen.map(({ method, body, headers }) => [method, body, headers["content-length"], headers["idempotency-key"]]),
    ).toEqual([
      ["POST", "價", "3", "run/3/1"],
      ["DELETE", "", "0", "run/3/2"],
      ["PUT", "", "0", "own"],
      ["GET", "", undefined, undefined],
    ]);
  });

  it("reads text in the charset it came in", async () => {
    const { port } = await site((seen, outgoing) => {
      outgoing.setHeader("content-type", `text/plain; charset=${seen.url?.slice(1)}`);
      outgoing.end(Buffer.from([0xe9, 0x74, 0xe9]));
    });
    const { http } = internetWith(port);
    expect(await send(http, { url: "http://a.example/iso-8859-1" })).toMatchObject({ body: "été" });
    expect(await send(http, { url: "http://a.example/no-such-charset" })).toMatchObject({ body: "\ufffdt\ufffd" });
  });

  it.each([
    [{ url: "" }, /not a web address/],
    [{ url: "/path" }, /not a web address/],
    [{ url: "file:///etc/passwd" }, /https:\/\/ or http:\/\//],
    [{ url: "data:text/plain,x" }, /https:\/\/ or http:\/\//],
    [{ url: "ftp://a.example/" }, /https:\/\/ or http:\/\//],
    [{ url: "http://name:word@a.example/" }, /Authorization/],
    [{ url: `http://a.example/${"x".repeat(9_000)}` }, /8192 characters/],
    [{ url: "http://a.example:25/" }, /port/],
    [{ url: "http://a.example:0/" }, /port/],
    [{ url: "http://nowhere.example/" }, /no site/],
    [{ method: "CONNECT" }, /no other method/],
    [{ method: "TRACE" }, /no other method/],
    [{ method: "GET / HTTP/1.1\r\nX: y" }, /no other method/],
    [{ body: "x" }, /GET request has no body/],
    [{ method: "POST", body: "x".repeat(1024 * 1024 + 1) }, /1 MB/],
    [{ headers: { Host: "b.example" } }, /cannot set the header "host"/],
    [{ headers: { "Content-Length": "5" } }, /cannot set/],
    [{ headers: { "Transfer-Encoding": "chunked" } }, /cannot set/],
    [{ headers: { Connection: "upgrade" } }, /cannot set/],
    [{ headers: { "Proxy-Authorization": "x" } }, /cannot set/],
    [{ headers: { "X-A": "1\r\nX-B: 2" } }, /cannot be sent/],
    [{ headers: { "X-A\r\nX-B": "1" } }, /cannot be sent/],
    [{ headers: { "": "1" } }, /cannot be sent/],
    [{ headers: { "X-A": "x".repeat(17 * 1024) } }, /16 KB/],
    [{ headers: Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`x-${index}`, "1"])) }, /64 headers/],
  ])("is not sent: %j", async (request, words) => {
    const { port, connections } = await site();
    const { http } = internetWith(port);
    expect(await send(http, { url: "http://a.example/", ...request })).toMatch(words);
    expect(connections()).toBe(0);
  });
});

describe("private networks", () => {
  it("ABUSE-31 are not reached by any spelling of loopback", async () => {
    const { port, connections } = await site();
    const http = listing(NO_ALLOW);
    for (const host of [...LOOPBACK_SPELLINGS, "localhost", "a.localhost", "LOCALHOST.", "[::1]", "0.0.0.0", "0"]) {
      expect(await send(http, { url: `http://${host}:${port}/` }), host).toMatch(/private network/);
    }
    expect(connections()).toBe(0);
  });

  it("are reached where EGRESS_ALLOW says so, at that port alone, and never on the server's own", async () => {
    const [listed, other] = [await site(), await site()];
    const http = listing(listed.listed);
    expect(await send(http, { url: `http://127.0.0.1:${listed.port}/` })).toMatchObject({ status: 200, body: "ok" });
    expect(await send(http, { url: `http://127.0.0.1:${other.port}/` })).toMatch(/private network/);
    const own = listing(listed.listed, { ownPorts: () => [listed.port] });
    expect(await send(own, { url: `http://127.0.0.1:${listed.port}/` })).toMatch(/private network/);
    expect([listed.connections(), other.connections()]).toEqual([1, 0]);
  });

  it("ABUSE-31 are not reached through names, nor through names that change their mind", async () => {
    const internet = new FakeInternet()
      .name("inside.example", ["10.0.0.1"])
      .name("both.example", [PUBLIC, "169.254.169.254"])
      .name("rebind.example", [PUBLIC], ["127.0.0.1"]);
    const http = createUserHttp({ allow: NO_ALLOW, resolve: internet.resolve, connect: internet.connect });
    expect(await send(http, { url: "http://inside.example/" })).toMatch(/private network/);
    expect(await send(http, { url: "http://both.example/" })).toMatch(/private network/);
    await send(http, { url: "http://rebind.example/" });
    expect(internet.dialled).toEqual([{ address: PUBLIC, port: 80 }]);
    expect(internet.asked).toEqual(["inside.example", "both.example", "rebind.example"]);
  });
});

describe("redirects", () => {
  const to =
    (location: string, status = 302) =>
    (_seen: Seen, outgoing: ServerResponse) =>
      void outgoing.writeHead(status, { location }).end();

  it("ABUSE-31 are judged like the first address", async () => {
    const inside = await site();
    for (const target of [`http://127.0.0.1:${inside.port}/`, `http://inside.example:${inside.port}/`]) {
      const { port } = await site(to(target));
      const { internet, http } = internetWith(port);
      internet.name("inside.example", ["127.0.0.1"]).route("127.0.0.1", inside.port, inside.port);
      expect(await send(http, { url: "http://a.example/" })).toMatch(/private network/);
    }
    expect(inside.connections()).toBe(0);
  });

  it.each(["file:///etc/passwd", "javascript:alert(1)", "http://u:p@a.example/", "http://a.example:25/", "//[/"])(
    "ABUSE-31 to %s are refused",
    async (location) => {
      const { port, connections } = await site(to(location));
      expect(typeof (await send(internetWith(port).http, { url: "http://a.example/" }))).toBe("string");
      expect(connections()).toBe(1);
    },
  );

  it("are followed five times and no more", async () => {
    const { port, seen } = await site(({ url }, outgoing) => {
      const left = Number(url?.slice(1));
      if (left === 0) outgoing.end("there");
      else outgoing.writeHead(302, { location: `/${left - 1}` }).end();
    });
    const { http } = internetWith(port);
    expect(await send(http, { url: "http://a.example/5" })).toMatchObject({ body: "there" });
    expect(seen).toHaveLength(6);
    expect(await send(http, { url: "http://a.example/6" })).toMatch(/redirected more than 5/);
    expect(seen).toHaveLength(12);
  });

  it.each([
    [301, "POST", "GET", ""],
    [302, "POST", "GET", ""],
    [303, "PUT", "GET", ""],
    [307, "POST", "POST", "text"],
    [308, "PUT", "PUT", "text"],
    [302, "PUT", "PUT", "text"],
  ])("with %i turn %s into %s", async (status, method, becomes, body) => {
    const { port, seen } = await site((one, outgoing) => {
      if (one.url === "/from") to("/to", status)(one, outgoing);
      else outgoing.end();
    });
    await send(internetWith(port).http, { url: "http://a.example/from", method, body: "text" }, "key");
    expect(seen[1]).toMatchObject({ method: becomes, url: "/to", body });
    expect(seen[1]?.headers["idempotency-key"]).toBe(becomes === "GET" ? undefined : "key");
  });

  it("take no keys along to another origin", async () => {
    const { port, seen } = await site((one, outgoing) => {
      if (one.url === "/from") to("http://b.example/to", 307)(one, outgoing);
      else outgoing.end();
    });
    const { internet, http } = internetWith(port);
    internet.name("b.example", [PUBLIC]);
    const headers = { Authorization: "Bearer x", "X-Api-Key": "x", Cookie: "a=x", "Content-Type": "text/plain" };
    await send(http, { url: "http://a.example/from", method: "POST", body: "text", headers }, "key");
    expect(seen[0]?.headers).toMatchObject({ authorization: "Bearer x", "x-api-key": "x", cookie: "a=x" });
    expect(Object.keys(seen[1]?.headers ?? {}).sort()).toEqual(
      ["accept", "accept-encoding", "connection", "content-length", "content-type", "host", "user-agent"].sort(),
    );
  });

  it("without a place to go are the answer", async () => {
    const { port } = await site((_seen, outgoing) => void outgoing.writeHead(302).end("nowhere"));
    expect(await send(internetWith(port).http, { url: "http://a.example/" })).toMatchObject({
      status: 302,
      body: "nowhere",
    });
  });
});

describe("an answer", () => {
  const MB = 1024 * 1024;
  it("may be 1 MB, and is refused when it is larger, whatever it says of its length", async () => {
    const { port } = await site(({ url }, outgoing) => {
      const size = url === "/fits" ? MB : MB + 1;
      if (url === "/chunked") outgoing.write("x".repeat(size));
      else outgoing.setHeader("content-length", size).write("x".repeat(size));
      outgoing.end();
    });
    const { http } = internetWith(port);
    const whole = await send(http, { url: "http://a.example/fits" });
    expect(typeof whole === "object" && whole.body.length).toBe(MB);
    expect(await send(http, { url: "http://a.example/long" })).toMatch(/larger than 1 MB/);
    expect(await send(http, { url: "http://a.example/chunked" })).toMatch(/larger than 1 MB/);
  });

  it("that never ends is let go", async () => {
    let closed: Promise<unknown> = Promise.resolve();
    const { port } = await site((_seen, outgoing) => {
      closed = once(outgoing, "close");
      const more = () => {
        while (!outgoing.destroyed && outgoing.write("x".repeat(64 * 1024)));
      };
      outgoing.on("drain", more);
      more();
    });
    expect(await send(internetWith(port).http, { url: "http://a.example/" })).toMatch(/larger than 1 MB/);
    await closed;
  });

  it.each([
    [
      "whose head is too large",
      `HTTP/1.1 200 OK\r\nX-Big: ${"x".repeat(20_000)}\r\n\r\n`,
      /headers are larger than 16 KB/,
    ],
    ["that is no HTTP", "hello\r\n\r\n", /did not answer/],
    ["cut short", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", /did not answer/],
    ["with two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", /did not answer/],
    [
      "that switches protocols",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
      /did not answer/,
    ],
    ["that is nothing", "", /did not answer/],
  ])("%s is refused", async (_what, bytes, words) => {
    const port = await startTcp(cleanup, (socket) => void socket.once("data", () => socket.end(bytes)));
    expect(await send(internetWith(port).http, { url: "http://a.example/" })).toMatch(words);
  });

  it.each([
    ["no head", ""],
    ["half a head", "HTTP/1.1 200 OK\r\nX-"],
    ["half a body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"],
  ])("that stops after %s is given up in time", async (_what, bytes) => {
    const port = await startTcp(cleanup, (socket) => void socket.once("data", () => socket.write(bytes)));
    const { internet } = internetWith(port);
    const http = createUserHttp({
      allow: NO_ALLOW,
      resolve: internet.resolve,
      connect: internet.connect,
      timeoutMs: 100,
    });
    expect(await send(http, { url: "http://a.example/" })).toMatch(/longer than 0.1 seconds/);
  });

  it("that drips is given up in time, redirects and slow names included", async () => {
    const port = await startTcp(cleanup, (socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        const drip = setInterval(() => socket.write("."), 10);
        socket.once("close", () => clearInterval(drip));
      });
    });
    const { internet } = internetWith(port);
    const limits = { allow: NO_ALLOW, connect: internet.connect, timeoutMs: 150 };
    expect(await send(createUserHttp({ ...limits, resolve: internet.resolve }), { url: "http://a.example/" })).toMatch(
      /longer/,
    );
    const stuck = createUserHttp({ ...limits, resolve: () => new Promise(() => {}) });
    expect(await send(stuck, { url: "http://a.example/" })).toMatch(/longer/);
  });
});

describe("https", () => {
  async function secureSite(name: string) {
    const { key, cert } = selfSigned(name);
    const server = createTlsServer({ key, cert }, (_incoming, outgoing) => outgoing.end("secret")).listen(
      0,
      "127.0.0.1",
    );
    await once(server, "listening");
    cleanup.add(() => new Promise((resolve) => server.close(resolve)));
    return { port: portOf(server.address()), cert };
  }
  function trust(cert: string) {
    const before = getCACertificates("default");
    setDefaultCACertificates([...before, cert]);
    cleanup.add(() => setDefaultCACertificates(before));
  }

  it("needs a certificate for the name that was asked for", async () => {
    const { port, cert } = await secureSite("a.example");
    const { internet, http } = internetWith(port, 443);
    internet.name("b.example", [PUBLIC]);
    expect(await send(http, { url: "https://a.example/" })).toMatch(/certificate/);
    trust(cert);
    expect(await send(http, { url: "https://a.example/" })).toMatchObject({ status: 200, body: "secret" });
    expect(await send(http, { url: "https://b.example/" })).toMatch(/certificate/);
  });

  it("gives up a site that does not greet", async () => {
    const port = await startTcp(cleanup, () => {});
    const { internet } = internetWith(port, 443);
    const http = createUserHttp({
      allow: NO_ALLOW,
      resolve: internet.resolve,
      connect: internet.connect,
      timeoutMs: 100,
    });
    expect(await send(http, { url: "https://a.example/" })).toMatch(/longer than/);
  });
});

describe("any request", () => {
  it("gives an outcome, never a rejection", async () => {
    const { http } = internetWith(await startTcp(cleanup, (socket) => socket.end()));
    const method = fc.oneof(fc.constantFrom("GET", "POST"), fc.string());
    const url = fc.oneof(fc.webUrl(), fc.string(), fc.constant("http://a.example/"));
    const request = fc.record({
      url,
      method,
      headers: fc.dictionary(fc.string(), fc.string()),
      body: fc.option(fc.string(), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(request, async (one) => {
        expect(typeof (await send(http, { ...one, body: one.body ?? undefined }))).toBe("string");
      }),
    );
  });
});

describe("http in a script", () => {
  it("is synchronous, and waiting for it is not the script's time", async () => {
    const { port, seen } = await site(({ body }, outgoing) => {
      setTimeout(() => outgoing.writeHead(body === "bad" ? 500 : 200, { "x-a": "1" }).end(`{"got":"${body}"}`), 350);
    });
    const engine = open({ http: internetWith(port).http, limits: { expressionMs: 500 } });
    cleanup.add(() => engine.dispose());
    const outcome = await engine.evaluate(
      "output.r = http.post('http://a.example/', { body: 'hi', headers: { 'X-N': 5 } }); [output.r.ok, output.r.status, json(output.r.body).got, output.r.headers['x-a'], http.put('http://a.example/', { body: 'bad' }).ok]",
      { idempotencyKey: "run/7" },
    );
    expect(outcome).toEqual({ ok: true, value: '[true,200,"hi","1",false]' });
    expect(seen.map(({ method, headers }) => [method, headers["x-n"], headers["idempotency-key"]])).toEqual([
      ["POST", "5", "run/7/1"],
      ["PUT", undefined, "run/7/2"],
    ]);
    expect(await engine.evaluate("for (;;) http.get('http://a.example/'.slice(0, -99))")).toMatchObject({
      error: { kind: "http", message: expect.stringMatching(/not a web address/) },
    });
  });

  it("says no to loopback, multipart forms and the 101st request", async () => {
    const { port, seen, connections } = await site();
    const engine = open({ http: listing(NO_ALLOW) });
    cleanup.add(() => engine.dispose());
    expect(await engine.evaluate(`http.get('http://127.0.0.1:${port}/')`)).toMatchObject({
      error: { kind: "http", message: expect.stringMatching(/private network/), line: 1 },
    });
    expect(connections()).toBe(0);
    expect(await engine.evaluate("http.post('http://a.example', { multipartForm: {} })")).toMatchObject({
      error: { kind: "threw", message: expect.stringMatching(/multipartForm/) },
    });
    const busy = open({ http: internetWith(port).http });
    cleanup.add(() => busy.dispose());
    expect(await busy.runScript("for (;;) http.get('http://a.example/')", {})).toMatchObject({
      error: { kind: "http", message: expect.stringMatching(/100 requests/) },
    });
    expect(seen).toHaveLength(100);
  });

  it("ends with its run: the connection closes", async () => {
    let gone: Promise<unknown> = Promise.resolve();
    let arrived: () => void = () => {};
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const { port } = await site((_seen, outgoing) => {
      gone = once(outgoing, "close");
      arrived();
    });
    const cancel = new AbortController();
    const engine = open({ http: internetWith(port).http });
    cleanup.add(() => engine.dispose());
    const outcome = engine.evaluate("http.get('http://a.example/')", { signal: cancel.signal });
    await arrival;
    cancel.abort();
    expect(await outcome).toMatchObject({ error: { kind: "cancelled" } });
    await gone;
  });
});
