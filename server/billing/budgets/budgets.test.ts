import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newId, type PhoneId, type TeamId, type UserId } from "../../../shared/ids.ts";
import { TEST_ENGINES, type TestDatabase } from "../../db/testing.ts";
import { teamScope } from "../../teams/team-scope.ts";
import { aPhone, createLedgerWorld, HOUR, type LedgerWorld, MINUTE, monthAround } from "../ledger/ledger.fixture.ts";
import type { BudgetRow } from "./budgets.repo.ts";
import { countUses } from "./counting.ts";

const BUDGET: BudgetRow = {
  ...{ id: "bud_1", teamId: newId("team"), scope: "team", memberId: null, phoneId: null, measure: "time" },
  ...{ limit: 100, month: "2026-11", spent: 0, alerted: 0, createdAt: new Date(0) },
};
const use = (ms: number, month = "2026-11") => ({ month, phoneId: "ph_1", startedBy: null, ms, amount: 0 });

describe("counting", () => {
  it("tells each mark once, of several at once the highest", () => {
    expect(countUses(BUDGET, [use(49)])).toEqual({ month: "2026-11", spent: 49, alerted: 0 });
    expect(countUses(BUDGET, [use(25), use(25)])).toMatchObject({ spent: 50, crossed: 50 });
    expect(countUses({ ...BUDGET, spent: 50, alerted: 50 }, [use(29)])).not.toHaveProperty("crossed");
    expect(countUses({ ...BUDGET, spent: 50, alerted: 50 }, [use(30)])).toMatchObject({ alerted: 80, crossed: 80 });
    expect(countUses(BUDGET, [use(500)])).toMatchObject({ spent: 500, alerted: 100, crossed: 100 });
    expect(countUses({ ...BUDGET, spent: 500, alerted: 100 }, [use(1)])).not.toHaveProperty("crossed");
  });
  it("begins each month at nothing, and leaves a month that is over", () => {
    const full = { ...BUDGET, spent: 100, alerted: 100 };
    expect(countUses(full, [use(7, "2026-11"), use(60, "2026-12")])).toEqual({
      ...{ month: "2026-12", spent: 60, alerted: 50, crossed: 50 },
    });
    expect(countUses(full, [use(7, "2026-10")])).toBeUndefined();
  });
  it("counts what was given back, and not below nothing", () => {
    expect(countUses({ ...BUDGET, spent: 60, alerted: 50 }, [use(-30)])).toEqual({
      ...{ month: "2026-11", spent: 30, alerted: 50 },
    });
    expect(countUses({ ...BUDGET, spent: 10 }, [use(-30)])).toMatchObject({ spent: 0 });
  });
});

