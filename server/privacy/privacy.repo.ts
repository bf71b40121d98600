/** Counts what is held about a person, walking the data map; no table is named here by hand but the audit log. */
import { and, count, desc, eq, inArray, isNotNull, min, type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { UserId } from "../../shared/ids.ts";
import type { AccessLogEntry } from "../../shared/privacy.ts";
import { actionsOf, describeAction } from "../audit/activity-words.ts";
import type { Database } from "../db/database.ts";
import { columnNamed, dataMap } from "./map/data-map.ts";
import { rowsOf } from "./map/rows-of.repo.ts";
import type { Category, ColumnPrivacy, Retention, Use } from "./tags.ts";

export interface HeldColumn {
  readonly category: Exclude<Category, "system.operations">;
  readonly uses: readonly Use[];
  readonly clause: string;
  readonly rectify: ColumnPrivacy["rectify"];
  readonly retain: Retention;
  readonly items: number;
  readonly oldestAt: Date | undefined;
}

export interface PrivacyRepo {
  /** One entry per personal column that holds something about the person. */
  held(userId: UserId): Promise<HeldColumn[]>;
  /** What operators looked at, the newest first. */
  staffLooks(userId: UserId): Promise<AccessLogEntry[]>;
}

export function createPrivacyRepo(db: Database): PrivacyRepo {
  const map = dataMap(db.t);
  return {
    async held(userId) {
      const { users } = db.t;
      const [account] = await db.read.select({ email: users.email }).from(users).where(eq(users.id, userId));
      const who = { userId, email: account?.email ?? "" };
      const found: HeldColumn[] = [];
      for (const table of map) {
        const mine = rowsOf(db.read, map, table, who);
        if (mine === undefined) continue;
        const clockColumn = columnNamed(table, table.about.clock).column;
        for (const { column, tag } of table.columns) {
          if (tag.category === "system.operations") continue;
          const [row] = await db.read
            .select({ items: count(), oldest: oldest(clockColumn) })
            .from(table.table)
            .where(sql`${mine} and ${column} is not null`);
          if (row === undefined || row.items === 0) continue;
          found.push({
            category: tag.category,
            uses: tag.use,
            clause: tag.clause,
            rectify: tag.rectify,
            retain: tag.retain,
            items: row.items,
            oldestAt: row.oldest instanceof Date ? row.oldest : undefined,
          });
        }
      }
      return found;
    },
    async staffLooks(userId) {
      const { auditLog } = db.t;
      const rows = await db.read
        .select({ at: auditLog.at, action: auditLog.action, detail: auditLog.detail })
        .from(auditLog)
        .where(
          and(
            eq(auditLog.object, userId),
            eq(auditLog.actor, "operator"),
            inArray(auditLog.action, [...actionsOf("operator"), "session.revoked"]),
            isNotNull(auditLog.at),
          ),
        )
        .orderBy(desc(auditLog.at));
      return rows.flatMap(({ at, action, detail }): AccessLogEntry[] => {
        if (at === null) return [];
        const { reason, role } = detail ?? {};
        return [
          {
            at: at.toISOString(),
            words: `The operator ${describeAction(action, detail).words}`,
            ...(typeof reason === "string" && { reason }),
            ...(typeof role === "string" && { role }),
          },
        ];
      });
    },
  };
}

/** `min` keeps the column's mapping, so a moment comes back as a Date on both engines. */
function oldest(column: SQLiteColumn): SQL<Date | null> {
  return min(column) as SQL<Date | null>;
}
