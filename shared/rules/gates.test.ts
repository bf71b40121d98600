import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newId } from "../id-values.ts";
import { type DedupeInput, dedupeKey } from "./dedupe.ts";
import { evaluate } from "./evaluate.ts";
import { addExplanations, type Explanation, explain } from "./explain.ts";
import { emptyGates, ended, forgetOrigin, type GateEvent, type GateState, keepRules, pass, resume } from "./gates.ts";
import type { RuleInput } from "./model.ts";
import { findRegex } from "./regex.ts";
import { makeFacts, makeRule, RULE_ID } from "./rule.fixture.ts";

const NOON = Date.UTC(2026, 10, 26, 12);
const SHOP = "https://shop.example";
const HOUR = 3_600_000;

function makeEvent(over: Partial<GateEvent> = {}, rule: Partial<RuleInput> = {}): GateEvent {
  return {
    rule: makeRule({ confirm: "never", debounceMs: 0, cooldownMs: 0, mode: "restart", ...rule }),
    key: "k",
    origin: SHOP,
    byHand: false,
    confirmed: false,
    granted: true,
    chain: [],
    openedByUs: false,
    ownPage: false,
    ...over,
  };
}
/** Passes events one after the other, and says "fire" or the gate of each. */
function run(...events: readonly [at: number, event: GateEvent][]): {
  readonly said: string[];
  readonly state: GateState;
} {
  let state = emptyGates(NOON);
  const said = events.map(([at, event]) => {
    const passed = pass(state, event, NOON + at);
    state = passed.state;
    return passed.outcome.fire ? "fire" : passed.outcome.gate;
  });
  return { said, state };
}

