import { eq } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { RunEvent } from "../../shared/automations.ts";
import { newId, type RunId } from "../../shared/ids.ts";
import { ManualClock } from "../clock.ts";
import { TEST_ENGINES } from "../db/testing.ts";
import { composePhones, newTeam } from "../phones/testing/harness.ts";
import { sweepNow } from "../privacy/testing/sweep-now.ts";
import { systemPace } from "./engine/pace.ts";
import { createJournalRepo } from "./journal.repo.ts";
import { LEASE_MS } from "./runner.ts";
import { createRunsRepo } from "./runs.repo.ts";
import { ScreenDriver } from "./testing/fake-screen.ts";
import { composeRuns, type OpenRuns, openRuns, runFlow, startFlow } from "./testing/harness.ts";

const NEVER = "- extendedWaitUntil:\n    visible: Never\n    timeout: 600000";

describe("asking for runs", () => {
  let at: OpenRuns;
  beforeAll(async () => {
    at = await openRuns();
  });
  afterAll(() => at.dispose());
  beforeEach(() => {
    at.driver.effects.length = 0;
  });
  const ask = (key: string, source = "url: https://a.example/\n---\n- inputText: once\n") =>
    at.runs.start(at.scope, { source, phoneId: at.phoneId, idempotencyKey: key }, "person");

  it("gives one run for one key, however often and however fast it is asked", async () => {
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask("same-key-1")));
    await at.runner.idle();
    expect(new Set(answers.map(({ runId }) => runId)).size).toBe(1);
    expect(at.driver.effects).toEqual(["type once"]);
    await expect(ask("same-key-1", "url: https://a.example/\n---\n- back\n")).rejects.toMatchObject({
      code: "idempotency_mismatch",
    });
  });

  it("refuses what cannot run before anything happens, with the place", async () => {
    await expect(ask("bad-flow-1", "url: https://a.example/\n---\n- tapOm: X\n")).rejects.toMatchObject({
      code: "bad_input",
      message: expect.stringContaining("line 3"),
    });
    await expect(ask("bad-flow-2", "url: https://a.example/\n---\n- addMedia: [a.png]\n")).rejects.toMatchObject({
      message: expect.stringMatching(/errors: line 3, column 3: There is no file `a.png`/),
    });
    const needs = "url: https://a.example/\ninputs:\n  ORDER:\n    required: true\n---\n- inputText: x\n";
    await expect(ask("bad-flow-3", needs)).rejects.toMatchObject({ message: expect.stringContaining("ORDER") });
    const other = newId("phone");
    await expect(
      at.runs.start(
        at.scope,
        { source: "url: a\n---\n- back", phoneId: other, idempotencyKey: "no-phone-1" },
        "person",
      ),
    ).rejects.toMatchObject({ code: "not_found" });
    expect(await at.runs.list(at.scope, { phoneId: other })).toEqual([]);
  });

  it("keeps a flow with errors as a draft, and its runs when it is removed", async () => {
    const draft = await at.flows.save(at.scope, { name: "Draft", source: "- nonsense" });
    expect(draft).toMatchObject({ runnable: false, source: "- nonsense" });
    const saved = await at.flows.save(at.scope, {
      flowId: draft.id,
      name: "Good",
      source: "url: https://a.example/\n---\n- back\n",
    });
    expect(saved).toMatchObject({ id: draft.id, runnable: true, commands: 1 });
    const { runId } = await at.runs.start(
      at.scope,
      { flowId: draft.id, phoneId: at.phoneId, idempotencyKey: "saved-flow" },
      "token",
    );
    await at.runner.idle();
    await at.flows.remove(at.scope, draft.id);
    expect(await at.flows.list(at.scope)).toEqual([]);
    const run = await at.runs.get(at.scope, runId);
    expect(run).toMatchObject({ name: "Good", state: "passed", trigger: "token" });
    expect(run.flowId).toBeUndefined();
    expect(await at.flows.validate(at.scope, { source: "nonsense" })).toMatchObject({ ok: false });
  });

  it("shows another team nothing", async () => {
    const { runId } = await startFlow(at, "- takeScreenshot: mine");
    await at.runner.idle();
    const flow = await at.flows.save(at.scope, { name: "Mine", source: "url: a\n---\n- back" });
    const other = await newTeam(at);
    const stop = new AbortController();
    for (const attempt of [
      () => at.runs.get(other, runId),
      () => at.runs.cancel(other, runId),
      () => at.runs.resume(other, { runId, from: "after" }),
      () => at.runs.events(other, runId, 0, stop.signal),
      () => at.runs.artifact(other, runId, "mine.png"),
      () => at.runs.report(other, runId, "junit.xml"),
      () => at.flows.get(other, flow.id),
      () => at.flows.remove(other, flow.id),
      () => at.flows.save(other, { flowId: flow.id, name: "Theirs", source: "" }),
      () => at.runs.start(other, { flowId: flow.id, phoneId: at.phoneId, idempotencyKey: "their-key" }, "person"),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ code: "not_found" });
    }
    expect([await at.runs.list(other, undefined), await at.flows.list(other)]).toEqual([[], []]);
    expect((await at.runs.artifact(at.scope, runId, "mine.png")).bytes.length).toBeGreaterThan(0);
  });

  it("tells every event once, in order, also to one who comes back", async () => {
    const { runId } = await startFlow(at, "- back\n- takeScreenshot: a\n- assertTrue: false");
    const stop = new AbortController();
    const read = async (after: number, most = Number.POSITIVE_INFINITY) => {
      const found: { seq: number; data: RunEvent }[] = [];
      for await (const event of await at.runs.events(at.scope, runId, after, stop.signal)) {
        found.push(event);
        if (found.length >= most) break;
      }
      return found;
    };
    const first = await read(0, 3);
    const rest = await read(first.at(-1)?.seq ?? 0);
    const all = [...first, ...rest];
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_event, index) => index + 1));
    const words = all.map(({ data }) =>
      data.type === "run" ? data.state : data.type === "step" ? `${data.step.command} ${data.step.state}` : data.type,
    );
    expect(words).toEqual([
      "queued",
      "running",
      "back started",
      "back passed",
      "takeScreenshot started",
      "artifact",
      "takeScreenshot passed",
      "assertTrue started",
      "assertTrue failed",
      "artifact",
      "artifact",
      "artifact",
      "failed",
    ]);
    expect(await read(0)).toEqual(all);
    expect(await read(all.length)).toEqual([]);
    expect((await at.runs.get(at.scope, runId)).lastEvent).toBe(all.length);
  });

  it("saves over nothing that someone saved since", async () => {
    const first = await at.flows.save(at.scope, { name: "Mine", source: "- one" });
    at.clock.advance(1_000);
    const second = await at.flows.save(at.scope, {
      flowId: first.id,
      name: "Theirs",
      source: "- two",
      base: first.updatedAt,
    });
    const stale = { flowId: first.id, name: "Mine", source: "- three", base: first.updatedAt };
    await expect(at.flows.save(at.scope, stale)).rejects.toMatchObject({ code: "conflict" });
    expect(await at.flows.get(at.scope, first.id)).toMatchObject({ name: "Theirs", source: "- two" });
    at.clock.advance(1_000);
    const both = ["- four", "- five"].map((source) =>
      at.flows.save(at.scope, { flowId: first.id, name: "Mine", source, base: second.updatedAt }),
    );
    const outcomes = await Promise.allSettled(both);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });

  it("lists the newest first, page by page", async () => {
    const all = await at.runs.list(at.scope, { limit: 200 });
    const page = await at.runs.list(at.scope, { limit: 2 });
    const next = await at.runs.list(at.scope, { limit: 200, before: page[1]?.id });
    expect([...page, ...next].map(({ id }) => id)).toEqual(all.map(({ id }) => id));
    const failed = await at.runs.list(at.scope, { limit: 200, states: ["failed", "timed_out"] });
    expect(failed.length).toBeGreaterThan(0);
    expect(failed).toEqual(all.filter(({ state }) => state === "failed" || state === "timed_out"));
    expect(failed.length).toBeLessThan(all.length);
  });

  it("forgets runs and their files after 90 days", async () => {
    const { runId } = await startFlow(at, "- takeScreenshot: old");
    await at.runner.idle();
    const artifact = () => at.runs.artifact(at.scope, runId, "old.png");
    await artifact();
    await sweepNow(at.test.db, at.clock.now() + 90 * 86_400_000 + 1, "runs");
    await at.automations.removeOrphans();
    await expect(artifact()).rejects.toMatchObject({ code: "not_found" });
    const { runSteps, runEvents, runArtifacts } = at.test.db.t;
    for (const table of [runSteps, runEvents, runArtifacts]) {
      expect(await at.test.db.read.select().from(table)).toEqual([]);
    }
  });
});

