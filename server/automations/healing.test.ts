import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FailureDetail, RunArtifact, RunDetail } from "../../shared/automations.ts";
import { parseFlow } from "../../shared/flows/parse.ts";
import { allSteps, stepKey } from "../../shared/flows/targets.ts";
import { newTeam } from "../phones/testing/harness.ts";
import { type OpenRuns, openRuns } from "./testing/harness.ts";

const PRINT = "fingerprint: {role: text, text: Buy now, bounds: [0, 0.1, 1, 0.1], near: [Blue chair]}";

/** A flow whose first step was recorded with these targets. */
function flowWith(steps: string, targets: readonly string[], limits = ""): string {
  const { flow } = parseFlow(`url: a\n---\n${steps}`);
  const [step] = flow === undefined ? [] : allSteps(flow);
  if (step === undefined) throw new Error("The flow has errors.");
  const items = targets.map((target) => `    - ${target}\n`).join("");
  return `url: https://shop.example/\n${limits}x-targets:\n  "${stepKey(step)}":\n${items}---\n${steps}`;
}

describe("healing", () => {
  let at: OpenRuns;
  beforeEach(async () => {
    at = await openRuns();
    at.driver.items = [{ text: "Blue chair" }, { text: "Buy it now", id: "buy" }, { text: "Terms", id: "terms" }];
  });
  afterEach(() => at.dispose());

  let keys = 0;
  async function run(source: string): Promise<RunDetail> {
    keys += 1;
    const { id } = await at.flows.save(at.scope, { name: "Buy", source });
    const wish = { flowId: id, phoneId: at.phoneId, idempotencyKey: `heal-key-${keys}` };
    const { runId } = await at.runs.start(at.scope, wish, "person");
    await at.runner.idle();
    return at.runs.get(at.scope, runId);
  }

  it("proposes the fallback that finds one element like the recorded one, and the step still fails", async () => {
    const ended = await run(flowWith("- tapOn: Buy now\n- back\n", ["{id: buy}", PRINT]));
    expect(ended).toMatchObject({ state: "failed", error: { code: "element_not_found", line: 7 } });
    expect(at.driver.effects).toEqual([]);
    const [step] = ended.steps;
    expect(step).toMatchObject({
      state: "failed",
      message: expect.stringMatching(
        /^"Buy now" did not appear in 17 seconds\. Recorded beside it, id "buy" finds one/,
      ),
      healing: { applied: false, fallback: 0, selector: 'id "buy"', line: 7, column: 10 },
    });
    expect(step?.healing?.similarity).toBeGreaterThan(0.9);
    expect(step?.healing?.diff).toContain("-- tapOn: Buy now\n+- tapOn:\n+    id: buy\n");
  });

  it("goes on with it when the flow says auto, after half of the time, with a mark and a warning", async () => {
    const source = flowWith(
      "- tapOn: Buy now\n- back\n",
      ["{id: gone}", "{id: buy}", PRINT],
      "limits: {healing: auto}\n",
    );
    const ended = await run(source);
    expect(ended.state).toBe("warned");
    expect(at.driver.effects).toEqual(["tap Buy it now", "key Back"]);
    const [step] = ended.steps;
    expect(step).toMatchObject({ state: "passed", healing: { applied: true, fallback: 1 } });
    expect(step?.durationMs).toBeGreaterThanOrEqual(8_500);
    expect(step?.durationMs).toBeLessThan(9_000);
    expect(step?.message).toMatch(/^"Buy now" was not there; id "buy" was used, \d\d % like/);
    const { body } = await at.runs.report(at.scope, ended.id, "report.html");
    expect(body).toContain('<td class="healed">healed</td>');
    expect(JSON.parse((await at.runs.report(at.scope, ended.id, "run.json")).body).steps[0].healing.applied).toBe(true);
  });

  it.each([
    ["finds several", ["{text: '.*'}", PRINT]],
    [
      "finds something else",
      ["{id: terms}", "fingerprint: {role: button, text: Buy now, bounds: [0, 0.9, 0.2, 0.02], near: [Blue chair]}"],
    ],
    ["is a place", ["{point: '50%,15%'}", PRINT]],
    ["has nothing to be compared with", ["{id: buy}"]],
  ])("never goes on with a fallback that %s", async (_what, targets) => {
    const ended = await run(flowWith("- tapOn: Buy now\n", targets, "limits: {healing: auto}\n"));
    expect(ended.state).toBe("failed");
    expect(ended.steps[0]?.healing?.applied ?? false).toBe(false);
    expect(at.driver.effects).toEqual([]);
  });

  it("lets no assertion pass by it, heals no optional step, and nothing at all when it is off", async () => {
    const auto = "limits: {healing: auto}\n";
    const asserted = await run(flowWith("- assertVisible: Buy now\n", ["{id: buy}", PRINT], auto));
    expect([asserted.state, asserted.steps[0]?.healing?.applied]).toEqual(["failed", false]);
    const optional = await run(
      flowWith("- tapOn:\n    text: Buy now\n    optional: true\n", ["{id: buy}", PRINT], auto),
    );
    expect([optional.state, optional.steps[0]?.healing]).toEqual(["warned", undefined]);
    const off = await run(flowWith("- tapOn: Buy now\n", ["{id: buy}", PRINT], "limits: {healing: off}\n"));
    expect([off.state, off.steps[0]?.healing]).toEqual(["failed", undefined]);
    const edited = await run(flowWith("- tapOn: Buy now\n", ["{id: buy}", PRINT]).replace("Buy now\n", "Buy this\n"));
    expect(edited.steps[0]?.healing).toBeUndefined();
    expect(at.driver.effects).toEqual([]);
  });

  it("uses the own selector when that comes in time", async () => {
    const { onEffect } = at.driver;
    const source = flowWith("- tapOn: Buy now\n", ["{id: buy}", PRINT], "limits: {healing: auto}\n");
    const elements = at.driver.automation.elements;
    at.driver.automation.elements = async (id) => {
      if (at.driver.looks === 40) at.driver.items.push({ text: "Buy now" });
      return elements(id);
    };
    const ended = await run(source);
    expect([ended.state, at.driver.effects]).toEqual(["passed", ["tap Buy now"]]);
    at.driver.automation.elements = elements;
    at.driver.onEffect = onEffect;
  });

  it("is taken over with one click while the flow is what the run was made of", async () => {
    const source = flowWith("- tapOn: Buy now # first\n- back\n", ["{id: buy}", PRINT]);
    const failed = await run(source);
    const flowId = failed.flowId ?? never();
    expect(await at.flows.heal(at.scope, { runId: failed.id, step: 1 })).toEqual({ flowId, line: 7 });
    const healed = await at.flows.get(at.scope, flowId);
    expect(healed.source.split("---\n")[1]).toBe("- tapOn:\n    id: buy # first\n- back\n");
    await at.flows.heal(at.scope, { runId: failed.id, step: 1 });
    expect((await at.flows.get(at.scope, flowId)).source).toBe(healed.source);
    const { runId } = await at.runs.start(
      at.scope,
      { flowId, phoneId: at.phoneId, idempotencyKey: "healed-run" },
      "person",
    );
    await at.runner.idle();
    expect((await at.runs.get(at.scope, runId)).state).toBe("passed");

    await at.flows.save(at.scope, { flowId, name: "Buy", source: `${source}# mine\n` });
    const refused = at.flows.heal(at.scope, { runId: failed.id, step: 1 });
    await expect(refused).rejects.toMatchObject({ code: "conflict", message: expect.stringContaining("line 7") });
    expect((await at.flows.get(at.scope, flowId)).source).toContain("# mine");
    await expect(at.flows.heal(at.scope, { runId: failed.id, step: 2 })).rejects.toMatchObject({ code: "conflict" });
    await expect(at.flows.heal(await newTeam(at), { runId: failed.id, step: 1 })).rejects.toMatchObject({
      code: "not_found",
    });
    await at.flows.remove(at.scope, flowId);
    await expect(at.flows.heal(at.scope, { runId: failed.id, step: 1 })).rejects.toMatchObject({ code: "conflict" });
  });
});