describe("gates", () => {
  it.each<[string, Partial<GateEvent>, Partial<RuleInput>]>([
    ["off", {}, { enabled: false }],
    ["expired", {}, { expiresAt: "2026-11-26T12:00:00Z" }],
    ["own-page", { ownPage: true }, {}],
    ["loop", { openedByUs: true }, {}],
    ["loop", { chain: [RULE_ID] }, {}],
    ["loop", { chain: [newId("rule"), newId("rule")] }, {}],
    ["consent", { granted: false }, {}],
    ["site-paused", { sitePausedUntil: NOON + 1 }, {}],
    ["confirm", {}, { confirm: "first" }],
    ["confirm", { byHand: true }, { confirm: "always" }],
    ["dry-run", {}, { dryRun: true }],
    ["fire", {}, { expiresAt: "2026-11-26T12:00:01Z" }],
    ["fire", { chain: [newId("rule")] }, {}],
    ["fire", { byHand: true, granted: false, openedByUs: true, chain: [RULE_ID] }, {}],
    ["fire", { sitePausedUntil: NOON }, {}],
  ])("say %s to %j of %j", (expected, event, rule) => {
    expect(run([0, makeEvent(event, rule)]).said).toEqual([expected]);
  });
  it("say in words what stopped an event", () => {
    const { outcome } = pass(emptyGates(NOON), makeEvent({ granted: false }), NOON);
    expect(outcome).toEqual({ fire: false, gate: "consent", words: "You have not allowed Perch to act on this site." });
  });
  it("wait for quiet, and a storm never brings it", () => {
    const storm = Array.from(
      { length: 20 },
      (_, at) => [at * 500, makeEvent({ key: `k${at}` }, { debounceMs: 800 })] as const,
    );
    const { said } = run(...storm.map(([at, event]): [number, GateEvent] => [at, event]), [
      20 * 500 + 800,
      makeEvent({ key: "last" }, { debounceMs: 800 }),
    ]);
    expect(said.filter((one) => one === "fire")).toHaveLength(2);
    expect([said[0], said[19], said[20]]).toEqual(["fire", "debounce", "fire"]);
  });
  it("let a key through once, and a cooldown pass", () => {
    const cold = { cooldownMs: 30_000 };
    expect(
      run(
        [0, makeEvent({}, cold)],
        [31_000, makeEvent({}, cold)],
        [31_000, makeEvent({ key: "b" }, cold)],
        [32_000, makeEvent({ key: "c" }, cold)],
        [32_000, makeEvent({ key: "d", byHand: true }, cold)],
      ).said,
    ).toEqual(["fire", "once", "fire", "cooldown", "fire"]);
  });
  it("ask once per site when first is enough, and go on with the yes at once", () => {
    const rule = { confirm: "first", debounceMs: 800 } as const;
    const { said, state } = run(
      [0, makeEvent({}, rule)],
      [100, makeEvent({ confirmed: true }, rule)],
      [2_000, makeEvent({ key: "b" }, rule)],
      [4_000, makeEvent({ key: "c", origin: "https://other.example" }, rule)],
    );
    expect(said).toEqual(["confirm", "fire", "fire", "confirm"]);
    const again = pass(forgetOrigin(state, SHOP), makeEvent({ key: "d" }, rule), NOON + 9_000).outcome;
    expect(again).toMatchObject({ gate: "confirm" });
  });
  it("hold a rule to its mode", () => {
    const two = (mode: RuleInput["mode"], count: number) =>
      run(
        ...Array.from({ length: count }, (_, at): [number, GateEvent] => [
          at,
          makeEvent({ key: `k${at}` }, mode === undefined ? {} : { mode }),
        ]),
      ).said;
    expect(two("single", 2)).toEqual(["fire", "mode"]);
    expect(two({ parallel: 2 }, 3)).toEqual(["fire", "fire", "mode"]);
    expect(two("queued", 11).slice(9)).toEqual(["fire", "mode"]);
    const first = run([0, makeEvent()]);
    expect(pass(first.state, makeEvent({ key: "b" }), NOON + 1).outcome).toMatchObject({ fire: true, cancel: ["k"] });
    const single = run([0, makeEvent({}, { mode: "single" })]).state;
    const next = makeEvent({ key: "b" }, { mode: "single" });
    expect(pass(ended(single, RULE_ID, "k", "passed", NOON), next, NOON).outcome.fire).toBe(true);
    expect(pass(single, next, NOON + 70 * 60_000).outcome.fire).toBe(true);
  });
  it("pause a rule after five failed runs in a row, until it is resumed", () => {
    let { state } = run([0, makeEvent()]);
    for (const result of ["failed", "failed", "passed", "failed", "cancelled", "failed", "failed", "failed"] as const) {
      state = ended(state, RULE_ID, "k", result, NOON);
    }
    expect(pass(state, makeEvent({ key: "b" }), NOON).outcome.fire).toBe(true);
    state = ended(state, RULE_ID, "k", "failed", NOON);
    expect(pass(state, makeEvent({ key: "b" }), NOON).outcome).toMatchObject({ gate: "failures" });
    expect(pass(resume(state, RULE_ID), makeEvent({ key: "b" }), NOON).outcome.fire).toBe(true);
    expect(keepRules(state, new Set()).rules).toEqual({});
  });
  it("hand the chain on to the run", () => {
    const before = newId("rule");
    expect(pass(emptyGates(NOON), makeEvent({ chain: [before] }), NOON).outcome).toMatchObject({
      chain: [before, RULE_ID],
    });
    expect(pass(emptyGates(NOON), makeEvent({ chain: [before], byHand: true }), NOON).outcome).toMatchObject({
      chain: [RULE_ID],
    });
  });
});

