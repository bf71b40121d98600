/** What a server keeps, laid open for a search: the pages of its database in clear, or every row and every file of it. */
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import pg from "pg";

/**
 * The pages of a copy of an encrypted file in clear, free ones included, and without its log: what the main file alone
 * holds at this moment.
 */
export function pagesOfFile(file: string, key: Buffer): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "perch-pages-"));
  const copy = join(folder, "copy.db");
  copyFileSync(file, copy);
  const db = new Sqlite(copy);
  try {
    db.pragma(`key = "x'${key.toString("hex")}'"`);
    return db.serialize();
  } finally {
    db.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

export interface PostgresPlace {
  /** For `DATABASE_URL`. */
  readonly url: string;
  /** Every row of every table of every schema, as text. */
  dump(): Promise<Buffer>;
  /** The files of tables and indexes as they lie on the disk; why not, where this user may not read them. */
  files(): Promise<Buffer | string>;
  /** Keeps the database as it is. Nobody may be connected. */
  keep(): Promise<void>;
  /** Puts back what was kept; the keys of people stay those of now, because no backup has them. */
  putBack(): Promise<void>;
  drop(): Promise<void>;
}

/** A database of its own on the server of tests. */
export async function postgresPlace(server: string, name: string): Promise<PostgresPlace> {
  const admin = new pg.Client({ connectionString: server });
  await admin.connect();
  await admin.query(`create database ${name}`);
  const target = new URL(server);
  target.pathname = `/${name}`;
  const url = target.href;
  const connected = async <T>(work: (client: pg.Client) => Promise<T>): Promise<T> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };
  return {
    url,
    dump: () =>
      connected(async (client) => {
        const tables = await client.query<{ name: string }>(
          `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
           where c.relkind in ('r', 'm', 'p') and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg_toast%'`,
        );
        const texts = [];
        for (const table of tables.rows) {
          const rows = await client.query<{ text: string }>(`select t::text as text from ${table.name} t`);
          texts.push(table.name, ...rows.rows.map(({ text }) => text));
        }
        return Buffer.from(texts.join("\n"));
      }),
    async files() {
      // Without it the disk holds what memory has not written yet, and files that are gone already.
      await connected((client) => client.query("checkpoint"));
      const { rows } = await admin.query<{ place: string }>(
        "select current_setting('data_directory') || '/base/' || (select oid from pg_database where datname = $1) as place",
        [name],
      );
      const place = rows[0]?.place ?? "";
      try {
        const paths = readdirSync(place).map((file) => join(place, file));
        return Buffer.concat(paths.filter((path) => statSync(path).isFile()).map((path) => readFileSync(path)));
      } catch (error) {
        return `The files of the database are not looked through: ${String(error)}`;
      }
    },
    async keep() {
      await admin.query(`create database ${name}_kept template ${name}`);
    },
    async putBack() {
      const keys = await connected((client) => client.query("select subject, sealed from perch_keys.subject_keys"));
      await admin.query(`drop database ${name} with (force)`);
      await admin.query(`create database ${name} template ${name}_kept`);
      await admin.query(`drop database ${name}_kept`);
      await connected(async (client) => {
        await client.query("truncate perch_keys.subject_keys");
        for (const { subject, sealed } of keys.rows)
          await client.query("insert into perch_keys.subject_keys values ($1, $2)", [subject, sealed]);
      });
    },
    async drop() {
      for (const one of [name, `${name}_kept`]) await admin.query(`drop database if exists ${one} with (force)`);
      await admin.end();
    },
  };
}
