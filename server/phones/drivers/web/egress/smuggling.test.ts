/** What a hostile page or a broken client could put on the wire: nothing of it may reach a site in another reading. */
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { Cleanup, FakeInternet, PUBLIC, startSite, startTcp } from "../../../../egress/internet.fixture.ts";
import { rawClient, startProxy } from "./egress.fixture.ts";

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

/** A proxy in front of one site that records every byte it was sent. */
async function startRecorder() {
  const received: string[] = [];
  const port = await startTcp(cleanup, (socket) => {
    socket.on("data", (part) => received.push(part.toString("latin1")));
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"));
  });
  const internet = new FakeInternet().name("a.example", [PUBLIC]).route(PUBLIC, 80, port);
  const started = await startProxy(cleanup, internet);
  return { ...started, internet, received: () => received.join("") };
}

const GET = "GET http://a.example/ HTTP/1.1\r\n";
const POST = "POST http://a.example/ HTTP/1.1\r\nHost: a.example\r\n";

describe("requests that can be read in two ways", () => {
  it.each([
    ["both framings", `${POST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["both framings, other order", `${POST}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n`],
    ["two lengths", `${POST}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde`],
    ["the same length twice", `${POST}Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd`],
    ["a list of lengths", `${POST}Content-Length: 4, 4\r\n\r\nabcd`],
    ["a signed length", `${POST}Content-Length: +4\r\n\r\nabcd`],
    ["a hexadecimal length", `${POST}Content-Length: 0x4\r\n\r\nabcd`],
    ["two encodings", `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n`],
    ["chunked twice", `${POST}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`],
    ["an unknown encoding", `${POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
    ["identity", `${POST}Transfer-Encoding: identity\r\n\r\n`],
    ["a blank before the colon", `${POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`],
    ["a folded header", `${POST}X-A: b\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["bare line feeds", "GET http://a.example/ HTTP/1.1\nHost: a.example\n\n"],
    ["a bare carriage return", `${GET}Host: a.example\r\nX-A: b\rTransfer-Encoding: chunked\r\n\r\n`],
    ["a NUL in a header", `${GET}Host: a.example\r\nX-A: b\0c\r\n\r\n`],
    ["no host", `${GET}\r\n`],
    ["two hosts", `${GET}Host: a.example\r\nHost: b.example\r\n\r\n`],
    ["the same host twice", `${GET}Host: a.example\r\nHost: a.example\r\n\r\n`],
    ["another host", `${GET}Host: 127.0.0.1\r\n\r\n`],
    ["another port", `${GET}Host: a.example:8080\r\n\r\n`],
    ["a broken host", `${GET}Host: a.example/../b\r\n\r\n`],
    ["an empty host", `${GET}Host:\r\n\r\n`],
    ["HTTP/1.0", "GET http://a.example/ HTTP/1.0\r\nHost: a.example\r\n\r\n"],
    ["HTTP/0.9", "GET http://a.example/\r\n\r\n"],
    ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["a blank in the target", "GET http://a.example/ x HTTP/1.1\r\nHost: a.example\r\n\r\n"],
    ["a backslash host", "GET http://a.example\\@127.0.0.1/ HTTP/1.1\r\nHost: a.example\r\n\r\n"],
    ["credentials that look like a host", "GET http://a.example:80@127.0.0.1/ HTTP/1.1\r\nHost: a.example\r\n\r\n"],
    ["a tunnel without a port", "CONNECT a.example HTTP/1.1\r\nHost: a.example\r\n\r\n"],
    ["a tunnel with a path", "CONNECT a.example:80/x HTTP/1.1\r\nHost: a.example:80\r\n\r\n"],
    ["a tunnel to credentials", "CONNECT u:p@a.example:80 HTTP/1.1\r\nHost: a.example:80\r\n\r\n"],
    ["a tunnel in absolute form", "CONNECT http://a.example:80 HTTP/1.1\r\nHost: a.example:80\r\n\r\n"],
    ["a tunnel with another host", "CONNECT a.example:80 HTTP/1.1\r\nHost: b.example:80\r\n\r\n"],
    ["a tunnel without a host", "CONNECT a.example:80 HTTP/1.1\r\n\r\n"],
    ["TLS to the proxy", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
    ["SOCKS to the proxy", "\x05\x01\x00"],
  ])("%s: refused, and no site is dialled", async (_name, text) => {
    const { proxy, internet } = await startRecorder();
    const client = await rawClient(cleanup, proxy.port);
    client.socket.end(text, "latin1");
    expect(await client.ended()).toMatch(/^HTTP\/1\.1 (4\d\d|505) /);
    expect(internet.dialled).toEqual([]);
  });

  it("does not take a body for a request", async () => {
    const { proxy, received } = await startRecorder();
    const hidden = "GET http://127.0.0.1/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    const client = await rawClient(cleanup, proxy.port);
    client.socket.write(`${POST}Content-Length: ${hidden.length}\r\n\r\n${hidden}`);
    await client.until("ok");
    await expect.poll(received).toContain(hidden);
    expect(received().startsWith("POST / HTTP/1.1\r\n")).toBe(true);
    expect(proxy.refused()).toBe(0);
  });

  it("judges every request on a kept connection by itself", async () => {
    const { proxy, internet } = await startRecorder();
    const client = await rawClient(cleanup, proxy.port);
    client.socket.write(`${GET}Host: a.example\r\n\r\nGET http://127.0.0.1/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    expect(await client.ended()).toMatch(/^HTTP\/1\.1 200 .*ok.*HTTP\/1\.1 403 Forbidden/s);
    expect(internet.dialled).toEqual([{ address: PUBLIC, port: 80 }]);
  });

  it.each(["Upgrade", "keep-alive"])("never passes an upgrade on (Connection: %s)", async (connection) => {
    const { proxy, received } = await startRecorder();
    const client = await rawClient(cleanup, proxy.port);
    client.socket.write(`${GET}Host: a.example\r\nConnection: ${connection}\r\nUpgrade: websocket\r\n\r\n`);
    await client.until("ok");
    expect(received()).not.toMatch(/upgrade/i);
  });

  it("keeps the framing even when the client declares it hop-by-hop", async () => {
    const { proxy, received } = await startRecorder();
    const client = await rawClient(cleanup, proxy.port);
    client.socket.write(`${POST}Connection: content-length, x-a\r\nX-A: 1\r\nContent-Length: 4\r\n\r\nbody`);
    await client.until("ok");
    await expect.poll(received).toContain("body");
    expect(received()).toMatch(/Content-Length: 4\r\n/);
    expect(received()).not.toMatch(/X-A/);
  });
});

describe("answers that can be read in two ways", () => {
  it.each([
    ["both framings", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde"],
    ["an encoding that is not undone", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"],
    ["a control character in the status text", "HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n"],
    ["a protocol switch nobody asked for", "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"],
    ["no HTTP at all", "220 mail.example ESMTP\r\n"],
    ["nothing", ""],
  ])("%s: refused", async (_name, text) => {
    const port = await startTcp(cleanup, (socket) => socket.once("data", () => socket.end(text, "latin1")));
    const { proxy } = await startProxy(cleanup, new FakeInternet().name("a.example", [PUBLIC]).route(PUBLIC, 80, port));
    const client = await rawClient(cleanup, proxy.port);
    client.socket.write(`${GET}Host: a.example\r\n\r\n`);
    expect(await client.ended()).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
  });

  it("survives any bytes from either side", async () => {
    let answer = Buffer.alloc(0);
    const port = await startTcp(cleanup, (socket) => socket.once("data", () => socket.end(answer)));
    const site = await startSite(cleanup, (_incoming, outgoing) => outgoing.end("alive"));
    const internet = new FakeInternet()
      .name("a.example", [PUBLIC])
      .route(PUBLIC, 80, port)
      .route(PUBLIC, 8080, site.port);
    const { proxy } = await startProxy(cleanup, internet);
    const piece = fc.constantFrom(
      ...["GET ", "CONNECT ", "http://", "a.example", ":80", "127.0.0.1", " HTTP/1.1", "\r\n", "\r\n\r\n", "Host: "],
      ...[
        "Content-Length: ",
        "Transfer-Encoding: ",
        "chunked",
        "HTTP/1.1 200 OK",
        "0",
        "5",
        ", ",
        "\0",
        "\xff",
        "@",
        "/",
      ],
    );
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
      fc.array(piece, { maxLength: 30 }).map((pieces) => Buffer.from(pieces.join(""), "latin1")),
    );
    await fc.assert(
      fc.asyncProperty(bytes, bytes, async (sent, answered) => {
        answer = answered;
        const garbage = await rawClient(cleanup, proxy.port);
        garbage.socket.end(sent);
        const plain = await rawClient(cleanup, proxy.port);
        plain.socket.write(`${GET}Host: a.example\r\nConnection: close\r\n\r\n`);
        await Promise.all([garbage.ended(), plain.ended()]);
        garbage.socket.destroy();
        plain.socket.destroy();
      }),
      { numRuns: 150 },
    );
    expect(internet.dialled.every(({ address }) => address === PUBLIC)).toBe(true);
    const alive = await rawClient(cleanup, proxy.port);
    alive.socket.write("GET http://a.example:8080/ HTTP/1.1\r\nHost: a.example:8080\r\n\r\n");
    await alive.until("alive");
  }, 30_000);
});
