import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId, type RuleId } from "../../shared/ids.ts";
import type { Rule } from "../../shared/rules/model.ts";
import { newTeam } from "../phones/testing/harness.ts";
import { sweepNow } from "../privacy/testing/sweep-now.ts";
import { ENDLESS, FAILING, freshKey, type OpenRules, openRules, TEST_ENGINES } from "./testing/harness.ts";

const HOUR_MS = 3_600_000;
/** What would be evaluated, were a value ever code. */
const CODE = "$" + "{output.x}";

describe.each(TEST_ENGINES)("starts of rules on $name", (engine) => {
  let at: OpenRules;
  beforeAll(async () => {
    at = await openRules(engine);
  });
  afterAll(() => at.dispose());
  const start = (rule: Pick<Rule, "id">, over: Record<string, unknown> = {}) =>
    at.rules.start(at.scope, {
      ruleId: rule.id,
      way: "click",
      values: { id: "42" },
      dedupeKey: freshKey(),
      cause: [],
      ...over,
    });

  it("are one however many windows ask at once, and every one is told the same run", async () => {
    const rule = await at.rule();
    const dedupeKey = freshKey();
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => start(rule, { dedupeKey, values: { id: `window ${index}` } })),
    );
    await at.runner.idle();
    expect(new Set(answers.map(({ runId }) => runId)).size).toBe(1);
    expect(answers.filter(({ outcome }) => outcome === "started")).toHaveLength(1);
    const runs = (await at.runs.list(at.scope, undefined)).filter(({ id }) => id === answers[0]?.runId);
    expect(runs).toMatchObject([{ trigger: "rule", triggerName: "Product page", state: "passed", flowId: at.flow.id }]);
    const { read, t } = at.test.db;
    expect(await read.select().from(t.ruleStarts)).toHaveLength(1);
    const actions = (await read.select().from(t.auditLog)).map(({ action }) => action);
    expect(actions.filter((action) => action === "rule.started" || action === "run.started")).toHaveLength(2);
    expect((await at.audit.verify(at.scope.teamId)).brokenAt).toBeUndefined();
    expect(await start(rule, { dedupeKey })).toEqual({ outcome: "duplicate", runId: answers[0]?.runId });
    const [listed] = (await at.rules.list(at.scope)).rules;
    expect(listed?.lastStartedAt).toBe(new Date(at.clock.now()).toISOString());
  });

  it("write nothing when any part of it fails", async () => {
    const rule = await at.rule({ action: { flowId: at.flow.id, phone: "ask", inputs: { ID: { var: "id" } } } });
    const { read, t } = at.test.db;
    const before = [(await read.select().from(t.runs)).length, (await read.select().from(t.ruleStarts)).length];
    await expect(start(rule, { phoneId: newId("phone") })).rejects.toMatchObject({ code: "not_found" });
    expect([(await read.select().from(t.runs)).length, (await read.select().from(t.ruleStarts)).length]).toEqual(
      before,
    );
  });

  it("pause the rule after five failures in a row, tell the team once, and go on when a person says so", async () => {
    const failing = await at.flows.save(at.scope, { name: "Fails", source: FAILING });
    const rule = await at.rule({ name: "Fails", extract: [], action: { flowId: failing.id, phone: at.phoneId } });
    const fail = async (times: number) => {
      for (let n = 0; n < times; n += 1) {
        await start(rule, { values: {} });
        await at.runner.idle();
      }
    };
    await fail(4);
    await at.flows.save(at.scope, { flowId: failing.id, name: "Works", source: "url: a\n---\n- back\n" });
    await fail(1);
    await at.flows.save(at.scope, { flowId: failing.id, name: "Fails", source: FAILING });
    await fail(4);
    expect((await saved(at, rule.id))?.paused).toBe(false);
    const { version } = await at.rules.list(at.scope);
    await fail(1);
    expect((await saved(at, rule.id))?.paused).toBe(true);
    expect((await at.rules.list(at.scope)).version).not.toBe(version);
    await expect(start(rule, { values: {} })).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("its last 5 runs failed"),
    });
    const events = (await at.test.db.read.select().from(at.test.db.t.events)).map(({ data }) => data);
    const notices = events.filter((data) => JSON.stringify(data).includes("rule_paused"));
    expect(notices).toEqual([{ type: "rule_paused", ruleId: rule.id, name: "Fails" }]);
    expect(await at.rules.resume(at.scope, rule.id)).toMatchObject({ paused: false });
    await fail(1);
    expect((await saved(at, rule.id))?.paused).toBe(false);
  });
});