describe.each(TEST_ENGINES)("budgets on $name", (engine) => {
  let test: TestDatabase;
  let world: LedgerWorld;
  let teamId: TeamId;
  let userId: UserId;
  beforeAll(async () => {
    test = await engine.open();
    world = createLedgerWorld(test);
  });
  afterAll(() => test.dispose());
  beforeEach(async () => {
    ({ teamId, userId } = await world.addTeam());
    await test.db.tx((tx) =>
      world.ledger.credit(tx, { teamId, amount: 10_000, source: "checkout", sourceId: `cs_${teamId}` }),
    );
    world.mails.length = 0;
  });

  const scope = () => {
    const made = teamScope({ teamId, userId, role: "owner" }, "billing:manage");
    if (made === undefined) throw new Error("no scope");
    return made;
  };
  const set = (input: Parameters<LedgerWorld["budgets"]["set"]>[1]) => {
    // They are listed in the order they were made.
    world.clock.advance(1);
    return world.budgets.set(scope(), input);
  };
  const list = () => world.budgets.list(test.db.read, teamId, new Date(world.clock.now()));
  const run = async (ms: number, startedBy?: UserId, phone = aPhone(world.clock.now())) => {
    const from = world.clock.now();
    world.clock.advance(ms);
    return (await world.settle(teamId, [phone], from, startedBy)).crossed;
  };
  const addPhone = async (phoneId: PhoneId, team: TeamId) => {
    const createdAt = new Date(world.clock.now());
    const phone = {
      id: phoneId,
      teamId: team,
      createdBy: null,
      name: "Pixel",
      driver: "web",
      profile: "pixel-9",
    } as const;
    const state = {
      settings: { locale: "en-US", timezone: "UTC" },
      rotated: false,
      state: "parked",
      createdAt,
    } as const;
    await test.db.tx((tx) => tx.insert(test.db.t.phones).values({ ...phone, ...state } as never));
  };

  it("count the team, a member's phones and a phone, and tell of each mark once", async () => {
    const phone = aPhone(world.clock.now());
    await addPhone(phone.phoneId, teamId);
    await set({ scope: { kind: "team" }, measure: "time", limit: 100 * MINUTE });
    await set({ scope: { kind: "member", userId }, measure: "time", limit: 100 * MINUTE });
    await set({ scope: { kind: "phone", phoneId: phone.phoneId }, measure: "time", limit: 100 * MINUTE });
    const spent = async () => (await list()).map((one) => [one.scope, one.name, one.spent / MINUTE]);
    expect(await run(40 * MINUTE, userId)).toEqual([]);
    const crossed = await run(40 * MINUTE, undefined, phone);
    expect(await spent()).toEqual([
      ["team", "The whole team", 80],
      ["member", expect.stringContaining("@x.example"), 40],
      ["phone", "Pixel", 40],
    ]);
    expect(crossed.map(({ percent }) => percent)).toEqual([80]);
    expect((await run(20 * MINUTE, userId, aPhone(1))).map(({ percent }) => percent).sort()).toEqual([100, 50]);
    await run(40 * MINUTE, userId);
    const { to } = monthAround(new Date(world.clock.now()));
    world.clock.advance(to.getTime() - world.clock.now());
    expect((await list()).map((one) => one.spent)).toEqual([0, 0, 0]);
    expect(await run(MINUTE, userId)).toEqual([]);
    expect((await list()).map((one) => one.spent / MINUTE)).toEqual([1, 1, 0]);
  });

  it("mail those whom money concerns, once for a budget, month and mark", async () => {
    await set({ scope: { kind: "team" }, measure: "money", limit: 20 });
    // The trial covers the first ten hours.
    await run(10 * HOUR);
    const crossed = await run(HOUR);
    expect(crossed.map(({ percent }) => percent)).toEqual([50]);
    await test.db.tx((tx) => world.budgets.alert(tx, teamId, crossed));
    expect(world.mails).toMatchObject([
      {
        ...{ kind: "budget_reached", userId },
        dedupeKey: `budget:${crossed[0]?.budgetId}:${new Date(world.clock.now()).toISOString().slice(0, 7)}:50:${userId}`,
        data: {
          ...{ what: "The budget of the team Shop", percent: "50 %", spent: "$0.12", limit: "$0.20", consequence: "" },
        },
      },
    ]);
    const at = new Date(world.clock.now());
    await test.db.tx((tx) => tx.insert(test.db.t.erasureFence).values({ subject: userId, since: at }));
    world.mails.length = 0;
    await test.db.tx((tx) => world.budgets.alert(tx, teamId, crossed));
    expect(world.mails).toEqual([]);
    await test.db.tx((tx) => tx.delete(test.db.t.erasureFence));
  });

  it("know what was used before they were set, and keep it when their limit changes", async () => {
    await run(90 * MINUTE, userId);
    const first = await set({ scope: { kind: "team" }, measure: "time", limit: 100 * MINUTE });
    expect(first.spent).toBe(90 * MINUTE);
    const second = await set({ scope: { kind: "team" }, measure: "time", limit: 80 * MINUTE });
    expect(second).toMatchObject({ id: first.id, limit: 80 * MINUTE, spent: 90 * MINUTE });
    expect((await run(MINUTE)).map(({ percent }) => percent)).toEqual([100]);
  });

  it("are the team's own: no phone or member of another one, at most 50, removed once", async () => {
    const other = await world.addTeam();
    const phoneId = newId("phone");
    await addPhone(phoneId, other.teamId);
    const time = { measure: "time", limit: HOUR } as const;
    await expect(set({ scope: { kind: "member", userId: other.userId }, ...time })).rejects.toMatchObject({
      ...{ code: "not_found", message: "There is no such member in your team." },
    });
    await expect(set({ scope: { kind: "phone", phoneId }, ...time })).rejects.toMatchObject({ code: "not_found" });
    const { budgets } = test.db.t;
    const row = { ...BUDGET, teamId, scope: "phone" } as const;
    await test.db.tx((tx) =>
      tx
        .insert(budgets)
        .values(Array.from({ length: 50 }, () => ({ ...row, id: newId("budget"), phoneId: newId("phone") }))),
    );
    await expect(set({ scope: { kind: "team" }, ...time })).rejects.toMatchObject({ code: "limit_reached" });
    const [one] = await list();
    if (one === undefined) throw new Error("no budget");
    const budgetId = one.id as ReturnType<typeof newId<"budget">>;
    await expect(
      world.budgets.remove({ ...scope(), teamId: other.teamId } as ReturnType<typeof scope>, { budgetId }),
    ).rejects.toMatchObject({ code: "not_found" });
    await world.budgets.remove(scope(), { budgetId });
    await expect(world.budgets.remove(scope(), { budgetId })).rejects.toMatchObject({ code: "not_found" });
    await set({ scope: { kind: "team" }, ...time });
  });
});
