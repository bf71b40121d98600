import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PeerCertificate, type SecureVersion, connect as tlsConnect } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { SCREEN_PROTOCOL } from "../../shared/screen-protocol.ts";
import { selfSigned } from "../automations/script/certificate.fixture.ts";
import { ManualClock } from "../clock.ts";
import { PerchError } from "../errors.ts";
import { createLog, silentLog } from "../log.ts";
import { signIn, startTestServer, type TestServer } from "../testing.ts";
import { type Listening, startListening } from "./listener.ts";
import { keepCertificate, readCertificate } from "./tls-certificate.ts";

const folder = mkdtempSync(join(tmpdir(), "perch-tls-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const certFile = join(folder, "cert.pem");
const keyFile = join(folder, "key.pem");
function writeCertificate({ key, cert } = selfSigned("localhost")): string {
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key);
  return cert;
}

const handshake = async (port: number, maxVersion: SecureVersion = "TLSv1.3"): Promise<PeerCertificate | string> => {
  const socket = tlsConnect({
    host: "127.0.0.1",
    port,
    servername: "localhost",
    rejectUnauthorized: false,
    maxVersion,
  });
  try {
    await once(socket, "secureConnect");
    expect(socket.getProtocol()).toBe("TLSv1.3");
    return socket.getPeerCertificate();
  } catch (error) {
    return error instanceof Error ? error.message : "";
  } finally {
    socket.destroy();
  }
};

describe("the server with a certificate of its own", () => {
  let server: TestServer;
  let ca: string;
  beforeAll(async () => {
    ca = writeCertificate();
    server = await startTestServer({ TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile });
  });
  afterAll(() => server.dispose());

  const get = (path: string, headers: Record<string, string> = {}) =>
    new Promise<{ status: number; headers: Readonly<Record<string, unknown>>; text: string }>((resolve, reject) => {
      const call = request({ host: "localhost", port: server.port, path, headers, ca, agent: false }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      });
      call.on("error", reject).end();
    });

  it("answers by https, as what it says it is", async () => {
    expect(server.url).toBe(`https://localhost:${server.port}`);
    const person = await signIn(server);
    const me = await get("/trpc/account.me", { authorization: `Bearer ${person.token}` });
    expect(me).toMatchObject({ status: 200, text: expect.stringContaining(person.userId) });
    expect(me.headers["strict-transport-security"]).toBe("max-age=31536000");
    expect((await get("/.well-known/security.txt")).text).toContain(`Canonical: ${server.url}/`);
  });

  it.each(["TLSv1.2", "TLSv1.1", "TLSv1"] as const)("speaks no %s", async (version) => {
    expect(await handshake(server.port, version)).toMatch(/alert|version|protocol/i);
  });

  it("opens screens by wss, and refuses them in words", async () => {
    const socket = new WebSocket(`wss://localhost:${server.port}/screen`, [SCREEN_PROTOCOL], { ca });
    const [, response] = await once(socket, "unexpected-response");
    socket.on("error", () => {});
    expect(response.statusCode).toBe(401);
    expect(response.headers["strict-transport-security"]).toBe("max-age=31536000");
    response.resume();
  });

  it("goes on after what is no TLS and after handshakes that break off", async () => {
    for (const bytes of ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01\x00\x05nope!", ""]) {
      const socket = connect(server.port, "127.0.0.1");
      await once(socket, "connect");
      socket.on("error", () => {});
      socket.end(bytes);
      socket.resume();
      await once(socket, "close");
    }
    expect((await get("/healthz")).status).toBe(200);
    expect(server.lines.filter((line) => line.includes('"error"'))).toEqual([]);
  });
});

