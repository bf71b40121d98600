import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ADD_ON_IDS, CYCLES, PLANS } from "../../shared/billing/catalogue.ts";
import { newId } from "../../shared/ids.ts";
import { TEST_ENGINES, type TestDatabase } from "../db/testing.ts";
import { createEntitlements } from "./entitlements.repo.ts";
import {
  anchoredMonth,
  calendarMonth,
  countingSubscription,
  entitlementsOf,
  GRACE_MS,
  type Month,
  NO_ACCOUNT,
  type SubscriptionTerms,
} from "./entitlements.ts";

const DAY_MS = 24 * 3_600_000;
const moment = fc.integer({ min: Date.UTC(2024, 0, 1), max: Date.UTC(2034, 0, 1) }).map((at) => new Date(at));
/** With midnight put forward (Beirut, Santiago), back over midnight (Azores), half hours, and no change at all. */
const zone = fc.constantFrom(
  ...["UTC", "Europe/Berlin", "America/New_York", "Asia/Beirut", "America/Santiago", "Atlantic/Azores"],
  ...["Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Australia/Lord_Howe", "Africa/Cairo"],
);

function expectTiles(monthAt: (at: Date) => Month, at: Date): void {
  const month = monthAt(at);
  expect(month.from <= at && at < month.to).toBe(true);
  for (const inside of [month.from, new Date(month.to.getTime() - 1)]) expect(monthAt(inside)).toEqual(month);
  expect(monthAt(month.to).from).toEqual(month.to);
  expect(monthAt(new Date(month.from.getTime() - 1)).to).toEqual(month.from);
  expect(month.to.getTime() - month.from.getTime()).toBeGreaterThan(27 * DAY_MS);
  expect(month.to.getTime() - month.from.getTime()).toBeLessThan(32 * DAY_MS);
}

describe("months of a plan", () => {
  it("tile time from any day of the month, leap years and short months included", () => {
    fc.assert(fc.property(moment, moment, (at, anchor) => expectTiles((when) => anchoredMonth(when, anchor), at)));
  });
  it.each([
    ["2026-01-31T12:00:00Z", "2026-02-28T11:59:59Z", "2026-01-31T12:00:00.000Z", "2026-02-28T12:00:00.000Z"],
    ["2026-01-31T12:00:00Z", "2026-03-01T00:00:00Z", "2026-02-28T12:00:00.000Z", "2026-03-31T12:00:00.000Z"],
    ["2024-02-29T00:00:00Z", "2025-03-15T00:00:00Z", "2025-02-28T00:00:00.000Z", "2025-03-29T00:00:00.000Z"],
    ["2026-05-31T00:00:00Z", "2026-04-10T00:00:00Z", "2026-03-31T00:00:00.000Z", "2026-04-30T00:00:00.000Z"],
  ])("begun on %s, %s is in %s to %s", (anchor, at, from, to) => {
    const month = anchoredMonth(new Date(at), new Date(anchor));
    expect([month.from.toISOString(), month.to.toISOString()]).toEqual([from, to]);
  });
});

describe("calendar months of a zone", () => {
  it("tile time through every change of the clocks", () => {
    fc.assert(
      fc.property(moment, zone, (at, timeZone) => expectTiles((when) => calendarMonth(when, timeZone), at)),
      { numRuns: 200 },
    );
  });
  it("begin at the zone's midnight", () => {
    const month = calendarMonth(new Date("2026-04-10T00:00:00Z"), "Europe/Berlin");
    expect([month.from.toISOString(), month.to.toISOString()]).toEqual([
      "2026-03-31T22:00:00.000Z",
      "2026-04-30T22:00:00.000Z",
    ]);
  });
  it("stay whole where clocks are put back over the midnight of the first", () => {
    // Havana, 1 November 2026: at 01:00 it is midnight again.
    for (let minute = -180; minute < 180; minute += 7) {
      const at = new Date(Date.UTC(2026, 10, 1, 4) + minute * 60_000);
      expectTiles((when) => calendarMonth(when, "America/Havana"), at);
    }
  });
});

const subscriptionOf = (change: Partial<SubscriptionTerms> = {}): SubscriptionTerms => ({
  status: "active",
  items: [{ lookupKey: "perch_solo_month", quantity: 1 }],
  anchor: new Date("2026-01-15T00:00:00Z"),
  startedAt: new Date("2026-01-15T00:00:00Z"),
  pausedAt: null,
  endedAt: null,
  ...change,
});
const AT = new Date("2026-03-20T00:00:00Z");
const account = { ...NO_ACCOUNT, overageAllowed: true, overageCap: 5_000 };

