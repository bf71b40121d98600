/** Billing records in the database. Nothing here looks for a person: there is no way to. */
import { desc, eq } from "drizzle-orm";
import type { TeamId, UserId } from "../../shared/ids.ts";
import type { Database, Writer } from "../db/database.ts";
import type { Tables } from "../db/tables.ts";

export type BillingRow = Tables["billingRecords"]["$inferSelect"];

export interface BillingRepo {
  insert(tx: Writer, row: BillingRow): Promise<void>;
  /** The newest first. */
  ofTeam(teamId: TeamId): Promise<BillingRow[]>;
  byNumber(tx: Writer, number: string): Promise<BillingRow | undefined>;
  /** Who answers for the team: whom a look at its records concerns. */
  ownersOf(tx: Writer, teamId: TeamId): Promise<UserId[]>;
}

export function createBillingRepo(db: Database): BillingRepo {
  const { billingRecords, teamMembers } = db.t;
  return {
    insert: async (tx, row) => void (await tx.insert(billingRecords).values(row)),
    ofTeam: async (teamId) =>
      db.read
        .select()
        .from(billingRecords)
        .where(eq(billingRecords.teamId, teamId))
        .orderBy(desc(billingRecords.issuedAt), desc(billingRecords.number)),
    async byNumber(tx, number) {
      const [row] = await tx.select().from(billingRecords).where(eq(billingRecords.number, number));
      return row;
    },
    async ownersOf(tx, teamId) {
      const rows = await tx
        .select({ userId: teamMembers.userId, role: teamMembers.role })
        .from(teamMembers)
        .where(eq(teamMembers.teamId, teamId));
      return rows.flatMap(({ userId, role }) => (role === "owner" ? [userId] : []));
    },
  };
}
