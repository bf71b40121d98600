/** One device through real sockets: the simulator directly, and through Debian's ADB server. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { Adb, AdbCommand } from "@yume-chan/adb";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../../clock.ts";
import { dialOwn } from "./connect/dial-device.ts";
import { loginEndpoint, streamEndpoint, tcpEndpoint } from "./connect/endpoints.ts";
import { type AdbKeys, createAdbKeys } from "./connect/keys.ts";
import { packetBytes } from "./connect/packets.ts";
import { createAdbServer, type ServerDevice } from "./connect/server.ts";
import { openAndroidDevice, type Probe } from "./device.ts";
import type { AdbEndpoint, AndroidDevice } from "./ports.ts";
import { type Simulator, startSimulator } from "./simulator/simulator.ts";
import { listFolder } from "./sync.ts";
import { type AdbProcess, adbProcess, hasAdb } from "./testing/adb.fixture.ts";

const SEAL = Buffer.alloc(32, 7);
const FAST: Probe = { everyMs: 100, withinMs: 200, misses: 2 };
const dial = dialOwn();
let folder: string;
let keys: AdbKeys;
let adb: AdbProcess | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "perch-device-"));
  keys = createAdbKeys(folder, SEAL);
  adb = hasAdb ? await adbProcess() : undefined;
});
afterAll(async () => {
  await adb?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const open = (endpoint: AdbEndpoint, probe?: Probe) =>
  openAndroidDevice(endpoint, { clock: systemClock, signal: AbortSignal.timeout(20_000), ...(probe && { probe }) });
async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  return Buffer.from(await new Response(stream).arrayBuffer());
}
const directly = (simulator: Simulator) => tcpEndpoint({ host: "127.0.0.1", port: simulator.port }, keys, dial);
const throughServer = (simulator: Simulator) => {
  if (adb === undefined) throw new Error("no adb");
  return createAdbServer(adb.at, dial).endpoint(simulator.address);
};

describe.each([
  ["directly", directly, true],
  ["through an ADB server", throughServer, hasAdb],
] as const)("a device reached %s", (_, endpointOf, can) => {
  let simulator: Simulator;
  let device: AndroidDevice;
  beforeAll(async () => {
    if (!can) return;
    simulator = await startSimulator();
    device = await open(endpointOf(simulator));
  });
  afterAll(async () => {
    await device?.close();
    await simulator?.close();
  });

  it.runIf(can)("says what it is", () => {
    expect(device.facts).toMatchObject({ width: 720, height: 1280, density: 320, sdk: expect.any(Number) });
    expect(device.facts.sdk).toBeGreaterThan(20);
  });

  it.runIf(can)("runs programs with their arguments, their output and their end", async () => {
    const hostile = ["$(id)", "a'b", "c\nd", "; exit 3", "日本語 🙂"];
    // A real program of the shell's own, so what arrives can be seen.
    const said = await device.run(["printf", "%s|", ...hostile]);
    expect([said.exitCode, Buffer.from(said.stdout).toString()]).toEqual([0, `${hostile.join("|")}|`]);
    const missing = await device.run(["no-such-program"]);
    expect(missing.exitCode).toBe(127);
    expect(missing.stderr).toMatch(/not found/);
    await expect(device.text(["cat", "/sdcard/nothing"])).rejects.toMatchObject({ code: "phone_unavailable" });
  });

  it.runIf(can)("ends what takes too long, writes too much or is not wanted any more", async () => {
    const gone = { code: "phone_unavailable", reason: "device_gone" };
    await expect(device.run(["sleep", "30"], { timeoutMs: 100 })).rejects.toMatchObject(gone);
    await expect(device.run(["seq", "1", "100000"], { maxBytes: 1000 })).rejects.toThrow(/far more/);
    const given = new AbortController();
    const running = device.run(["sleep", "30"], { signal: given.signal });
    given.abort(new Error("not wanted"));
    await expect(running).rejects.toThrow("not wanted");
    expect((await device.text(["echo", "still there"])).trim()).toBe("still there");
  });

  it.runIf(can)("takes and gives files byte by byte", async () => {
    const bytes = randomBytes(300_001);
    const path = "/sdcard/Download/it's $(a) file 🙂.bin";
    await device.push(path, new Blob([bytes]).stream());
    expect((await bytesOf(await device.pull(path))).equals(bytes)).toBe(true);
    const listed = await listFolder(device.adb, device.words, "/sdcard/Download/");
    expect(listed).toEqual([
      { name: "it's $(a) file 🙂.bin", isFile: true, isFolder: false, bytes: 300_001, modifiedMs: expect.any(Number) },
    ]);
    await expect(device.pull("/sdcard/nothing")).rejects.toMatchObject({ code: "not_found" });
    simulator.fullStorage(true);
    await expect(device.push("/sdcard/full", new Blob([bytes]).stream())).rejects.toMatchObject({
      code: "limit_reached",
    });
    simulator.fullStorage(false);
    const broken = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.error(new Error("the upload broke"));
      },
    });
    await expect(device.push("/sdcard/broken", broken)).rejects.toThrow("the upload broke");
  });

  it.runIf(can)("streams what a program writes until it is cancelled", async () => {
    const stop = new AbortController();
    const reader = (await device.stream(["seq", "1", "3"], stop.signal)).getReader();
    const { value } = await reader.read();
    expect(Buffer.from(value ?? []).toString()).toMatch(/^1\n/);
    await reader.cancel();
  });
});

describe("a device that has no shell protocol", () => {
  it("gives exit codes all the same, and nothing is spliced", async () => {
    const simulator = await startSimulator();
    try {
      const inner = directly(simulator);
      const old: AdbEndpoint = {
        words: inner.words,
        async open(signal) {
          const adb = await inner.open(signal);
          const plain = Object.create(adb.transport, { clientFeatures: { value: [] } });
          for (const name of ["connect", "close"] as const) {
            Object.defineProperty(plain, name, { value: (adb.transport[name] as () => unknown).bind(adb.transport) });
          }
          for (const name of ["banner", "serial", "maxPayloadSize", "disconnected"] as const) {
            Object.defineProperty(plain, name, { value: adb.transport[name] });
          }
          return new Adb(plain);
        },
      };
      const device = await open(old);
      const said = await device.run(["printf", "%s", "; exit 3"]);
      expect([said.exitCode, Buffer.from(said.stdout).toString()]).toEqual([0, "; exit 3"]);
      expect((await device.run(["no-such-program"])).exitCode).toBe(127);
      expect((await device.run(["false"])).exitCode).toBe(1);
      await device.close();
    } finally {
      await simulator.close();
    }
  });
});

describe("a connection that breaks", () => {
  it.each([
    ["directly", directly, true],
    ["through an ADB server", throughServer, hasAdb],
  ] as const)("%s ends what runs, and says so", async (_, endpointOf, can) => {
    if (!can) return;
    const simulator = await startSimulator();
    const device = await open(endpointOf(simulator));
    const running = device.run(["sleep", "30"]);
    running.catch(() => undefined);
    await simulator.unplug();
    await device.gone;
    await expect(running).rejects.toMatchObject({ code: "phone_unavailable" });
    await expect(device.run(["true"])).rejects.toMatchObject({ code: "phone_unavailable" });
    await device.close();
    await simulator.plugIn();
    const again = await open(endpointOf(simulator));
    expect((await again.text(["echo", "back"])).trim()).toBe("back");
    await again.close();
    await simulator.close();
  });

  it.each([
    ["directly", directly, true],
    ["through an ADB server", throughServer, hasAdb],
  ] as const)("%s without a word is noticed by asking", async (_, endpointOf, can) => {
    if (!can) return;
    const simulator = await startSimulator();
    const device = await open(endpointOf(simulator), FAST);
    const closed = vi.fn();
    void device.gone.then(closed);
    await new Promise((resolve) => setTimeout(resolve, 0));
    simulator.halfOpen();
    await device.gone;
    expect(closed).toHaveBeenCalledOnce();
    await simulator.plugIn();
    await simulator.close();
  });

  it("is told apart from one that speaks no ADB, refuses, or is not there", async () => {
    const simulator = await startSimulator();
    const endpoint = directly(simulator);
    await simulator.unplug();
    await expect(open(endpoint)).rejects.toMatchObject({
      reason: "device_gone",
      message: expect.stringMatching(/refuses/),
    });
    await simulator.close();
    const web = () =>
      new Duplex({
        read() {},
        write(_chunk, _encoding, done) {
          this.push("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
          done();
        },
      });
    const other = streamEndpoint("a web server", keys, async () => web());
    await expect(open(other)).rejects.toMatchObject({ reason: "device_gone" });
  });
});

describe("the product's own key", () => {
  it("is asked for on the device's screen, and known from then on", async () => {
    const simulator = await startSimulator({ auth: true });
    try {
      const opening = open(directly(simulator));
      await vi.waitFor(() => expect(simulator.asking).toHaveLength(1), { interval: 5 });
      expect(simulator.asking[0]).toBe(await keys.publicKey());
      simulator.allow();
      await (await opening).close();
      await (await open(directly(simulator))).close();
      expect(simulator.asking).toHaveLength(0);
      simulator.unauthorize();
      const refused = openAndroidDevice(directly(simulator), {
        clock: systemClock,
        signal: AbortSignal.timeout(20_000),
      });
      // Listened to before the cable is pulled: it may be over before that is.
      const told = expect(refused).rejects.toMatchObject({
        reason: "device_unauthorized",
        message: expect.stringMatching(/Allow USB debugging/),
      });
      await vi.waitFor(() => expect(simulator.asking).toHaveLength(1), { interval: 5 });
      await simulator.unplug();
      await told;
    } finally {
      await simulator.close();
    }
  });

  it("signs what adb gives to be signed, and nothing else", async () => {
    const sent: number[] = [];
    const asks = (token: Uint8Array) =>
      new Duplex({
        read() {},
        write(chunk: Buffer, _encoding, done) {
          if (chunk.readUInt32LE(0) === AdbCommand.Auth) sent.push(chunk.readUInt32LE(4));
          const auth = { command: AdbCommand.Auth, arg0: 1, arg1: 0, checksum: 0, magic: 0 };
          if (chunk.readUInt32LE(0) === AdbCommand.Connect) this.push(packetBytes({ ...auth, payload: token }));
          else this.push(null);
          done();
        },
      });
    const [signature, publicKey] = [2, 3];
    await expect(open(streamEndpoint("a device", keys, async () => asks(randomBytes(20))))).rejects.toThrow();
    await expect(open(streamEndpoint("a device", keys, async () => asks(randomBytes(32))))).rejects.toThrow();
    expect(sent).toEqual([signature, publicKey]);
  });

  it("is made once and lies sealed", async () => {
    const [file = ""] = readdirSync(join(folder, "android"));
    const path = join(folder, "android", file);
    expect(statSync(path).mode & 0o077).toBe(0);
    expect(readFileSync(path, "utf8")).not.toMatch(/PRIVATE|MII/);
    const [one, two] = await Promise.all(
      [createAdbKeys(folder, SEAL), createAdbKeys(folder, SEAL)].map((each) => each.publicKey()),
    );
    expect(one).toBe(await keys.publicKey());
    expect(two).toBe(one);
    expect(one).toMatch(/^QAAAA[\w+/]+=* perch@server$/);
    await expect(createAdbKeys(folder, Buffer.alloc(32, 8)).publicKey()).rejects.toThrow(/does not open/);
  });
});

describe("a device behind a password", () => {
  it("is not usable with what it does not take, and the password is told nobody", async () => {
    const simulator = await startSimulator();
    try {
      const to = { host: "127.0.0.1", port: simulator.port };
      // The simulator asks for none: what is said first is a program it does not have, and the shell answers after it.
      const device = await open(loginEndpoint(to, { form: "glogin", password: "s3cret$(id)" }, keys, dial));
      await device.close();
      await simulator.unplug();
      const failure = await open(loginEndpoint(to, { form: "password alone", password: "s3cret" }, keys, dial)).catch(
        String,
      );
      expect(failure).not.toContain("s3cret");
    } finally {
      await simulator.close();
    }
  });
});

describe.runIf(hasAdb)("an ADB server", () => {
  it("tells its devices as they come and go, and is asked again after it was gone", async () => {
    if (adb === undefined) throw new Error("no adb");
    const simulator = await startSimulator();
    const server = createAdbServer(adb.at, dial);
    const heard: (readonly ServerDevice[] | undefined)[] = [];
    const stop = new AbortController();
    const tracking = server.track((devices) => void heard.push(devices), stop.signal);
    const latest = () => heard.at(-1)?.find(({ serial }) => serial === simulator.address)?.state;
    await vi.waitFor(() => expect(heard.length).toBeGreaterThan(0));
    const device = await open(server.endpoint(simulator.address));
    await vi.waitFor(() => expect(latest()).toBe("device"));
    await adb.kill();
    await device.gone;
    await vi.waitFor(() => expect(heard.at(-1)).toBeUndefined());
    await expect(open(server.endpoint(simulator.address))).rejects.toMatchObject({
      reason: "host_gone",
      message: expect.stringMatching(/does not answer/),
    });
    await adb.start();
    const again = await open(server.endpoint(simulator.address));
    expect((await again.text(["echo", "back"])).trim()).toBe("back");
    await again.close();
    await vi.waitFor(() => expect(latest()).toBe("device"), { timeout: 5_000 });
    stop.abort();
    await tracking;
    await simulator.close();
  });

  it("says of a device that it is not there, or does not trust it yet", async () => {
    if (adb === undefined) throw new Error("no adb");
    const server = createAdbServer(adb.at, dial);
    await expect(open(server.endpoint("R58M12345"))).rejects.toMatchObject({
      reason: "device_gone",
      message: expect.stringMatching(/not connected/),
    });
    const simulator = await startSimulator({ auth: true });
    const opening = open(server.endpoint(simulator.address));
    opening.catch(() => undefined);
    await vi.waitFor(() => expect(simulator.asking.length).toBeGreaterThan(0), { interval: 10, timeout: 5_000 });
    simulator.allow();
    const first = await opening.catch((error: unknown) => {
      expect(error).toMatchObject({ reason: "device_unauthorized" });
      return undefined;
    });
    const device = first ?? (await vi.waitFor(() => open(server.endpoint(simulator.address)), { timeout: 5_000 }));
    await device.close();
    await simulator.close();
  });
});
