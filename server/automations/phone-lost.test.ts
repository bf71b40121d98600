/** A phone that goes away in the middle of a run, in every kind of step. */
import { setImmediate as later } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RunId } from "../../shared/ids.ts";
import { PerchError } from "../errors.ts";
import { systemPace } from "./engine/pace.ts";
import type { Pace } from "./engine/ports.ts";
import { type OpenRuns, openRuns, runFlow, startFlow } from "./testing/harness.ts";

/** Commands by what they wait for while the phone goes. */
const STEPS: readonly (readonly [what: string, commands: string])[] = [
  ["a look-up", "- tapOn: Never"],
  ["an assertion", "- assertVisible: Never"],
  ["an assertion that waits for something to go", "- assertNotVisible: Always"],
  ["a wait", "- extendedWaitUntil: {visible: Never, timeout: 600000}"],
  ["a condition", "- runFlow:\n    when: {visible: Never}\n    commands: [back]"],
  ["scrolling", "- scrollUntilVisible: {element: Never, timeout: 600000}"],
  ["a long press", "- longPressOn: {point: '50%,50%'}"],
  ["a swipe", "- swipe: {direction: UP, duration: 60000}"],
  ["a script", "- evalScript: hang"],
  ["a repeat", "- repeat:\n    times: 900\n    commands:\n      - assertVisible: Never"],
  ["a retry", "- retry:\n    maxRetries: 3\n    commands:\n      - tapOn: Never"],
  ["an optional step", "- tapOn: {text: Never, optional: true}"],
];
/** Commands that change the phone; it goes while it is told to. */
const EFFECTS: readonly (readonly [what: string, commands: string])[] = [
  ["opening", "- launchApp"],
  ["a tap", "- tapOn: {point: '50%,50%'}"],
  ["typing", "- inputText: words"],
  ["a key", "- pressKey: Enter"],
  ["a setting", "- setAirplaneMode: enabled"],
  ["clearing", "- clearState"],
];

describe("a phone that is lost", () => {
  let at: OpenRuns;
  beforeEach(async () => {
    at = await openRuns({ pace: systemPace });
    at.driver.items = [{ text: "Always" }];
  });
  afterEach(() => at.dispose());

  async function loseIt(commands: string, begun: (run: RunId) => Promise<void>): Promise<void> {
    const { runId } = await startFlow(at, `${commands}\n- inputText: after`);
    const waiting = await startFlow(at, "- inputText: next");
    await begun(runId);
    const lost = performance.now();
    at.driver.onEffect = undefined;
    at.driver.effects.length = 0;
    at.driver.end(at.phoneId, "out_of_memory");
    await at.runner.idle();
    expect(performance.now() - lost).toBeLessThan(1_000);
    expect(await at.runs.get(at.scope, runId)).toMatchObject({
      state: "failed",
      error: { code: "phone_lost", message: expect.stringMatching(/Start the run again\.$/) },
    });
    // The lease is free: the next one of the queue had the phone, started anew.
    expect((await at.runs.get(at.scope, waiting.runId)).state).toBe("passed");
    expect(at.driver.effects.filter((effect) => effect.startsWith("type"))).toEqual(["type next"]);
  }

  it.each(STEPS)("in %s ends the run with its reason and frees the phone for the next", async (_what, commands) => {
    await loseIt(commands, (run) =>
      vi.waitFor(async () => expect((await at.runs.get(at.scope, run)).steps.at(-1)?.state).toBe("started")),
    );
  });

  it.each(EFFECTS)("in %s ends the run with its reason and frees the phone for the next", async (_what, commands) => {
    at.driver.onEffect = () => new Promise(() => {});
    await loseIt(commands, () => vi.waitFor(() => expect(at.driver.effects).toHaveLength(1)));
  });

  it("is known by what its calls say, also when nobody told of its end", async () => {
    at.driver.automation.elements = async () => {
      throw new PerchError("phone_not_running", "This phone is not running. Start it first.");
    };
    const run = await runFlow(at, "- tapOn: Never");
    expect(run).toMatchObject({ state: "failed", error: { code: "phone_lost" } });
  });

  it("before it was ready says why it did not start", async () => {
    await at.phones.park(at.scope, at.phoneId);
    at.driver.failing.set("start", new Error("no memory"));
    const run = await runFlow(at, "- back");
    expect(run).toMatchObject({ state: "failed", error: { code: "phone_not_started" } });
    at.driver.failing.delete("start");
  });
});

describe("a phone that is out of reach for a moment", () => {
  let at: OpenRuns;
  let time = 0;
  /** Time stands still for a phone that is away until a test lets it pass. */
  let passes = false;
  const pace: Pace = {
    now: () => time,
    async sleep(ms, signal) {
      if (passes || at.driver.out.size === 0) time += ms;
      await later();
      signal.throwIfAborted();
    },
  };
  beforeEach(async () => {
    passes = false;
    at = await openRuns({ pace });
    at.driver.items = [{ text: "Buy" }];
  });
  afterEach(() => at.dispose());
  const runsOn = async (commands: string) => {
    const { runId } = await startFlow(at, commands);
    await vi.waitFor(() => expect(at.driver.out.size).toBe(1));
    return runId;
  };
  /** Each look at the screen fails as it does when the cable is pulled. */
  const loseAtLook = () => {
    const { elements } = at.driver.automation;
    at.driver.automation.elements = async (id) => {
      at.driver.automation.elements = elements;
      at.driver.lose(id);
      throw new PerchError("phone_unavailable", "The device does not answer.");
    };
  };

  it("is looked at again when it is back, and the run goes on", async () => {
    loseAtLook();
    const runId = await runsOn("- tapOn: Buy\n- inputText: words");
    at.driver.find(at.phoneId);
    await at.runner.idle();
    expect(await at.runs.get(at.scope, runId)).toMatchObject({ state: "passed" });
    expect(at.driver.effects.filter((effect) => effect === "type words")).toHaveLength(1);
  });

  it("ends the run after half a minute, with its reason", async () => {
    passes = true;
    time = 0;
    loseAtLook();
    const run = await runFlow(at, "- tapOn: Buy");
    expect(run).toMatchObject({
      state: "failed",
      error: { code: "phone_lost", message: expect.stringMatching(/out of reach for too long/) },
    });
    expect(time).toBeGreaterThanOrEqual(30_000);
    expect(time).toBeLessThan(60_000);
  });

  it("does nothing twice: what was begun when it went ends the run", async () => {
    at.driver.onEffect = async () => {
      at.driver.onEffect = undefined;
      at.driver.lose(at.phoneId);
      throw new PerchError("phone_unavailable", "The device does not answer.");
    };
    const run = await runFlow(at, "- inputText: once\n- inputText: after");
    expect(run).toMatchObject({
      state: "failed",
      error: { code: "phone_lost", message: expect.stringMatching(/may have done/) },
    });
    expect(at.driver.effects).toEqual(["type once"]);
  });

  it("begins nothing while it is away", async () => {
    at.driver.items = [];
    const { automation } = at.driver;
    const { still } = automation;
    automation.still = async (id, withinMs) => {
      automation.still = still;
      const answer = await still(id, withinMs);
      at.driver.lose(id);
      return answer;
    };
    const runId = await runsOn("- waitForAnimationToEnd\n- inputText: words");
    expect(at.driver.effects).toEqual([]);
    at.driver.find(at.phoneId);
    await at.runner.idle();
    expect(await at.runs.get(at.scope, runId)).toMatchObject({ state: "passed" });
    expect(at.driver.effects).toEqual(["type words"]);
  });
});