describe("a certificate", () => {
  const refusal = (files: { certFile: string; keyFile: string }) => {
    try {
      readCertificate(files);
      return "";
    } catch (error) {
      expect(error).toBeInstanceOf(PerchError);
      return error instanceof Error ? error.message : "";
    }
  };

  it("that cannot serve stops the start with a sentence that names the file", () => {
    writeCertificate();
    const other = join(folder, "other.pem");
    writeFileSync(other, selfSigned("localhost").key);
    const nonsense = join(folder, "nonsense.pem");
    writeFileSync(nonsense, "nothing");
    expect(refusal({ certFile, keyFile })).toBe("");
    expect(refusal({ certFile: join(folder, "missing"), keyFile })).toContain("TLS_CERT_FILE");
    expect(refusal({ certFile, keyFile: join(folder, "missing") })).toMatch(/TLS_KEY_FILE .* cannot be read/);
    expect(refusal({ certFile: nonsense, keyFile })).toMatch(/TLS_CERT_FILE .* does not hold a certificate/);
    expect(refusal({ certFile, keyFile: nonsense })).toMatch(/TLS_KEY_FILE .* does not hold a private key/);
    expect(refusal({ certFile, keyFile: other })).toMatch(/TLS_KEY_FILE .* is not the key/);
  });

  it("is taken into use when its files change, and only whole", async () => {
    writeCertificate();
    const server = createServer(readCertificate({ certFile, keyFile })).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const lines: string[] = [];
    const log = createLog({ clock: new ManualClock(), write: (line) => lines.push(line) });
    const stop = keepCertificate(server, { certFile, keyFile }, log, 5);
    const shown = async () => {
      const peer = await handshake(port);
      return typeof peer === "string" ? peer : peer.fingerprint256;
    };
    try {
      const first = await shown();
      const renewed = selfSigned("localhost");
      // Half of the pair: the certificate is there, its key is not yet.
      writeFileSync(certFile, renewed.cert);
      await expect.poll(() => lines.join(""), { timeout: 5_000 }).toContain("cannot be used");
      expect(await shown()).toBe(first);
      writeFileSync(keyFile, renewed.key);
      await expect.poll(() => lines.join(""), { timeout: 5_000 }).toContain("is in use");
      expect(await shown()).not.toBe(first);
      expect(lines.join("")).not.toContain("PRIVATE KEY");
    } finally {
      stop();
      server.close();
    }
  });
});

describe("slow connections", () => {
  let listening: Listening | undefined;
  let heard: string[] = [];
  afterEach(() => listening?.close());
  const start = async (silence = 60_000) => {
    heard = [];
    listening = await startListening({
      host: "127.0.0.1",
      port: 0,
      log: silentLog,
      limits: {
        ...{ headersTimeout: 150, requestTimeout: 300, keepAliveTimeout: 150, connectionsCheckingInterval: 20 },
        ...{ maxHeaderSize: 16_384, silence },
      },
      serve(asked, answer) {
        heard.push(asked.url ?? "");
        if (asked.url === "/stream") answer.writeHead(200).write("begun");
        else asked.resume().on("end", () => answer.end("done"));
      },
    });
    return listening.port;
  };
  /** Sends `first`, then `drip` again and again until the server has had enough; gives what it said. */
  const drip = async (port: number, first: string, more: string) => {
    const socket = connect(port, "127.0.0.1");
    let said = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
    });
    socket.on("error", () => {});
    socket.write(first);
    const timer = more === "" ? undefined : setInterval(() => socket.write(more), 30);
    await once(socket, "close");
    clearInterval(timer);
    return said;
  };

  it("are cut while their head drips in, and told why", async () => {
    const said = await drip(await start(), "GET / HTTP/1.1\r\nHost: x\r\n", "X: y\r\n");
    expect(said).toMatch(/^HTTP\/1\.1 408 .*took too long/s);
    expect(heard).toEqual([]);
  });
  it("are cut while their body drips in", async () => {
    await drip(await start(), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", "x");
    expect(heard).toEqual(["/"]);
  });
  it("are cut when they say nothing at all, at first or after an answer", async () => {
    const port = await start();
    expect(await drip(port, "", "")).toContain("408");
    expect(await drip(port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "")).toMatch(/^HTTP\/1\.1 200 /);
  });
  it("are cut when nothing moves in the middle of an answer", async () => {
    expect(await drip(await start(200), "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n", "")).toContain("begun");
  });
});

describe("a port that cannot be had", () => {
  it("is named, with what to change", async () => {
    const options = { host: "127.0.0.1", log: silentLog, serve() {} };
    const first = await startListening({ ...options, port: 0 });
    await expect(startListening({ ...options, port: first.port })).rejects.toThrow(/Port \d+ is taken/);
    await first.close();
  });
});
