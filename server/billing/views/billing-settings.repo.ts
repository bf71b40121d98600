/** What a team says about how it is billed. */
import { and, count, eq, ne } from "drizzle-orm";
import type { PhoneId, TeamId } from "../../../shared/ids.ts";
import type { Database, Writer } from "../../db/database.ts";
import type { Tables } from "../../db/tables.ts";

type Account = Tables["billingAccounts"]["$inferSelect"];

export interface BillingSettingsRepo {
  /** Changes the team's account; makes it where there is none. */
  set(
    tx: Writer,
    teamId: TeamId,
    change: Partial<Pick<Account, "timeZone" | "overageAllowed" | "overageCap">>,
    at: Date,
  ): Promise<void>;
  /** Whether the team has this phone and it is not removed. */
  hasPhone(tx: Writer, teamId: TeamId, id: PhoneId): Promise<boolean>;
  dedicated(tx: Writer, teamId: TeamId): Promise<number>;
  /** False when it was so before. */
  dedicate(tx: Writer, teamId: TeamId, id: PhoneId, at: Date): Promise<boolean>;
  release(tx: Writer, teamId: TeamId, id: PhoneId): Promise<boolean>;
}

export function createBillingSettingsRepo(db: Database): BillingSettingsRepo {
  const { billingAccounts, dedicatedPhones, phones } = db.t;
  const row = (teamId: TeamId, id: PhoneId) => and(eq(dedicatedPhones.phoneId, id), eq(dedicatedPhones.teamId, teamId));
  return {
    async set(tx, teamId, change, at) {
      const first = { teamId, timeZone: "UTC", overageAllowed: false, overageCap: 0, createdAt: at, ...change };
      await tx
        .insert(billingAccounts)
        .values(first)
        .onConflictDoUpdate({ target: billingAccounts.teamId, set: change });
    },
    async hasPhone(tx, teamId, id) {
      const [found] = await tx
        .select({ id: phones.id })
        .from(phones)
        .where(and(eq(phones.id, id), eq(phones.teamId, teamId), ne(phones.state, "removed")));
      return found !== undefined;
    },
    async dedicated(tx, teamId) {
      const [all] = await tx.select({ n: count() }).from(dedicatedPhones).where(eq(dedicatedPhones.teamId, teamId));
      return all?.n ?? 0;
    },
    async dedicate(tx, teamId, id, at) {
      const added = await tx
        .insert(dedicatedPhones)
        .values({ phoneId: id, teamId, createdAt: at })
        .onConflictDoNothing()
        .returning({ id: dedicatedPhones.phoneId });
      return added.length > 0;
    },
    async release(tx, teamId, id) {
      const gone = await tx.delete(dedicatedPhones).where(row(teamId, id)).returning({ id: dedicatedPhones.phoneId });
      return gone.length > 0;
    },
  };
}
