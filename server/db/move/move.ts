/**
 * Moves every row from one database to the other. Each batch is written together with how far it is, so that a move that
 * was killed goes on where it was. At the end both are read again from the first row to the last and compared: what
 * differs, because a server ran on the source in between, is copied anew.
 */
import { PerchError } from "../../errors.ts";
import { isAway } from "../../trouble.ts";
import type { TargetMark } from "./move-mark.repo.ts";
import { isStorable, keyOf, type MovedTable, type Row, storable, Tally } from "./moved-tables.ts";
import type { MoveTarget, RowReader } from "./rows.ts";

const BATCH = 1_000;
/** A chain of hashes over its rows: nothing in it is changed. */
const UNTOUCHED = new Set(["audit_log", "audit_heads"]);

export interface MovedCount {
  readonly table: string;
  readonly rows: number;
  readonly checksum: string;
}

export interface MoveOptions {
  readonly id: string;
  readonly source: RowReader;
  readonly target: MoveTarget;
  readonly tables: readonly MovedTable[];
  /** Called after each batch and each comparison. */
  readonly onProgress: (progress: { table: string; done: number; of: number; step: "copied" | "compared" }) => void;
  readonly batch?: number;
}

export interface Moved {
  readonly counts: readonly MovedCount[];
  /** Values in which a character was replaced because PostgreSQL takes none like it. */
  readonly replaced: number;
}

/** Copies what is missing and compares all of it. The target's constraints are back afterwards, the source is as it was. */
export async function moveRows(options: MoveOptions): Promise<Moved> {
  const { id, source, target, tables, onProgress, batch = BATCH } = options;
  const found = await target.mark();
  if (found !== undefined && found.id !== id) {
    throw new PerchError("conflict", "Another move into that database is not finished. Name another, empty one.");
  }
  if (found?.state === "whole") return compared(options);
  const mark = found ?? (await target.prepare(id));
  const at = mark.table === undefined ? 0 : tables.findIndex(({ name }) => name === mark.table);
  for (const table of tables.slice(Math.max(at, 0))) {
    await copy(table, table.name === mark.table ? mark.after : undefined);
  }
  await copyKeys();
  const moved = await compared(options, (table) => copy(table, undefined));
  await target.finish({ ...withoutPlace(mark), state: "whole" });
  return moved;

  async function copy(table: MovedTable, from: Row | undefined): Promise<void> {
    const of = await source.count(table);
    // Killed while a table was copied anew, those after it are there already.
    if (from === undefined) await target.clear(table);
    let done = from === undefined ? 0 : await target.count(table);
    for (let after = from; ; ) {
      const rows = await source.page(table, after, batch);
      const last = rows.at(-1);
      if (last === undefined) break;
      after = keyOf(table, last);
      const place = { ...mark, table: table.name, after: [...after] };
      await target
        .write(
          table,
          rows.map((row) => storableRow(table, row)),
          place,
        )
        .catch((error: unknown) => {
          throw notWritten(table, error);
        });
      done += rows.length;
      onProgress({ table: table.name, done, of, step: "copied" });
      if (rows.length < batch) break;
    }
  }

  async function copyKeys(): Promise<void> {
    await target.clearKeys();
    for (let after = ""; ; ) {
      const rows = await source.keys(after, batch);
      if (rows.length > 0) await target.writeKeys(rows);
      const last = rows.at(-1);
      if (last === undefined || rows.length < batch) return;
      [after] = last;
    }
  }
}

function withoutPlace({ table: _table, after: _after, ...mark }: TargetMark): TargetMark {
  return mark;
}

/** A row as PostgreSQL takes it. @throws PerchError for one that may not be changed */
function storableRow(table: MovedTable, row: Row): Row {
  if (table.columns.every(({ kind }, at) => isStorable(kind, row[at] ?? null))) return row;
  if (UNTOUCHED.has(table.name)) {
    throw new PerchError(
      "conflict",
      `${table.name} holds a character PostgreSQL cannot keep (row ${keyOf(table, row).join(", ")}), and may not be changed. The move stops here.`,
    );
  }
  return table.columns.map(({ kind }, at) => {
    const cell = row[at] ?? null;
    return cell === null ? null : storable(kind, cell);
  });
}

function notWritten(table: MovedTable, error: unknown): PerchError {
  const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
  return isAway(error)
    ? new PerchError(
        "unavailable",
        "The other database does not answer any more. Run the same command again: it goes on.",
        {
          cause: error,
        },
      )
    : new PerchError("conflict", `Rows of ${table.name} cannot be written to the other database${code}.`, {
        cause: error,
      });
}

/** Every row of a table. */
async function* rowsOf(reader: RowReader, table: MovedTable, batch: number): AsyncGenerator<Row> {
  for (let after: Row | undefined; ; ) {
    const rows = await reader.page(table, after, batch);
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < batch) return;
    after = keyOf(table, last);
  }
}

/** Count and checksum of a table as it is read. */
export function tallyTable(reader: RowReader, table: MovedTable, batch = BATCH): Promise<Tally> {
  return tallyOf(rowsOf(reader, table, batch));
}

async function tallyOf(rows: AsyncIterable<Row>): Promise<Tally> {
  const tally = new Tally();
  for await (const row of rows) tally.add(row);
  return tally;
}

async function* keyRowsOf(reader: RowReader, batch: number): AsyncGenerator<Row> {
  for (let after = ""; ; ) {
    const rows = await reader.keys(after, batch);
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < batch) return;
    [after] = last;
  }
}

/** Counts and checksums of all tables, alike in both. `again` copies a table anew, once. @throws PerchError that names one */
async function compared(
  { source, target, tables, onProgress, batch = BATCH }: MoveOptions,
  again?: (table: MovedTable) => Promise<void>,
): Promise<Moved> {
  const counts: MovedCount[] = [];
  let replaced = 0;
  const asWritten = async function* (table: MovedTable) {
    for await (const row of rowsOf(source, table, batch)) {
      const written = storableRow(table, row);
      if (written !== row) replaced += written.filter((cell, at) => cell !== row[at]).length;
      yield written;
    }
  };
  for (const table of tables) {
    const wanted = await tallyOf(asWritten(table));
    let there = await tallyOf(rowsOf(target, table, batch));
    if (!there.equals(wanted) && again !== undefined) {
      await again(table);
      there = await tallyOf(rowsOf(target, table, batch));
    }
    demandEqual(table.name, wanted, there);
    counts.push({ table: table.name, rows: wanted.rows, checksum: wanted.checksum });
    onProgress({ table: table.name, done: wanted.rows, of: wanted.rows, step: "compared" });
  }
  const keys = await tallyOf(keyRowsOf(source, batch));
  demandEqual("the keys of people", keys, await tallyOf(keyRowsOf(target, batch)));
  counts.push({ table: "keys of people", rows: keys.rows, checksum: keys.checksum });
  return { counts, replaced };
}

function demandEqual(name: string, wanted: Tally, there: Tally): void {
  if (there.equals(wanted)) return;
  throw new PerchError(
    "conflict",
    `${name}: ${there.rows} rows arrived of ${wanted.rows}, or not as they were. The database it is moved from is untouched. Empty the other one and begin again.`,
  );
}
