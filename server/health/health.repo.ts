/** What tells that the database takes writes, and how far its tables are. */
import { sql } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import { JOURNAL } from "../db/migrate.ts";

export interface HealthRepo {
  /** One small committed write. `who`: of this process alone, so that nodes do not wait for each other. */
  write(who: string, now: number): Promise<void>;
  /** Migrations the database has had. */
  migrations(): Promise<number>;
}

export function createHealthRepo(db: Database): HealthRepo {
  const { rateLimits } = db.t;
  return {
    // The table of limits is swept every day, so that nothing has to look after these rows.
    async write(who, now) {
      await db.tx((tx) =>
        tx
          .insert(rateLimits)
          .values({ key: `readiness ${who}`, theoreticalArrivalAt: now })
          .onConflictDoUpdate({ target: rateLimits.key, set: { theoreticalArrivalAt: now } }),
      );
    },
    async migrations() {
      const [row] = await db.read.select({ n: sql`count(*)`.mapWith(Number) }).from(sql.raw(JOURNAL));
      return row?.n ?? 0;
    },
  };
}
