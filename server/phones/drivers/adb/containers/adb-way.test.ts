/** The way to a phone's ADB: a port of this machine, or the Engine's own connection to another one, over TLS. */
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { createServer, type Server } from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { PhoneId } from "../../../../../shared/ids.ts";
import { selfSigned } from "../../../../automations/script/certificate.fixture.ts";
import { type TestDatabase, testSqlite } from "../../../../db/testing.ts";
import { guardOutbound } from "../../../../privacy/processors/outbound.ts";
import type { AdbEndpoint } from "../ports.ts";
import { startSimulator } from "../simulator/simulator.ts";
import { openEngine } from "./engine.ts";
import type { FakeEngine } from "./testing/engine.ts";
import { type Containers, openContainers, specOf } from "./testing/fixture.ts";

const always = new AbortController().signal;

describe("ADB of a phone in a container", () => {
  let database: TestDatabase;
  let under: Containers;
  let fake: FakeEngine;
  let far: Server;
  let certFolder: string;
  const [server, client] = [selfSigned("localhost"), selfSigned("client")];
  beforeAll(async () => {
    database = await testSqlite.open();
  });
  afterAll(() => database.dispose());
  beforeEach(async () => {
    under = await openContainers(database, { device: () => startSimulator() });
    fake = await under.addHost(
      `near-${under.folder
        .slice(-6)
        .toLowerCase()
        .replaceAll(/[^a-z0-9]/g, "x")}`,
    );
    certFolder = join(under.folder, "certs");
    mkdirSync(certFolder);
    writeFileSync(join(certFolder, "ca.pem"), server.cert);
    writeFileSync(join(certFolder, "cert.pem"), client.cert);
    writeFileSync(join(certFolder, "key.pem"), client.key);
    const [row] = await under.repo.hosts();
    const path = row?.address.slice("unix://".length) ?? "";
    far = createServer({ ...server, ca: client.cert, requestCert: true, rejectUnauthorized: true }, (socket) => {
      const engine = connect({ path });
      socket.pipe(engine).pipe(socket);
      socket.on("error", () => engine.destroy());
      engine.on("error", () => socket.destroy());
      socket.on("close", () => engine.destroy());
      engine.on("close", () => socket.destroy());
    }).listen(0, "127.0.0.1");
    far.on("tlsClientError", () => {});
    await once(far, "listening");
  });
  afterEach(async () => {
    await under.close();
    far.close();
    const { phoneContainers, phoneHosts, phones } = database.db.t;
    await database.db.tx(async (tx) => {
      for (const table of [phoneContainers, phoneHosts, phones]) await tx.delete(table);
    });
  });
  const farAddress = (host: string) => `https://${host}:${(far.address() as AddressInfo).port}`;

  async function started() {
    const { source } = under.startSource();
    await source.recover();
    const id = await under.addPhone();
    await source.create(specOf(id));
    return { source, id, endpoint: await source.start(specOf(id), always) };
  }
  async function replies(endpoint: AdbEndpoint): Promise<string> {
    const adb = await endpoint.open(always);
    try {
      return (await adb.getProp("ro.product.model")).trim();
    } finally {
      await adb.close();
    }
  }
  const published = (id: PhoneId) => fake.phone(id).plan.HostConfig?.PortBindings;

  it("is a port of the loopback address where the host is this machine", async () => {
    const { endpoint, id } = await started();
    expect(await replies(endpoint)).toBe("Pixel 7");
    expect(await replies(endpoint)).toBe("Pixel 7");
    expect(published(id)).toBeDefined();
    expect(fake.calls.filter((call) => call.endsWith("/start") && call.includes("/exec/")).length).toBeLessThan(6);
  });

  it("goes through the Engine where the host is another machine, with nothing published there", async () => {
    const [row] = await under.repo.hosts();
    if (row === undefined) throw new Error("There is no host.");
    await database.db.tx((tx) => under.repo.changeHost(tx, row.id, { address: farAddress("localhost"), certFolder }));
    const { endpoint, source, id } = await started();
    expect(await replies(endpoint)).toBe("Pixel 7");
    expect(published(id)).toBeUndefined();

    const adb = await endpoint.open(always);
    fake.vanish();
    await adb.disconnected;
    await expect(endpoint.open(always)).rejects.toMatchObject({ reason: "host_gone" });
    fake.comeBack();
    under.clock.advance(60_000);
    await source.tick();
    expect(await replies(endpoint)).toBe("Pixel 7");
    await fake.die(fake.phone(id));
    await expect(endpoint.open(always)).rejects.toMatchObject({ reason: "device_gone" });
  });

  it("is refused to who has no certificate of the host's, and its own host to who is not the one named", async () => {
    const stranger = selfSigned("client");
    writeFileSync(join(certFolder, "cert.pem"), stranger.cert);
    writeFileSync(join(certFolder, "key.pem"), stranger.key);
    const unknown = await openEngine(farAddress("localhost"), certFolder);
    await expect(unknown.ping()).rejects.toMatchObject({ kind: "gone" });
    unknown.close();
    writeFileSync(join(certFolder, "ca.pem"), stranger.cert);
    const doubted = await openEngine(farAddress("localhost"), certFolder);
    await expect(doubted.ping()).rejects.toThrow(/self.signed/);
    doubted.close();
    await expect(openEngine(farAddress("localhost"), undefined)).rejects.toThrow("needs client certificates");
    await expect(openEngine(farAddress("localhost"), join(certFolder, "no"))).rejects.toThrow("cannot be read");
  });

  it("passes the wall of the processor register, because the operator registered the host", async () => {
    const wall = guardOutbound({ processors: [], clock: under.clock, log: { info() {}, warn() {}, error() {} } });
    try {
      // Linux takes 0.0.0.0 to this machine, and the register does not know it. The certificate is another's.
      const engine = await openEngine(farAddress("0.0.0.0"), certFolder);
      await expect(engine.ping()).rejects.toThrow(/altnames/);
      engine.close();
    } finally {
      wall.remove();
    }
  });
});
