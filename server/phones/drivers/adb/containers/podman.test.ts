/**
 * The life of a phone on podman's API service, with a real bridge, real containers and a real packet filter; only Android is
 * a simulator. Runs where `npm run test:counterparts` has set one up, as root.
 */
import { spawnSync } from "node:child_process";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PhoneId } from "../../../../../shared/ids.ts";
import { type TestDatabase, testSqlite } from "../../../../db/testing.ts";
import type { AdbEndpoint } from "../ports.ts";
import { type Simulator, startSimulator } from "../simulator/simulator.ts";
import { serverAddresses } from "./compose.ts";
import { firewallRules } from "./egress-guard.ts";
import { openEngine } from "./engine.ts";
import { preflight } from "./preflight.ts";
import { type Containers, imageOf, openContainers, specOf } from "./testing/fixture.ts";

const address = process.env["TEST_DOCKER_HOST"] ?? "";
const reference = process.env["TEST_DOCKER_IMAGE"] ?? "";
/** Folder of the volumes, for a way from the container to the simulator that is no network. */
const volumes = process.env["TEST_DOCKER_VOLUMES"];
const image = imageOf({ id: "stand-in", image: reference === "" ? "none" : reference, memoryMb: 512, pids: 512 });
const always = new AbortController().signal;

function nft(rules: string): void {
  const { status, stderr } = spawnSync("nft", ["-f", "-"], { input: rules, encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
}

describe.runIf(volumes !== undefined)("a phone on podman", () => {
  let database: TestDatabase;
  let under: Containers;
  let simulator: Simulator;
  let id: PhoneId;
  let way: Server | undefined;
  let source: ReturnType<Containers["startSource"]>["source"];
  beforeAll(async () => {
    database = await testSqlite.open();
    under = await openContainers(database, { images: [image], servers: serverAddresses() });
    simulator = await startSimulator();
    await under.hosts.add({ name: "podman", address, certFolder: undefined, region: "here", capacity: 2 }, "test");
    ({ source } = under.startSource());
    await source.recover();
    id = await under.addPhone();
    await source.create(specOf(id, image));
    way = createServer((socket) => {
      const to = connect({ host: "127.0.0.1", port: simulator.port });
      socket.pipe(to).pipe(socket);
      socket.on("error", () => to.destroy());
      to.on("error", () => socket.destroy());
    }).listen(join(volumes ?? "", `perch-${id}`, "_data", "adb.sock"));
  });
  afterAll(async () => {
    spawnSync("nft", ["delete", "table", "inet", "perch_phones"]);
    way?.close();
    await under.close();
    await simulator.close();
    await database.dispose();
  });

  it("is not started while its host lets it in", async () => {
    await expect(source.start(specOf(id, image), always)).rejects.toThrow("npm run admin -- hosts firewall");
    expect(under.logged.some(({ message }) => message.startsWith("A phone could reach"))).toBe(true);
    expect(await source.state(id)).toBe("parked");
  });

  it("starts with the rules loaded, and its ADB answers over the published port and through the Engine", async () => {
    nft(firewallRules(serverAddresses()));
    const endpoint = await source.start(specOf(id, image), always);
    expect(await model(endpoint)).toBe(simulator.phone.properties.get("ro.product.model"));

    const engine = await openEngine(address, undefined);
    const facts = await engine.inspect(`perch-${id}`);
    expect(facts?.adbPort).toBeGreaterThan(0);
    const { adbStream } = await import("./start-phone.ts");
    const { streamEndpoint } = await import("../connect/endpoints.ts");
    const { createAdbKeys } = await import("../connect/keys.ts");
    const far = { ...engine, local: false };
    const through = streamEndpoint("far", createAdbKeys(under.folder, Buffer.alloc(32)), (signal) =>
      adbStream(far, facts ?? expect.fail("It is not there."), signal),
    );
    expect(await model(through)).toBe(simulator.phone.properties.get("ro.product.model"));
    engine.close();
  });

  it("says what its host has and lacks", async () => {
    const engine = await openEngine(address, undefined);
    const findings = await preflight({
      engine,
      images: [image],
      capacity: 2,
      instance: "0123456789abcdef",
      ...{ servers: serverAddresses(), serverPort: 8787 },
    });
    engine.close();
    const of = (what: string) => findings.find((finding) => finding.what === what);
    expect(of("engine")).toMatchObject({ ok: true });
    expect(of("images")).toMatchObject({ ok: true });
    expect(of("disk")?.words).toMatch(/^\d+ GB free/);
    const binder = spawnSync("grep", ["-w", "binder", "/proc/filesystems"]).status === 0;
    expect(of("binder")).toMatchObject({ ok: binder });
    expect(of("egress guard")).toMatchObject({ ok: true });
    expect(of("shared memory")).toMatchObject({ ok: true, words: "memfd." });
  });

  it("parks, keeps its volume, and is wiped with its files counted", async () => {
    await source.park(id);
    expect(await source.state(id)).toBe("parked");
    const folder = join(volumes ?? "", `perch-${id}`, "_data");
    spawnSync("sh", [
      "-c",
      `printf 1234567 > '${folder}/app.db' && mkdir '${folder}/a' && printf 123 > '${folder}/a/b'`,
    ]);
    const receipt = await source.remove(id, undefined);
    expect(receipt).toMatchObject({ files: 2, bytes: 10, verifiedAbsent: true });
    expect(spawnSync("ls", [folder]).status).not.toBe(0);
  });

  async function model(endpoint: AdbEndpoint): Promise<string> {
    const adb = await endpoint.open(always);
    try {
      return (await adb.getProp("ro.product.model")).trim();
    } finally {
      await adb.close();
    }
  }
});
