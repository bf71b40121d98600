/** The simulated phone through Debian's `adb`, which is the reference for what an ADB device says. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decode } from "fast-png";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeApk } from "./apk.ts";
import { COUNTER_COLOURS } from "./apps/small.ts";
import { type Simulator, startSimulator } from "./simulator.ts";
import { AdbCli, there } from "./testing.ts";

/** Looks until it is so; a machine may be slow. */
const soon = <T>(read: () => T) => expect.poll(read, { timeout: 20_000, interval: 20 });

describe.skipIf(!there("adb"))("Debian's adb (skipped where it is not installed)", () => {
  let cli: AdbCli;
  let sim: Simulator;
  let folder: string;
  const on = (...args: string[]) => cli.run("-s", sim.address, ...args);
  const shell = async (line: string) => (await on("shell", line)).text;
  const file = (name: string, bytes: Uint8Array) => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "adb-files-"));
    [cli, sim] = await Promise.all([AdbCli.start(), startSimulator({ idleTimeoutMs: 50 })]);
    expect((await cli.run("connect", sim.address)).text).toContain(`connected to ${sim.address}`);
  });
  afterAll(async () => {
    await Promise.all([cli.close(), sim.close()]);
    rmSync(folder, { recursive: true, force: true });
  });

  it("lists it with its model", async () => {
    const { text } = await cli.run("devices", "-l");
    expect(text).toMatch(new RegExp(`^${sim.address}\\s+device product:panther model:Pixel_7 device:panther`, "m"));
  });

  it("runs programs with their exit codes, output and errors apart", async () => {
    expect(await shell("getprop ro.product.model")).toBe("Pixel 7\n");
    expect((await on("shell", "exit 7")).code).toBe(7);
    const unknown = await on("shell", "nope; echo after >&2");
    expect(unknown.stderr).toBe("/system/bin/sh: nope: inaccessible or not found\nafter\n");
    expect(unknown.stdout).toHaveLength(0);
    expect((await on("shell", "nope")).code).toBe(127);
    expect((await on("shell", "cat -- -odd")).stderr).toBe("cat: -odd: No such file or directory\n");
  });

  it("splits, quotes and expands words as a shell does, and feeds standard input", async () => {
    expect(await shell(`x='a  b'; echo "$x" $x $(getprop ro.build.version.sdk) | tr a-z A-Z`)).toBe("A  B A B 34\n");
    expect((await cli.feed("one\ntwo\n", "-s", sim.address, "shell", "cat")).text).toBe("one\ntwo\n");
  });

  it("keeps to the phone's own files", async () => {
    const { stderr, code } = await on("shell", "cat /etc/passwd /sdcard/../../etc/passwd /data/system/x");
    expect(stderr).toBe(
      "cat: /etc/passwd: No such file or directory\ncat: /sdcard/../../etc/passwd: No such file or directory\ncat: /data/system/x: Permission denied\n",
    );
    expect(code).toBe(1);
    expect((await on("shell", "echo $HOME; echo $PATH")).text).not.toContain("/usr/bin");
  });

  it("draws what it dumps, and a tap changes both", async () => {
    await shell("am start -n com.example.counter/.CounterActivity");
    const pixel = async () => {
      const { stdout } = await on("exec-out", "screencap", "-p");
      const { width, height, data } = decode(stdout);
      expect([width, height]).toEqual([720, 1280]);
      const at = (600 * width + 300) * 4;
      return ((data[at] ?? 0) << 16) | ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0);
    };
    expect(await pixel()).toBe(COUNTER_COLOURS[0]);
    await shell("input tap 300 600");
    expect(await pixel()).toBe(COUNTER_COLOURS[1]);
    const dump = (await on("exec-out", "uiautomator", "dump", "/dev/tty")).text;
    expect(dump).toContain('text="Count 1" resource-id="com.example.counter:id/count" class="android.widget.TextView"');
    expect(dump).toMatch(/<\/hierarchy>UI hierchary dumped to: \/dev\/tty\n$/);
  });

  it("has no idle state where something always moves", async () => {
    await shell("am start -n com.example.busy/.BusyActivity");
    const { stderr, code } = await on("shell", "uiautomator dump /sdcard/x.xml");
    expect([stderr, code]).toEqual(["ERROR: could not get idle state.\n", 0]);
    expect((await on("shell", "ls /sdcard/x.xml")).code).toBe(1);
  });

  it("types, opens the keyboard and hides it with Back", async () => {
    await shell("am start -n com.example.form/.FormActivity; input tap 200 300; input text Ada%sL");
    expect(await shell("dumpsys input_method")).toContain("mInputShown=true");
    await shell("input keyevent KEYCODE_BACK");
    expect(await shell("dumpsys input_method")).toContain("mInputShown=false");
    expect(sim.apps.form.values.name).toBe("Ada L");
    const emoji = await on("shell", "input text 'ü😀'");
    expect([emoji.code, emoji.stderr]).toEqual([255, expect.stringContaining("NullPointerException")]);
  });

  it("takes and gives back files byte for byte", async () => {
    const bytes = randomBytes(2_500_000);
    const from = file("there.bin", bytes);
    expect((await on("push", from, "/sdcard/Download/a b.bin")).code).toBe(0);
    expect(await shell("stat -c %s '/sdcard/Download/a b.bin'")).toBe("2500000\n");
    expect((await on("pull", "/storage/emulated/0/Download/a b.bin", join(folder, "back.bin"))).code).toBe(0);
    expect(readFileSync(join(folder, "back.bin")).equals(bytes)).toBe(true);
    const refused = await on("push", from, "/system/x");
    expect([refused.code, refused.text + refused.stderr]).toEqual([1, expect.stringContaining("Permission denied")]);
    sim.fullStorage(true);
    const full = await on("push", from, "/sdcard/full.bin");
    expect(full.text + full.stderr).toContain("No space left on device");
    sim.fullStorage(false);
    expect((await on("shell", "rm '/sdcard/Download/a b.bin'; ls /sdcard/Download")).text).toBe("");
  });

  it("installs APKs and says why it does not take one", async () => {
    const install = async (name: string, apk: Uint8Array) => {
      const { code, text, stderr } = await on("install", "-r", file(name, apk));
      return `${code} ${text}${stderr}`;
    };
    const apk = (versionCode: number) => makeApk({ package: "com.example.fresh", versionCode });
    expect(await install("one.apk", apk(5))).toMatch(/^0 .*Success/s);
    expect(await shell("pm list packages -3 fresh --show-versioncode")).toBe(
      "package:com.example.fresh versionCode:5\n",
    );
    expect(await install("old.apk", apk(4))).toMatch(/^1 .*INSTALL_FAILED_VERSION_DOWNGRADE/s);
    expect(await install("bad.apk", Buffer.from("no zip"))).toMatch(/^1 .*INSTALL_PARSE_FAILED_NOT_APK/s);
    sim.fullStorage(true);
    expect(await install("new.apk", apk(6))).toMatch(/^1 .*INSTALL_FAILED_INSUFFICIENT_STORAGE/s);
    sim.fullStorage(false);
    expect((await on("uninstall", "com.example.fresh")).text).toBe("Success\n");
    expect((await on("uninstall", "com.example.fresh")).text).toContain("Failure");
  });

  it("forwards from the phone to the host, and lists it", async () => {
    expect((await on("reverse", "localabstract:here", "tcp:9")).code).toBe(0);
    expect((await on("reverse", "--list")).text).toContain("localabstract:here tcp:9");
    expect((await on("reverse", "--remove", "localabstract:here")).code).toBe(0);
    expect((await on("reverse", "--remove", "localabstract:here")).stderr).toContain("not found");
  });

  it("reaches the host through a port of its own", async () => {
    const heard: string[] = [];
    const host = createServer((socket) =>
      socket
        .on("error", () => {})
        .on("data", (bytes) => {
          heard.push(bytes.toString());
          socket.end("well met\n");
        }),
    );
    await new Promise<void>((resolve) => host.listen(0, "127.0.0.1", resolve));
    const port = (await on("reverse", "tcp:0", `tcp:${(host.address() as AddressInfo).port}`)).text.trim();
    expect(await shell(`echo hello | toybox nc 127.0.0.1 ${port}`)).toBe("well met\n");
    expect(heard).toEqual(["hello\n"]);
    expect((await on("shell", "nc 192.0.2.1 80")).stderr).toContain("Network is unreachable");
    await new Promise((resolve) => host.close(resolve));
  });

  it("is offline when unplugged and comes back", async () => {
    await sim.unplug();
    expect((await cli.run("connect", sim.address)).text).not.toContain(`\nconnected to ${sim.address}`);
    await sim.plugIn();
    await cli.run("disconnect", sim.address);
    expect((await cli.run("connect", sim.address)).text).toContain("connected to");
    expect(await shell("echo back")).toBe("back\n");
  });

  it("lets nobody in before it is allowed", async () => {
    const locked = await startSimulator({ auth: true });
    try {
      await cli.run("connect", locked.address);
      const state = async () => (await cli.run("devices")).text;
      await soon(() => locked.asking.length).toBe(1);
      expect(await state()).toMatch(new RegExp(`${locked.address}\\s+unauthorized`));
      expect((await cli.run("-s", locked.address, "shell", "id")).stderr).toContain("unauthorized");
      locked.allow();
      await soon(state).toMatch(new RegExp(`${locked.address}\\s+device`));
      expect((await cli.run("-s", locked.address, "shell", "whoami")).text).toBe("shell\n");
      await cli.run("disconnect", locked.address);
      await cli.run("connect", locked.address);
      await soon(state).toMatch(new RegExp(`${locked.address}\\s+device`));
    } finally {
      await cli.run("disconnect", locked.address);
      await locked.close();
    }
  });
});
