/** The simulated phone through `@yume-chan/adb`, without an ADB server and through one, and what breaks on purpose. */
import { existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { type Adb, AdbServerClient } from "@yume-chan/adb";
import { AdbScrcpyClient, AdbScrcpyOptions3_3_3 } from "@yume-chan/adb-scrcpy";
import { AdbServerNodeTcpConnector } from "@yume-chan/adb-server-node-tcp";
import { DefaultServerPath } from "@yume-chan/scrcpy";
import { ReadableStream, WritableStream } from "@yume-chan/stream-extra";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeApk } from "./apk.ts";
import { type Simulator, startSimulator } from "./simulator.ts";
import { AdbCli, connectDirectly, newKey, there } from "./testing.ts";

/** Looks until it is so; a machine may be slow. */
const soon = <T>(read: () => T) => expect.poll(read, { timeout: 20_000, interval: 20 });

const run = async (adb: Adb, line: string) => {
  const shell = adb.subprocess.shellProtocol;
  if (shell === undefined) throw new Error("no shell protocol");
  const { exitCode, stdout, stderr } = await shell.spawnWaitText(line);
  return { exitCode, stdout, stderr };
};
/** One argument of a POSIX shell, whatever is in it. */
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const stream = (bytes: Uint8Array) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
const push = async (adb: Adb, filename: string, bytes: Uint8Array) => {
  const sync = await adb.sync();
  try {
    await sync.write({ filename, file: stream(bytes) });
  } finally {
    await sync.dispose();
  }
};
const pull = async (adb: Adb, filename: string) => {
  const sync = await adb.sync();
  try {
    const parts: Uint8Array[] = [];
    for await (const part of sync.read(filename)) parts.push(part);
    return Buffer.concat(parts);
  } finally {
    await sync.dispose();
  }
};
/** Whatever ended it. */
const gone = (adb: Adb) =>
  adb.disconnected.then(
    () => true,
    () => true,
  );