describe("what is kept of a failure", () => {
  let at: OpenRuns;
  beforeEach(async () => {
    at = await openRuns();
    at.driver.items = [{ text: "Blue chair" }, { text: "Buy it now", id: "buy" }, { text: "Terms", id: "terms" }];
  });
  afterEach(() => at.dispose());
  async function failureOf(steps: string, header = "url: https://a.example/"): Promise<FailureDetail> {
    const source = `${header}\n---\n${steps}`;
    const wish = { source, phoneId: at.phoneId, idempotencyKey: `why-${steps}`.slice(0, 60).padEnd(10, "x") };
    const { runId } = await at.runs.start(at.scope, wish, "person");
    await at.runner.idle();
    const run = await at.runs.get(at.scope, runId);
    const kinds = run.artifacts.map(({ kind }: RunArtifact) => kind);
    expect(kinds.toSorted()).toEqual(["failure", "failure_screenshot", "failure_tree"]);
    return JSON.parse((await at.runs.artifact(at.scope, runId, "failure.json")).bytes.toString());
  }

  it("is what was looked for, as written and as evaluated, and what came near", async () => {
    const failure = await failureOf("- tapOn: ${WHAT}", 'url: https://a.example/\nenv: {WHAT: "Buy now"}');
    expect(failure).toMatchObject({
      code: "element_not_found",
      step: 1,
      line: 4,
      lookedFor: { written: '"${WHAT}"', resolved: '"Buy now"', wanted: "visible" },
      candidates: [{ text: "Buy it now", id: "buy", bounds: { y: 0.1 }, why: "Its text is “Buy it now”." }],
    });
  });

  it("says why each candidate was not taken", async () => {
    const first = async (steps: string) => (await failureOf(steps)).candidates[0]?.why;
    expect(await first("- tapOn: Buy")).toContain("texts match whole. Write .*Buy.*");
    expect(await first("- tapOn: {id: bu}")).toBe("Its id is “buy”.");
    expect(await first("- tapOn: {text: Terms, enabled: false}")).toBe("It is enabled.");
    expect(await first("- tapOn: {text: Blue chair, below: Terms}")).toBe('It is not below "Terms".');
    expect(await first("- tapOn: {text: Terms, below: Nothing}")).toBe('"Nothing" is not on the screen.');
    expect(await first("- tapOn: {text: Terms, index: 3}")).toBe("There is only one; number 3 was asked for.");
    expect(await first("- assertNotVisible: Terms")).toBe("It is still there.");
    expect((await failureOf("- tapOn: Qqqq")).candidates).toEqual([]);
    expect(await failureOf('- assertTrue: "false"')).toMatchObject({ code: "assertion", candidates: [] });
  });

  it("names what lies over the element", async () => {
    const terms = at.driver.items[2] ?? never();
    terms.coveredBy = "Cookie banner";
    const failure = await failureOf("- tapOn: Terms");
    expect(failure).toMatchObject({
      code: "element_covered",
      candidates: [{ text: "Terms", why: "Cookie banner lies over it." }],
    });
  });

  it("is of the moment it failed, before the hooks for failures change the screen", async () => {
    const source = "url: https://a.example/\nonFlowFailure: [tapOn: Leave]\n---\n- tapOn: Missing\n";
    at.driver.items.push({ text: "Leave", onTap: () => (at.driver.items = []) });
    const wish = { source, phoneId: at.phoneId, idempotencyKey: "before-hooks" };
    const { runId } = await at.runs.start(at.scope, wish, "person");
    await at.runner.idle();
    expect(at.driver.items).toEqual([]);
    expect((await at.runs.artifact(at.scope, runId, "failure-tree.json")).bytes.toString()).toContain("Blue chair");
  });
});

function never(): never {
  throw new Error("It is missing.");
}
