import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId, type PhoneId, type TeamId } from "../../../shared/ids.ts";
import { createAudit } from "../../audit/audit.repo.ts";
import { ManualClock } from "../../clock.ts";
import { TEST_ENGINES, type TestDatabase } from "../../db/testing.ts";
import type { TeamScope } from "../../teams/team-scope.ts";
import type { BillingSettings, BillingViews } from "../billing.router.ts";
import { type Books, createBooks } from "../compose.ts";
import { createSettlement } from "../usage/settlement.ts";
import { createUsageRepo } from "../usage/usage.repo.ts";
import { createBillingSettingsRepo } from "./billing-settings.repo.ts";
import { createBillingSettings } from "./billing-settings.service.ts";
import { createBillingViewsRepo } from "./billing-views.repo.ts";
import { createBillingViews } from "./billing-views.service.ts";
import { createOpenTime } from "./open-time.ts";
import { type UsedTeam, usedTeam } from "./usage-views.fixture.ts";

const MIN = 60_000;
const DAY = 24 * 60 * MIN;
const START = Date.parse("2026-11-10T12:00:00Z");

describe.each(TEST_ENGINES)("what people read of billing on $name", (engine) => {
  let test: TestDatabase;
  let books: Books;
  let views: BillingViews;
  let settings: Omit<BillingSettings, "setBudget" | "removeBudget">;
  let team: UsedTeam;
  let scope: TeamScope;
  let pixel: PhoneId;
  const clock = new ManualClock(START);

  /** A subscription as the mirror has it. */
  async function subscribed(teamId: TeamId, keys: Readonly<Record<string, number>>): Promise<void> {
    const { billingAccounts, subscriptions } = test.db.t;
    const at = new Date(clock.now());
    await test.db.tx(async (tx) => {
      const account = { teamId, customerId: `cus_${teamId}`, currency: "usd", timeZone: "UTC", createdAt: at };
      await tx
        .insert(billingAccounts)
        .values({ ...account, overageAllowed: false, overageCap: 0 })
        .onConflictDoNothing();
      await tx.insert(subscriptions).values({
        ...{ id: `sub_${teamId}`, teamId, customerId: `cus_${teamId}`, status: "active", currency: "usd" },
        items: Object.entries(keys).map(([lookupKey, quantity]) => ({ id: `si_${lookupKey}`, lookupKey, quantity })),
        ...{ periodStart: at, periodEnd: new Date(at.getTime() + 30 * DAY), anchor: at, startedAt: at, syncedAt: at },
        cancelAtPeriodEnd: false,
      });
    });
  }

  beforeAll(async () => {
    test = await engine.open();
    const { db } = test;
    const audit = createAudit(db, clock, randomBytes(32));
    books = createBooks({
      ...{ db, audit, clock, config: { billingMode: "sandbox" }, publicUrl: new URL("http://localhost:8787") },
      ...{ mail: { queue: async () => {} }, recordsKey: randomBytes(32) },
    });
    const { ledger, entitlements, budgets } = books;
    const settlement = createSettlement({
      ...{ repo: createUsageRepo(db), ledger, entitlements, alert: async () => {} },
    });
    const openTime = createOpenTime({ db, settlement, clock });
    views = createBillingViews({
      ...{
        db,
        repo: createBillingViewsRepo(db),
        ledger,
        entitlements,
        openTime,
        mode: "sandbox",
        mostAtOnce: Number.POSITIVE_INFINITY,
        phoneMb: 512,
        clock,
      },
      budgets: ({ teamId }) => budgets.list(db.read, teamId, new Date(clock.now())),
      refundable: async () => 300,
    });
    settings = createBillingSettings({
      ...{ db, repo: createBillingSettingsRepo(db), audit, entitlements, clock },
      settle: async (tx, teamId) => settlement.post(tx, await settlement.weigh(tx, teamId, clock.now())),
    });
    team = await usedTeam(db);
    scope = team.scope;
    pixel = await team.phone("Pixel");
  });
  afterAll(() => test.dispose());

  it("on Free: its minutes, no renewal, one seat and phone in use", async () => {
    const summary = await views.summary(scope);
    expect(summary).toMatchObject({
      ...{ mode: "sandbox", currency: "usd", plan: { id: "free", name: "Free" }, addOns: [] },
      ...{ seats: { used: 1, allowed: 3 }, storage: { usedMb: 512, allowedMb: 5 * 1024 }, minutesLeftMs: 60 * MIN },
      ...{ wallet: { balance: 0, frozen: false, refundable: 0 }, overage: { allowed: false, cap: 0, spent: 0 } },
      ...{ timeZone: "UTC", problems: [], burn: { running: [] } },
    });
    expect(summary.plan).not.toHaveProperty("renewsAt");
    expect(summary).not.toHaveProperty("minutesEndAt");
  });

  it("refuses settings that make no sense, and another team's phone", async () => {
    const refusals: [() => Promise<void>, string][] = [
      [() => settings.setOverage(scope, { allowed: true, cap: 1_000 }), "conflict"],
      [() => settings.setOverage(scope, { allowed: true, cap: 0 }), "bad_input"],
      [() => settings.setTimeZone(scope, { timeZone: "Mars/Olympus" }), "bad_input"],
      [() => settings.setTimeZone(scope, { timeZone: "+05:00" }), "bad_input"],
      [() => settings.dedicate(scope, { phoneId: pixel, dedicated: true }), "limit_reached"],
      [() => settings.dedicate(scope, { phoneId: newId("phone"), dedicated: true }), "not_found"],
    ];
    for (const [refused, code] of refusals) await expect(refused()).rejects.toMatchObject({ code });
    const other = await usedTeam(test.db);
    const theirs = await other.phone("Theirs");
    await expect(settings.dedicate(scope, { phoneId: theirs, dedicated: false })).rejects.toMatchObject({
      code: "not_found",
    });
    const { auditLog } = test.db.t;
    expect((await test.db.read.select().from(auditLog)).filter(({ chain }) => chain === team.teamId)).toEqual([]);
  });

  it("on a plan: what was bought, until when, and settings that hold", async () => {
    await subscribed(team.teamId, { perch_solo_month: 1, perch_dedicated_month: 1, perch_seat_month: 2 });
    await settings.setOverage(scope, { allowed: true, cap: 2_000 });
    await settings.setTimeZone(scope, { timeZone: "Europe/Berlin" });
    await settings.dedicate(scope, { phoneId: pixel, dedicated: true });
    const tall = await team.phone("Tall");
    await expect(settings.dedicate(scope, { phoneId: tall, dedicated: true })).rejects.toMatchObject({
      code: "limit_reached",
    });
    const summary = await views.summary(scope);
    expect(summary).toMatchObject({
      plan: {
        id: "solo",
        cycle: "month",
        price: { amount: 1_200 },
        status: "active",
        renewsAt: "2026-12-10T12:00:00.000Z",
      },
      addOns: expect.arrayContaining([expect.objectContaining({ id: "dedicated", quantity: 1, inUse: 1 })]),
      ...{ seats: { used: 1, allowed: 5 }, overage: { allowed: true, cap: 2_000, spent: 0 } },
      ...{ timeZone: "Europe/Berlin", dedicatedPhones: [pixel] },
    });
    expect((await views.previewStart(scope, { phoneId: pixel }, true)).words).toBe("Dedicated phone: no cost by time");
    await expect(views.previewStart(scope, { phoneId: newId("phone") }, true)).rejects.toMatchObject({
      code: "not_found",
    });
    const { auditLog } = test.db.t;
    const actions = (await test.db.read.select().from(auditLog)).flatMap(({ chain, action }) =>
      chain === team.teamId ? [action] : [],
    );
    expect(actions).toEqual(["billing.overage_set", "billing.settings_changed", "billing.phone_dedicated"]);
  });

  it("says when the minutes end at the pace of the last week, and nothing when they outlast the month", async () => {
    const { grants } = await views.summary(scope);
    const plan = grants.find(({ kind, totalMs }) => kind === "plan" && totalMs === 6_000 * MIN);
    expect(plan).toBeDefined();
    const at = clock.now();
    // 1,000 minutes a day of seven: what is left lasts for some six days.
    const tall = await team.phone("Busy");
    for (let day = 7; day > 0; day -= 1) {
      await team.ran(tall, [{ from: at - day * DAY, to: at - day * DAY + 1_000 * MIN, cover: "plan" }]);
    }
    const summary = await views.summary(scope);
    const days = summary.minutesLeftMs / (1_000 * MIN);
    const ends = Date.parse(summary.minutesEndAt ?? "") - at;
    expect(Math.abs(ends - days * DAY)).toBeLessThan(MIN);
    const calm = await usedTeam(test.db);
    await subscribed(calm.teamId, { perch_solo_month: 1 });
    expect(await views.summary(calm.scope)).not.toHaveProperty("minutesEndAt");
  });

  it("lists invoices with their number alone, never a draft", async () => {
    const at = new Date(clock.now());
    const { invoices } = test.db.t;
    const row = {
      ...{ teamId: team.teamId, words: "Solo, monthly", currency: "usd", total: 1_428, tax: 228, amountDue: 1_428 },
      ...{ amountPaid: 1_428, attempts: 1, needsConfirmation: false, periodStart: at, periodEnd: at, createdAt: at },
      ...{ syncedAt: at, hostedUrl: "https://invoice.stripe.com/i/1" },
    };
    await test.db.tx(async (tx) => {
      await tx.insert(invoices).values({ ...row, id: "in_1", number: "A-1", status: "paid" });
      await tx.insert(invoices).values({ ...row, id: "in_2", number: null, status: "draft" });
      await tx.insert(invoices).values({ ...row, id: "in_3", number: null, status: "open" });
    });
    expect(await views.invoices(scope)).toEqual([
      {
        ...{ id: "in_1", number: "A-1", issuedAt: at.toISOString(), status: "paid", words: "Solo, monthly", tax: 228 },
        ...{ total: { amount: 1_428, currency: "usd" }, url: "https://invoice.stripe.com/i/1" },
      },
    ]);
  });

  it("offers the catalogue, and says which plan one has", async () => {
    const { plans, packs, topUps, addOns } = await views.plans(scope);
    expect(plans.map(({ id, current }) => [id, current])).toEqual([
      ["free", false],
      ["solo", true],
      ["team", false],
    ]);
    expect([packs.length, topUps.length, addOns.length]).toEqual([2, 5, 4]);
    expect(plans[1]?.prices).toEqual({
      month: { amount: 1_200, currency: "usd" },
      year: { amount: 12_000, currency: "usd" },
    });
  });
});
