import { createHash, randomBytes } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { parseEgressAllow } from "../../../../egress/allow.ts";
import {
  Cleanup,
  FakeInternet,
  LOOPBACK_SPELLINGS,
  PUBLIC,
  startSite,
  startTcp,
} from "../../../../egress/internet.fixture.ts";
import { heldBuffers } from "../../../../testing-memory.ts";
import { get, openTunnel, rawClient, startProxy } from "./egress.fixture.ts";

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

describe("cut off", () => {
  it("ends what is open, lets nothing through, and works again afterwards", async () => {
    const site = await startSite(cleanup, (_, outgoing) => outgoing.end("hello"));
    const internet = new FakeInternet().name("shop.example", [PUBLIC]).route(PUBLIC, 80, site.port);
    const { proxy } = await startProxy(cleanup, internet);
    const tunnel = await openTunnel(cleanup, proxy.port, "shop.example:80");
    proxy.cutOff(true);
    await tunnel.ended();
    await expect(get(proxy.port, "http://shop.example/")).rejects.toThrow();
    proxy.cutOff(false);
    expect((await get(proxy.port, "http://shop.example/")).body.toString()).toBe("hello");
  });
});

describe("plain http", () => {
  it("reaches a public site, adding nothing and dropping what is for one connection only", async () => {
    const seen: { url: string | undefined; raw: string[] }[] = [];
    const site = await startSite(cleanup, (incoming, outgoing) => {
      seen.push({ url: incoming.url, raw: incoming.rawHeaders });
      outgoing.writeHead(201, "Made", [
        ...["Set-Cookie", "a=1", "Set-Cookie", "b=2", "Connection", "x-secret, close", "X-Secret", "1"],
        ...["X-Perch-Egress", "dns", "Content-Type", "text/plain", "Keep-Alive", "timeout=5"],
      ]);
      outgoing.end("hello");
    });
    const internet = new FakeInternet().name("shop.example", [PUBLIC]).route(PUBLIC, 80, site.port);
    const { proxy } = await startProxy(cleanup, internet);
    const answer = await get(proxy.port, "http://shop.example/a%20b?q=1#part", {
      headers: { "X-Kept": "yes", "Proxy-Connection": "keep-alive", "Proxy-Authorization": "Basic x", TE: "trailers" },
    });
    expect(answer.status).toBe(201);
    expect(answer.body.toString()).toBe("hello");
    expect(answer.headers["set-cookie"]).toEqual(["a=1", "b=2"]);
    expect(answer.headers["x-secret"]).toBeUndefined();
    expect(answer.headers["x-perch-egress"]).toBeUndefined();
    expect(answer.headers.via).toBeUndefined();
    expect(seen).toEqual([
      { url: "/a%20b?q=1", raw: ["Host", "shop.example", "X-Kept", "yes", "Connection", "close"] },
    ]);
    expect(internet.asked).toEqual(["shop.example"]);
    expect(proxy.refused()).toBe(0);
  });

  it("passes bodies both ways, with a length and in chunks", async () => {
    const site = await startSite(cleanup, (incoming, outgoing) => {
      outgoing.setHeader(
        "x-framing",
        incoming.headers["transfer-encoding"] ?? incoming.headers["content-length"] ?? "none",
      );
      incoming.pipe(outgoing);
    });
    const internet = new FakeInternet().name("echo.example", [PUBLIC]).route(PUBLIC, 8080, site.port);
    const { proxy } = await startProxy(cleanup, internet);
    const body = randomBytes(300_000);
    const known = await get(proxy.port, "http://echo.example:8080/", {
      method: "POST",
      headers: { "content-length": String(body.length) },
      body,
    });
    expect(known.headers["x-framing"]).toBe("300000");
    expect(known.body.equals(body)).toBe(true);
    const chunked = await get(proxy.port, "http://echo.example:8080/", {
      method: "PUT",
      headers: { "transfer-encoding": "chunked" },
      body,
    });
    expect(chunked.headers["x-framing"]).toBe("chunked");
    expect(chunked.body.equals(body)).toBe(true);
    const none = await get(proxy.port, "http://echo.example:8080/", {
      method: "POST",
      headers: { "content-length": "0" },
    });
    expect(none.headers["x-framing"]).toBe("0");
    expect(proxy.bytes().in).toBeGreaterThan(600_000);
    expect(proxy.bytes().out).toBeGreaterThan(600_000);
  });

  it("cuts the client off when the site cuts its answer short", async () => {
    const port = await startTcp(cleanup, (socket) => {
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"));
    });
    const internet = new FakeInternet().name("short.example", [PUBLIC]).route(PUBLIC, 80, port);
    const { proxy } = await startProxy(cleanup, internet);
    await expect(get(proxy.port, "http://short.example/")).rejects.toThrow(/aborted|socket hang up|ECONNRESET/);
  });

  it("tells a person in words why a private address is refused", async () => {
    const { proxy, refused, logged } = await startProxy(cleanup, new FakeInternet());
    const answer = await get(proxy.port, "http://192.168.0.1/admin");
    expect(answer.status).toBe(403);
    expect(answer.headers["x-perch-egress"]).toBe("private-address");
    expect(answer.headers["content-type"]).toContain("text/html");
    expect(answer.body.toString()).toContain(
      "This address is not reachable from a phone: it belongs to a private network.",
    );
    expect(refused).toEqual([{ host: "192.168.0.1", port: 80, reason: "private-address" }]);
    expect(proxy.refused()).toBe(1);
    expect(logged.join()).not.toContain("192.168");
  });

  it("says when a name or a site is not there", async () => {
    const internet = new FakeInternet().name("dead.example", [PUBLIC]).name("empty.example", []);
    const { proxy } = await startProxy(cleanup, internet);
    const outcomes = [];
    for (const host of ["none.example", "empty.example", "dead.example"]) {
      const { status, headers } = await get(proxy.port, `http://${host}/`);
      outcomes.push([status, headers["x-perch-egress"]]);
    }
    expect(outcomes).toEqual([
      [502, "dns"],
      [502, "dns"],
      [502, "unreachable"],
    ]);
  });

  it.each([
    "https://shop.example/",
    "ftp://shop.example/",
    "http://user:pass@shop.example/",
    "http://user@shop.example/",
    "http:///",
    "http://%6c%6f%63alhost/",
    "http://shop.example:99999/",
    "http://shop.example:/",
    "http://a..b/",
    "/origin-form",
    "*",
  ])("refuses %s as a bad request", async (url) => {
    const internet = new FakeInternet().name("shop.example", [PUBLIC]);
    const { proxy } = await startProxy(cleanup, internet);
    const answer = await get(proxy.port, url, { headers: { host: "shop.example" } });
    expect([answer.status, answer.headers["x-perch-egress"]]).toEqual([400, "bad-request"]);
    expect(internet.asked).toEqual([]);
    expect(internet.dialled).toEqual([]);
  });
});

