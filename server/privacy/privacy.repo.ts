/** Counts what is held about a person, walking the data map; no table is named here by hand. */
import { type Column, count, eq, getTableColumns, min, type SQL, sql, type Table } from "drizzle-orm";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";
import type { UserId } from "../../shared/ids.ts";
import type { Database } from "../db/database.ts";
import { privacyOf, taggedColumns } from "../db/dialect.ts";
import type { Category, Retention, Use } from "./tags.ts";

export interface HeldColumn {
  readonly category: Exclude<Category, "system.operations">;
  readonly uses: readonly Use[];
  readonly retain: Retention;
  readonly items: number;
  readonly oldestAt: Date | undefined;
}

export interface PrivacyRepo {
  /** One entry per personal column that holds something about the person. */
  held(userId: UserId): Promise<HeldColumn[]>;
}

export function createPrivacyRepo(db: Database): PrivacyRepo {
  return {
    async held(userId) {
      const { users } = db.t;
      const [person] = await db.read.select({ email: users.email }).from(users).where(eq(users.id, userId));
      const found: HeldColumn[] = [];
      for (const table of Object.values(db.t) as SQLiteTable[]) {
        const { subject, clock } = privacyOf(table);
        if (!("column" in subject)) continue;
        const subjectColumn = columnOf(table, subject.column);
        const clockColumn = columnOf(table, clock);
        const mine = eq(subjectColumn, subject.column === "email" ? (person?.email ?? "") : userId);
        for (const { column, tag } of taggedColumns(table)) {
          if (tag.category === "system.operations") continue;
          const [row] = await db.read
            .select({ items: count(), oldest: oldest(clockColumn) })
            .from(table)
            .where(sql`${mine} and ${column} is not null`);
          if (row === undefined || row.items === 0) continue;
          found.push({
            category: tag.category,
            uses: tag.use,
            retain: tag.retain,
            items: row.items,
            oldestAt: row.oldest ?? undefined,
          });
        }
      }
      return found;
    },
  };
}

/** `min` keeps the column's mapping, so a moment comes back as a Date on both engines. */
function oldest(column: SQLiteColumn): SQL<Date | null> {
  return min(column) as SQL<Date | null>;
}

/** A column by its property name; the data-map test holds that every declared name exists. */
function columnOf(table: Table, name: string): SQLiteColumn {
  const column: Column | undefined = getTableColumns(table)[name];
  if (column === undefined) throw new Error(`The table has no column ${name}.`);
  return column as SQLiteColumn;
}