async function saved(at: OpenRules, id: RuleId) {
  return (await at.rules.list(at.scope)).rules.find(({ rule }) => rule.id === id);
}

describe("the server's own gates", () => {
  let at: OpenRules;
  beforeAll(async () => {
    at = await openRules();
  });
  afterAll(() => at.dispose());
  const start = (rule: Pick<Rule, "id">, over: Record<string, unknown> = {}) =>
    at.rules.start(at.scope, {
      ruleId: rule.id,
      way: "click",
      values: { id: "42" },
      dedupeKey: freshKey(),
      cause: [],
      ...over,
    });
  const refused = async (rule: Pick<Rule, "id">, over: Record<string, unknown>, message: string | RegExp) => {
    const runs = (await at.runs.list(at.scope, { limit: 200 })).length;
    await expect(start(rule, over)).rejects.toMatchObject({ message: expect.stringMatching(message) });
    expect((await at.runs.list(at.scope, { limit: 200 })).length).toBe(runs);
  };

  it("hold back what is off, has ended, is a dry run, or starts another way", async () => {
    await refused(await at.rule({ enabled: false }), {}, "is off");
    const ends = new Date(at.clock.now() + 1000).toISOString();
    const ending = await at.rule({ expiresAt: ends });
    at.clock.advance(1000);
    await refused(ending, {}, "ended at");
    await refused(await at.rule({ dryRun: true }), {}, "dry run");
    const onSite = await at.rule({ scope: ["https://shop.example/*"] });
    await refused(onSite, { way: "menu" }, "does not start by menu, but by navigation or click");
    await refused(await at.rule(), { way: "navigation" }, "does not start by navigation");
    await refused(await at.rule(), { way: "schedule" }, "The server starts schedules by itself");
    await expect(start({ id: newId("rule") })).rejects.toMatchObject({ code: "not_found" });
  });

  it("hold back circles and chains", async () => {
    const rule = await at.rule({ scope: ["https://shop.example/*"], mode: { parallel: 10 } });
    await refused(rule, { way: "navigation", cause: [rule.id] }, "circles");
    await refused(rule, { way: "navigation", cause: [newId("rule"), newId("rule")] }, "the third");
    expect((await start(rule, { way: "navigation", cause: [newId("rule")] })).outcome).toBe("started");
    await at.runner.idle();
  });

  it("hold back more starts than the caps allow, until the hour and the day are over", async () => {
    const rule = await at.rule({ caps: { hour: 2, day: 3 } });
    const run = async () => {
      await start(rule);
      await at.runner.idle();
    };
    await run();
    await run();
    await refused(rule, {}, "2 times in the last hour");
    at.clock.advance(HOUR_MS - 1);
    await refused(rule, {}, "2 times in the last hour");
    at.clock.advance(1);
    await run();
    await refused(rule, {}, "3 times in the last 24 hours");
    at.clock.advance(23 * HOUR_MS);
    await run();
  });

  it("take exactly the values the rule reads, made safe once more, and hand them on as text", async () => {
    const rule = await at.rule({
      extract: [
        { var: "id", from: [{ kind: "path", index: -1 }] },
        { var: "name", from: [{ kind: "meta", name: "og:title" }], required: false },
      ],
      action: {
        flowId: at.flow.id,
        phone: at.phoneId,
        inputs: { ID: { var: "id" }, NAME: { var: "name" }, FIXED: { text: CODE } },
      },
    });
    await refused(rule, { values: { id: "42", other: "1" } }, "reads no value other");
    await refused(rule, { values: { id: "42", __proto__: "1", constructor: "2" } }, "reads no value constructor");
    await refused(rule, { values: {} }, "needs a value for id");
    await refused(rule, { values: { id: " \u202e\u200b " } }, "needs a value for id");
    const hostile = `${CODE}"\n- tapOn: Buy\u202e${"x".repeat(3_000)}`;
    const { runId } = await start(rule, { values: { id: hostile } });
    await at.runner.idle();
    const run = await at.runs.get(at.scope, runId);
    const expected = `${CODE}" - tapOn: Buy${"x".repeat(3_000)}`.slice(0, 2_048);
    expect(run.inputs).toEqual({ ID: expected, FIXED: CODE });
    expect(run.source).toBe(at.flow.source);
    expect(at.driver.effects.at(-1)).toBe(`type ${expected}`);
  });

  it("keep one run at a time, all in a row, so many beside one another, or only the newest", async () => {
    const endless = await at.flows.save(at.scope, { name: "Endless", source: ENDLESS });
    const action = { flowId: endless.id, phone: at.phoneId };
    const over = { extract: [], action };
    const stop = async () => {
      for (const { id } of await at.runs.list(at.scope, { flowId: endless.id })) await at.runs.cancel(at.scope, id);
      await at.runner.idle();
    };
    const single = await at.rule({ ...over, name: "Single" });
    await start(single, { values: {} });
    await refused(single, { values: {} }, "Single is running");
    await stop();
    await start(single, { values: {} });
    await stop();

    const parallel = await at.rule({ ...over, mode: { parallel: 2 } });
    await start(parallel, { values: {} });
    await start(parallel, { values: {} });
    await refused(parallel, { values: {} }, "has 2 runs that are still going or waiting");
    await stop();

    const restart = await at.rule({ ...over, mode: "restart" });
    const first = await start(restart, { values: {} });
    const second = await start(restart, { values: {} });
    await waitFor(async () => (await at.runs.get(at.scope, first.runId)).state === "cancelled");
    await waitFor(async () => (await at.runs.get(at.scope, second.runId)).state === "running");
    await stop();

    const other = await at.phones.launch(at.scope, { idempotencyKey: "other-phone" });
    const queued = await at.rule({ extract: [], action: { flowId: endless.id, phone: "ask" }, mode: "queued" });
    const runs = [
      await start(queued, { values: {}, phoneId: at.phoneId }),
      await start(queued, { values: {}, phoneId: other.id }),
    ];
    await waitFor(async () => (await at.runs.get(at.scope, runs[0]?.runId as never)).state === "running");
    expect((await at.runs.get(at.scope, runs[1]?.runId as never)).state).toBe("queued");
    await at.runs.cancel(at.scope, runs[0]?.runId as never);
    await waitFor(async () => (await at.runs.get(at.scope, runs[1]?.runId as never)).state === "running");
    await stop();
    for (let n = 0; n < 10; n += 1) await start(queued, { values: {}, phoneId: other.id });
    await refused(queued, { values: {}, phoneId: other.id }, "has 10 runs");
    await stop();
  });

  it("find the phone: the rule's own, the person's, a new one, or whichever of a tag is free", async () => {
    const ask = await at.rule({ action: { flowId: at.flow.id, phone: "ask", inputs: { ID: { var: "id" } } } });
    await refused(ask, {}, "which phone");
    expect((await start(ask, { phoneId: at.phoneId })).outcome).toBe("started");
    await refused(await at.rule(), { phoneId: at.phoneId }, "names its phone itself");
    await at.runner.idle();

    const fresh = await at.rule({ action: { flowId: at.flow.id, phone: "new", inputs: { ID: { var: "id" } } } });
    const phones = (await at.phones.list(at.scope)).length;
    const dedupeKey = freshKey();
    const answers = await Promise.all([start(fresh, { dedupeKey }), start(fresh, { dedupeKey })]);
    await at.runner.idle();
    expect(new Set(answers.map(({ runId }) => runId)).size).toBe(1);
    expect((await at.phones.list(at.scope)).length).toBe(phones + 1);

    const tagged = await at.rule({
      action: { flowId: at.flow.id, phone: { tag: "shop" }, inputs: { ID: { var: "id" } } },
    });
    await refused(tagged, {}, "No phone has the tag shop");
    await at.phones.tag(at.scope, at.phoneId, ["shop"]);
    const { runId } = await start(tagged);
    await at.runner.idle();
    expect(await at.runs.get(at.scope, runId)).toMatchObject({ state: "passed", phoneId: at.phoneId });
  });
});

