/** Trials that end soon. */
import { and, asc, eq, gt, lte, notExists, or, sql } from "drizzle-orm";
import type { GrantId, TeamId } from "../../../shared/ids.ts";
import type { Database } from "../../db/database.ts";

export interface EndingTrial {
  readonly id: GrantId;
  readonly teamId: TeamId;
  readonly remaining: number;
  readonly expiresAt: Date;
}

export interface TrialsRepo {
  /** Those that end by `until` or have a fifth left, of teams without a subscription; after `after` in the order of ids. */
  ending(now: Date, until: Date, after: string, limit: number): Promise<EndingTrial[]>;
}

export function createTrialsRepo(db: Database): TrialsRepo {
  const { grants, subscriptions } = db.t;
  return {
    async ending(now, until, after, limit) {
      const rows = await db.read
        .select({
          id: grants.id,
          teamId: grants.teamId,
          remaining: grants.remaining,
          expiresAt: grants.expiresAt,
        })
        .from(grants)
        .where(
          and(
            ...[
              eq(grants.source, "trial"),
              gt(grants.expiresAt, now),
              gt(grants.remaining, 0),
              sql`${grants.id} > ${after}`,
            ],
            or(lte(grants.expiresAt, until), sql`${grants.remaining} * 5 <= ${grants.total}`),
            notExists(
              db.read
                .select({ id: subscriptions.id })
                .from(subscriptions)
                .where(and(eq(subscriptions.teamId, grants.teamId), eq(subscriptions.status, "active"))),
            ),
          ),
        )
        .orderBy(asc(grants.id))
        .limit(limit);
      return rows.flatMap((row) => (row.expiresAt === null ? [] : [{ ...row, expiresAt: row.expiresAt }]));
    },
  };
}
