/**
 * The schema Perch keeps its tables in, and the walls around it. Supabase serves schema `public` to whoever has the
 * project's anonymous key, and grants its roles all that is made there; so nothing of Perch stands in it, its roles are
 * shut out of ours, and row-level security without a policy shows other roles no row even where somebody grants them a
 * table. The owner is not under it (no FORCE): that keeps nobody out who is not out already, and `pg_dump` by the owner
 * fails under it (`docs/postgres.md`).
 */
import { readMigrationFiles } from "drizzle-orm/migrator";
import { PerchError } from "../errors.ts";
import { JOURNAL, MIGRATION_LOCK, type PostgresSession } from "./migrate.ts";
import { keysSchemaOf, keysTableOf } from "./subject-keys.postgres.ts";
import { FENCE_FUNCTIONS, unfencePostgres } from "./write-fence.ts";

export const DEFAULT_SCHEMA = "perch";
/** Where versions before had their tables. */
export const EARLIER = "public";
/** Roles of Supabase that its interfaces act as; `service_role` passes row-level security. */
const SHUT_OUT = ["anon", "authenticated", "authenticator", "service_role"] as const;
/** Stands where the journal was, so that an earlier version does not begin anew there: more rows than it knows. */
const TOMBSTONE = "moved to another schema";
const TOMBSTONE_ROWS = 1_000;
const LOCK_MS = 10_000;

/**
 * Makes the schema where it is missing, brings tables there that an earlier version keeps in `public`, and leaves the
 * session's search path at it. For a session of its own.
 */
export async function enterSchema(session: PostgresSession, schema: string, migrations: string): Promise<void> {
  await inOneTransaction(session, async () => {
    const [there] = await session.rows(`select to_regnamespace('"${schema}"')::text as name`);
    if (there?.["name"] == null) await session.run(`create schema "${schema}"`);
    await adopt(session, schema, migrations);
  }).catch((error: unknown) => {
    throw inWordsOf(error, schema);
  });
  await session.run(`set search_path to "${schema}"`);
}

function inWordsOf(error: unknown, schema: string): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "42501") {
    return new PerchError(
      "unavailable",
      `The user in DATABASE_URL may not make the schema ${schema}, or does not own what is in it. Make it and give it to this user: create schema ${schema} authorization <user>. Tables an earlier version made in public have to be this user's, too.`,
      { cause: error },
    );
  }
  if (code === "55P03") {
    return new PerchError(
      "unavailable",
      `The tables of Perch have to move from the schema public to ${schema}, and something still uses them. Stop every server of the earlier version, then start again. Nothing was changed.`,
      { cause: error },
    );
  }
  return error;
}

async function inOneTransaction(session: PostgresSession, work: () => Promise<void>): Promise<void> {
  await session.run("begin");
  try {
    await session.run(`select pg_advisory_xact_lock(${MIGRATION_LOCK})`);
    await work();
    await session.run("commit");
  } catch (error) {
    await session.run("rollback");
    throw error;
  }
}

/** Moves what earlier versions made in `public`, whole or not at all. Other tables there are somebody else's. */
async function adopt(session: PostgresSession, schema: string, migrations: string): Promise<void> {
  const exists = async (name: string) =>
    (await session.rows(`select to_regclass('${name}')::text as name`))[0]?.["name"] != null;
  if (!(await exists(`${EARLIER}.${JOURNAL}`)) || (await exists(`"${schema}".${JOURNAL}`))) return;
  const applied = await session.rows(`select hash from ${EARLIER}.${JOURNAL} order by ordinal`);
  const known = readMigrationFiles({ migrationsFolder: migrations });
  // One that this version cannot read is left where it is; the tombstone of a schema that is gone is no installation.
  if (applied.length === 0 || applied.length > known.length || applied[0]?.["hash"] !== known[0]?.hash) return;
  await session.run(`set local lock_timeout = ${LOCK_MS}`);
  await session.run(`set local search_path to ${EARLIER}`);
  await unfencePostgres(session);
  for (const name of FENCE_FUNCTIONS) await session.run(`drop function if exists ${EARLIER}.${name}`);
  const made = known.flatMap(({ sql }) =>
    sql.flatMap((statement) => /^\s*CREATE TABLE "(\w+)"/.exec(statement)?.[1] ?? []),
  );
  for (const table of [...new Set(made), JOURNAL]) {
    if (await exists(`${EARLIER}."${table}"`)) {
      await session.run(`alter table ${EARLIER}."${table}" set schema "${schema}"`);
    }
  }
  const keys = keysSchemaOf(schema);
  const earlierKeys = keysSchemaOf(DEFAULT_SCHEMA);
  if (keys !== earlierKeys && (await exists(keysTableOf(earlierKeys)))) {
    await session.run(`create schema if not exists "${keys}"`);
    await session.run(`alter table ${keysTableOf(earlierKeys)} set schema "${keys}"`);
  }
  await session.run(`create table ${EARLIER}.${JOURNAL} (ordinal integer primary key, hash text not null)`);
  await session.run(
    `insert into ${EARLIER}.${JOURNAL} select n, '${TOMBSTONE}' from generate_series(0, ${TOMBSTONE_ROWS - 1}) n`,
  );
  await session.run(`alter table ${EARLIER}.${JOURNAL} enable row level security`);
  await session.run(
    `comment on table ${EARLIER}.${JOURNAL} is 'Perch keeps its tables in the schema ${schema}. This keeps versions from before that from beginning anew here.'`,
  );
}

