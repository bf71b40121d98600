import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RunId } from "../../shared/ids.ts";
import { systemPace } from "./engine/pace.ts";
import { type OpenRuns, openRuns, startFlow } from "./testing/harness.ts";

const HEADER = (limit: string) => `url: https://a.example/
limits: {cleanupOnCancel: ${limit}}
onFlowComplete:
  - inputText: logged out
  - evalScript: output.x = y`;

describe("after a cancel", () => {
  let at: OpenRuns;
  beforeEach(async () => {
    at = await openRuns({ pace: systemPace });
  });
  afterEach(() => at.dispose());
  const inStep = (id: RunId, command: string) =>
    vi.waitFor(async () => {
      const { steps } = await at.runs.get(at.scope, id);
      expect(steps.some((step) => step.command === command && step.state === "started")).toBe(true);
    });
  const logs = async (id: RunId) => {
    const lines: string[] = [];
    for await (const { data } of await at.runs.events(at.scope, id, 0, new AbortController().signal)) {
      if (data.type === "log") lines.push(data.message);
    }
    return lines;
  };

  it("does onFlowComplete within its time; the step in progress ended at once", async () => {
    const { runId } = await startFlow(at, "- tapOn: Never\n- inputText: not this", HEADER("30s"));
    await inStep(runId, "tapOn");
    const asked = performance.now();
    await at.runs.cancel(at.scope, runId);
    await at.runner.idle();
    expect(performance.now() - asked).toBeLessThan(1_000);
    const run = await at.runs.get(at.scope, runId);
    expect(run).toMatchObject({ state: "cancelled", error: { code: "cancelled" } });
    expect(run.steps.map(({ path, state }) => `${path} ${state}`)).toEqual([
      "0 failed",
      "onFlowComplete.0 passed",
      "onFlowComplete.1 passed",
    ]);
    expect(at.driver.effects).toEqual(["type logged out"]);
    expect(await logs(runId)).toEqual([
      "Cancelled. onFlowComplete has 30 seconds to clean up; cancel again to end at once.",
    ]);
  });

  it("ends at once when it is cancelled again, and when its time is over", async () => {
    const hangs = `${HEADER("30s")}\n  - evalScript: hang\n  - inputText: too late`;
    const twice = await startFlow(at, "- tapOn: Never", hangs);
    await inStep(twice.runId, "tapOn");
    await at.runs.cancel(at.scope, twice.runId);
    await inStep(twice.runId, "evalScript");
    // The heartbeat finds the same wish again; that is not a second one.
    await at.runner.tick();
    await inStep(twice.runId, "evalScript");
    at.clock.advance(500);
    const asked = performance.now();
    await at.runs.cancel(at.scope, twice.runId);
    await at.runner.idle();
    expect(performance.now() - asked).toBeLessThan(1_000);
    expect((await at.runs.get(at.scope, twice.runId)).state).toBe("cancelled");

    const slow = await startFlow(at, "- tapOn: Never", hangs.replace("30s", "300ms"));
    await inStep(slow.runId, "tapOn");
    await at.runs.cancel(at.scope, slow.runId);
    await at.runner.idle();
    expect((await at.runs.get(at.scope, slow.runId)).state).toBe("cancelled");
    expect((await logs(slow.runId)).at(-1)).toBe(
      "The clean-up was not done to its end: It took longer than 0.3 seconds.",
    );
    expect(at.driver.effects.filter((effect) => effect === "type too late")).toEqual([]);
  });

  it("does nothing more without a time, before the flow began, nor a second time what was cancelled in it", async () => {
    const without = await startFlow(at, "- tapOn: Never", HEADER("0"));
    await inStep(without.runId, "tapOn");
    const waiting = await startFlow(at, "- back", HEADER("30s"));
    await at.runs.cancel(at.scope, waiting.runId);
    await at.runs.cancel(at.scope, without.runId);
    await at.runner.idle();
    expect(at.driver.effects).toEqual([]);
    const within = await startFlow(at, "- back", `${HEADER("30s")}\n  - evalScript: hang`);
    await vi.waitFor(async () => {
      const { steps } = await at.runs.get(at.scope, within.runId);
      expect(steps.at(-1)).toMatchObject({ path: "onFlowComplete.2", state: "started" });
    });
    await at.runs.cancel(at.scope, within.runId);
    await at.runner.idle();
    expect(at.driver.effects).toEqual(["key Back", "type logged out"]);
    expect((await at.runs.get(at.scope, within.runId)).state).toBe("cancelled");
  });

  it("leaves a phone that is gone alone", async () => {
    const { runId } = await startFlow(at, "- tapOn: Never", `${HEADER("30s")}\n  - evalScript: hang`);
    await inStep(runId, "tapOn");
    await at.runs.cancel(at.scope, runId);
    await inStep(runId, "evalScript");
    at.driver.end(at.phoneId, "out_of_memory");
    await at.runner.idle();
    expect((await at.runs.get(at.scope, runId)).state).toBe("cancelled");
    expect((await logs(runId)).at(-1)).toContain("The phone stopped");
  });
});
