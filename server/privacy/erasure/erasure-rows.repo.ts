/** Counts and does what the erasure plan says, in small batches, and looks afterwards that nothing is left. */
import { and, count, eq, inArray, isNotNull, max, or, type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { TeamId, UserId } from "../../../shared/ids.ts";
import type { Database, Reader, Writer } from "../../db/database.ts";
import { ERASED } from "../../db/sealed-fields.ts";
import { columnNamed } from "../map/data-map.ts";
import { type Act, type ErasurePlan, erasurePlan, type TablePlan, type Way } from "./erasure-plan.repo.ts";

/** Who goes, and the teams that are closed with them. */
export interface Leaving {
  readonly userId: UserId;
  /** As stored for look-ups. */
  readonly email: string;
  /** As the person wrote it. */
  readonly emailShown: string;
  readonly teams: readonly TeamId[];
}

/** Rows a transaction changes at most, so that no writer waits long (research/privacy.md, M4). */
export const BATCH = 500;
const SEARCHED_VALUES = 50;
/** Shorter values stand in other people's data by chance. */
const LEAST_LENGTH = 6;

export interface ErasureRows {
  readonly plan: ErasurePlan;
  /** How many rows the act is about. */
  count(reader: Reader, act: Act, leaving: Leaving): Promise<number>;
  /** Until when the law keeps rows of the act: the latest moment of its clock that lies ahead. */
  keptUntil(reader: Reader, act: Act, leaving: Leaving): Promise<Date | undefined>;
  /** Does all of it, one small transaction after the other; a second time there is nothing to do. */
  perform(act: Act, leaving: Leaving): Promise<number>;
  /** The same inside a transaction, for what is small. */
  performIn(tx: Writer, act: Act, leaving: Leaving): Promise<number>;
  /** What names the person in what they own alone: values to search for once all is gone. */
  ownValues(leaving: Leaving): Promise<string[]>;
  /** Rows, anywhere, that hold one of the values: for PostgreSQL, and for what others wrote. */
  rowsWith(values: readonly string[]): Promise<number>;
}

export function createErasureRows(db: Database): ErasureRows {
  const plan = erasurePlan(db.t);
  const { users } = db.t;
  const holds = (column: SQLiteColumn, value: string) =>
    db.engine === "sqlite" ? sql`instr(${column}, ${value}) > 0` : sql`strpos(${column}::text, ${value}) > 0`;
  const anyOf = (conditions: readonly SQL[]) => or(...conditions) ?? sql`false`;

  function conditionOf(reader: Reader, way: Way, leaving: Leaving): SQL {
    if (way.by === "parent") {
      const { parent, key, column } = way;
      const going = anyOf(parent.goes.map((one) => conditionOf(reader, one, leaving)));
      return inArray(column, reader.select({ key }).from(parent.table).where(going));
    }
    const { link, column } = way;
    const { userId, email, emailShown, teams } = leaving;
    switch (link) {
      case "user":
        return eq(column, userId);
      case "email":
        // By what their own row says, too: it leads there when nobody can read the address any more.
        return anyOf([
          inArray(column, reader.select({ address: users.emailIndex }).from(users).where(eq(users.id, userId))),
          ...(email === "" ? [] : [eq(column, email)]),
        ]);
      case "team":
        return teams.length === 0 ? sql`false` : inArray(column, [...teams]);
      case "scope":
        return anyOf([holds(column, `/${userId}`), ...teams.map((team) => holds(column, `${team}/`))]);
      case "mention":
        return anyOf(
          [userId, email, emailShown, ...teams].filter((one) => one !== "").map((one) => holds(column, one)),
        );
    }
  }

  const goingOf = (reader: Reader, table: TablePlan, leaving: Leaving) =>
    anyOf(table.goes.map((way) => conditionOf(reader, way, leaving)));

  /** Rows the act is about; one that goes is not counted among those that are emptied. */
  function rowsOf(reader: Reader, act: Act, leaving: Leaving): SQL {
    const found = anyOf(act.ways.map((way) => conditionOf(reader, way, leaving)));
    if (act.kind === "delete") return found;
    const full = anyOf(act.columns.map((column) => isNotNull(columnNamed(act.table, column).column)));
    const staying =
      act.table.goes.length === 0 ? undefined : sql`not coalesce(${goingOf(reader, act.table, leaving)}, false)`;
    return and(found, full, staying) ?? found;
  }

  async function batch(tx: Writer, act: Act, leaving: Leaving): Promise<number> {
    const { table } = act.table;
    const place = db.engine === "sqlite" ? sql`rowid` : sql`ctid`;
    const some = tx
      .select({ place })
      .from(table)
      .where(rowsOf(tx, act, leaving))
      .limit(BATCH);
    const chosen = db.engine === "sqlite" ? sql`rowid in ${some}` : sql`ctid = any(array${some})`;
    const one = { one: sql<number>`1` };
    const changed =
      act.kind === "delete"
        ? await tx.delete(table).where(chosen).returning(one)
        : await tx.update(table).set(emptied(act.columns)).where(chosen).returning(one);
    return changed.length;
  }

  async function performIn(tx: Writer, act: Act, leaving: Leaving): Promise<number> {
    let done = 0;
    for (;;) {
      const changed = await batch(tx, act, leaving);
      done += changed;
      if (changed < BATCH) return done;
    }
  }

  const counted = async (reader: Reader, act: Act, leaving: Leaving) => {
    const [row] = await reader
      .select({ rows: count() })
      .from(act.table.table)
      .where(rowsOf(reader, act, leaving));
    return row?.rows ?? 0;
  };

  return {
    plan,
    count: counted,
    async keptUntil(reader, act, leaving) {
      const { column } = columnNamed(act.table, act.table.about.clock);
      const [row] = await reader
        .select({ until: max(column) as SQL<Date | null> })
        .from(act.table.table)
        .where(rowsOf(reader, act, leaving));
      return row?.until instanceof Date ? row.until : undefined;
    },
    async perform(act, leaving) {
      let done = 0;
      for (;;) {
        const changed = await db.tx((tx) => batch(tx, act, leaving));
        done += changed;
        if (changed < BATCH) return done;
        // Somebody else's write gets its turn between two batches.
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    performIn,
    async ownValues(leaving) {
      const values = new Set<string>();
      for (const act of plan.acts) {
        const { table } = act;
        if (table.about.owner !== "user" || act.kind === "cut") continue;
        const told = table.columns.filter(
          ({ column, tag }) => TELLING.has(tag.category) && column.dataType === "string",
        );
        for (const { column, property } of told) {
          const rows = await db.read
            .select({ value: column })
            .from(table.table)
            .where(and(rowsOf(db.read, act, leaving), isNotNull(columnNamed(table, property).column)))
            .limit(SEARCHED_VALUES);
          for (const { value } of rows) {
            if (typeof value !== "string" || value === ERASED || value.trim().length < LEAST_LENGTH) continue;
            values.add(value.slice(0, 200));
          }
        }
      }
      return [...values].slice(0, SEARCHED_VALUES);
    },
    async rowsWith(values) {
      let found = 0;
      if (values.length === 0) return 0;
      for (const table of plan.tables) {
        const texts = table.columns.filter(({ column }) => column.dataType === "string" || column.dataType === "json");
        if (texts.length === 0) continue;
        const any = anyOf(texts.flatMap(({ column }) => values.map((value) => holds(column, value))));
        const [row] = await db.read.select({ rows: count() }).from(table.table).where(any);
        found += row?.rows ?? 0;
      }
      return found;
    },
  };
}

/** Categories whose values point at one person. */
const TELLING: ReadonlySet<string> = new Set(["user.name", "user.contact.email", "user.content.private"]);

/** Columns of the act can be empty: `erasurePlan` chose them so. */
function emptied(columns: readonly string[]): Record<string, never> {
  return Object.fromEntries(columns.map((column) => [column, null])) as unknown as Record<string, never>;
}
