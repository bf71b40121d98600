/** Flows and recordings on the simulated phone, through the driver's real parts: ADB, device, screen, automation. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunDetail } from "../../../../../shared/automations.ts";
import { hasEnded } from "../../../../../shared/automations.ts";
import { systemPace } from "../../../../automations/engine/pace.ts";
import type { Pace } from "../../../../automations/engine/ports.ts";
import { flowScripts } from "../../../../automations/flow-scripts.ts";
import { composeRuns } from "../../../../automations/testing/harness.ts";
import { ManualClock, systemClock } from "../../../../clock.ts";
import { parseConfig } from "../../../../config.ts";
import { testSqlite } from "../../../../db/testing.ts";
import { silentLog } from "../../../../log.ts";
import { newTeam } from "../../../testing/harness.ts";
import { createAndroidDriver } from "../compose.ts";
import { streamEndpoint } from "../connect/endpoints.ts";
import { createAdbKeys } from "../connect/keys.ts";
import { openAndroidDevice } from "../device.ts";
import type { AdbEndpoint, AndroidAutomation, AndroidDevice, AndroidScreen, AndroidSource } from "../ports.ts";
import { SCRCPY_VERSION } from "../scrcpy-server.ts";
import { openAndroidScreen } from "../screen/open-screen.ts";
import { takeScreenshot } from "../screenshot.ts";
import { type Simulator, startSimulator } from "../simulator/simulator.ts";
import { type AndroidAutomationOptions, createAndroidAutomation } from "./automation.ts";

export interface SimulatedAndroid {
  readonly simulator: Simulator;
  readonly device: AndroidDevice;
  readonly screen: AndroidScreen;
  readonly automation: AndroidAutomation;
  close(): Promise<void>;
}

/** Small, so that its pictures cost little; a screen that never rests is refused soon, and after ten seconds on a phone. */
function openSimulator(): Promise<Simulator> {
  return startSimulator({ idleTimeoutMs: 20, width: 360, height: 640, density: 160 });
}

function endpointOf(simulator: Simulator, folder: string): AdbEndpoint {
  const keys = createAdbKeys(folder, Buffer.alloc(32, 3));
  return streamEndpoint("the simulator", keys, async () =>
    connect({ port: simulator.port, host: "127.0.0.1", noDelay: true }),
  );
}

/** Without `scrcpy`: pictures, and hands by Android's own `input`. */
export async function openSimulatedAndroid({
  scrcpy: useScrcpy = true,
  ...more
}: { scrcpy?: boolean } & Pick<AndroidAutomationOptions, "helperApks"> = {}): Promise<SimulatedAndroid> {
  const folder = mkdtempSync(join(tmpdir(), "perch-android-"));
  const simulator = await openSimulator();
  const endpoint = endpointOf(simulator, folder);
  const device = await openAndroidDevice(endpoint, { clock: systemClock, signal: AbortSignal.timeout(20_000) });
  const scrcpy = scrcpyServerIn(folder);
  const screen = await openAndroidScreen(device, {
    ...(useScrcpy && {
      scrcpyServer: { path: scrcpy.SCRCPY_SERVER_PATH, version: SCRCPY_VERSION, sha256: scrcpy.SCRCPY_SERVER_SHA256 },
    }),
    clock: systemClock,
    log: silentLog,
    events: { resized: () => {}, clipboard: () => {}, keyboard: () => {} },
  });
  const automation = createAndroidAutomation(device, {
    size: () => screen.size(),
    screenshot: async () => (await takeScreenshot(device)).png,
    recording: false,
    clock: systemClock,
    log: silentLog,
    ...more,
  });
  return {
    simulator,
    device,
    screen,
    automation,
    async close() {
      await automation.close();
      await screen.close();
      await device.close();
      await simulator.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The simulator runs its own scrcpy server for any file that is put on it. */
function scrcpyServerIn(folder: string): { SCRCPY_SERVER_PATH: string; SCRCPY_SERVER_SHA256: string } {
  const path = join(folder, "scrcpy-server");
  writeFileSync(path, "scrcpy's server");
  return {
    SCRCPY_SERVER_PATH: path,
    SCRCPY_SERVER_SHA256: createHash("sha256").update("scrcpy's server").digest("hex"),
  };
}

/** For the waits of runs time goes by three times as fast: a long press is still one to the phone, which has half a second. */
const TIMES = 3;
const fastPace: Pace = {
  now: () => systemPace.now() * TIMES,
  sleep: (ms, signal) => systemPace.sleep(ms / TIMES, signal),
};

/** Phones that are the simulator, which always runs. */
function simulatorSource(endpoint: AdbEndpoint): AndroidSource {
  return {
    name: "device",
    models: async () => [{ id: "device:simulator", driver: "adb", label: "Simulator" }],
    create: async () => {},
    start: async () => endpoint,
    park: async () => {},
    remove: async (phoneId) => {
      const wipedAt = new Date().toISOString();
      return { phoneId, files: 0, bytes: 0, verifiedAbsent: true, wipedAt };
    },
    state: async () => "running",
    onEvent: () => () => {},
    recover: async () => [],
    close: async () => {},
  };
}

/** A team with the simulator as its running phone. */
export async function openAndroidBench() {
  const simulator = await openSimulator();
  const folder = mkdtempSync(join(tmpdir(), "perch-android-runs-"));
  const test = await testSqlite.open();
  const scrcpy = scrcpyServerIn(folder);
  const driver = createAndroidDriver(
    { config: parseConfig({ DATA_DIR: folder, ...scrcpy }), clock: systemClock, log: silentLog },
    { kind: "adb", sources: [simulatorSource(endpointOf(simulator, folder))] },
  );
  const at = await composeRuns({
    test,
    folder,
    clock: new ManualClock(Date.now()),
    driver,
    posted: [],
    pace: fastPace,
    openScripts: flowScripts({ allow: new Set(), ownPorts: () => [] }),
  });
  const scope = await newTeam(at);
  const { id: phoneId } = await at.phones.launch(scope, {
    driver: "adb",
    model: "device:simulator",
    idempotencyKey: "the-phone",
  });
  let keys = 0;
  return {
    ...at,
    simulator,
    scope,
    phoneId,
    async run(source: string, inputs: Record<string, string> = {}): Promise<RunDetail> {
      keys += 1;
      const wish = { source, phoneId, inputs, idempotencyKey: `android-run-${keys}` };
      const { runId } = await at.runs.start(scope, wish, "person");
      await at.runner.idle();
      const detail = await at.runs.get(scope, runId);
      if (!hasEnded(detail.state)) throw new Error(`The run is ${detail.state}.`);
      return detail;
    },
    /** As it was when it came, but for what apps may do: nothing open, nothing stored. */
    async reset() {
      const { phone } = simulator;
      phone.restart();
      for (const { app } of phone.packages.all()) app.clear();
      phone.setDark(false);
      phone.setAirplane(false);
      phone.neverIdle = false;
      if ((await at.repo.find(scope, phoneId))?.rotated === true) await at.lifecycle.rotate(phoneId, "person");
    },
    async close() {
      await at.automations.close();
      await driver.close();
      await test.dispose();
      await simulator.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
export type AndroidBench = Awaited<ReturnType<typeof openAndroidBench>>;