describe("cancelling", () => {
  let at: OpenRuns;
  beforeAll(async () => {
    at = await openRuns({ pace: systemPace });
  });
  afterAll(() => at.dispose());
  afterEach(() => {
    at.driver.onEffect = undefined;
  });
  const stateOf = async (id: RunId) => (await at.runs.get(at.scope, id)).state;
  const inStep = (id: RunId, command: string) =>
    vi.waitFor(async () => {
      const { steps } = await at.runs.get(at.scope, id);
      expect(steps.some((step) => step.command === command && step.state === "started")).toBe(true);
    });

  it.each([
    ["a look-up", "- tapOn: Never", "tapOn"],
    ["a wait", NEVER, "extendedWaitUntil"],
    ["a script", "- evalScript: hang", "evalScript"],
    ["a long press", "- longPressOn: {point: '50%,50%'}", "longPressOn"],
  ])("ends %s within a second", async (_what, commands, command) => {
    const { runId } = await startFlow(at, commands);
    await inStep(runId, command);
    const asked = performance.now();
    await at.runs.cancel(at.scope, runId);
    await at.runner.idle();
    expect(performance.now() - asked).toBeLessThan(1_000);
    expect(await at.runs.get(at.scope, runId)).toMatchObject({ state: "cancelled", error: { code: "cancelled" } });
    const touches = at.driver.inputs.flatMap(({ input }) => (input.type === "touch" ? [input.phase] : []));
    expect(touches.filter((phase) => phase === "start").length).toBe(
      touches.filter((phase) => phase === "end" || phase === "cancel").length,
    );
  });

  it("ends a call to the phone that hangs, and one that waits in the queue", async () => {
    at.driver.onEffect = () => new Promise(() => {});
    const hanging = await startFlow(at, "- back\n- inputText: never");
    const waiting = await startFlow(at, "- inputText: neither");
    await inStep(hanging.runId, "back");
    expect((await at.runs.cancel(at.scope, waiting.runId)).state).toBe("cancelled");
    const asked = performance.now();
    await at.runs.cancel(at.scope, hanging.runId);
    await at.runner.idle();
    expect(performance.now() - asked).toBeLessThan(1_000);
    expect(await stateOf(hanging.runId)).toBe("cancelled");
    expect(at.driver.effects.filter((effect) => effect.startsWith("type"))).toEqual([]);
    await at.runs.cancel(at.scope, hanging.runId);
    expect(await stateOf(hanging.runId)).toBe("cancelled");
  });
});

