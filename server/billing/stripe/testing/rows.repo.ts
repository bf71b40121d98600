/** Rows that other parts write, for tests. */
import { eq } from "drizzle-orm";
import { type CheckoutId, newId, type TeamId } from "../../../../shared/ids.ts";
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
