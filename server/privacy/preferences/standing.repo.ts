/** Whether anything may be done with a person's data: read with every look-up of a session or API token. */
import { and, eq, type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { ErasureId, UserId } from "../../../shared/ids.ts";
import type { Reader } from "../../db/database.ts";
import type { Tables } from "../../db/tables.ts";
import type { AccountStanding } from "../../teams/team-scope.ts";

/** Joins the deletion of the person's account that is waiting or at work. Literals, so that the partial index serves. */
export function isOpenErasure(erasures: Tables["erasures"], userId: SQLiteColumn): SQL | undefined {
  return and(eq(erasures.userId, userId), sql`${erasures.state} in ('grace', 'purging')`);
}

export function standingOf(row: {
  readonly restrictedAt: Date | null;
  readonly erasureId: ErasureId | null;
}): AccountStanding {
  if (row.erasureId !== null) return "closing";
  return row.restrictedAt === null ? "active" : "restricted";
}

export async function readStanding(reader: Reader, tables: Tables, userId: UserId): Promise<AccountStanding> {
  const { users, privacyPreferences, erasures } = tables;
  const [row] = await reader
    .select({ restrictedAt: privacyPreferences.restrictedAt, erasureId: erasures.id })
    .from(users)
    .leftJoin(privacyPreferences, eq(privacyPreferences.userId, users.id))
    .leftJoin(erasures, isOpenErasure(erasures, users.id))
    .where(eq(users.id, userId));
  return row === undefined ? "closing" : standingOf(row);
}