describe("keeping rules", () => {
  let at: OpenRules;
  beforeAll(async () => {
    at = await openRules();
  });
  afterAll(() => at.dispose());

  it("saves twice as one, with a new version for every change", async () => {
    const rule = at.makeRule();
    const versions = new Set<string>();
    const version = async () => versions.add((await at.rules.list(at.scope)).version);
    await version();
    await at.rules.save(at.scope, rule);
    await version();
    await at.rules.save(at.scope, { ...rule, name: "Other" });
    await version();
    expect((await at.rules.list(at.scope)).rules).toMatchObject([
      { rule: { id: rule.id, name: "Other" }, paused: false },
    ]);
    await at.rules.remove(at.scope, rule.id);
    expect(versions.size).toBe(3);
    expect((await at.rules.list(at.scope)).rules).toEqual([]);
    await expect(at.rules.remove(at.scope, rule.id)).rejects.toMatchObject({ code: "not_found" });
  });

  it("refuses expressions it cannot read, and flows and phones of others", async () => {
    const bad = at.makeRule({ extract: [{ var: "id", from: [{ kind: "url", part: "path" }], regex: "(?=a)" }] });
    await expect(at.rules.save(at.scope, bad)).rejects.toMatchObject({
      code: "bad_input",
      fields: { "rule.extract.0.regex": expect.stringContaining("Look-around") },
    });
    const other = await newTeam(at);
    const [theirFlow, theirPhone] = [
      await at.flows.save(other, { name: "Theirs", source: "url: a\n---\n- back\n" }),
      await at.phones.launch(other, { idempotencyKey: "their-phone" }),
    ];
    for (const action of [
      { flowId: theirFlow.id, phone: at.phoneId },
      { flowId: at.flow.id, phone: theirPhone.id },
    ]) {
      await expect(at.rules.save(at.scope, at.makeRule({ extract: [], action }))).rejects.toMatchObject({
        code: "not_found",
      });
    }
    const mine = await at.rule();
    const stolen = {
      ...at.makeRule({ extract: [], action: { flowId: theirFlow.id, phone: theirPhone.id } }),
      id: mine.id,
    };
    await expect(at.rules.save(other, stolen)).rejects.toMatchObject({ code: "not_found" });
    expect((await saved(at, mine.id))?.rule).toEqual(mine);
  });

  it("forgets a start with its run, so that nothing of it outlives its term", async () => {
    const rule = await at.rule();
    await at.rules.start(at.scope, {
      ruleId: rule.id,
      way: "click",
      values: { id: "1" },
      dedupeKey: freshKey(),
      cause: [],
    });
    await at.runner.idle();
    at.clock.advance(1);
    const { db } = at.test;
    expect(await db.read.select().from(db.t.ruleStarts)).toHaveLength(1);
    await sweepNow(db, at.clock.now() + 90 * 86_400_000, "runs");
    expect(await db.read.select().from(db.t.ruleStarts)).toEqual([]);
    expect((await saved(at, rule.id))?.lastStartedAt).toBeUndefined();
  });
});

async function waitFor(holds: () => Promise<boolean>): Promise<void> {
  await expect.poll(holds, { timeout: 5_000, interval: 10 }).toBe(true);
}
