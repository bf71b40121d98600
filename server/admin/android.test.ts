import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { newId } from "../../shared/ids.ts";
import { ManualClock } from "../clock.ts";
import { parseConfig } from "../config.ts";
import { openDatabase } from "../open-database.ts";
import { parseAndroidKey } from "../phones/drivers/adb/simulator/adb-auth.ts";
import { type Simulator, startSimulator } from "../phones/drivers/adb/simulator/simulator.ts";
import { type AdbProcess, adbProcess, hasAdb } from "../phones/drivers/adb/testing/adb.fixture.ts";
import { helperApksIn } from "../phones/drivers/adb/testing/helper-apks.fixture.ts";
import { runAdmin } from "./commands.ts";

const clock = new ManualClock();
const WHY = ["--reason", "new phone"] as const;
let folder: string;
let simulator: Simulator;

const config = (env: Readonly<Record<string, string>> = {}) =>
  parseConfig({ DATA_DIR: join(folder, "data"), ADB_SERVER: "off", ...env });
async function admin(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const out: string[] = [];
  const process = { config: () => config(env), clock, readStdin: async () => "", error: () => {} };
  await runAdmin(args, { ...process, out: (line) => out.push(line) });
  return out.join("\n");
}
async function inDatabase<T>(work: (opened: Awaited<ReturnType<typeof openDatabase>>) => Promise<T>): Promise<T> {
  const opened = await openDatabase(config());
  try {
    return await work(opened);
  } finally {
    await opened.db.close();
  }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "perch-android-admin-"));
  simulator = await startSimulator({ auth: true });
});
afterAll(async () => {
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("what an operator does about Android devices", () => {
  it("is told what is missing and how to get it, and nothing is downloaded", async () => {
    const said = await admin(["android", "setup"]);
    expect(said).toMatch(
      /^missing\tSCRCPY_SERVER_PATH is not set.*releases\/download\/v3\.3\.3\/scrcpy-server-v3\.3\.3 \(SHA-256 7e70323b/m,
    );
    expect(said).toMatch(
      /^ready {2}\tFlows read .*npm pack appium-uiautomator2-server@10\.6\.6.*UIAUTOMATOR_SERVER_PATH/m,
    );
    expect(said).toMatch(/^ready {2}\tNo ADB server is used/m);
    expect(said).toMatch(/^missing\tNo device is registered/m);
    expect(await admin(["android", "setup"], { ADB_SERVER: "127.0.0.1:1" })).toMatch(
      /^missing\tThe ADB server at 127\.0\.0\.1:1 does not answer.*adb start-server/m,
    );
  });

  it("puts only the file that it should be on devices", async () => {
    const file = join(folder, "scrcpy-server");
    writeFileSync(file, "some other program");
    const sha256 = createHash("sha256").update("some other program").digest("hex");
    const env = { SCRCPY_SERVER_PATH: file };
    expect(await admin(["android", "setup"], env)).toContain(`its SHA-256 is ${sha256}`);
    expect(await admin(["android", "setup"], { ...env, SCRCPY_SERVER_SHA256: sha256.toUpperCase() })).toMatch(
      /^ready {2}\tscrcpy's server is there/m,
    );
    expect(await admin(["android", "setup"], { ...env, SCRCPY_SERVER_SHA256: "0".repeat(64) })).toMatch(
      /^missing\t.*not the file SCRCPY_SERVER_SHA256 names/m,
    );
    expect(await admin(["android", "setup"], { SCRCPY_SERVER_PATH: join(folder, "none") })).toMatch(
      /^missing\t.*cannot be read/m,
    );
  });

  it("says whether the helper apps are the files that they should be", async () => {
    expect(await admin(["android", "setup"], { UIAUTOMATOR_SERVER_PATH: folder })).toMatch(
      /^missing\t.*has no two APKs/m,
    );
    const env = helperApksIn(folder);
    expect(await admin(["android", "setup"], env)).toMatch(
      /^ready {2}\tThe helper apps for reading screens are there/m,
    );
    const { UIAUTOMATOR_SERVER_PATH } = env;
    expect(await admin(["android", "setup"], { UIAUTOMATOR_SERVER_PATH })).toMatch(
      /^missing\t.*is not of appium-uiautomator2-server 10\.6\.6: its SHA-256 is [0-9a-f]{64}/m,
    );
  });

  it("prints the one key, as devices keep it", async () => {
    const key = await admin(["android", "key"]);
    expect(await admin(["android", "key"])).toBe(key);
    expect(parseAndroidKey(key).asymmetricKeyDetails).toMatchObject({ modulusLength: 2048, publicExponent: 65537n });
  });

  it("adds a device once it allowed this server, lists and forgets it, all with a reason that is kept", async () => {
    const adding = admin(["android", "add", "--address", simulator.address, "--region", "lab", ...WHY]);
    await vi.waitFor(() => expect(simulator.asking).toHaveLength(1), { timeout: 5_000, interval: 5 });
    simulator.allow();
    const [id = "", name] = (await adding).split("\t");
    expect(name).toBe(simulator.phone.properties.get("ro.product.model"));
    await expect(admin(["android", "add", "--address", simulator.address, ...WHY])).rejects.toMatchObject({
      code: "conflict",
    });
    expect(await admin(["android", "devices"])).toMatch(
      new RegExp(`^${id}\ttcp:${simulator.address}\t${name}\tlab\tAndroid `),
    );

    const phoneId = newId("phone");
    await inDatabase(async ({ db }) => {
      const teamId = newId("team");
      const createdAt = new Date(clock.now());
      await db.tx(async (tx) => {
        await tx.insert(db.t.teams).values({ id: teamId, name: "Team", createdAt });
        await tx.insert(db.t.phones).values({
          ...{ id: phoneId, teamId, name: "Phone", driver: "adb", profile: "tall", settings: {}, rotated: false },
          ...{ state: "parked", model: `device:${id}`, createdAt },
        });
        await tx.update(db.t.androidDevices).set({ phoneId });
      });
    });
    await expect(admin(["android", "forget", "--device", id, ...WHY])).rejects.toThrow(/somebody's phone now/);
    await inDatabase(({ db }) => db.tx((tx) => tx.delete(db.t.phones).where(eq(db.t.phones.id, phoneId))));
    await admin(["android", "forget", "--device", id, ...WHY]);
    await expect(admin(["android", "forget", "--device", id, ...WHY])).rejects.toMatchObject({ code: "not_found" });

    const entries = await inDatabase(({ db }) =>
      db.read.select().from(db.t.auditLog).where(eq(db.t.auditLog.object, id)),
    );
    expect(entries.map(({ action, detail }) => [action, detail])).toEqual([
      ["admin.android_device_added", expect.objectContaining({ reason: "new phone", role: "operator" })],
      ["admin.android_device_removed", expect.objectContaining({ reason: "new phone", role: "operator" })],
    ]);
  });

  it.each([
    [["android", "add", ...WHY], /Give --serial .* or --address/],
    [["android", "add", "--serial", "a", "--address", "b", ...WHY], /Give --serial .* or --address/],
    [["android", "add", "--serial", "a b", ...WHY], /--serial: Write it as adb devices prints it/],
    [["android", "add", "--address", "a b:1", ...WHY], /--address: Write an address/],
    [["android", "add", "--serial", "R58M", ...WHY], /ADB_SERVER is off/],
    [["android", "add", "--address", "127.0.0.1:1", ...WHY], /refuses the connection/],
    [["android", "add", "--address", "127.0.0.1:1", "--label", "x".repeat(61), ...WHY], /--label: Use at most 60/],
    [["android", "forget", "--device", "x", ...WHY], /--device/],
  ])("refuses %j with a sentence", async (args, words) => {
    await expect(admin(args)).rejects.toThrow(words);
  });
});

describe.runIf(hasAdb)("devices of an ADB server", () => {
  let adb: AdbProcess;
  beforeAll(async () => {
    adb = await adbProcess();
  });
  afterAll(() => adb.dispose());

  it("are shown before they are registered, and added by their serial", async () => {
    const env = { ADB_SERVER: `127.0.0.1:${adb.at.port}` };
    const other = await startSimulator();
    await adb.run("connect", other.address);
    await vi.waitFor(async () =>
      expect(await admin(["android", "devices"], env)).toMatch(
        new RegExp(`^not registered\tserver:${other.address}\t.*\tdevice$`, "m"),
      ),
    );
    const added = await admin(["android", "add", "--serial", other.address, "--label", "Lab", ...WHY], env);
    expect(added).toMatch(/^dev_\S+\tLab\tAndroid \d+\t720 × 1280$/);
    expect(await admin(["android", "devices"], env)).not.toContain("not registered");
    await other.close();
  });
});
