import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runsAlone } from "../nodes/testing/alone.ts";
import { readPicture, writePicture } from "./engine/png.ts";
import type { ScreenItem } from "./testing/fake-screen.ts";
import { composeRuns, type OpenRuns, openRuns, runFlow, startFlow } from "./testing/harness.ts";

describe("a run", () => {
  let at: OpenRuns;
  beforeAll(async () => {
    at = await openRuns();
  });
  afterAll(() => at.dispose());
  beforeEach(() => {
    at.driver.items = [];
    at.driver.effects.length = 0;
    at.driver.focused = undefined;
    at.driver.values.clear();
    at.driver.takes = undefined;
    at.posted.length = 0;
  });
  const labels = (run: Awaited<ReturnType<typeof runFlow>>) =>
    run.steps.map(({ depth, label, state }) => `${"  ".repeat(depth)}${label}: ${state}`);

  it("opens, taps, types, asserts and keeps a screenshot", async () => {
    const name: ScreenItem = { text: "Name", id: "name", field: true };
    const save: ScreenItem = { text: "Save", onTap: () => at.driver.items.push({ text: "Saved 日本 📱" }) };
    at.driver.items = [name, save];
    const run = await runFlow(
      at,
      `- launchApp
- tapOn:
    id: name
- inputText: 日本 📱
- tapOn: Save
- assertVisible: Saved .*
- takeScreenshot: done`,
    );
    expect([run.state, run.error]).toEqual(["passed", undefined]);
    expect(at.driver.effects).toEqual([
      "close https://shop.example/",
      "open https://shop.example/",
      "tap Name",
      "type 日本 📱",
      "tap Save",
    ]);
    expect(labels(run)).toEqual([
      "launchApp: passed",
      'tapOn id "name": passed',
      'inputText "日本 📱": passed',
      'tapOn "Save": passed',
      'assertVisible "Saved .*": passed',
      "takeScreenshot done: passed",
    ]);
    expect(run.steps.map(({ kind }) => kind)).toEqual(["effect", "effect", "effect", "effect", "query", "query"]);
    expect(run.artifacts).toMatchObject([{ name: "done.png", kind: "screenshot", step: 6 }]);
    const { bytes } = await at.runs.artifact(at.scope, run.id, "done.png");
    expect(bytes.toString("latin1")).toContain("PNG");
  });

  it("cuts a screenshot down to an element", async () => {
    const data = new Uint8Array(10 * 100 * 4).map((_value, at) => Math.floor(at / 40));
    at.driver.picture = writePicture({ width: 10, height: 100, data });
    at.driver.items = [{ text: "Above" }, { text: "Total", y: 0.3 }];
    const run = await runFlow(at, "- takeScreenshot:\n    path: total\n    cropOn: Total");
    expect([run.state, run.steps[0]?.message]).toEqual(["passed", undefined]);
    const cut = readPicture((await at.runs.artifact(at.scope, run.id, "total.png")).bytes);
    expect([cut?.width, cut?.height, cut?.data[0]]).toEqual([10, 10, 30]);
    at.driver.picture = undefined;
    const failed = await runFlow(at, "- takeScreenshot:\n    path: gone\n    cropOn: Nowhere");
    expect(failed).toMatchObject({ state: "failed", error: { code: "element_not_found" } });
  });

  it("fails with place, reason, picture and tree when something is not there", async () => {
    const run = await runFlow(at, "- launchApp\n- tapOn: Nowhere\n- launchApp");
    expect(run).toMatchObject({
      state: "failed",
      error: { code: "element_not_found", step: 2, line: 4, message: '"Nowhere" did not appear in 17 seconds.' },
    });
    expect(run.artifacts.map(({ kind }) => kind)).toEqual(["failure_tree", "failure", "failure_screenshot"]);
    expect(run.steps).toHaveLength(2);
  });

  it("goes on after an optional step, with a warning", async () => {
    const run = await runFlow(
      at,
      `- tapOn:
    text: Cookie banner
    optional: true
    label: Close the banner
- launchApp`,
    );
    expect(run.state).toBe("warned");
    expect(labels(run)).toEqual(["Close the banner: warned", "launchApp: passed"]);
    expect(run.steps[0]?.message).toContain("in 7 seconds");
  });

  it("waits while something lies over its target, and says what when it stays", async () => {
    const save: ScreenItem = { text: "Save", coveredBy: "cookie banner" };
    at.driver.items = [save];
    const run = await runFlow(at, "- tapOn: Save");
    expect(run.error).toMatchObject({ code: "element_covered", message: expect.stringContaining("cookie banner") });
    expect(at.driver.effects).toEqual([]);
  });

  it("decides by conditions, repeats, retries, and keeps scopes apart", async () => {
    const counter = { left: 3 };
    const more: ScreenItem = {
      text: "More",
      onTap: () => {
        counter.left -= 1;
        if (counter.left === 0) at.driver.items = [{ text: "End" }];
      },
    };
    at.driver.items = [more];
    const run = await runFlow(
      at,
      `- runFlow:
    when:
      visible: Absent
    commands:
      - tapOn: Absent
- repeat:
    while:
      visible: More
    commands:
      - tapOn: More
- runFlow:
    env:
      WORD: inner
    commands:
      - inputText: \${WORD}
- inputText: \${WORD}
- retry:
    maxRetries: 2
    commands:
      - evalScript: post try
      - assertTrue: \${output.never || 'false'}`,
      "url: https://shop.example/\nenv:\n  WORD: outer",
    );
    expect(run.state).toBe("failed");
    expect(labels(run)).toEqual([
      "runFlow: skipped",
      "repeat: passed",
      '  tapOn "More": passed',
      '  tapOn "More": passed',
      '  tapOn "More": passed',
      "runFlow: passed",
      '  inputText "${WORD}": passed',
      'inputText "${WORD}": passed',
      "retry: failed",
      ...Array.from({ length: 3 }).flatMap(() => [
        "  evalScript: passed",
        "  assertTrue ${output.never || 'false'}: failed",
      ]),
    ]);
    expect(at.driver.effects.filter((effect) => effect.startsWith("type"))).toEqual(["type inner", "type outer"]);
    expect(at.posted).toEqual(["try", "try", "try"]);
    expect(run.error?.step).toBe(15);
  });

  it("does the hooks, also onFlowComplete of a failed flow, and gives inputs precedence", async () => {
    const header = `url: https://shop.example/
env:
  WHO: nobody
onFlowStart:
  - inputText: start \${WHO}
onFlowComplete:
  - inputText: complete`;
    const { runId } = await startFlow(at, "- assertVisible: Nothing", header, { WHO: "Ada" });
    await at.runner.idle();
    expect((await at.runs.get(at.scope, runId)).state).toBe("failed");
    expect(at.driver.effects).toEqual(["type start Ada", "type complete"]);
  });

  it("reads back what it typed, and types once more what the field lost at the end", async () => {
    const field: ScreenItem = { text: "", field: true };
    at.driver.items = [field];
    at.driver.focused = field;
    at.driver.values.set(field, "");
    let first = true;
    at.driver.takes = (text) => {
      if (!first) return text;
      first = false;
      return text.slice(0, 5);
    };
    const run = await runFlow(at, "- inputText: hello world");
    expect(at.driver.effects).toEqual(["type hello world", "type  world"]);
    expect(at.driver.values.get(field)).toBe("hello world");
    expect(run.steps[0]?.message).toContain("typed again");
  });

  it("stops a repeat that never ends, and what an optional step cannot hide", async () => {
    const run = await runFlow(
      at,
      `- repeat:
    while:
      true: yes
    commands:
      - runFlow:
          when:
            true: no
          commands:
            - back`,
      "url: https://shop.example/\nlimits:\n  maxSteps: 20",
    );
    expect(run).toMatchObject({ state: "failed", error: { code: "limit" } });
    expect(run.steps).toHaveLength(20);
  });

  it("ends at its time limit", async () => {
    const run = await runFlow(
      at,
      "- extendedWaitUntil:\n    visible: Never\n    timeout: 900000",
      "url: https://shop.example/\nlimits:\n  timeout: 60000",
    );
    expect(run).toMatchObject({ state: "timed_out", error: { code: "timed_out", step: 1 } });
  });

  it("takes back what it set on the phone", async () => {
    await runFlow(at, "- setAirplaneMode: enabled\n- setDarkMode: enabled\n- assertDarkMode");
    expect(at.driver.effects).toEqual(["airplane true", "airplane false"]);
    expect(at.driver.stored.get(at.phoneId)?.spec.settings).toEqual({});
  });

  it("starts a parked phone, works through its queue in order, and tells when the phone stops", async () => {
    await at.phones.park(at.scope, at.phoneId);
    const asked = [];
    for (const word of ["one", "two", "three"]) asked.push(await startFlow(at, `- inputText: ${word}`));
    await at.runner.idle();
    expect(at.driver.effects).toEqual(["type one", "type two", "type three"]);
    const lost = await startFlow(at, "- inputText: before\n- assertVisible: Never");
    at.driver.onEffect = async () => {
      at.driver.onEffect = undefined;
      at.driver.end(at.phoneId, "out_of_memory");
    };
    await at.runner.idle();
    expect(await at.runs.get(at.scope, lost.runId)).toMatchObject({ state: "failed", error: { code: "phone_lost" } });
    await at.phones.start(at.scope, at.phoneId);
    expect((await runFlow(at, "- back")).state).toBe("passed");
  });

  it("begins when its node may again, though it was asked while that might begin nothing", async () => {
    let may = false;
    const claims = { ...runsAlone("node-2"), mayBegin: () => may };
    const other = await composeRuns({ ...at, claims, holder: "node-2" });
    await at.runner.close();
    const { runId } = await startFlow(at, "- back");
    await other.runner.start();
    other.runner.wake();
    may = true;
    other.runner.wake();
    const state = async () => (await at.runs.get(at.scope, runId)).state;
    await expect.poll(state, { timeout: 3_000 }).toBe("passed");
    await other.automations.close();
  });
});
