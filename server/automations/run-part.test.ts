import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parseFlow } from "../../shared/flows/parse.ts";
import { partOfFlow, partWords } from "../../shared/flows/part.ts";
import { composeRuns, type OpenRuns, openRuns } from "./testing/harness.ts";

const FLOW = `url: https://shop.example/
onFlowStart:
  - inputText: begin
onFlowComplete:
  - inputText: end
onFlowFailure:
  - inputText: failed
---
- launchApp
- inputText: one
- runFlow:
    commands:
      - inputText: two
      - inputText: three
- inputText: four
- assertTrue: "false"
`;

describe("a part of a flow", () => {
  let at: OpenRuns;
  beforeEach(async () => {
    at = await openRuns();
  });
  afterEach(() => at.dispose());
  const ask = (from: number, to: number, key = `part-${from}-${to}`) =>
    at.runs.start(at.scope, { source: FLOW, part: { from, to }, phoneId: at.phoneId, idempotencyKey: key }, "person");

  it("runs its steps alone: no hooks, nothing opened", async () => {
    const { runId } = await ask(1, 2);
    await at.runner.idle();
    const run = await at.runs.get(at.scope, runId);
    expect(run).toMatchObject({ state: "passed", part: { from: 1, to: 2 } });
    expect(run.steps.map(({ path, line }) => `${path} ${line}`)).toEqual([
      "1 10",
      "2 11",
      "2.commands.0 13",
      "2.commands.1 14",
    ]);
    expect(at.driver.effects).toEqual(["type one", "type two", "type three"]);
    expect((await at.runs.report(at.scope, runId, "report.html")).body).toContain("Steps 2 to 3");
  });

  it("fails without the hook for failures", async () => {
    const { runId } = await ask(4, 4);
    await at.runner.idle();
    expect(await at.runs.get(at.scope, runId)).toMatchObject({ state: "failed", error: { line: 16 } });
    expect(at.driver.effects).toEqual([]);
  });

  it("says when the flow has fewer steps, and is another wish than the whole", async () => {
    await expect(ask(3, 5)).rejects.toMatchObject({
      code: "bad_input",
      message: "This flow has 5 steps, so steps 4 to 6 cannot be run.",
    });
    await ask(0, 0, "one-key-1");
    await expect(ask(0, 1, "one-key-1")).rejects.toMatchObject({ code: "idempotency_mismatch" });
    await ask(0, 0, "one-key-1");
  });

  it("stays the same part when it goes on after the server stopped in it", async () => {
    at.driver.onEffect = () => new Promise(() => {});
    const { runId } = await ask(1, 3);
    await vi.waitFor(() => expect(at.driver.effects).toEqual(["type one"]));
    await at.automations.close();
    at.driver.onEffect = undefined;
    const next = await composeRuns(at);
    await next.runner.start();
    expect(await next.runs.get(at.scope, runId)).toMatchObject({ state: "interrupted", part: { from: 1, to: 3 } });
    await next.runs.resume(at.scope, { runId, from: "after" });
    await next.runner.idle();
    expect(await next.runs.get(at.scope, runId)).toMatchObject({ state: "passed", part: { from: 1, to: 3 } });
    expect(at.driver.effects).toEqual(["type one", "type two", "type three", "type four"]);
    await next.automations.close();
  });

  it("is the steps from one to the other, whichever they are", () => {
    const { flow } = parseFlow(FLOW);
    if (flow === undefined) throw new Error("The flow has errors.");
    fc.assert(
      fc.property(fc.nat(8), fc.nat(8), (from, more) => {
        const to = from + more;
        const part = partOfFlow(flow, { from, to });
        if (to >= flow.steps.length) expect(part).toBeUndefined();
        else
          expect(part?.steps.map(({ path }) => path)).toEqual(flow.steps.slice(from, to + 1).map(({ path }) => path));
      }),
    );
    expect([partWords({ from: 2, to: 4 }), partWords({ from: 0, to: 0 })]).toEqual(["Steps 3 to 5", "Step 1"]);
  });
});