describe.each(TEST_ENGINES)("leases on $name", (engine) => {
  it("let one worker at a time at a phone, and an old one do nothing after it lost its lease", async () => {
    const test = await engine.open();
    const clock = new ManualClock();
    const driver = new ScreenDriver();
    const parts = { test, clock, driver, posted: [], folder: "/nonexistent" };
    const old = await composeRuns({ ...parts, holder: "old" });
    const scope = await newTeam(old);
    const { id: phoneId } = await old.phones.launch(scope, { idempotencyKey: "the-phone" });
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    driver.onEffect = (what) => (what === "type one" ? held : Promise.resolve());
    const source = "url: https://a.example/\nlimits:\n  onCrash: restart\n---\n- inputText: one\n- inputText: two\n";
    const { runId } = await old.runs.start(scope, { source, phoneId, idempotencyKey: "leased-run" }, "person");
    await vi.waitFor(() => expect(driver.effects).toEqual(["type one"]));

    // The old worker is away; its lease runs out and a new one takes the run.
    clock.advance(LEASE_MS + 1);
    driver.onEffect = undefined;
    const fresh = await composeRuns({ ...parts, holder: "fresh" });
    await fresh.runner.tick();
    await fresh.runner.idle();
    expect((await fresh.runs.get(scope, runId)).state).toBe("passed");
    expect(driver.effects).toEqual(["type one", "type one", "type two"]);

    // The old one comes back: neither the phone nor the journal hears of it.
    release();
    await old.runner.tick();
    await old.runner.idle();
    expect(driver.effects).toEqual(["type one", "type one", "type two"]);
    expect((await fresh.runs.get(scope, runId)).steps.map(({ state }) => state)).toEqual(["passed", "passed"]);

    const repo = createRunsRepo(test.db);
    const journal = createJournalRepo({ db: test.db, runs: repo, clock, wake: () => {} });
    const stale = { runId, phoneId, holder: "old", fence: 1 };
    await expect(journal.effect(stale, 1)).rejects.toThrow("Another worker");
    expect(await repo.renew(stale, new Date(clock.now() + LEASE_MS))).toMatchObject({ held: false });
    await old.automations.close();
    await fresh.automations.close();
    await test.dispose();
  });

  it("give a phone's runs to one of many workers, in order", async () => {
    const test = await engine.open();
    const clock = new ManualClock();
    const phones = composePhones(test, clock, new ScreenDriver());
    const scope = await newTeam(phones);
    const repo = createRunsRepo(test.db);
    const phoneId = newId("phone");
    const ids: RunId[] = [];
    for (let n = 0; n < 3; n += 1) {
      const id = newId("run");
      ids.push(id);
      await test.db.tx(async (tx) => {
        const turn = await repo.nextTurn(tx, scope.teamId);
        await repo.insert(tx, {
          id,
          teamId: scope.teamId,
          name: "Run",
          source: "",
          inputs: {},
          phoneId,
          state: "queued",
          trigger: "person",
          idempotencyKey: `key-${n}`,
          requestHash: "",
          turn,
          fence: 0,
          starts: 0,
          eventSeq: 0,
          createdAt: new Date(clock.now()),
        });
      });
    }
    const until = new Date(clock.now() + LEASE_MS);
    for (const [index, id] of ids.entries()) {
      const taken = await Promise.all(
        ["a", "b", "c"].map((holder) => repo.lease(holder, until, { busy: [], resting: [], nodes: undefined })),
      );
      const leased = taken.filter((row) => row !== undefined);
      expect(leased.map((row) => [row.id, row.fence])).toEqual([[id, index + 1]]);
      await test.db.tx((tx) => tx.update(test.db.t.runs).set({ state: "passed" }).where(eq(test.db.t.runs.id, id)));
    }
    await test.dispose();
  });
});

