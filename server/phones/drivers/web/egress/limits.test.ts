/** What one phone may use of the proxy, and its end. */
import { afterEach, describe, expect, it } from "vitest";
import { Cleanup, FakeInternet, PUBLIC, startSite, startTcp } from "../../../../egress/internet.fixture.ts";
import { get, openTunnel, rawClient, startProxy } from "./egress.fixture.ts";

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

describe("limits", () => {
  it("closes connections over the cap and serves again when one is free", async () => {
    const port = await startTcp(cleanup, (socket) => socket.pipe(socket));
    const internet = new FakeInternet().name("a.example", [PUBLIC]).route(PUBLIC, 443, port);
    const { proxy } = await startProxy(cleanup, internet, { limits: { connections: 3 } });
    const open = [];
    for (let index = 0; index < 3; index += 1) open.push(await openTunnel(cleanup, proxy.port, "a.example:443"));
    const over = await rawClient(cleanup, proxy.port);
    expect(await over.ended()).toBe("");
    open[0]?.socket.end();
    await open[0]?.ended();
    await expect
      .poll(() => openTunnel(cleanup, proxy.port, "a.example:443").then((client) => client.received))
      .toMatch(/200/);
  });

  it("closes a connection on which nothing moves", async () => {
    const port = await startTcp(cleanup, () => {});
    const internet = new FakeInternet().name("quiet.example", [PUBLIC]).route(PUBLIC, 443, port);
    const { proxy } = await startProxy(cleanup, internet, { limits: { idleMs: 50 } });
    const tunnel = await openTunnel(cleanup, proxy.port, "quiet.example:443");
    await tunnel.ended();
    const idle = await rawClient(cleanup, proxy.port);
    await idle.ended();
  });

  it("gives up on names and sites that never answer", async () => {
    const internet = new FakeInternet().name("hole.example", [PUBLIC]);
    const stuck = { resolve: () => new Promise<never>(() => {}) };
    const slowName = await startProxy(cleanup, internet, { ...stuck, limits: { connectMs: 50 } });
    expect((await openTunnel(cleanup, slowName.proxy.port, "a.example:443")).received).toContain("x-perch-egress: dns");
    const slowSite = await startProxy(cleanup, internet, {
      connect: (_address, _port, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("given up")))),
      limits: { connectMs: 50 },
    });
    const tunnel = await openTunnel(cleanup, slowSite.proxy.port, "hole.example:443");
    expect(tunnel.received).toContain("x-perch-egress: unreachable");
  });

  it("gives up an attempt whose client has gone", async () => {
    const internet = new FakeInternet().name("hole.example", [PUBLIC]);
    let attempted: (signal: AbortSignal) => void = () => {};
    const attempt = new Promise<AbortSignal>((resolve) => {
      attempted = resolve;
    });
    const { proxy } = await startProxy(cleanup, internet, {
      connect: (_address, _port, signal) => {
        attempted(signal);
        return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("gone"))));
      },
    });
    const client = await rawClient(cleanup, proxy.port);
    client.socket.write("CONNECT hole.example:443 HTTP/1.1\r\nHost: hole.example:443\r\n\r\n");
    const signal = await attempt;
    client.socket.destroy();
    await expect.poll(() => signal.aborted).toBe(true);
  });

  it("stops a site that sends more than one connection may", async () => {
    const endless = await startTcp(cleanup, (socket) => {
      const chunk = Buffer.alloc(64 * 1024);
      const fill = () => {
        while (!socket.destroyed && socket.write(chunk));
      };
      socket.on("drain", fill);
      socket.once("data", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        fill();
      });
    });
    const internet = new FakeInternet().name("endless.example", [PUBLIC]).route(PUBLIC, 80, endless);
    const { proxy } = await startProxy(cleanup, internet, { limits: { bytesPerConnection: 1_000_000 } });
    const tunnel = await openTunnel(cleanup, proxy.port, "endless.example:80");
    tunnel.socket.write("go");
    expect((await tunnel.ended()).length).toBeLessThan(4_000_000);
    await expect(get(proxy.port, "http://endless.example/")).rejects.toThrow(/aborted|hang up|ECONNRESET/);
  });

  it("refuses heads larger than the limit, from the client and from the site", async () => {
    const site = await startSite(cleanup, (_incoming, outgoing) => {
      outgoing.setHeader("x-big", "a".repeat(12_000)).end("x");
    });
    const internet = new FakeInternet().name("big.example", [PUBLIC]).route(PUBLIC, 80, site.port);
    const { proxy } = await startProxy(cleanup, internet, { limits: { headerBytes: 8_192 } });
    expect((await get(proxy.port, "http://big.example/")).status).toBe(502);
    const client = await rawClient(cleanup, proxy.port);
    client.socket.write(
      `GET http://big.example/ HTTP/1.1\r\nHost: big.example\r\nX-Big: ${"a".repeat(12_000)}\r\n\r\n`,
    );
    expect(await client.ended()).toMatch(/^HTTP\/1\.1 4\d\d /);
  });
});

describe("close", () => {
  it("ends tunnels, answers and attempts under way, and stops listening", async () => {
    const port = await startTcp(cleanup, (socket) => {
      socket.once("data", (part) => {
        if (String(part).startsWith("GET")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
      });
    });
    const internet = new FakeInternet().name("a.example", [PUBLIC]).route(PUBLIC, 80, port);
    const { proxy, logged } = await startProxy(cleanup, internet, {
      resolve: (name) => (name === "stuck.example" ? new Promise(() => {}) : internet.resolve(name)),
    });
    const tunnel = await openTunnel(cleanup, proxy.port, "a.example:80");
    const answer = await rawClient(cleanup, proxy.port);
    answer.socket.write("GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n");
    await answer.until("half");
    const attempt = await rawClient(cleanup, proxy.port);
    attempt.socket.write("CONNECT stuck.example:443 HTTP/1.1\r\nHost: stuck.example:443\r\n\r\n");
    const idle = await rawClient(cleanup, proxy.port);
    await Promise.all([proxy.close(), proxy.close()]);
    await Promise.all([tunnel.ended(), answer.ended(), attempt.ended(), idle.ended()]);
    await expect(rawClient(cleanup, proxy.port)).rejects.toThrow(/ECONNREFUSED/);
    expect(logged.join("\n")).toMatch(/"connections":2/);
    expect(logged.join("\n")).not.toMatch(/example/);
  });
});