describe("over any events and clocks", () => {
  const step = fc.record({
    move: fc.oneof(
      fc.integer({ min: 0, max: 5_000 }),
      fc.integer({ min: 0, max: 2 * HOUR }),
      fc.constantFrom(-HOUR, -30 * HOUR, 25 * HOUR, -1),
    ),
    key: fc.integer({ min: 0, max: 400 }),
    byHand: fc.boolean(),
    confirmed: fc.boolean(),
    restart: fc.boolean(),
    end: fc.constantFrom("passed", "cancelled", "none"),
  });
  const limits = fc.record({
    hour: fc.integer({ min: 1, max: 4 }),
    day: fc.integer({ min: 1, max: 12 }),
    cooldownMs: fc.integer({ min: 0, max: 60_000 }),
  });
  it("a rule never starts more often than its caps, never twice for one key, never in its cooldown", () => {
    fc.assert(
      fc.property(limits, fc.array(step, { minLength: 20, maxLength: 120 }), ({ hour, day, cooldownMs }, steps) => {
        let state = emptyGates(NOON);
        let now = NOON;
        // Time as it passed at most: what the clock went back is not known to have passed.
        let passed = 0;
        const fires: { readonly at: number; readonly byHand: boolean }[] = [];
        const keys = new Set<string>();
        for (const { move, key, byHand, confirmed, restart, end } of steps) {
          now += move;
          passed += Math.max(0, move);
          if (restart) state = JSON.parse(JSON.stringify(state));
          const event = makeEvent(
            { key: `k${key}`, byHand, confirmed },
            { caps: { hour, day }, cooldownMs, debounceMs: 100 },
          );
          const result = pass(state, event, now);
          state = result.state;
          if (!result.outcome.fire) continue;
          const last = fires.at(-1);
          if (!byHand && last !== undefined) expect(passed - last.at).toBeGreaterThanOrEqual(cooldownMs);
          expect(keys.has(event.key)).toBe(false);
          keys.add(event.key);
          fires.push({ at: passed, byHand });
          expect(fires.filter(({ at }) => passed - at < HOUR).length).toBeLessThanOrEqual(hour);
          expect(fires.filter(({ at }) => passed - at < 24 * HOUR).length).toBeLessThanOrEqual(day);
          if (end !== "none") state = ended(state, RULE_ID, event.key, end, now);
        }
      }),
      { numRuns: 300 },
    );
  });
  it("a clock that was far ahead for a moment holds no rule up for long", () => {
    const capped = { caps: { hour: 1, day: 10 }, cooldownMs: 60_000 };
    const ahead = 3_650 * 24 * HOUR;
    const { said } = run(
      [ahead, makeEvent({}, capped)],
      [0, makeEvent({ key: "b" }, capped)],
      [HOUR - 1, makeEvent({ key: "c" }, capped)],
      [HOUR, makeEvent({ key: "d" }, capped)],
    );
    expect(said).toEqual(["fire", "cooldown", "cap", "fire"]);
  });
  it("the state of a rule stays small", () => {
    let state = emptyGates(NOON);
    for (let number = 0; number < 1_500; number++) {
      const event = makeEvent(
        { key: `k${number}`.padEnd(43), origin: `https://s${number}.example`, confirmed: true },
        { caps: { hour: 200, day: 1_000 } },
      );
      state = pass(state, event, NOON + number * 60_000).state;
    }
    expect(JSON.stringify(state).length).toBeLessThan(40_000);
  });
});

