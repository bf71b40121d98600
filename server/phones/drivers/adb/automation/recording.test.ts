/** What a person does on the simulated phone becomes a flow that does it again; and the rules for apps on it. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findElements } from "../../../../../shared/flows/match.ts";
import { parseFlow } from "../../../../../shared/flows/parse.ts";
import { newId } from "../../../../../shared/ids.ts";
import { READY_MADE, type ReadyMade } from "../../../../../shared/rules/ready-made.ts";
import { createFeed } from "../../../../events/feed.ts";
import { silentLog } from "../../../../log.ts";
import type { RecordedMessage } from "../../../../recordings/recorder.ts";
import { createRecordingsRepo } from "../../../../recordings/recordings.repo.ts";
import { createRecordings, type Recordings } from "../../../../recordings/recordings.service.ts";
import { InstalledApp } from "../simulator/apps/small.ts";
import { type AndroidBench, openAndroidBench } from "./android-bench.fixture.ts";

let bench: AndroidBench;
beforeAll(async () => {
  bench = await openAndroidBench();
});
afterAll(() => bench.close());
beforeEach(() => bench.reset());

describe("a recording on an Android", () => {
  let recordings: Recordings;
  let feed: ReturnType<typeof createFeed>;
  let frame = 0;
  beforeEach(() => {
    feed = createFeed(bench.test.db);
    recordings = createRecordings({
      node: undefined,
      db: bench.test.db,
      repo: createRecordingsRepo(bench.test.db),
      flows: bench.flows,
      feed,
      audit: bench.audit,
      clock: bench.clock,
      log: silentLog,
      running: async (scope, phoneId) => (await bench.phones.runningPhone(scope, phoneId)).driver,
    });
  });
  afterEach(async () => {
    await recordings.close();
    feed.close();
  });

  /** A picture of now goes out, and what it shows is read. */
  async function seen(): Promise<void> {
    frame += 10;
    bench.clock.advance(200);
    recordings.tap.frame(bench.phoneId, frame);
    await bench.driver.automation?.elements(bench.phoneId);
    await bench.driver.automation?.elements(bench.phoneId);
  }
  async function send(message: RecordedMessage): Promise<void> {
    const { userId, teamId } = bench.scope;
    const { phoneId } = bench;
    const grant = { credentialId: newId("session"), userId, teamId, phoneId, mode: "control" } as const;
    const more = { browser: true, name: "Ada", mayTake: false } as const;
    const taken = recordings.tap.input(phoneId, { ...grant, ...more }, message);
    if (message.type === "touch" || message.type === "text" || message.type === "key") {
      await bench.driver.input(phoneId, message);
    }
    taken?.();
  }
  async function tap(selector: Parameters<typeof findElements>[1]): Promise<void> {
    await seen();
    const tree = await bench.driver.automation?.elements(bench.phoneId);
    const bounds = tree && findElements(tree, selector)[0]?.bounds;
    if (bounds === undefined) throw new Error("There is nothing like this to tap.");
    const at = { id: 0, x: bounds.x + bounds.width / 2, y: bounds.y + bounds.height / 2, seq: frame } as const;
    await send({ type: "touch", phase: "start", ...at });
    bench.clock.advance(80);
    await send({ type: "touch", phase: "end", ...at });
    bench.clock.advance(500);
  }
  const form = () => bench.simulator.apps.form.values;

  it("begins with the app in front, names targets by their ids, keeps no password, and does it again", async () => {
    await bench.driver.apps?.launch(bench.phoneId, "com.example.form");
    await expect.poll(() => bench.simulator.phone.foreground.package).toBe("com.example.form");
    const { id } = await recordings.start(bench.scope, bench.phoneId);
    await tap({ id: "name" });
    await expect.poll(() => bench.simulator.phone.keyboard).toBe(true);
    await send({ type: "text", value: "Ada 日本" });
    await expect.poll(() => form().name).toBe("Ada 日本");
    await send({ type: "key", name: "Back" });
    await expect.poll(() => bench.simulator.phone.keyboard).toBe(false);
    await tap({ id: "agree" });
    await expect.poll(() => form().agreed).toBe(true);
    const { source, recorded } = await recordings.pause(bench.scope, id);
    expect(recorded.map(({ words }) => words)).toEqual([
      "Tap “name”",
      "Type “Ada 日本” into “name”",
      "Go back",
      "Tap “I agree”",
    ]);
    expect(recorded[0]?.candidates[0]).toMatchObject({ kind: "id", selector: { id: "name" } });
    const { flow, diagnostics } = parseFlow(source);
    expect(diagnostics).toEqual([]);
    expect(flow?.header).toMatchObject({ appId: "com.example.form" });

    await bench.reset();
    expect(form()).toMatchObject({ name: "", agreed: false });
    const run = await bench.run(source);
    expect(run.error?.message ?? run.state).toBe("passed");
    await expect.poll(form).toMatchObject({ name: "Ada 日本", agreed: true });
  });
});

describe("the ready-made rules for apps on an Android", () => {
  const flowOf = (key: string): string => {
    const found: ReadyMade | undefined = READY_MADE.find((one) => one.key === key);
    return `limits: {lookup: 2s, optional: 500ms}\n${found?.flow ?? ""}`;
  };
  const front = () => bench.simulator.phone.foreground.package;

  it("open an app's page in the store, where a person installs it", async () => {
    const { state } = await bench.run(flowOf("install-app"), { package: "com.shop.new" });
    expect(state).toBe("passed");
    expect(front()).toBe("com.android.vending");
    expect(bench.simulator.apps.store.app).toBe("com.shop.new");
    expect(bench.simulator.phone.installed("com.shop.new")).toBe(false);
  });
  it("open the app where it is installed, without allowing it anything", async () => {
    const app = bench.simulator.phone.packages.add(new InstalledApp("com.shop.there", "There"));
    const { state } = await bench.run(flowOf("open-app"), { package: "com.shop.there" });
    expect(state).toBe("passed");
    expect(front()).toBe("com.shop.there");
    expect(app.granted.size).toBe(0);
  });
  it("leave its page in the store where it is not, and say so", async () => {
    const { state, steps } = await bench.run(flowOf("open-app"), { package: "com.shop.gone" });
    expect(state).toBe("warned");
    expect(steps.map(({ message }) => message).join()).toMatch(/com\.shop\.gone is not installed/);
    expect(front()).toBe("com.android.vending");
  });
});