describe("@yume-chan/adb without a server", () => {
  let sim: Simulator;
  let adb: Adb;
  beforeAll(async () => {
    sim = await startSimulator();
    adb = await connectDirectly(sim.port);
  });
  afterAll(async () => {
    await adb.close();
    await sim.close();
  });

  it("says what it is", () => {
    const { model, product, features } = adb.banner;
    expect([model, product, features]).toEqual([
      "Pixel 7",
      "panther",
      ["shell_v2", "cmd", "stat_v2", "ls_v2", "fixed_push_mkdir"],
    ]);
  });

  it("hands every argument over as it is when it is quoted", async () => {
    const text = fc.string({ unit: fc.constantFrom(..."ab '\"\\$`;&|<>(){}*?~#!\n\t%=é😀"), maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(text, async (value) => {
        await run(adb, `settings put system probe ${quoted(value)}`);
        expect(sim.phone.settings.system.get("probe")).toBe(value);
      }),
      { numRuns: 25 },
    );
  });

  it("shows what an argument that is not quoted does", async () => {
    await run(adb, "am start -a android.intent.action.VIEW -d https://x.test/$(touch /sdcard/pwned)");
    expect((await run(adb, "ls /sdcard/pwned")).exitCode).toBe(0);
    expect(sim.apps.browser.url).toBe("https://x.test/");
    await run(adb, "rm /sdcard/pwned");
  });

  it("stores and lists files, and refuses in words", async () => {
    const bytes = new Uint8Array(200_000).map((_, at) => at % 251);
    await push(adb, "/sdcard/Download/new/x.bin", bytes);
    expect((await pull(adb, "/sdcard/Download/new/x.bin")).equals(bytes)).toBe(true);
    const sync = await adb.sync();
    const entries = await sync.readdir("/sdcard/Download/new");
    expect(entries.map(({ name, size }) => [name, size])).toEqual([["x.bin", 200_000n]]);
    await expect(sync.lstat("/sdcard/none")).rejects.toThrow("ENOENT");
    expect((await sync.stat("/sdcard")).type).toBe(4);
    await sync.dispose();
    await expect(push(adb, "/data/app/x", bytes)).rejects.toThrow("Permission denied");
    await expect(push(adb, "/sdcard/../../x", bytes)).rejects.toThrow("Permission denied");
    await expect(pull(adb, "/sdcard/none")).rejects.toThrow("No such file");
  });

  it("is full in the middle of a file, and keeps nothing of it", async () => {
    const sync = await adb.sync();
    let sent = 0;
    const file = new ReadableStream<Uint8Array>({
      async pull(controller) {
        sent += 1;
        if (sent === 3) await soon(() => existsSync(`${sim.root}/sdcard/half.part`)).toBe(true);
        sim.fullStorage(sent > 2);
        if (sent > 3) controller.close();
        else controller.enqueue(new Uint8Array(64 * 1024));
      },
    });
    await expect(sync.write({ filename: "/sdcard/half", file })).rejects.toThrow("No space left on device");
    await sync.dispose();
    sim.fullStorage(false);
    expect((await run(adb, "ls /sdcard | grep half")).stdout).toBe("");
  });

  it("streams an APK into a session", async () => {
    const apk = makeApk({ package: "com.example.streamed", permissions: ["android.permission.CAMERA"] });
    const created = await run(adb, "pm install-create -r -g");
    const session = /\[(\d+)\]/.exec(created.stdout)?.[1];
    const shell = adb.subprocess.shellProtocol;
    const process = await shell?.spawn(`cmd package install-write -S ${apk.length} ${session} base -`);
    const writer = process?.stdin.getWriter();
    await writer?.write(apk);
    await writer?.close();
    expect(await process?.exited).toBe(0);
    expect((await run(adb, `pm install-commit ${session}`)).stdout).toBe("Success\n");
    expect(sim.phone.granted("com.example.streamed", "android.permission.CAMERA")).toBe(true);
    expect((await run(adb, "cmd package resolve-activity --brief com.example.streamed")).stdout).toMatch(
      /\ncom\.example\.streamed\/\.MainActivity\n$/,
    );
  });

  it("opens the store for its links and the browser for others", async () => {
    await run(adb, "am start -a android.intent.action.VIEW -d 'market://details?id=com.example.wanted'");
    expect([sim.phone.foreground.package, sim.apps.store.app]).toEqual(["com.android.vending", "com.example.wanted"]);
    await run(adb, "am start -a android.intent.action.VIEW -d 'https://example.test/a?b=c&d'");
    expect([sim.phone.foreground.package, sim.apps.browser.url]).toEqual([
      "com.android.chrome",
      "https://example.test/a?b=c&d",
    ]);
    const none = await run(adb, "am start -a android.intent.action.VIEW -d 'nothing://x'");
    expect(none.stderr).toContain("Error: Activity not started, unable to resolve Intent");
  });

  it("turns, darkens, flies and is somewhere else", async () => {
    await run(adb, "settings put system user_rotation 1; cmd uimode night yes; cmd connectivity airplane-mode enable");
    expect(sim.phone.size).toEqual({ width: 1280, height: 720 });
    expect([sim.phone.dark, sim.phone.airplane]).toEqual([true, true]);
    await run(adb, "settings put system user_rotation 0; cmd uimode night no; cmd connectivity airplane-mode disable");
    const refused = await run(adb, "cmd location providers add-test-provider gps");
    expect(refused.stderr).toContain("SecurityException");
    await run(
      adb,
      "appops set com.android.shell android:mock_location allow; cmd location providers add-test-provider gps; cmd location providers set-test-provider-enabled gps true; cmd location providers set-test-provider-location gps --location 52.5,13.4",
    );
    expect(sim.phone.location).toEqual({ latitude: 52.5, longitude: 13.4 });
  });

  it("asks for a permission and shows a crash", async () => {
    await run(
      adb,
      "am start -n com.example.form/.FormActivity; pm revoke com.example.form android.permission.ACCESS_FINE_LOCATION",
    );
    sim.phone.askPermission("com.example.form", "android.permission.ACCESS_FINE_LOCATION", "use it");
    expect((await run(adb, "uiautomator dump /dev/tty")).stdout).toContain("permission_allow_foreground_only_button");
    await run(adb, "input keyevent 4; am start -n com.example.counter/.CounterActivity");
    sim.phone.crash("com.example.counter");
    expect((await run(adb, "uiautomator dump /dev/tty")).stdout).toContain("Counter keeps stopping");
    expect((await run(adb, "pidof com.example.counter")).exitCode).toBe(1);
  });

  it.skipIf(!existsSync("/proc"))("ends a program whose stream is closed", async () => {
    const process = await adb.subprocess.noneProtocol.spawn("sleep 600 & echo $!; wait");
    const reader = process.output.getReader();
    const pid = Number(Buffer.from((await reader.read()).value ?? []).toString());
    expect(alive(pid)).toBe(true);
    await process.kill();
    await soon(() => alive(pid)).toBe(false);
  });

  it("goes on when one message is larger than a packet, and waits for who reads slowly", async () => {
    const bytes = new Uint8Array(3_000_000).fill(7);
    await push(adb, "/sdcard/big", bytes);
    const process = await adb.subprocess.noneProtocol.spawn("cat /sdcard/big");
    let length = 0;
    for await (const chunk of process.output) length += chunk.length;
    expect(length).toBe(bytes.length);
  });
});

/** A process that ended and nobody asked about yet counts as ended. */
const alive = (pid: number) => {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
};

describe("who may use it", () => {
  it("lets in who is allowed, by the signature from then on, and nobody after that was taken back", async () => {
    const sim = await startSimulator({ auth: true });
    const key = newKey("perch@host");
    try {
      const first = connectDirectly(sim.port, key);
      await soon(() => sim.asking).toEqual([expect.stringMatching(/ perch@host$/)]);
      sim.allow();
      const adb = await first;
      const again = await connectDirectly(sim.port, key);
      expect([sim.connections, sim.asking]).toEqual([2, []]);
      const refused = expect(connectDirectly(sim.port, newKey())).rejects.toThrow();
      await soon(() => sim.asking.length).toBe(1);
      sim.unauthorize();
      await Promise.all([gone(adb), gone(again), refused]);
      void connectDirectly(sim.port, key).catch(() => undefined);
      await soon(() => sim.asking.length).toBe(1);
    } finally {
      await sim.close();
    }
  });
});

describe("what breaks on purpose", () => {
  let sim: Simulator;
  beforeAll(async () => {
    sim = await startSimulator();
  });
  afterAll(() => sim.close());

  it("unplugged: connections end, new ones are refused", async () => {
    const adb = await connectDirectly(sim.port);
    await sim.unplug();
    expect(await gone(adb)).toBe(true);
    await expect(connectDirectly(sim.port)).rejects.toThrow("ECONNREFUSED");
    await sim.plugIn();
    await (await connectDirectly(sim.port)).close();
  });

  it("half open: no answer, and no end", async () => {
    const adb = await connectDirectly(sim.port);
    const waits = "until getprop debug.go | grep -q 1; do sleep 0.02; done; echo late; setprop debug.gone 1";
    const process = await adb.subprocess.noneProtocol.spawn(waits);
    const came: Uint8Array[] = [];
    const over = process.output
      .pipeTo(new WritableStream({ write: (bytes) => void came.push(bytes) }))
      .catch(() => undefined);
    sim.halfOpen();
    sim.phone.properties.set("debug.go", "1");
    await soon(() => sim.phone.properties.get("debug.gone")).toBe("1");
    const socket = connect(sim.port, "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    socket.destroy();
    expect([came, sim.connections]).toEqual([[], 1]);
    await sim.plugIn();
    expect(await gone(adb)).toBe(true);
    await over;
  });

  it("garbage: what is no ADB ends the connection at the host", async () => {
    const adb = await connectDirectly(sim.port);
    sim.garbage();
    await sim.unplug();
    expect(await gone(adb)).toBe(true);
    await sim.plugIn();
  });

  it("slow: every message takes its time", async () => {
    const adb = await connectDirectly(sim.port);
    sim.slow(40);
    const from = performance.now();
    expect((await run(adb, "echo hello")).stdout).toBe("hello\n");
    expect(performance.now() - from).toBeGreaterThan(80);
    sim.slow(0);
    await adb.close();
  });

  it("reboots: the connection ends, what is stored stays", async () => {
    const adb = await connectDirectly(sim.port);
    await push(adb, "/sdcard/kept", Uint8Array.of(1));
    sim.phone.launch("com.example.form");
    await adb.power.reboot().catch(() => undefined);
    expect(await gone(adb)).toBe(true);
    const back = await connectDirectly(sim.port);
    expect((await run(back, "ls /sdcard/kept")).exitCode).toBe(0);
    expect(sim.phone.foreground.package).toBe("com.android.launcher3");
    await back.close();
  });

  it("a host that speaks no ADB is hung up on", async () => {
    const socket = connect(sim.port, "127.0.0.1");
    socket.on("error", () => undefined);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await closed;
  });
});

describe.skipIf(!there("adb"))("@yume-chan/adb through Debian's server", () => {
  it.skipIf(!there("ffmpeg")).each([true, false])(
    "watches the screen; the tunnel forward: %s",
    async (tunnelForward) => {
      const [cli, sim] = await Promise.all([AdbCli.start(), startSimulator()]);
      try {
        await cli.run("connect", sim.address);
        const server = new AdbServerClient(new AdbServerNodeTcpConnector({ host: "127.0.0.1", port: cli.port }));
        const adb = await server.createAdb({ serial: sim.address });
        await push(adb, DefaultServerPath, new Uint8Array(64));
        const options = new AdbScrcpyOptions3_3_3({ tunnelForward, audio: false, scid: "00000abc" });
        const client = await AdbScrcpyClient.start(adb, DefaultServerPath, options);
        const video = await client.videoStream;
        const packet = await video?.stream.getReader().read();
        expect([video?.metadata.deviceName, packet?.value?.type]).toEqual(["Pixel 7", "configuration"]);
        await client.controller?.startApp("com.example.shop");
        await soon(() => sim.phone.foreground.package).toBe("com.example.shop");
        await client.close();
        await soon(() => sim.scrcpy.size).toBe(0);
        await adb.close();
      } finally {
        await cli.close();
        await sim.close();
      }
    },
  );

  it("runs a program and pushes a file", async () => {
    const [cli, sim] = await Promise.all([AdbCli.start(), startSimulator({ serial: "served" })]);
    try {
      await cli.run("connect", sim.address);
      const client = new AdbServerClient(new AdbServerNodeTcpConnector({ host: "127.0.0.1", port: cli.port }));
      const adb = await client.createAdb({ serial: sim.address });
      expect((await run(adb, "getprop ro.serialno")).stdout).toBe("served\n");
      await push(adb, "/sdcard/x", new Uint8Array(100_000));
      expect((await pull(adb, "/sdcard/x")).length).toBe(100_000);
      await adb.close();
    } finally {
      await cli.close();
      await sim.close();
    }
  });
});