describe("the key of a start", () => {
  const secret = new Uint8Array(16).fill(7);
  const input = (over: Partial<DedupeInput> = {}): DedupeInput => ({
    rule: makeRule(),
    occasion: { start: "navigation", documentId: "D1", url: `${SHOP}/p?a=1#x` },
    values: [{ name: "sku", value: "42", source: "css" }],
    at: NOON,
    timeZone: "Europe/Berlin",
    secret,
    ...over,
  });
  const at = (url: string, documentId: string) => ({ start: "navigation", documentId, url }) as const;
  const same = async (oncePer: RuleInput["oncePer"], over: Partial<DedupeInput>) => {
    const rule = makeRule({
      ...(oncePer === undefined ? {} : { oncePer }),
      extract: [{ var: "sku", from: [{ kind: "canonical" }] }],
    });
    return (await dedupeKey(input({ rule }))) === (await dedupeKey(input({ rule, ...over })));
  };
  it("is one for one occasion, in every window and after every restart", async () => {
    const one = await dedupeKey(input());
    expect(one).toMatch(/^[\w-]{43}$/);
    expect(await dedupeKey(input())).toBe(one);
    let state = emptyGates(NOON);
    const first = pass(state, makeEvent({ key: one }), NOON);
    state = JSON.parse(JSON.stringify(first.state));
    expect(first.outcome).toMatchObject({ dedupeKey: one });
    expect(pass(state, makeEvent({ key: await dedupeKey(input()) }), NOON + 5_000).outcome).toMatchObject({
      gate: "once",
    });
  });
  it("changes with what the rule runs once per", async () => {
    const moved = { occasion: at(`${SHOP}/p?a=1#y`, "D2") };
    const elsewhere = { occasion: at(`${SHOP}/q`, "D2") };
    expect(await same("navigation", moved)).toBe(false);
    expect(await same("url", moved)).toBe(true);
    expect(await same("url", elsewhere)).toBe(false);
    expect(await same("url/day", { at: NOON + 10 * HOUR })).toBe(true);
    expect(await same("url/day", { at: NOON + 11 * HOUR })).toBe(false);
    expect(await same("site/hour", elsewhere)).toBe(true);
    expect(await same("site/hour", { at: NOON + HOUR })).toBe(false);
    expect(await same({ value: "sku" }, elsewhere)).toBe(true);
    expect(await same({ value: "sku" }, { values: [{ name: "sku", value: "43", source: "css" }] })).toBe(false);
    expect(await same("url", { occasion: { start: "click", clickId: "c1" } })).toBe(false);
    expect(await same("url", { secret: new Uint8Array(16) })).toBe(false);
    expect(await same("url", { rule: makeRule({ id: newId("rule"), oncePer: "url" }) })).toBe(false);
  });
  it("of a schedule is its local minute, and of a click the click", async () => {
    const key = (over: Partial<DedupeInput>) => dedupeKey(input(over));
    const schedule = { occasion: { start: "schedule", timeZone: "Europe/Berlin" } } as const;
    const [first, second] = [Date.UTC(2026, 9, 25, 0, 30), Date.UTC(2026, 9, 25, 1, 30)];
    expect(await key({ ...schedule, at: first })).toBe(await key({ ...schedule, at: second }));
    expect(await key({ ...schedule, at: first })).not.toBe(await key({ ...schedule, at: second + 60_000 }));
    const click = (clickId: string) => key({ occasion: { start: "click", clickId } });
    expect(await click("c1")).toBe(await click("c1"));
    expect(await click("c1")).not.toBe(await click("c2"));
  });
});

describe("explanations", () => {
  it("keep the last 200, each with what was found and what stopped it", () => {
    const rule = makeRule({ name: "Product" });
    const facts = makeFacts();
    const evaluation = evaluate(rule, facts, findRegex);
    let log: readonly Explanation[] = [];
    for (let number = 0; number < 250; number++) {
      log = addExplanations(log, [
        explain(
          rule,
          { ...facts, at: number },
          evaluation,
          pass(emptyGates(0), makeEvent({ granted: false }), 0).outcome,
        ),
      ]);
    }
    expect([log.length, log[0]?.at]).toEqual([200, 50]);
    expect(log[0]).toMatchObject({ ruleName: "Product", host: "shop.example", outcome: "stopped", gate: "consent" });
    const outside = { ...facts, url: "https://evil.example/" };
    expect(explain(rule, outside, evaluate(rule, outside, findRegex))).toMatchObject({
      outcome: "no fit",
      words: "Wanted a page of https://shop.example/*; there was https://evil.example/.",
    });
    expect(explain(rule, facts, evaluation).outcome).toBe("fits");
    expect(explain(rule, facts, evaluation, pass(emptyGates(0), makeEvent(), 0).outcome).outcome).toBe("fired");
  });
});
