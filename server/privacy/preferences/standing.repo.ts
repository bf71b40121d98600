/** Whether anything may be done with a person's data: read with every look-up of a session or API token. */
import { and, eq, type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { ErasureId, TeamId, UserId } from "../../../shared/ids.ts";
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
  readonly suspendedAt: Date | null;
  /** Of the team it is about. */
  readonly teamSuspendedAt?: Date | null;
}): AccountStanding {
  if (row.erasureId !== null) return "closing";
  if (row.suspendedAt !== null || (row.teamSuspendedAt ?? null) !== null) return "suspended";
  return row.restrictedAt === null ? "active" : "restricted";
}

export async function readStanding(
  reader: Reader,
  tables: Tables,
  userId: UserId,
  teamId?: TeamId,
): Promise<AccountStanding> {
  const { users, teams, privacyPreferences, erasures } = tables;
  const [row] = await reader
    .select({
      ...{ restrictedAt: privacyPreferences.restrictedAt, erasureId: erasures.id },
      ...{ suspendedAt: users.suspendedAt, teamSuspendedAt: teams.suspendedAt },
    })
    .from(users)
    .leftJoin(teams, teamId === undefined ? sql`false` : eq(teams.id, teamId))
    .leftJoin(privacyPreferences, eq(privacyPreferences.userId, users.id))
    .leftJoin(erasures, isOpenErasure(erasures, users.id))
    .where(eq(users.id, userId));
  return row === undefined ? "closing" : standingOf(row);
}
