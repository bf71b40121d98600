import { and, eq } from "drizzle-orm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cronMatches, parseCron } from "../../shared/rules/cron.ts";
import type { RuleInput } from "../../shared/rules/model.ts";
import { makeRule } from "../../shared/rules/rule.fixture.ts";
import { nextSlot } from "./schedule.ts";
import { composeRules, ENDLESS, type OpenRules, openRules, TEST_ENGINES } from "./testing/harness.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const schedule = (cron: string, timeZone = "Europe/Berlin") => ({ kind: "schedule", cron, timeZone }) as const;
const scheduled = (when: RuleInput["when"], over: Partial<RuleInput> = {}) => makeRule({ when, scope: [], ...over });

describe("the next slot", () => {
  it("is the first minute that fits, as looking at every minute finds it, also around clock changes", () => {
    const zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"];
    const minute = fc.constantFrom("0", "30", "*/15", "59", "5,45");
    const hour = fc.constantFrom("*", "2", "1-3", "*/6", "0", "23");
    const one = fc
      .tuple(minute, hour, fc.constantFrom(...zones))
      .map(([m, h, zone]) => schedule(`${m} ${h} * * *`, zone));
    // Nights of clock changes in 2026, and an ordinary one.
    const nights = [Date.UTC(2026, 2, 28), Date.UTC(2026, 9, 24), Date.UTC(2026, 2, 7), Date.UTC(2026, 3, 4), 0];
    fc.assert(
      fc.property(
        fc.array(one, { minLength: 1, maxLength: 2 }),
        fc.boolean(),
        fc.constantFrom(...nights),
        fc.integer({ min: 0, max: 2 * DAY_MS }),
        (conditions, all, night, offset) => {
          const after = night + offset;
          const fits = (at: number) => {
            const held = conditions.map(({ cron, timeZone }) => {
              const parsed = parseCron(cron);
              return parsed.ok && cronMatches(parsed.value, timeZone, at);
            });
            return all ? held.every(Boolean) : held.some(Boolean);
          };
          let found: number | undefined;
          for (let at = (Math.floor(after / MINUTE_MS) + 1) * MINUTE_MS; at <= after + 2 * DAY_MS; at += MINUTE_MS) {
            if (!fits(at)) continue;
            found = at;
            break;
          }
          const slot = nextSlot(scheduled(all ? { all: conditions } : { any: conditions }), after);
          if (found !== undefined) expect(slot?.at).toBe(found);
          else expect(slot?.at ?? Number.POSITIVE_INFINITY).toBeGreaterThan(after + 2 * DAY_MS);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("does not come for what no schedule can start", () => {
    const nine = schedule("0 9 * * *");
    const at = Date.UTC(2026, 0, 1);
    expect(nextSlot(scheduled({ all: [nine] }), at)?.at).toBe(Date.UTC(2026, 0, 1, 8));
    for (const rule of [
      scheduled({ all: [nine] }, { enabled: false }),
      scheduled({ all: [nine] }, { dryRun: true }),
      scheduled({ all: [nine] }, { scope: ["https://shop.example/*"] }),
      scheduled({ all: [nine, { kind: "host", is: "shop.example" }] }),
      scheduled({ all: [nine] }, { extract: [{ var: "id", from: [{ kind: "path", index: 0 }] }] }),
      scheduled({ all: [nine, schedule("30 9 * * *")] }),
      scheduled({ all: [nine] }, { expiresAt: "2026-01-01T08:00:00Z" }),
      scheduled({ all: [] }),
    ]) {
      expect(nextSlot(rule, at)).toBeUndefined();
    }
  });
});

describe.each(TEST_ENGINES)("schedules on $name", (engine) => {
  async function withRules(work: (at: OpenRules) => Promise<void>): Promise<void> {
    const at = await openRules(engine);
    try {
      await work(at);
    } finally {
      await at.dispose();
    }
  }
  const everyDay = (at: OpenRules, cron: string, over: Partial<RuleInput> = {}) =>
    at.rule({
      when: { all: [schedule(cron)] },
      extract: [],
      action: { flowId: at.flow.id, phone: at.phoneId, inputs: { ID: { text: "morning" } } },
      ...over,
    });
  const goTo = (at: OpenRules, moment: number) => at.clock.advance(moment - at.clock.now());
  const started = async (at: OpenRules) => {
    await at.scheduler.tick();
    await at.runner.idle();
    return (await at.runs.list(at.scope, undefined)).length;
  };
  const listed = async (at: OpenRules) => (await at.rules.list(at.scope)).rules[0];

  it("start on their minute, once, and what was missed once on return", () =>
    withRules(async (at) => {
      await everyDay(at, "0 9 * * *");
      expect((await listed(at))?.nextAt).toBe("2026-01-01T08:00:00.000Z");
      goTo(at, Date.UTC(2026, 0, 1, 7, 59, 59, 999));
      expect(await started(at)).toBe(0);
      goTo(at, Date.UTC(2026, 0, 1, 8));
      expect(await started(at)).toBe(1);
      expect(await started(at)).toBe(1);
      const [run] = await at.runs.list(at.scope, undefined);
      expect(run).toMatchObject({ trigger: "schedule", triggerName: "Product page", state: "passed" });
      expect((await listed(at))?.nextAt).toBe("2026-01-02T08:00:00.000Z");
      // Nobody was there for four mornings.
      goTo(at, Date.UTC(2026, 0, 5, 12));
      expect(await started(at)).toBe(2);
      expect(await started(at)).toBe(2);
      expect((await listed(at))?.nextAt).toBe("2026-01-06T08:00:00.000Z");
    }));

  it("skip a time the clock change leaves out, and take one that comes twice once", () =>
    withRules(async (at) => {
      goTo(at, Date.UTC(2026, 2, 28, 12));
      await everyDay(at, "30 2 * * *");
      expect((await listed(at))?.nextAt).toBe("2026-03-30T00:30:00.000Z");
      goTo(at, Date.UTC(2026, 9, 24, 12));
      await started(at);
      const before = (await at.runs.list(at.scope, undefined)).length;
      for (let moment = Date.UTC(2026, 9, 24, 23); moment < Date.UTC(2026, 9, 25, 4); moment += 10 * MINUTE_MS) {
        goTo(at, moment);
        await started(at);
      }
      expect((await at.runs.list(at.scope, undefined)).length).toBe(before + 1);
      expect((await listed(at))?.nextAt).toBe("2026-10-26T01:30:00.000Z");
    }));

  it("are started by one of several servers", () =>
    withRules(async (at) => {
      await everyDay(at, "*/5 * * * *", { mode: { parallel: 10 } });
      const second = await composeRules(at.test, at.clock, at.driver, "node-2");
      for (let slot = 1; slot <= 5; slot += 1) {
        goTo(at, Date.UTC(2026, 0, 1) + slot * 5 * MINUTE_MS);
        await Promise.all([at.scheduler.tick(), second.scheduler.tick(), at.scheduler.tick()]);
        expect((await at.runs.list(at.scope, undefined)).length).toBe(slot);
      }
      await at.runner.idle();
      await second.runner.idle();
      await second.close();
    }));

  it("say why they started nothing, and go on", () =>
    withRules(async (at) => {
      const endless = await at.flows.save(at.scope, { name: "Endless", source: ENDLESS });
      await everyDay(at, "0 * * * *", { action: { flowId: endless.id, phone: at.phoneId } });
      goTo(at, Date.UTC(2026, 0, 1, 1));
      await at.scheduler.tick();
      goTo(at, Date.UTC(2026, 0, 1, 2));
      await at.scheduler.tick();
      expect(await listed(at)).toMatchObject({
        refusal: { at: "2026-01-01T02:00:00.000Z", message: expect.stringContaining("is running") },
        nextAt: "2026-01-01T03:00:00.000Z",
      });
      const [run] = await at.runs.list(at.scope, undefined);
      if (run !== undefined) await at.runs.cancel(at.scope, run.id);
      await at.runner.idle();
      const { teamMembers } = at.test.db.t;
      const member = and(eq(teamMembers.teamId, at.scope.teamId), eq(teamMembers.userId, at.scope.userId));
      await at.test.db.tx((tx) => tx.update(teamMembers).set({ role: "viewer" }).where(member));
      goTo(at, Date.UTC(2026, 0, 1, 3));
      await at.scheduler.tick();
      expect(await listed(at)).toMatchObject({ refusal: { message: expect.stringContaining("Save it again") } });
      await at.test.db.tx((tx) => tx.update(teamMembers).set({ role: "operator" }).where(member));
      goTo(at, Date.UTC(2026, 0, 1, 4));
      await at.scheduler.tick();
      expect((await listed(at))?.refusal).toBeUndefined();
      expect((await at.runs.list(at.scope, undefined)).length).toBe(2);
    }));
});
