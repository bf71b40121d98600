/** What somebody from outside may try on the log and on who the server takes them for. */
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "./testing.ts";

const FORGED = '{"level":"info","message":"forged"}';

describe("tampering from outside", () => {
  let server: TestServer;
  let behindProxy: TestServer;
  beforeAll(async () => {
    [server, behindProxy] = await Promise.all([
      startTestServer(),
      startTestServer({ TRUSTED_PROXIES: "127.0.0.1,::1,10.0.0.2" }),
    ]);
  });
  afterAll(() => Promise.all([server.dispose(), behindProxy.dispose()]));

  /** The bytes as they are; `fetch` would not send them. */
  async function raw(bytes: string): Promise<string> {
    const socket = connect(server.port, "127.0.0.1");
    socket.write(bytes, "latin1");
    const [answer] = await once(socket, "data");
    socket.destroy();
    return String(answer);
  }
  const post = (path: string, type: string, body: string, headers = "") =>
    `POST ${path} HTTP/1.1\r\nHost: localhost:${server.port}\r\nOrigin: http://localhost:${server.port}\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body, "latin1")}\r\n${headers}\r\n${body}`;

  it("ABUSE-40 what a stranger sends makes no line of the log, nor breaks one", async () => {
    const breaks = ["\r\n", "\n", "\r", "%0d%0a", "%0a", "\\r\\n", "\\u2028", "\x85", "\x1b[2K"];
    for (const one of breaks) {
      const words = `x${one}${FORGED}${one}`;
      const inHeader = words.replace(/\p{Cc}/gu, " ");
      const answers = [
        await raw(
          `GET /${encodeURI(words)} HTTP/1.1\r\nHost: localhost:${server.port}\r\nUser-Agent: ${inHeader}\r\n\r\n`,
        ),
        await raw(post("/trpc/account.exchange", "application/json", JSON.stringify({ code: words, verifier: words }))),
        await raw(post("/trpc/account.exchange", "application/json", `{"code": ${words}`)),
        await raw(
          post("/sign-in", "application/x-www-form-urlencoded", `email=${encodeURIComponent(words)}&password=x`),
        ),
        await raw(
          post("/hooks/x", "application/json", words, `X-Perch-Signature: ${inHeader}\r\nX-Perch-Timestamp: 1\r\n`),
        ),
        await raw(`GET / HTTP/1.1\r\nHost: localhost:${server.port}\r\nX-A: x${one}${FORGED}\r\n\r\n`),
      ];
      for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 [2345]\d\d /);
      // Nor a header of the answer.
      for (const answer of answers) expect(answer.split("\r\n\r\n")[0]).not.toMatch(/^\{"level/m);
    }
    for (const line of server.lines) {
      expect(line.slice(0, -1)).not.toMatch(/[\r\n\u2028\u2029\u0085]/);
      expect(JSON.parse(line)).toMatchObject({ level: expect.stringMatching(/^(info|warn|error)$/) });
      expect(JSON.parse(line).message).not.toBe("forged");
    }
  });

  /** Resets asked for until the server says that it is too often, each with the header that `forwarded` gives. */
  async function taken(one: TestServer, forwarded: (n: number) => string): Promise<number> {
    for (let n = 0; n < 15; n += 1) {
      const answer = await fetch(`${one.url}/reset`, {
        method: "POST",
        redirect: "manual",
        headers: {
          origin: one.url,
          "content-type": "application/x-www-form-urlencoded",
          "x-forwarded-for": forwarded(n),
        },
        body: `email=nobody${n}@x.example`,
      });
      if (answer.status === 429) return n;
    }
    return 15;
  }

  it("ABUSE-40 X-Forwarded-For changes nothing when no proxy is trusted", async () => {
    expect(await taken(server, (n) => `203.0.113.${n}`)).toBe(10);
  });

  it("ABUSE-40 behind a trusted proxy people are told apart by what it wrote, not by what they wrote", async () => {
    expect(await taken(behindProxy, (n) => `198.51.100.${n}, 203.0.113.7`)).toBe(10);
    expect(await taken(behindProxy, (n) => `198.51.100.${n}, 203.0.113.8, 10.0.0.2`)).toBe(10);
    expect(await taken(behindProxy, (n) => `198.51.${n}.1`)).toBe(15);
  });
});
