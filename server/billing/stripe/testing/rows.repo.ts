/** Rows that other parts write, for tests. */
import { eq, lt } from "drizzle-orm";
import { type CheckoutId, newId, type TeamId, type UserId } from "../../../../shared/ids.ts";
import type { Database } from "../../../db/database.ts";

export async function insertDedicated({ tx, t }: Database, teamId: TeamId, createdAt: Date): Promise<void> {
  await tx((writer) => writer.insert(t.dedicatedPhones).values({ phoneId: newId("phone"), teamId, createdAt }));
}

export async function setCustomer({ tx, t }: Database, teamId: TeamId, customerId: string): Promise<void> {
  await tx((writer) =>
    writer.update(t.billingAccounts).set({ customerId }).where(eq(t.billingAccounts.teamId, teamId)),
  );
}

export async function setSession({ tx, t }: Database, id: CheckoutId, sessionId: string | null): Promise<void> {
  await tx((writer) => writer.update(t.checkouts).set({ sessionId }).where(eq(t.checkouts.id, id)));
}

export async function setFrozen({ tx, t }: Database, teamId: TeamId, frozen: "dispute" | null): Promise<void> {
  await tx((writer) => writer.update(t.billingAccounts).set({ frozen }).where(eq(t.billingAccounts.teamId, teamId)));
}

export async function moneyBackOf({ read, t }: Database, teamId: TeamId) {
  return read.select().from(t.moneyBack).where(eq(t.moneyBack.teamId, teamId));
}

/** Phone time of an hour that went to the invoice. */
export async function insertOverage({ tx, t }: Database, teamId: TeamId, amount: number, fromAt: Date): Promise<void> {
  const toAt = new Date(fromAt.getTime() + 3_600_000);
  await tx((writer) =>
    writer.insert(t.ledgerEntries).values({
      ...{ id: newId("ledgerEntry"), teamId, cover: "overage", source: "usage", sourceId: newId("ledgerEntry") },
      ...{ grantId: null, ms: 3_600_000, amount, delta: 0, currency: "usd", intervalId: null, phoneId: null },
      ...{ fromAt, toAt, day: fromAt.toISOString().slice(0, 10), reversesId: null, reason: null, createdAt: toAt },
    }),
  );
}

/** Phone time that has ended and is not in the ledger until `rated` is called. */
export async function insertInterval(
  { tx, t }: Database,
  { teamId, userId }: { readonly teamId: TeamId; readonly userId: UserId },
  startedAt: Date,
  endedAt: Date,
) {
  const id = newId("usageInterval");
  await tx((writer) =>
    writer.insert(t.usageIntervals).values({
      ...{ id, teamId, phoneId: newId("phone"), startedBy: userId, startedAt, lastSeenAt: endedAt, endedAt },
      ...{ endReason: "parked", ratedAt: startedAt, node: "node", boot: "boot" },
    }),
  );
  return {
    rated: () =>
      tx((writer) => writer.update(t.usageIntervals).set({ ratedAt: endedAt }).where(eq(t.usageIntervals.id, id))),
  };
}

/** Sealed as the accounts do it. */
export async function rename(db: Database, userId: UserId, fullName: string): Promise<void> {
  const { users } = db.t;
  await db.tx(async (tx) => {
    await tx
      .update(users)
      .set(await db.keys.row(tx, users, { fullName }, userId))
      .where(eq(users.id, userId));
  });
}

/** As retention does. */
export async function forgetCalls({ tx, t }: Database, before: Date): Promise<void> {
  await tx((writer) => writer.delete(t.stripeCalls).where(lt(t.stripeCalls.createdAt, before)));
}

export async function insertAccount({ tx, t }: Database, teamId: TeamId, customerId: string): Promise<void> {
  await tx((writer) =>
    writer.insert(t.billingAccounts).values({
      ...{ teamId, customerId, currency: "usd", timeZone: "UTC", overageAllowed: false, overageCap: 0 },
      createdAt: new Date(0),
    }),
  );
}
