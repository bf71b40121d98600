import { randomBytes } from "node:crypto";
import { eq } from "drizzle-orm";
import { getTableConfig } from "drizzle-orm/sqlite-core";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId, type TeamId, type UserId } from "../../shared/ids.ts";
import { addUser } from "../accounts/testing/people.ts";
import { createAudit } from "../audit/audit.repo.ts";
import { ManualClock } from "../clock.ts";
import { tablesFor } from "../db/tables.ts";
import { TEST_ENGINES, type TestDatabase } from "../db/testing.ts";
import { dataMap } from "../privacy/map/data-map.ts";
import { rowsOf } from "../privacy/map/rows-of.repo.ts";
import { sweepNow } from "../privacy/testing/sweep-now.ts";
import { createBillingRepo } from "./billing.repo.ts";
import { type Billing, createBilling, type NewBillingRecord } from "./billing.service.ts";
import { legalUntil } from "./billing-terms.ts";

const DAY_MS = 24 * 3_600_000;
const EMAIL = "anna@x.example";

describe("the term of the law", () => {
  it("is never more than 7 years, wherever and whenever", () => {
    const letter = fc.constantFrom(..."ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    const country = fc.tuple(letter, letter).map((two) => two.join(""));
    const issued = fc.date({ min: new Date("2000-01-01"), max: new Date("2100-01-01"), noInvalidDate: true });
    fc.assert(
      fc.property(country, issued, (where, at) => {
        const until = legalUntil(where, at);
        const most = new Date(at);
        most.setUTCFullYear(at.getUTCFullYear() + 7);
        expect(until.getTime()).toBeGreaterThan(at.getTime());
        expect(until.getTime()).toBeLessThanOrEqual(most.getTime());
      }),
    );
    expect(legalUntil("GB", new Date("2028-02-29T10:00:00Z"))).toEqual(new Date("2034-02-28T10:00:00Z"));
    expect(legalUntil("DE", new Date("2026-03-31T00:00:00Z"))).toEqual(new Date("2033-03-31T00:00:00Z"));
  });
});

describe.each(TEST_ENGINES)("billing records on $name", (engine) => {
  let test: TestDatabase;
  let billing: Billing;
  const clock = new ManualClock();
  const teamId = newId("team");
  const userId = newId("user");
  const record = (number: string, team: TeamId = teamId): NewBillingRecord => ({
    ...{ teamId: team, number, country: "DE", issuedAt: new Date(clock.now()), currency: "EUR", net: 1000, tax: 190 },
    ...{ lines: [{ words: "Phone minutes", amount: 1000 }], billTo: { name: "Anna", address: `Weg 1, ${EMAIL}` } },
  });
  beforeAll(async () => {
    test = await engine.open();
    const { db } = test;
    billing = createBilling({
      db,
      repo: createBillingRepo(db),
      audit: createAudit(db, clock, randomBytes(32)),
      key: randomBytes(32),
    });
    const at = new Date(clock.now());
    await db.tx(async (tx) => {
      await addUser(db, tx, { id: userId, email: EMAIL, createdAt: at });
      await tx.insert(db.t.teams).values({ id: teamId, name: "Team", createdAt: at });
      await tx.insert(db.t.teamMembers).values({ teamId, userId, role: "owner", joinedAt: at });
      await billing.record(tx, record("2026-0001"));
      await billing.record(tx, record("2026-0002", newId("team")));
    });
  });
  afterAll(() => test.dispose());
  const stored = () => test.db.read.select().from(test.db.t.billingRecords);

  it("are the team's own to read, sealed where they are stored", async () => {
    expect(await billing.ofTeam(teamId)).toMatchObject([
      { number: "2026-0001", net: 1000, tax: 190, billTo: { name: "Anna", address: `Weg 1, ${EMAIL}` } },
    ]);
    expect(JSON.stringify(await stored())).not.toMatch(/Anna|anna|Weg/);
  });

  it("cannot be found from a person: no column leads to one, no search by address reaches them", async () => {
    const { foreignKeys } = getTableConfig(tablesFor.sqlite.billingRecords);
    expect(foreignKeys).toEqual([]);
    const map = dataMap(test.db.t);
    const table = map.find(({ property }) => property === "billingRecords");
    if (table === undefined) throw new Error("no table");
    expect(table.columns.filter(({ tag }) => tag.link === "user" || tag.link === "email")).toEqual([]);
    expect(rowsOf(test.db.read, map, table, { userId: userId as UserId, email: EMAIL })).toBeUndefined();
  });

  it("are shown to the operator with a reason, which the owners of the team see", async () => {
    const entries = async () =>
      (await test.db.read.select().from(test.db.t.auditLog)).map(({ action, object, detail }) => ({
        action,
        object,
        detail,
      }));
    expect(await billing.show("2026-0001", "tax audit")).toMatchObject({ billTo: { name: "Anna" } });
    expect(await entries()).toEqual([
      { action: "admin.billing_records_read", object: userId, detail: { reason: "tax audit" } },
    ]);
    await expect(billing.show("2026-9999", "x")).rejects.toMatchObject({ code: "not_found" });
    expect(await entries()).toHaveLength(1);
  });

  it("stay without the team when that goes, and go at the end of the term", async () => {
    // What erasing the team does, as the data map tells it to.
    const { billingRecords } = test.db.t;
    await test.db.tx((tx) => tx.update(billingRecords).set({ teamId: null }).where(eq(billingRecords.teamId, teamId)));
    expect(await billing.ofTeam(teamId)).toEqual([]);
    const cut = (await stored()).find(({ number }) => number === "2026-0001");
    expect(cut).toMatchObject({ teamId: null, net: 1000 });
    expect(await billing.show("2026-0001", "tax audit")).toMatchObject({ number: "2026-0001" });
    const until = cut?.legalUntil.getTime() ?? 0;
    expect(await sweepNow(test.db, until, "billing_records")).toBe(0);
    expect(await sweepNow(test.db, until + DAY_MS, "billing_records")).toBe(2);
    expect(await stored()).toEqual([]);
  });
});
