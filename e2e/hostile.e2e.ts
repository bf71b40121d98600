/** Hostile pages on real phones of the real server: they reach nothing, block nothing, fill nothing (issue 2 §6.4). */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Phone } from "../shared/phones.ts";
import { freePort } from "../shared/testing/free-port.ts";
import { type Site, startSite } from "./fixtures/site.ts";
import { ApiClient } from "./harness/api.ts";
import { PerchServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";

/** A service on this machine that must never hear from a phone. */
class Victim {
  connections = 0;
  datagrams = 0;
  readonly #tcp: Server;
  readonly #udp: Socket;
  readonly port: number;
  readonly udpPort: number;

  private constructor(tcp: Server, udp: Socket, port: number) {
    this.#tcp = tcp;
    this.#udp = udp;
    this.port = port;
    this.udpPort = udp.address().port;
    tcp.on("connection", (socket) => {
      this.connections += 1;
      socket.on("error", () => socket.destroy());
      socket.end("HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 6\r\n\r\nsecret");
    });
    udp.on("message", () => {
      this.datagrams += 1;
    });
  }

  static async start(): Promise<Victim> {
    const tcp = createServer().listen(0);
    const udp = createSocket("udp4");
    udp.bind(0);
    await Promise.all([once(tcp, "listening"), once(udp, "listening")]);
    const address = tcp.address();
    if (address === null || typeof address === "string") throw new Error("A TCP server has an address.");
    return new Victim(tcp, udp, address.port);
  }

  close(): void {
    this.#tcp.close();
    this.#udp.close();
  }
}

describe("hostile pages", () => {
  let victim: Victim;
  let site: Site;
  let server: PerchServer;
  let api: ApiClient;
  let phone: Phone;
  let other: Phone;

  beforeAll(async () => {
    victim = await Victim.start();
    const port = await freePort();
    site = await startSite({ victim: String(victim.port), server: String(port), udp: String(victim.udpPort) });
    const env = { EGRESS_ALLOW: `127.0.0.1:${site.port}`, PHONE_DISK_MB: "160", PHONE_MEMORY_MB: "500" };
    const program = [process.execPath, "--import", "./e2e/harness/watch-requests.ts", "server/main.ts"];
    server = await PerchServer.start({ port, env, program });
    api = await ApiClient.create(server, "hostile@example.org");
    phone = await api.launch(`${site.origin}/counter`);
    other = await api.launch(`${site.origin}/counter`);
  });
  afterAll(async () => {
    await server?.stop();
    await site?.close();
    victim?.close();
  });

  const open = (path: string) =>
    api.mutate<Phone>("phones.openUrl", { phoneId: phone.id, url: `${site.origin}${path}` });
  /** The phone still goes where a person sends it. */
  const stillDrives = async () => {
    const before = site.requests("/counter");
    await open("/counter");
    await until("the next page to load", () => site.requests("/counter") > before);
  };

  it("ABUSE-29 reach nothing on this machine: not a service, not the server itself, no file, no browser page", async () => {
    await open("/hostile/reach");
    const before = server.output.length;
    expect(server.output).toContain(`arrived ${server.port} POST /trpc/phones.openUrl`);
    await until("the page to have tried everything", () => site.last("reach") !== undefined, { timeout: 30_000 });
    expect(server.output.slice(before)).not.toContain(`arrived ${server.port} `);
    expect(site.last("reach")).toBe("nothing");
    expect(victim).toMatchObject({ connections: 0, datagrams: 0 });
    expect(site.told("opened").filter((line) => /-> (file|chrome|devtools|view-source):/.test(line))).toEqual([]);
    await open("/hostile/redirect");
    await until("the redirect to be served", () => site.requests("/hostile/redirect") > 0);
    await stillDrives();
    expect(victim).toMatchObject({ connections: 0, datagrams: 0 });
  });

  it("would be seen if they did: the same page reaches a service that is listed", async () => {
    const env = { EGRESS_ALLOW: `127.0.0.1:${site.port},127.0.0.1:${victim.port}` };
    const open = await PerchServer.start({ env });
    try {
      const person = await ApiClient.create(open, "control@example.org");
      await person.launch(`${site.origin}/hostile/reach`);
      await until("the victim to be reached", () => victim.connections > 0);
    } finally {
      await open.stop();
    }
  });

  it("cannot hold a phone with dialogs", async () => {
    await open("/hostile/dialogs");
    await until("the storm to start", () => site.last("storm") !== undefined);
    const screen = await api.watch(phone.id);
    await screen.firstFrame();
    screen.send({ type: "key", name: "Home" });
    await stillDrives();
    screen.close();
  });

  it("cannot hold a phone by printing or by spinning, and other phones do not notice", async () => {
    await open("/hostile/print");
    await stillDrives();
    await open("/hostile/spin");
    await until("the page to spin", () => site.last("spin") !== undefined);
    const before = site.requests("/form");
    await api.mutate("phones.openUrl", { phoneId: other.id, url: `${site.origin}/form` });
    await until("the other phone to go on", () => site.requests("/form") > before);
    await stillDrives();
  });

  it("cannot open windows without end", async () => {
    await open("/hostile/windows");
    const before = site.requests("/counter");
    const screen = await api.watch(phone.id);
    await screen.firstFrame();
    const tap = () => {
      for (const phase of ["start", "end"] as const)
        screen.send({ type: "touch", phase, id: 0, x: 0.5, y: 0.5, seq: screen.seq });
    };
    await until(
      "the page to have opened one",
      () => {
        tap();
        return site.requests("/counter") > before || site.last("windows") !== undefined;
      },
      { everyMs: 500 },
    );
    await stillDrives();
    screen.close();
  });

  it("cannot fill the disk: they are refused, or their phone ends and says why", async () => {
    await open("/hostile/disk");
    await until(
      "a clear end",
      async () => site.last("full") !== undefined || (await api.phone(phone.id)).reason === "disk_full",
      { timeout: 60_000 },
    );
    expect(Number(site.last("filled") ?? 0)).toBeLessThan(400);
    expect((await api.phone(other.id)).state).toBe("running");
    const { receipt } = await api.mutate<{ receipt: { verifiedAbsent: boolean } }>("phones.remove", {
      phoneId: phone.id,
      idempotencyKey: crypto.randomUUID(),
    });
    expect(receipt.verifiedAbsent).toBe(true);
  });

  it("cannot eat the memory: only their phone ends, and says why", async () => {
    const eater = await api.launch(`${site.origin}/hostile/memory`);
    await until("the phone to end", async () => (await api.phone(eater.id)).state === "failed", { timeout: 60_000 });
    expect((await api.phone(eater.id)).reason).toBe("out_of_memory");
    expect((await api.phone(other.id)).state).toBe("running");
    expect(server.running).toBe(true);
  });
});
