/**
 * A PostgreSQL database of an earlier version, in a backup: as the SQLite file that version would have, which a
 * restore brings up like any other of that version. Read as it is at one moment, while nodes of that version go on.
 */
import { z } from "zod";
import { JOURNAL, migrateSqlite } from "../db/migrate.ts";
import { earlierTables } from "../db/move/earlier-tables.ts";
import { connectSqlite } from "../db/move/ends.ts";
import { keyOf, type MovedTable, type Row } from "../db/move/moved-tables.ts";
import { type PostgresEnd, postgresSnapshot } from "../db/move/rows.postgres.ts";
import { insertRows } from "../db/move/rows.sqlite.ts";
import type { RowReader } from "../db/move/rows.ts";
import { rememberKey } from "../db/sqlite.ts";

const BATCH = 1_000;

/** `file` is not there yet. `migrations`: of SQLite, which are as many as PostgreSQL's. */
export async function copyEarlier(end: PostgresEnd, key: Buffer, file: string, migrations: string): Promise<void> {
  const source = await postgresSnapshot(end);
  const { rows } = await end.client.query(`select count(*)::int as n from "${end.schema}".${JOURNAL}`);
  const [{ n: version }] = z.tuple([z.object({ n: z.int() })]).parse(rows);
  const db = connectSqlite(file, key);
  try {
    migrateSqlite(db, migrations, version);
    db.pragma("foreign_keys = OFF");
    for (const table of await earlierTables(end)) {
      for await (const page of pagesOf(source, table)) insertRows(db, table, page);
    }
  } finally {
    db.close();
  }
  rememberKey(file, key);
}

async function* pagesOf(source: RowReader, table: MovedTable): AsyncGenerator<readonly Row[]> {
  for (let after: Row | undefined; ; ) {
    const rows = await source.page(table, after, BATCH);
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < BATCH) return;
    after = keyOf(table, last);
  }
}