describe("what a team may", () => {
  it("is Free without a subscription, and with one that does not carry a plan", () => {
    const free = entitlementsOf(account, undefined, AT);
    expect(free).toMatchObject({ plan: "free", phonesAtOnce: 2, seats: 3, overageCap: 0, standing: "good" });
    for (const status of ["incomplete", "incomplete_expired", "unpaid", "canceled", "paused", "news"]) {
      expect(entitlementsOf(account, subscriptionOf({ status }), AT)).toEqual(free);
    }
    expect(entitlementsOf(account, subscriptionOf({ pausedAt: AT }), AT)).toEqual(free);
    expect(entitlementsOf(account, subscriptionOf({ endedAt: AT }), AT)).toEqual(free);
  });
  it("is the plan with its add-ons; a plan by the year has months, too", () => {
    const items = [
      { lookupKey: "perch_team_year", quantity: 1 },
      { lookupKey: "perch_slot_year", quantity: 2 },
      { lookupKey: "perch_seat_year", quantity: 3 },
      { lookupKey: "perch_storage_year", quantity: 1 },
      { lookupKey: "price_of_another_product", quantity: 9 },
      { lookupKey: null, quantity: 9 },
    ];
    expect(entitlementsOf(account, subscriptionOf({ items }), AT)).toMatchObject({
      ...{ plan: "team", cycle: "year", phonesAtOnce: 14, seats: 13, storageMb: 55 * 1024, overageCap: 5_000 },
      addOns: { slot: 2, dedicated: 0, seat: 3, storage: 1 },
      month: { from: new Date("2026-03-15T00:00:00Z"), to: new Date("2026-04-15T00:00:00Z") },
    });
  });
  it("goes on for 7 days after a payment failed, and no further", () => {
    const pastDueSince = AT;
    const at = (ms: number, status = "past_due") => {
      const terms = { ...account, pastDueSince };
      return entitlementsOf(terms, subscriptionOf({ status }), new Date(AT.getTime() + ms));
    };
    expect(at(0, "active")).toMatchObject({ plan: "solo", standing: "grace" });
    expect(at(0, "canceled")).toMatchObject({ plan: "free", standing: "good" });
    expect(at(0)).toMatchObject({ plan: "solo", standing: "grace", overageCap: 0 });
    expect(at(GRACE_MS - 1)).toMatchObject({ standing: "grace", stopsAt: new Date(AT.getTime() + GRACE_MS) });
    expect(at(GRACE_MS)).toMatchObject({ plan: "solo", standing: "stopped" });
  });
  it("never shrinks with another add-on or a larger plan", () => {
    const addOns = fc.array(
      fc.record({ addOn: fc.constantFrom(...ADD_ON_IDS), quantity: fc.integer({ min: 0, max: 1_000 }) }),
      { maxLength: 6 },
    );
    const plan = fc.constantFrom("solo", "team" as const);
    fc.assert(
      fc.property(plan, fc.constantFrom(...CYCLES), addOns, addOns, moment, (of, cycle, some, more, at) => {
        const itemsOf = (name: string, added: typeof some) => [
          { lookupKey: `perch_${name}_${cycle}`, quantity: 1 },
          ...added.map(({ addOn, quantity }) => ({ lookupKey: `perch_${addOn}_${cycle}`, quantity })),
        ];
        const small = entitlementsOf(account, subscriptionOf({ items: itemsOf(of, some) }), at);
        const large = entitlementsOf(account, subscriptionOf({ items: itemsOf("team", [...some, ...more]) }), at);
        for (const measure of ["phonesAtOnce", "seats", "storageMb", "includedMs"] as const) {
          expect(large[measure]).toBeGreaterThanOrEqual(small[measure]);
          expect(small[measure]).toBeGreaterThanOrEqual(PLANS.free[measure]);
        }
      }),
    );
  });
  it("takes the latest subscription that carries a plan", () => {
    const old = subscriptionOf({ startedAt: new Date(0) });
    const late = subscriptionOf({ items: [{ lookupKey: "perch_team_month", quantity: 1 }] });
    const dead = subscriptionOf({ status: "incomplete_expired", startedAt: AT });
    for (const all of [
      [old, late, dead],
      [dead, late, old],
    ])
      expect(countingSubscription(all)).toBe(late);
    expect(countingSubscription([dead])).toBeUndefined();
  });
});

describe.each(TEST_ENGINES)("on $name", ({ open }) => {
  let opened: TestDatabase;
  beforeAll(async () => {
    opened = await open();
  });
  afterAll(() => opened.dispose());

  it("is read from the account and the subscriptions that did not end", async () => {
    const { db } = opened;
    const [bought, never] = [newId("team"), newId("team")];
    const createdAt = new Date(0);
    const terms = { currency: "usd", cancelAt: null, cancelAtPeriodEnd: false, customerId: "cus_1", syncedAt: AT };
    await db.tx(async (tx) => {
      for (const id of [bought, never]) await tx.insert(db.t.teams).values({ id, name: "Shop", createdAt });
      await tx
        .insert(db.t.billingAccounts)
        .values({ teamId: bought, timeZone: "Asia/Tokyo", overageAllowed: true, overageCap: 700, createdAt });
      for (const [id, change] of [
        ["sub_ended", { endedAt: AT, status: "canceled" }],
        ["sub_1", {}],
      ] as const) {
        const row = { ...subscriptionOf(change), ...terms, id, teamId: bought, periodStart: AT, periodEnd: AT };
        await tx
          .insert(db.t.subscriptions)
          .values({ ...row, items: [{ id: "si_1", lookupKey: "perch_solo_month", quantity: 1 }] });
      }
    });
    const entitlements = createEntitlements(db);
    expect(await entitlements.of(db.read, bought, AT)).toMatchObject({
      ...{ plan: "solo", overageCap: 700, timeZone: "Asia/Tokyo", walletFrozen: false },
    });
    expect(await entitlements.of(db.read, never, AT)).toEqual(entitlementsOf(NO_ACCOUNT, undefined, AT));
    expect(await db.tx((tx) => entitlements.of(tx, bought, AT))).toMatchObject({ plan: "solo" });
  });
});