const NEAR = [
  ...LOOPBACK_SPELLINGS,
  ...["localhost", "LOCALHOST.", "a.localhost", "a.b.localhost.", "[::1]", "[::]", "0.0.0.0", "0", "[::7f00:1]"],
  ...["169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "10.1.2.3"],
];

describe("addresses near the server", () => {
  it.each(NEAR)("ABUSE-29 %s is refused in both forms, and never dialled or looked up", async (host) => {
    const internet = new FakeInternet();
    const { proxy } = await startProxy(cleanup, internet);
    const plain = await get(proxy.port, `http://${host}:8787/`);
    expect([plain.status, plain.headers["x-perch-egress"]]).toEqual([403, "private-address"]);
    const tunnel = await openTunnel(cleanup, proxy.port, `${host}:8787`);
    expect(tunnel.received).toMatch(/^HTTP\/1\.1 403 Forbidden\r\nx-perch-egress: private-address\r\n/);
    expect(internet.asked).toEqual([]);
    expect(internet.dialled).toEqual([]);
  });

  it.each([
    [["127.0.0.1"]],
    [[PUBLIC, "10.0.0.1"]],
    [["2606:4700::1", "::1"]],
    [[PUBLIC, "::ffff:127.0.0.1"]],
    [["fe80::1%eth0", PUBLIC]],
    [[PUBLIC, "not an address"]],
  ])("a name with the addresses %j is refused whole", async (addresses) => {
    const internet = new FakeInternet().name("mixed.example", addresses);
    const { proxy } = await startProxy(cleanup, internet);
    const tunnel = await openTunnel(cleanup, proxy.port, "mixed.example:443");
    expect(tunnel.received).toMatch(/x-perch-egress: (private-address|dns)\r\n/);
    expect(internet.dialled).toEqual([]);
  });

  it("ABUSE-29 asks a rebinding name once and connects to the address it judged", async () => {
    const site = await startSite(cleanup, (_incoming, outgoing) => outgoing.end("public"));
    const internet = new FakeInternet().name("rebind.example", [PUBLIC], ["127.0.0.1"]).route(PUBLIC, 80, site.port);
    const { proxy } = await startProxy(cleanup, internet);
    expect((await get(proxy.port, "http://rebind.example/")).body.toString()).toBe("public");
    expect(internet.asked).toEqual(["rebind.example"]);
    expect(internet.dialled).toEqual([{ address: PUBLIC, port: 80 }]);
    expect((await get(proxy.port, "http://rebind.example/")).status).toBe(403);
    expect(internet.dialled).toHaveLength(1);
  });

  it("refuses this machine's own public address", async () => {
    const internet = new FakeInternet().name("us.example", [PUBLIC]);
    const { proxy } = await startProxy(cleanup, internet, { ownAddresses: () => new Set([PUBLIC]) });
    expect((await get(proxy.port, "http://us.example:8787/")).headers["x-perch-egress"]).toBe("private-address");
    expect((await get(proxy.port, `http://${PUBLIC}/`)).headers["x-perch-egress"]).toBe("private-address");
  });

  it.each([22, 25, 6667, 0])("refuses port %d whatever the host", async (port) => {
    const internet = new FakeInternet().name("shop.example", [PUBLIC]);
    const { proxy } = await startProxy(cleanup, internet);
    const tunnel = await openTunnel(cleanup, proxy.port, `shop.example:${port}`);
    expect(tunnel.received).toContain("x-perch-egress: bad-port\r\n");
    expect(internet.asked).toEqual([]);
  });
});

describe("EGRESS_ALLOW", () => {
  it("opens exactly the host and port it names", async () => {
    const site = await startSite(cleanup, (_incoming, outgoing) => outgoing.end("listed"));
    const internet = new FakeInternet()
      .name("intranet.example", ["10.0.0.7"])
      .route("10.0.0.7", 8080, site.port)
      .route("127.0.0.1", 3000, site.port);
    const allow = parseEgressAllow("intranet.example:8080,127.0.0.1:3000,localhost:3000");
    const { proxy } = await startProxy(cleanup, internet, { allow });
    const bodies = [];
    for (const host of ["intranet.example:8080", "127.0.0.1:3000", "127.1:3000", "LOCALHOST.:3000"]) {
      bodies.push((await get(proxy.port, `http://${host}/`)).body.toString());
    }
    expect(bodies).toEqual(["listed", "listed", "listed", "listed"]);
    for (const host of ["intranet.example", "10.0.0.7:8080", "127.0.0.2:3000", "127.0.0.1:3001", "a.localhost:3000"]) {
      expect((await get(proxy.port, `http://${host}/`)).headers["x-perch-egress"], host).toBe("private-address");
    }
  });

  it("does not open the server's own ports on this machine", async () => {
    const internet = new FakeInternet().name("intranet.example", ["10.0.0.7"]);
    const allow = parseEgressAllow("127.0.0.1:8787,localhost:8787,[::1]:8787,0.0.0.0:8787,intranet.example:8787");
    const { proxy } = await startProxy(cleanup, internet, { allow, ownPorts: () => [8787] });
    for (const host of ["127.0.0.1", "localhost", "[::1]", "0.0.0.0"]) {
      expect((await get(proxy.port, `http://${host}:8787/`)).headers["x-perch-egress"]).toBe("private-address");
    }
    expect(internet.dialled).toEqual([]);
    expect((await get(proxy.port, "http://intranet.example:8787/")).headers["x-perch-egress"]).toBe("unreachable");
  });
});

describe("tunnels", () => {
  it("carry a WebSocket both ways", async () => {
    const site = await startSite(cleanup, (_incoming, outgoing) => outgoing.end());
    const sockets = new WebSocketServer({ server: site.server });
    cleanup.add(() => {
      for (const socket of sockets.clients) socket.terminate();
    });
    sockets.on("connection", (socket) => socket.on("message", (data) => socket.send(data)));
    const internet = new FakeInternet().name("chat.example", [PUBLIC]).route(PUBLIC, 80, site.port);
    const { proxy } = await startProxy(cleanup, internet);
    const tunnel = await openTunnel(cleanup, proxy.port, "chat.example:80");
    expect(tunnel.received).toMatch(/^HTTP\/1\.1 200 /);
    tunnel.socket.removeAllListeners("data");
    const socket = new WebSocket("ws://chat.example/", { createConnection: () => tunnel.socket });
    const message = randomBytes(100_000).toString("base64");
    const answer = await new Promise((resolve, reject) => {
      socket.on("open", () => socket.send(message));
      socket.on("message", (data) => resolve(String(data)));
      socket.on("error", reject);
    });
    expect(answer).toBe(message);
    socket.terminate();
  });

  it("pass a half-close on and still deliver the answer", async () => {
    const port = await startTcp(cleanup, (socket) => {
      const hash = createHash("sha256");
      socket.on("data", (part) => hash.update(part));
      socket.on("end", () => socket.end(hash.digest("hex")));
    });
    const internet = new FakeInternet().name("half.example", [PUBLIC]).route(PUBLIC, 443, port);
    const { proxy } = await startProxy(cleanup, internet);
    const tunnel = await openTunnel(cleanup, proxy.port, "half.example:443");
    const body = randomBytes(500_000);
    tunnel.socket.end(body);
    expect(await tunnel.ended()).toContain(createHash("sha256").update(body).digest("hex"));
  });

  it("keep what the client sent along with its request", async () => {
    const port = await startTcp(cleanup, (socket) => socket.pipe(socket));
    const internet = new FakeInternet().name("eager.example", [PUBLIC]).route(PUBLIC, 443, port);
    const { proxy } = await startProxy(cleanup, internet);
    const client = await rawClient(cleanup, proxy.port);
    client.socket.write("CONNECT eager.example:443 HTTP/1.1\r\nHost: eager.example:443\r\n\r\nearly bytes");
    expect(await client.until("early bytes")).toMatch(/^HTTP\/1\.1 200 /);
  });

  it("keep what the client sends while the site is being reached", async () => {
    const port = await startTcp(cleanup, (socket) => socket.pipe(socket));
    const internet = new FakeInternet().name("slow.example", [PUBLIC]).route(PUBLIC, 443, port);
    let proceed: () => void = () => {};
    const { proxy } = await startProxy(cleanup, internet, {
      connect: async (...where) => {
        await new Promise<void>((resolve) => {
          proceed = resolve;
        });
        return internet.connect(...where);
      },
    });
    const client = await rawClient(cleanup, proxy.port);
    client.socket.write("CONNECT slow.example:443 HTTP/1.1\r\nHost: slow.example:443\r\n\r\n");
    await expect.poll(() => internet.asked).toHaveLength(1);
    const body = randomBytes(200_000).toString("hex");
    client.socket.write(body);
    await setImmediate();
    proceed();
    expect(await client.until(body)).toMatch(/^HTTP\/1\.1 200 /);
  });

  it("try the next address when one does not answer", async () => {
    const port = await startTcp(cleanup, (socket) => socket.end("second"));
    const internet = new FakeInternet()
      .name("two.example", ["2606:4700::1", "11.0.0.1", PUBLIC])
      .route(PUBLIC, 443, port);
    const { proxy } = await startProxy(cleanup, internet);
    const tunnel = await openTunnel(cleanup, proxy.port, "two.example:443");
    await tunnel.until("second");
    expect(internet.dialled.map(({ address }) => address)).toEqual(["11.0.0.1", PUBLIC]);
  });

  it("hold little in memory when the reader is slow", async () => {
    const total = 192 * 1024 * 1024;
    let written = 0;
    const port = await startTcp(cleanup, (socket) => {
      const chunk = Buffer.alloc(256 * 1024, 1);
      const fill = () => {
        while (written < total && !socket.destroyed) {
          written += chunk.length;
          if (!socket.write(chunk)) return void socket.once("drain", fill);
        }
        socket.end();
      };
      fill();
    });
    const internet = new FakeInternet().name("big.example", [PUBLIC]).route(PUBLIC, 443, port);
    const { proxy } = await startProxy(cleanup, internet);
    const client = await rawClient(cleanup, proxy.port);
    client.socket.removeAllListeners("data");
    client.socket.pause();
    client.socket.write("CONNECT big.example:443 HTTP/1.1\r\nHost: big.example:443\r\n\r\n");
    let most = 0;
    const start = heldBuffers();
    // A reader that stops: the site's writes must come to rest far below the whole.
    let [seen, since] = [0, performance.now()];
    while (written === 0 || performance.now() - since < 300) {
      if (written !== seen) [seen, since] = [written, performance.now()];
      await setImmediate();
    }
    expect(written).toBeLessThan(total / 4);
    // A reader that goes on: everything arrives, and no more than a few buffers are held at once.
    let received = 0;
    let looked = 0;
    client.socket.on("data", (part: Buffer) => {
      received += part.length;
      if (received - looked < 8 * 1024 * 1024) return;
      looked = received;
      most = Math.max(most, heldBuffers() - start);
    });
    client.socket.resume();
    await new Promise((resolve) => client.socket.once("end", resolve));
    expect(received).toBeGreaterThanOrEqual(total);
    expect(most).toBeLessThan(total / 6);
    expect(proxy.bytes().in).toBe(total);
  }, 30_000);
});