describe("reports", () => {
  it("have Maestro's JUnit shape, one page with pictures, and JSON; hostile text stays text", async () => {
    const at = await openRuns();
    const header = `url: https://a.example/
name: "</title><script>alert(1)</script>"
properties:
  junitId: shop-1
  owner: "a&b"`;
    const run = await runFlow(at, '- takeScreenshot: first\n- assertVisible: "<b>gone</b>"', header);
    const report = (kind: "junit.xml" | "report.html" | "run.json") => at.runs.report(at.scope, run.id, kind);
    const xml = (await report("junit.xml")).body;
    expect(xml).toContain('<testsuite name="Test Suite" device="Tall phone" tests="1" failures="1"');
    expect(xml).toMatch(
      /<testcase id="shop-1" name="&lt;\/title&gt;[^"]*" classname="[^"]*" file="[^"]*" time="\d+\.\d{3}" status="ERROR">/,
    );
    expect(xml).toContain('<property name="owner" value="a&amp;b"/>');
    expect(xml).toContain("<failure>&quot;&lt;b&gt;gone&lt;/b&gt;&quot; did not appear");
    const html = (await report("report.html")).body;
    expect(html).not.toContain("<script>");
    expect(html.match(/<img /g)).toHaveLength(2);
    expect(html).toContain("data:image/png;base64,");
    expect(JSON.parse((await report("run.json")).body)).toMatchObject({ id: run.id, phone: "Tall phone" });
    await at.dispose();
  });
});
