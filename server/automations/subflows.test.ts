// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates of flows are what is tested.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RunDetail } from "../../shared/automations.ts";
import { LEASE_MS } from "./runner.ts";
import { composeRuns, type OpenRuns, openRuns } from "./testing/harness.ts";
import { mortalDatabase } from "./testing/mortal-database.ts";

const HEADER = "url: https://shop.example/";
const flow = (commands: string, header = HEADER) => `${header}\n---\n${commands}\n`;

describe("a run of several files", () => {
  let at: OpenRuns;
  let keys = 0;
  beforeAll(async () => {
    at = await openRuns();
  });
  afterAll(() => at.dispose());
  beforeEach(() => {
    at.driver.effects.length = 0;
    at.driver.items = [];
  });

  const start = (files: Readonly<Record<string, string>>, inputs: Record<string, string> = {}) => {
    keys += 1;
    const { "main.yaml": source = "", ...others } = files;
    return at.runs.start(
      at.scope,
      {
        source,
        path: "main.yaml",
        files: Object.entries(others).map(([path, text]) => ({ path, base64: Buffer.from(text).toString("base64") })),
        phoneId: at.phoneId,
        inputs,
        idempotencyKey: `files-key-${keys}`,
      },
      "token",
    );
  };
  const run = async (files: Readonly<Record<string, string>>, inputs?: Record<string, string>): Promise<RunDetail> => {
    const { runId } = await start(files, inputs);
    await at.runner.idle();
    return at.runs.get(at.scope, runId);
  };
  const typed = () => at.driver.effects.map((effect) => effect.replace(/^type /, ""));

  it("goes into a subflow and back, and tells each step's file and line", async () => {
    const done = await run({
      "main.yaml": flow("- inputText: before\n- runFlow: flows/login.yaml\n- inputText: after"),
      "flows/login.yaml": flow("- inputText: inside\n- runFlow: ../deep.yaml"),
      "deep.yaml": flow("- repeat:\n    times: 2\n    commands:\n      - inputText: deep"),
    });
    expect(done.state).toBe("passed");
    expect(typed()).toEqual(["before", "inside", "deep", "deep", "after"]);
    expect(done.steps.map(({ path, file, line, depth }) => [path, file, line, depth])).toEqual([
      ["0", undefined, 3, 0],
      ["1", undefined, 4, 0],
      ["1/0", "flows/login.yaml", 3, 1],
      ["1/1", "flows/login.yaml", 4, 1],
      ["1/1/0", "deep.yaml", 3, 2],
      ["1/1/0.commands.0", "deep.yaml", 6, 3],
      ["1/1/0.commands.0", "deep.yaml", 6, 3],
      ["2", undefined, 5, 0],
    ]);
  });

  it("scopes variables as Maestro does and shares output", async () => {
    const done = await run(
      {
        "main.yaml": flow(
          "- runFlow:\n    file: sub.yaml\n    env: {GIVEN: caller, OWN: caller, KEPT: caller}\n- inputText: ${GIVEN}-${WHO}-${output.x}\n- inputText: ${OWN}",
        ),
        "sub.yaml": flow(
          "- inputText: ${GIVEN} ${OWN} ${KEPT} ${WHO}\n- evalScript: output.x = 'shared'",
          `${HEADER}\nenv:\n  OWN: sub\n  KEPT: \${KEPT || "x"}\n  MORE: \${MORE || "x"}`,
        ),
      },
      { WHO: "me" },
    );
    expect(done.state).toBe("passed");
    expect(typed()).toEqual(["caller sub caller me", "undefined-me-shared", "undefined"]);
  });

  it("runs a subflow's hooks around it, the last one also when it fails", async () => {
    const hooks = `${HEADER}\nonFlowStart:\n  - inputText: start\nonFlowFailure:\n  - inputText: failure\nonFlowComplete:\n  - inputText: complete`;
    const done = await run({
      "main.yaml": flow("- runFlow: sub.yaml\n- inputText: never", `${HEADER}\nonFlowComplete:\n  - inputText: end`),
      "sub.yaml": flow("- inputText: inside\n- assertTrue: false", hooks),
    });
    expect(typed()).toEqual(["start", "inside", "failure", "complete", "end"]);
    expect(done).toMatchObject({ state: "failed", error: { code: "assertion", file: "sub.yaml", line: 10, step: 4 } });
    expect(done.steps.find(({ label }) => label.includes("start"))?.path).toBe("0/onFlowStart.0");
  });

  it("opens the address of the file a step is in", async () => {
    await run({
      "main.yaml": flow("- launchApp:\n    stopApp: false\n- runFlow: sub.yaml"),
      "sub.yaml": flow("- launchApp:\n    stopApp: false", "url: https://other.example/"),
    });
    expect(at.driver.effects).toEqual(["open https://shop.example/", "open https://other.example/"]);
  });

  it("tries a file again, and runs scripts with their own variables", async () => {
    const done = await run({
      "main.yaml": flow(
        "- retry:\n    maxRetries: 2\n    file: sub.yaml\n    env: {A: a}\n- runScript:\n    file: lib/set.js\n    env: {B: b}\n- inputText: ${output.b}",
      ),
      "sub.yaml": flow("- inputText: try ${A}\n- assertTrue: false"),
      "lib/set.js": "output.b = B",
    });
    expect(typed()).toEqual(["try a", "try a", "try a"]);
    expect(done.state).toBe("failed");
    await run({
      "main.yaml": flow("- runScript:\n    file: lib/set.js\n    env: {B: b}\n- inputText: ${output.b}"),
      "lib/set.js": "output.b = B",
    });
    expect(typed().at(-1)).toBe("b");
  });

  it("finds a file whose name is made while it runs, and says when it is not there", async () => {
    const files = { "a.yaml": flow("- inputText: a"), "main.yaml": flow("- runFlow: ${WHICH}.yaml") };
    expect((await run(files, { WHICH: "a" })).state).toBe("passed");
    expect(typed()).toEqual(["a"]);
    expect((await run(files, { WHICH: "b" })).error?.message).toMatch(/no file b\.yaml/);
    expect((await run(files, { WHICH: "../b" })).error?.message).toMatch(/no file of this workspace/);
    const round = { "main.yaml": flow("- runFlow: a.yaml"), "a.yaml": flow("- runFlow: ${WHICH}.yaml") };
    expect((await run(round, { WHICH: "a" })).error).toMatchObject({ code: "limit" });
  });

  it("refuses what is wrong in any of its files before anything happens", async () => {
    await expect(
      start({ "main.yaml": flow("- inputText: x\n- runFlow: sub.yaml"), "sub.yaml": flow("- tapOm: x") }),
    ).rejects.toMatchObject({ code: "bad_input", message: expect.stringMatching(/sub\.yaml, line 3, column 3/) });
    await expect(
      start({
        "main.yaml": flow("- runFlow: sub.yaml"),
        "sub.yaml": flow("- assertWithAI: {assertion: nice, optional: false}"),
      }),
    ).rejects.toMatchObject({ message: expect.stringMatching(/cannot run this flow: sub\.yaml, line 3/) });
    expect(at.driver.effects).toEqual([]);
  });

  it("keeps the files as they were when the run was asked for", async () => {
    const save = (path: string, source: string, flowId?: (typeof main)["id"]) =>
      at.flows.save(at.scope, { name: path, source, path, ...(flowId && { flowId }) });
    const sub = await at.flows.save(at.scope, { name: "sub", path: "team/sub.yaml", source: flow("- inputText: old") });
    const main = await at.flows.save(at.scope, {
      name: "main",
      path: "team/main.yaml",
      source: flow("- runFlow: sub.yaml"),
    });
    const { runId } = await at.runs.start(
      at.scope,
      { flowId: main.id, phoneId: at.phoneId, idempotencyKey: "snapshot-1" },
      "person",
    );
    await save("team/sub.yaml", flow("- inputText: new"), sub.id);
    await at.flows.remove(at.scope, sub.id);
    await at.runner.idle();
    expect((await at.runs.get(at.scope, runId)).state).toBe("passed");
    expect(typed()).toEqual(["old"]);
    expect((await at.flows.get(at.scope, main.id)).diagnostics).toMatchObject([{ line: 3, severity: "error" }]);
    await expect(save("team/MAIN.yaml", flow("- back"))).rejects.toMatchObject({ code: "conflict" });
    await expect(save("team/main.yaml/a.yaml", flow("- back"))).rejects.toMatchObject({ code: "conflict" });
  });

  it("goes on inside a subflow after the server was killed, with the files of then, and does nothing twice", async () => {
    // This one only takes orders; the ones below work and die.
    await at.runner.close();
    const sub = await at.flows.save(at.scope, { name: "sub", path: "crash/sub.yaml", source: flow("- back") });
    const write = (source: string) =>
      at.flows.save(at.scope, { flowId: sub.id, name: "sub", path: "crash/sub.yaml", source });
    const main = await at.flows.save(at.scope, {
      name: "main",
      path: "crash/main.yaml",
      source: flow("- inputText: 1\n- runFlow: sub.yaml\n- inputText: 4", `${HEADER}\nlimits:\n  onCrash: resume`),
    });
    const ends = new Set<string>();
    for (let death = 2; death < 24; death += 1) {
      at.driver.effects.length = 0;
      await write(flow("- inputText: 2\n- evalScript: output.x = 'kept'\n- inputText: 3 ${output.x}"));
      keys += 1;
      const asked = { flowId: main.id, phoneId: at.phoneId, idempotencyKey: `crash-key-${keys}` };
      const { runId } = await at.runs.start(at.scope, asked, "person");
      await write(flow("- inputText: changed since"));
      for (const dies of [death, Number.POSITIVE_INFINITY]) {
        at.clock.advance(LEASE_MS + 1);
        const mortal = mortalDatabase(at.test.db, { at: dies, committed: death % 2 === 0 });
        const holder = `life-${death}-${dies}`;
        const life = await composeRuns({ ...at, pace: undefined, db: mortal.db, holder });
        const working = life.runner.start().then(async () => {
          await life.runner.idle();
          await life.runner.close();
        });
        await Promise.race([working, mortal.died]);
      }
      const { state, steps } = await at.runs.get(at.scope, runId);
      ends.add(state);
      expect(typed().join()).toBe(["1", "2", "3 kept", "4"].slice(0, typed().length).join());
      if (state === "passed") expect(typed()).toHaveLength(4);
      else expect(state).toBe("interrupted");
      expect(new Set(steps.map(({ path }) => path)).size).toBe(steps.length);
    }
    expect([...ends].sort()).toEqual(["interrupted", "passed"]);
  });
});