/**
 * Shuts other roles out of both schemas and switches row-level security on, where either is not so yet. Looks first:
 * in most starts nothing is written.
 * @throws PerchError when a role that must not get in still does
 */
export async function shutOthersOut(session: PostgresSession, schema: string): Promise<void> {
  const schemas = [schema, keysSchemaOf(schema)];
  const names = schemas.map((name) => `'${name}'`).join(", ");
  await inOneTransaction(session, async () => {
    const open = await session.rows(
      `select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname in (${names}) and c.relkind in ('r', 'p') and not c.relrowsecurity`,
    );
    for (const { schema: at, name } of open)
      await session.run(`alter table "${String(at)}"."${String(name)}" enable row level security`);
    const roles = (
      await session.rows(
        `select rolname as name from pg_roles where rolname in (${SHUT_OUT.map((role) => `'${role}'`).join(", ")})
         and rolname <> current_user`,
      )
    ).map(({ name }) => String(name));
    if (!(await isGranted(session, names))) return;
    for (const at of schemas) await revokeAll(session, at, ["public", ...roles.map((role) => `"${role}"`)]);
    await demandShut(session, schemas, roles);
  });
}

/** Whether anything in the schemas is granted, or will be, to everybody or one of those roles. */
async function isGranted(session: PostgresSession, names: string): Promise<boolean> {
  const acls = `
    select n.nspacl as acl from pg_namespace n where n.nspname in (${names})
    union all select c.relacl from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname in (${names})
    union all select coalesce(p.proacl, acldefault('f', p.proowner)) from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname in (${names})
    union all select d.defaclacl from pg_default_acl d join pg_namespace n on n.oid = d.defaclnamespace where n.nspname in (${names})`;
  const grantees = SHUT_OUT.map((role) => `'${role}'`).join(", ");
  const found = await session.rows(
    `select 1 as one from (${acls}) a cross join lateral aclexplode(a.acl) e
     left join pg_roles r on r.oid = e.grantee where e.grantee = 0 or r.rolname in (${grantees}) limit 1`,
  );
  return found.length > 0;
}

async function revokeAll(session: PostgresSession, schema: string, from: readonly string[]): Promise<void> {
  const roles = from.join(", ");
  await session.run(`revoke all on schema "${schema}" from ${roles}`);
  for (const kind of ["tables", "sequences", "functions"]) {
    await session.run(`revoke all on all ${kind} in schema "${schema}" from ${roles}`);
    await session.run(`alter default privileges in schema "${schema}" revoke all on ${kind} from ${roles}`);
  }
}

/** Somebody else's grants cannot be taken back: PostgreSQL only warns. */
async function demandShut(
  session: PostgresSession,
  schemas: readonly string[],
  roles: readonly string[],
): Promise<void> {
  for (const schema of schemas) {
    for (const role of roles) {
      const [row] = await session.rows(`select has_schema_privilege('${role}', '${schema}', 'usage') as may`);
      if (row?.["may"] !== true) continue;
      throw new PerchError(
        "unavailable",
        `The role ${role} may use the schema ${schema}, so that others could reach its tables, and the user in DATABASE_URL cannot take that back. As who granted it: revoke all on schema ${schema} from ${role}.`,
      );
    }
  }
}
