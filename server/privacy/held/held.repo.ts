/** Counts what is held about a person, walking the data map: one query a table, and one for what goes next. */
import { and, eq, isNotNull, lte, or, type SQL, sql } from "drizzle-orm";
import type { UserId } from "../../../shared/ids.ts";
import type { Database } from "../../db/database.ts";
import type { AnyColumn } from "../../db/dialect.ts";
import { columnNamed, dataMap, type MappedColumn, type MappedTable } from "../map/data-map.ts";
import { type Person, rowsOf } from "../map/rows-of.repo.ts";
import { type Category, RETENTION, type Retention } from "../tags.ts";

export type PersonalCategory = Exclude<Category, "system.operations">;

/** What one table holds of one category. */
export interface HeldPart {
  readonly category: PersonalCategory;
  readonly columns: readonly MappedColumn[];
  /** Rows with something of it. */
  readonly rows: number;
  /** Rows that are part of another table's, which are counted there. */
  readonly isPart: boolean;
  readonly oldestAt: Date | undefined;
  /** When the first of them goes by itself, and where it stands. */
  readonly firstGoes: FirstGoes | undefined;
}
export interface FirstGoes {
  readonly at: Date;
  readonly table: MappedTable;
  readonly rule: Retention;
  readonly columns: readonly MappedColumn[];
}

export interface HeldRepo {
  /** Parts that hold something. */
  parts(userId: UserId): Promise<HeldPart[]>;
  /** How many rows go within a day of the first. */
  goingWith(userId: UserId, first: FirstGoes): Promise<number>;
}

const DAY_MS = 24 * 3_600_000;

export function createHeldRepo(db: Database): HeldRepo {
  const map = dataMap(db.t);
  const plans = map
    .flatMap((table) => ("none" in table.about.subject ? [] : [planOf(table)]))
    .filter(({ parts }) => parts.length > 0);

  async function personOf(userId: UserId): Promise<Person> {
    const { users } = db.t;
    const [account] = await db.read.select({ email: users.email }).from(users).where(eq(users.id, userId));
    return { userId, email: account?.email ?? "" };
  }

  return {
    async parts(userId) {
      const person = await personOf(userId);
      const found: HeldPart[] = [];
      for (const { table, selection, parts } of plans) {
        const [row] = await db.read
          .select(selection)
          .from(table.table)
          .where(rowsOf(db.read, map, table, person));
        for (const [index, { category, columns, timed }] of parts.entries()) {
          const rows = row?.[`rows${index}`];
          if (typeof rows !== "number" || rows === 0) continue;
          const oldest = row?.[`oldest${index}`];
          const goes = timed.flatMap(({ rule, days, columns: ruled }, place): FirstGoes[] => {
            const first = row?.[`first${index}_${place}`];
            if (!(first instanceof Date)) return [];
            return [{ at: new Date(first.getTime() + days * DAY_MS), table, rule, columns: ruled }];
          });
          found.push({
            ...{ category, columns, rows },
            isPart: "via" in table.about.subject,
            oldestAt: oldest instanceof Date ? oldest : undefined,
            firstGoes: goes.sort((a, b) => a.at.getTime() - b.at.getTime())[0],
          });
        }
      }
      return found;
    },
    async goingWith(userId, { at, table, rule, columns }) {
      const person = await personOf(userId);
      const clock = columnNamed(table, table.about.clock).column;
      const until = new Date(at.getTime() - (daysOf(rule) ?? 0) * DAY_MS + DAY_MS);
      const mine = and(rowsOf(db.read, map, table, person), lte(clock, until), present(columns));
      const [row] = await db.read
        .select({ rows: sql`count(*)`.mapWith(Number) })
        .from(table.table)
        .where(mine);
      return row?.rows ?? 0;
    },
  };
}

interface TablePlan {
  readonly table: MappedTable;
  readonly selection: Record<string, SQL<unknown>>;
  readonly parts: readonly {
    readonly category: PersonalCategory;
    readonly columns: readonly MappedColumn[];
    readonly timed: readonly {
      readonly rule: Retention;
      readonly days: number;
      readonly columns: readonly MappedColumn[];
    }[];
  }[];
}

function planOf(table: MappedTable): TablePlan {
  const clock = columnNamed(table, table.about.clock).column;
  const selection: Record<string, SQL<unknown>> = {};
  const byCategory = Map.groupBy(table.columns, ({ tag }) => tag.category);
  const parts = [...byCategory].flatMap(([category, columns]) => {
    if (category === "system.operations") return [];
    const timed = [...Map.groupBy(columns, ({ tag }) => tag.retain)].flatMap(([rule, ruled]) => {
      const days = daysOf(rule);
      return days === undefined || clock.dataType !== "date" ? [] : [{ rule, days, columns: ruled }];
    });
    return [{ category, columns, timed }];
  });
  for (const [index, { columns, timed }] of parts.entries()) {
    selection[`rows${index}`] = sql`count(case when ${present(columns)} then 1 end)`.mapWith(Number);
    if (clock.dataType === "date") selection[`oldest${index}`] = earliest(clock, columns);
    for (const [place, { columns: ruled }] of timed.entries()) {
      selection[`first${index}_${place}`] = earliest(clock, ruled);
    }
  }
  return { table, selection, parts };
}

function earliest(clock: AnyColumn, columns: readonly MappedColumn[]): SQL<unknown> {
  return sql`min(case when ${present(columns)} then ${clock} end)`.mapWith(clock);
}

/** That the row holds something in one of them. */
function present(columns: readonly MappedColumn[]): SQL {
  if (columns.some(({ column }) => column.notNull)) return sql`1 = 1`;
  return or(...columns.map(({ column }) => isNotNull(column))) ?? sql`1 = 0`;
}

function daysOf(rule: Retention): number | undefined {
  const kept: { readonly words: string; readonly days?: number } = RETENTION[rule];
  return kept.days;
}
