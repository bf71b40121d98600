import { setImmediate as later } from "node:timers/promises";
import { eq } from "drizzle-orm";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { hasEnded } from "../../shared/automations.ts";
import { type FlowId, newId, type PhoneId, type RunId } from "../../shared/ids.ts";
import { ManualClock } from "../clock.ts";
import { TEST_ENGINES } from "../db/testing.ts";
import type { PhoneInput } from "../phones/driver.ts";
import { composePhones, newTeam } from "../phones/testing/harness.ts";
import { systemPace } from "./engine/pace.ts";
import { maestroNames } from "./run-pool.ts";
import { LEASE_MS } from "./runner.ts";
import { createRunsRepo } from "./runs.repo.ts";
import { ScreenDriver } from "./testing/fake-screen.ts";
import { composeRuns, type OpenRuns, openRuns, startFlow } from "./testing/harness.ts";
import { type Death, mortalDatabase } from "./testing/mortal-database.ts";

const NEVER = "- extendedWaitUntil:\n    visible: Never\n    timeout: 600000";
const TYPES = "- inputText: $" + "{MAESTRO_FILENAME} on $" + "{MAESTRO_SHARD_INDEX} $" + "{MAESTRO_DEVICE_UDID}";

/** Screens that notice when two runs are at one phone. */
class Phones extends ScreenDriver {
  readonly #inside = new Set<PhoneId>();
  readonly typed: { id: PhoneId; value: string }[] = [];
  busy(): boolean {
    return this.#inside.size > 0;
  }
  override async input(id: PhoneId, input: PhoneInput): Promise<void> {
    if (this.#inside.has(id)) throw new Error("Two runs were at one phone.");
    this.#inside.add(id);
    await later();
    if (input.type === "text") this.typed.push({ id, value: input.value });
    await super.input(id, input);
    await later();
    this.#inside.delete(id);
  }
}

describe("runs on many phones", () => {
  let at: OpenRuns;
  let screens: Phones;
  afterEach(() => at.dispose());

  async function open(phones: number, options: Omit<Parameters<typeof openRuns>[0], "driver"> = {}) {
    screens = new Phones();
    at = await openRuns({ ...options, driver: screens });
    for (let n = 1; n < phones; n += 1) {
      at.clock.advance(1);
      await at.phones.launch(at.scope, { idempotencyKey: `phone-number-${n}` });
    }
    const ids = (await at.phones.list(at.scope)).map(({ id }) => id);
    for (const id of ids) await at.phones.tag(at.scope, id, ["shop"]);
    return ids;
  }
  const flows = async (count: number, commands = TYPES): Promise<FlowId[]> => {
    const saved = [];
    for (let n = 0; n < count; n += 1) {
      saved.push(await at.flows.save(at.scope, { name: `flow-${n}.yaml`, source: `url: a\n---\n${commands}\n` }));
    }
    return saved.map(({ id }) => id);
  };
  const shared = (input: Partial<Parameters<OpenRuns["runs"]["startAll"]>[1]>) =>
    at.runs.startAll(
      at.scope,
      { phones: { tag: "shop" }, share: "any", idempotencyKey: "shared-runs", ...input },
      "person",
    );
  const settled = async (ids: readonly RunId[]) => {
    await at.runner.idle();
    return Promise.all(ids.map((id) => at.runs.get(at.scope, id)));
  };

  it("end eight flows on four phones, never two on one, and start those that were parked", async () => {
    const ids = await open(4);
    await at.phones.park(at.scope, ids[2] as PhoneId);
    await at.phones.park(at.scope, ids[3] as PhoneId);
    const { runIds } = await shared({ flowIds: await flows(8) });
    const runs = await settled(runIds);
    expect(runs.map(({ state }) => state)).toEqual(Array(8).fill("passed"));
    expect(new Set(runs.map(({ phoneId }) => phoneId))).toEqual(new Set(ids));
    const expected = runs.map(({ phoneId }, n) => `flow-${n} on ${ids.indexOf(phoneId)} ${phoneId}`);
    expect(screens.typed.map(({ value }) => value).toSorted()).toEqual(expected.toSorted());
    for (const { id, value } of screens.typed) expect(value).toContain(id);
  });

  it("do every flow on every phone", async () => {
    const ids = await open(3);
    const { runIds } = await shared({ flowIds: await flows(2), share: "each" });
    const runs = await settled(runIds);
    expect(runs.map(({ name, phoneId, state }) => [name, phoneId, state])).toEqual(
      ["flow-0.yaml", "flow-1.yaml"].flatMap((name) => ids.map((id) => [name, id, "passed"])),
    );
    expect(screens.typed.map(({ value }) => value)).toContain(`flow-1 on 2 ${ids[2]}`);
  });

  it("are the same runs for the same key, also when the phones of the tag have changed since", async () => {
    const ids = await open(2);
    const input = { source: `url: a\n---\n${TYPES}\n`, share: "each" as const };
    const answers = await Promise.all(Array.from({ length: 5 }, () => shared(input)));
    await at.phones.tag(at.scope, ids[1] as PhoneId, []);
    answers.push(await shared(input));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    await at.runner.idle();
    expect(await at.runs.list(at.scope, undefined)).toHaveLength(2);
    await expect(shared({ ...input, share: "any" })).rejects.toMatchObject({ code: "idempotency_mismatch" });
    await expect(shared({ ...input, phones: { tag: "none" }, idempotencyKey: "other-key" })).rejects.toMatchObject({
      message: "No phone has the tag none. Tag one in its settings.",
    });
    const foreign = { ids: [newId("phone")] };
    await expect(shared({ ...input, phones: foreign, idempotencyKey: "third-key" })).rejects.toMatchObject({
      code: "not_found",
    });
  });

  it("go to a phone that is free instead of waiting for one that is busy", async () => {
    const [busy, free] = await open(2, { pace: systemPace });
    const { runId: long } = await startFlow(at, NEVER);
    await expect.poll(async () => (await at.runs.get(at.scope, long)).state).toBe("running");
    const { runIds } = await shared({ flowIds: await flows(3) });
    await expect
      .poll(async () => (await Promise.all(runIds.map((id) => at.runs.get(at.scope, id)))).map(({ state }) => state))
      .toEqual(["passed", "passed", "passed"]);
    expect(new Set(screens.typed.map(({ id }) => id))).toEqual(new Set([free]));
    expect((await at.runs.get(at.scope, long)).phoneId).toBe(busy);
    await at.runs.cancel(at.scope, long);
  });

  it("wait for a running phone when no more may be started", async () => {
    const phones = await open(1, { limits: { runningPerTeam: 1 }, pace: systemPace });
    for (let n = 0; n < 4; n += 1) {
      await at.phones.park(at.scope, phones.at(-1) as PhoneId);
      const { id } = await at.phones.launch(at.scope, { idempotencyKey: `the-next-${n}` });
      await at.phones.tag(at.scope, id, ["shop"]);
      phones.push(id);
    }
    const running = phones.at(-1) as PhoneId;
    const source = `url: a\n---\n${NEVER}\n`;
    const { runId: long } = await at.runs.start(
      at.scope,
      { source, phoneId: running, idempotencyKey: "long-run" },
      "person",
    );
    await expect.poll(async () => (await at.runs.get(at.scope, long)).state).toBe("running");
    const { runIds } = await shared({ flowIds: await flows(1) });
    // Each of the four parked phones was tried once, more than a run may move.
    const { runs } = at.test.db.t;
    await expect
      .poll(async () => Math.max(...(await at.test.db.read.select().from(runs)).map(({ fence }) => fence)))
      .toBe(5);
    const states = async () =>
      (await Promise.all(runIds.map((id) => at.runs.get(at.scope, id)))).map(({ state }) => state);
    await expect.poll(states).toEqual(["queued"]);
    await at.runs.cancel(at.scope, long);
    await expect.poll(states).toEqual(["passed"]);
    expect(new Set(screens.typed.map(({ id }) => id))).toEqual(new Set([running]));
  });

  it("go to another phone when theirs is lost before the first effect, at most twice, and end after one", async () => {
    const ids = await open(4, { pace: systemPace });
    const lose = async (runId: RunId) => {
      await expect.poll(async () => (await at.runs.get(at.scope, runId)).state).toBe("running");
      await expect.poll(async () => (await at.runs.get(at.scope, runId)).steps.length).toBeGreaterThan(0);
      const { phoneId } = await at.runs.get(at.scope, runId);
      screens.end(phoneId, "browser_crashed");
      await expect
        .poll(async () => {
          const run = await at.runs.get(at.scope, runId);
          return run.phoneId !== phoneId || hasEnded(run.state);
        })
        .toBe(true);
      return phoneId;
    };
    const [untouched] = (await shared({ flowIds: await flows(1, NEVER) })).runIds as [RunId];
    const lost = [await lose(untouched), await lose(untouched), await lose(untouched)];
    expect(new Set(lost).size).toBe(3);
    expect(await at.runs.get(at.scope, untouched)).toMatchObject({ state: "failed", error: { code: "phone_lost" } });

    const left = ids.find((id) => !lost.includes(id)) as PhoneId;
    const [touched] = (
      await shared({ flowIds: await flows(1, `- inputText: once\n${NEVER}`), idempotencyKey: "touched-run" })
    ).runIds as [RunId];
    await expect.poll(() => screens.typed.length).toBe(1);
    await expect.poll(async () => (await at.runs.get(at.scope, touched)).steps.length).toBe(2);
    screens.end(screens.typed[0]?.id ?? left, "browser_crashed");
    await expect.poll(async () => (await at.runs.get(at.scope, touched)).state).toBe("failed");
    expect(screens.typed).toHaveLength(1);
  });

  it("pass over phones that are removed, and fail when none is left", async () => {
    const ids = await open(3, { pace: systemPace });
    const { runId: long } = await startFlow(at, NEVER);
    await expect.poll(async () => (await at.runs.get(at.scope, long)).state).toBe("running");
    for (const id of ids.slice(1)) await at.phones.park(at.scope, id);
    const flowIds = await flows(1);
    screens.failing.set("start", new Error("no"));
    const both = (await shared({ flowIds, phones: { ids: ids.slice(1) } })).runIds[0] as RunId;
    for (const id of ids.slice(1)) await at.phones.remove(at.scope, id, `remove-${id.slice(3, 20)}`);
    at.clock.advance(60_000);
    await at.runner.tick();
    await expect.poll(async () => (await at.runs.get(at.scope, both)).state).toBe("failed");
    screens.failing.clear();
    await at.runs.cancel(at.scope, long);
    await at.runner.idle();
    const { runIds } = await shared({ flowIds, idempotencyKey: "one-is-left" });
    expect(await settled(runIds)).toMatchObject([{ state: "passed", phoneId: ids[0] }]);
  });

  let lives = 0;
  /** One life of a server after the first one was closed. */
  async function live(death: Death) {
    lives += 1;
    at.clock.advance(LEASE_MS + 1);
    const mortal = mortalDatabase(at.test.db, death);
    const life = await composeRuns({ ...at, pace: undefined, db: mortal.db, holder: `life-${lives}` });
    const working = (async () => {
      await life.runner.start();
      await life.runner.idle();
      await life.runner.close();
    })();
    await Promise.race([working, mortal.died]);
    // What was on its way when it died comes to its end before the next one begins.
    await at.test.db.tx(async () => {});
    for (let quiet = 0; quiet < 50; quiet = screens.busy() ? 0 : quiet + 1) await later();
  }

  it("do nothing twice and forget none when the server is killed in the middle", async () => {
    await open(3);
    await at.runner.close();
    const saved = await flows(6, `- assertTrue: true\n${TYPES}\n- assertTrue: true\n- inputText: end`);
    for (let at_ = 1; at_ <= 25; at_ += 3) {
      screens.typed.length = 0;
      const { runIds } = await shared({ flowIds: saved, idempotencyKey: `killed-at-${at_}` });
      await live({ at: at_, committed: at_ % 2 === 0 });
      await live({ at: Number.POSITIVE_INFINITY, committed: false });
      const runs = await Promise.all(runIds.map((id) => at.runs.get(at.scope, id)));
      expect(
        runs.filter(({ state }) => state !== "passed" && state !== "interrupted").map(({ error }) => error),
      ).toEqual([]);
      const firsts = screens.typed.map(({ value }) => value).filter((value) => value !== "end");
      const names = firsts.map((value) => value.split(" ")[0]);
      expect(names.toSorted()).toEqual([...new Set(names)].toSorted());
      const passed = runs.filter(({ state }) => state === "passed").map(({ name }) => name.replace(".yaml", ""));
      expect(names).toEqual(expect.arrayContaining(passed));
    }
  });

  it.each(["the flow", "a person"])("stay with their phone when %s lets them go on after a crash", async (who) => {
    const ids = await open(2);
    await at.runner.close();
    const onCrash = who === "the flow" ? "resume" : "fail";
    const source = `url: a\nlimits:\n  onCrash: ${onCrash}\n---\n- inputText: first\n- assertTrue: true\n- inputText: second\n`;
    let interrupted = 0;
    for (let death = 6; death <= 18; death += 1) {
      for (const id of ids) await at.phones.start(at.scope, id);
      screens.typed.length = 0;
      const { runIds } = await shared({ source, idempotencyKey: `goes-on-${death}` });
      await live({ at: death, committed: false });
      const [first] = screens.typed;
      // The other phone would be the better one for a run that may choose.
      if (first !== undefined) await at.phones.park(at.scope, first.id);
      await live({ at: Number.POSITIVE_INFINITY, committed: false });
      const run = await at.runs.get(at.scope, runIds[0] as RunId);
      if (run.state === "interrupted") {
        interrupted += 1;
        await at.runs.resume(at.scope, { runId: run.id, from: "after" });
        await live({ at: Number.POSITIVE_INFINITY, committed: false });
      }
      expect((await at.runs.get(at.scope, run.id)).state).toBe("passed");
      expect(new Set(screens.typed.map(({ id }) => id)).size).toBe(1);
    }
    expect(interrupted).toBeGreaterThan(0);
  });

  it("know the names Maestro gives", async () => {
    await open(1);
    const phoneId = at.phoneId;
    expect(maestroNames({ name: "Sign in.yml", phoneId, shard: null })).toEqual({
      MAESTRO_FILENAME: "Sign in",
      MAESTRO_DEVICE_UDID: phoneId,
    });
    expect(maestroNames({ name: "a", phoneId, shard: 3 })).toMatchObject({
      MAESTRO_SHARD_ID: "4",
      MAESTRO_SHARD_INDEX: "3",
    });
  });
});

describe.each(TEST_ENGINES)("the queue on $name", (engine) => {
  const PHONES = 4;
  const place = fc.oneof(fc.nat(PHONES - 1), fc.uniqueArray(fc.nat(PHONES - 1), { minLength: 1, maxLength: PHONES }));
  const action = fc.oneof(
    { weight: 3, arbitrary: fc.record({ ask: place, lane: fc.option(fc.constantFrom("a", "b"), { nil: null }) }) },
    { weight: 3, arbitrary: fc.record({ lease: fc.integer({ min: 1, max: 3 }) }) },
    { weight: 2, arbitrary: fc.record({ end: fc.nat(10), how: fc.constantFrom("passed", "queued") }) },
  );

  it("gives a phone and a lane to one run at a time, in order, and leaves none that could go", async () => {
    const test = await engine.open();
    const clock = new ManualClock();
    const scope = await newTeam(composePhones(test, clock, new ScreenDriver()));
    const repo = createRunsRepo(test.db);
    const { runs } = test.db.t;
    const until = new Date(clock.now() + LEASE_MS);
    let keys = 0;
    const property = fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 25 }), async (actions) => {
      await test.db.tx((tx) => tx.delete(runs));
      const phones = Array.from({ length: PHONES }, () => newId("phone"));
      const may = new Map<RunId, readonly PhoneId[]>();
      const turns = new Map<RunId, number>();
      const fences = new Map<PhoneId, number>();
      const active = async () => (await test.db.read.select().from(runs)).filter(({ state }) => state === "leased");
      const leaseOne = async (holder: string) => {
        const row = await repo.lease(holder, until, { busy: [], resting: [], nodes: undefined });
        if (row === undefined) return;
        expect(may.get(row.id)).toContain(row.phoneId);
        expect(row.fence).toBeGreaterThan(fences.get(row.phoneId) ?? 0);
        fences.set(row.phoneId, row.fence);
        const passedOver = (await test.db.read.select().from(runs)).filter(
          (other) =>
            other.state === "queued" &&
            other.lane === null &&
            (may.get(other.id) ?? []).includes(row.phoneId) &&
            (turns.get(other.id) ?? 0) < (turns.get(row.id) ?? 0),
        );
        expect(passedOver).toEqual([]);
      };
      for (const one of actions) {
        if ("ask" in one) {
          keys += 1;
          const id = newId("run");
          const pool = typeof one.ask === "number" ? undefined : one.ask.map((n) => phones[n] as PhoneId);
          const home = pool?.[0] ?? (phones[one.ask as number] as PhoneId);
          may.set(id, pool ?? [home]);
          await test.db.tx(async (tx) => {
            const turn = await repo.nextTurn(tx, scope.teamId);
            turns.set(id, turn);
            await repo.insert(
              tx,
              {
                id,
                teamId: scope.teamId,
                name: "Run",
                source: "",
                inputs: {},
                phoneId: home,
                state: "queued",
                trigger: "person",
                lane: one.lane,
                idempotencyKey: `queue-${keys}`,
                requestHash: "",
                turn,
                fence: 0,
                starts: 0,
                eventSeq: 0,
                createdAt: new Date(clock.now()),
              },
              pool,
            );
          });
        } else if ("lease" in one) {
          const before = new Set((await active()).map(({ id }) => id));
          if (one.lease === 1) await leaseOne("a");
          else await Promise.all(Array.from({ length: one.lease }, (_, n) => leaseOneOf(`worker-${n}`)));
          expect((await active()).length).toBeGreaterThanOrEqual(before.size);
        } else {
          const going = await active();
          const row = going[one.end % Math.max(1, going.length)];
          if (row === undefined) continue;
          await test.db.tx((tx) =>
            tx
              .update(runs)
              .set({ state: one.how as "passed" | "queued", holder: null })
              .where(eq(runs.id, row.id)),
          );
        }
        const going = await active();
        expect(new Set(going.map(({ phoneId }) => phoneId)).size).toBe(going.length);
        const lanes = going.flatMap(({ lane }) => lane ?? []);
        expect(new Set(lanes).size).toBe(lanes.length);
      }
      for (let n = 0; n < PHONES + 1; n += 1) await leaseOne("last");
      const going = await active();
      const busy = new Set(going.map(({ phoneId }) => phoneId));
      const lanes = new Set(going.map(({ lane }) => lane));
      const could = (await test.db.read.select().from(runs)).filter(
        ({ id, state, lane }) =>
          state === "queued" &&
          (lane === null || !lanes.has(lane)) &&
          (may.get(id) ?? []).some((phone) => !busy.has(phone)),
      );
      expect(could).toEqual([]);

      async function leaseOneOf(holder: string) {
        const row = await repo.lease(holder, until, { busy: [], resting: [], nodes: undefined });
        if (row !== undefined) fences.set(row.phoneId, Math.max(row.fence, fences.get(row.phoneId) ?? 0));
      }
    });
    await fc.assert(property, { numRuns: engine.name === "SQLite" ? 40 : 8 });
    await test.dispose();
  });
});
