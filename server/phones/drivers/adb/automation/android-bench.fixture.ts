/** Flows and recordings on the simulated phone, through the driver's real parts: ADB, device, screen, automation. */
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunDetail } from "../../../../../shared/automations.ts";
import { hasEnded } from "../../../../../shared/automations.ts";
import { systemPace } from "../../../../automations/engine/pace.ts";
import { flowScripts } from "../../../../automations/flow-scripts.ts";
import { composeRuns } from "../../../../automations/testing/harness.ts";
import { ManualClock, systemClock } from "../../../../clock.ts";
import { testSqlite } from "../../../../db/testing.ts";
import { silentLog } from "../../../../log.ts";
import type { PhoneAutomation } from "../../../automation-port.ts";
import type { PhoneDriver, PhoneInput, PhoneSpec, ScreenSource } from "../../../driver.ts";
import { FakeDriver } from "../../../testing/fake-driver.ts";
import { newTeam } from "../../../testing/harness.ts";
import { streamEndpoint } from "../connect/endpoints.ts";
import { createAdbKeys } from "../connect/keys.ts";
import { openAndroidDevice } from "../device.ts";
import { configureDevice } from "../device-settings.ts";
import { openUrl } from "../open-url.ts";
import type { AndroidAutomation, AndroidDevice, AndroidScreen } from "../ports.ts";
import { openAndroidScreen } from "../screen/open-screen.ts";
import { takeScreenshot } from "../screenshot.ts";
import { type Simulator, startSimulator } from "../simulator/simulator.ts";
import { androidAutomations, createAndroidAutomation } from "./automation.ts";

export interface SimulatedAndroid {
  readonly simulator: Simulator;
  readonly device: AndroidDevice;
  readonly screen: AndroidScreen;
  readonly automation: AndroidAutomation;
  close(): Promise<void>;
}

/** A screen that never rests is refused after `idleTimeoutMs`; ten seconds on a phone, and the reader waits three. */
export async function openSimulatedAndroid(options: { idleTimeoutMs?: number } = {}): Promise<SimulatedAndroid> {
  const folder = mkdtempSync(join(tmpdir(), "perch-android-"));
  const simulator = await startSimulator({ idleTimeoutMs: 20, ...options });
  const keys = createAdbKeys(folder, Buffer.alloc(32, 3));
  const endpoint = streamEndpoint("the simulator", keys, async () => connect(simulator.port, "127.0.0.1"));
  const device = await openAndroidDevice(endpoint, { clock: systemClock, signal: AbortSignal.timeout(20_000) });
  const screen = await openAndroidScreen(device, {
    clock: systemClock,
    log: silentLog,
    events: { resized: () => {}, clipboard: () => {}, keyboard: () => {} },
  });
  const automation = createAndroidAutomation(device, {
    size: () => screen.size(),
    screenshot: async () => (await takeScreenshot(device)).png,
    recording: false,
    clock: systemClock,
  });
  return {
    simulator,
    device,
    screen,
    automation,
    async close() {
      await screen.close();
      await device.close();
      await simulator.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** One phone, which is the simulator. */
export class SimulatedDriver extends FakeDriver {
  readonly #android: SimulatedAndroid;
  override readonly automation: PhoneAutomation;
  override readonly clipboard: PhoneDriver["clipboard"];

  constructor(android: SimulatedAndroid) {
    super();
    this.#android = android;
    this.automation = androidAutomations(() => android.automation, false);
    const { clipboard } = android.screen;
    this.clipboard = { write: (_, value) => clipboard.write(value), read: () => clipboard.read() };
  }
  override input(_: unknown, input: PhoneInput): Promise<void> {
    return this.#android.screen.input(input);
  }
  override openUrl(_: unknown, url: string): Promise<void> {
    return openUrl(this.#android.device, url);
  }
  override rotate(): ReturnType<FakeDriver["rotate"]> {
    return this.#android.screen.rotate();
  }
  override configure(spec: PhoneSpec): Promise<void> {
    return configureDevice(this.#android.device, spec.settings);
  }
  override screen(): ScreenSource {
    return this.#android.screen.source;
  }
  override screenshot(): ReturnType<FakeDriver["screenshot"]> {
    return takeScreenshot(this.#android.device);
  }
}

/** A team with the simulator as its running phone. */
export async function openAndroidBench() {
  const android = await openSimulatedAndroid();
  const folder = mkdtempSync(join(tmpdir(), "perch-android-runs-"));
  const test = await testSqlite.open();
  const at = await composeRuns({
    test,
    folder,
    clock: new ManualClock(Date.now()),
    driver: new SimulatedDriver(android),
    posted: [],
    pace: systemPace,
    openScripts: flowScripts({ allow: new Set(), ownPorts: () => [] }),
  });
  const scope = await newTeam(at);
  const { id: phoneId } = await at.phones.launch(scope, { idempotencyKey: "the-phone" });
  let keys = 0;
  return {
    ...at,
    android,
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
    /** As it was when it came: nothing open, nothing stored or allowed. */
    async reset() {
      const { phone } = android.simulator;
      phone.restart();
      for (const one of phone.packages.all()) phone.clearApp(one.name);
      phone.setDark(false);
      phone.setAirplane(false);
      phone.neverIdle = false;
      if ((await at.repo.find(scope, phoneId))?.rotated === true) await at.lifecycle.rotate(phoneId, "person");
    },
    async close() {
      await at.automations.close();
      await test.dispose();
      rmSync(folder, { recursive: true, force: true });
      await android.close();
    },
  };
}
export type AndroidBench = Awaited<ReturnType<typeof openAndroidBench>>;
