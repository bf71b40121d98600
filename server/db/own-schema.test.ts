import { rmSync } from "node:fs";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { migratePostgres, type PostgresSession } from "./migrate.ts";
import { preparePostgres } from "./postgres.ts";
import { earlierMigrations } from "./testing/earlier.ts";
import { MIGRATIONS, preparedPglite, sessionOf } from "./testing.ts";

const FOLDER = join(MIGRATIONS, "postgres");
/** As Supabase makes them, with what it grants them in `public` (supabase/postgres, migrations/db/init-scripts). */
const SUPABASE_ROLES = `create role anon nologin noinherit; create role authenticated nologin noinherit;
  create role authenticator login noinherit; grant anon, authenticated to authenticator;
  create role service_role nologin noinherit bypassrls;
  alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
  alter default privileges in schema public grant all on functions to anon, authenticated, service_role;`;

/** What happens when a role tries each of these. */
async function attemptsOf(client: PGlite, role: string, statements: readonly string[]) {
  const outcomes: string[] = [];
  for (const statement of statements) {
    await client.exec(`set role ${role}`);
    outcomes.push(
      await client.query(statement).then(
        ({ rows }) => `${statement}: ${rows.length} rows`,
        (error: Error & { code?: string }) => error.code ?? error.message,
      ),
    );
    await client.exec("reset role");
  }
  return outcomes;
}

const tablesIn = async (session: PostgresSession, schema: string) =>
  (await session.rows(`select tablename as name from pg_tables where schemaname = '${schema}' order by 1`)).map(
    ({ name }) => name,
  );

describe("the schema of Perch", () => {
  let client: PGlite;
  let session: PostgresSession;
  beforeAll(async () => {
    client = await preparedPglite();
    session = sessionOf(client);
  });
  afterAll(() => client.close());

  it("holds everything, and public nothing", async () => {
    expect(await tablesIn(session, "public")).toEqual([]);
    expect(await tablesIn(session, "perch_keys")).toEqual(["subject_keys"]);
    expect(await tablesIn(session, "perch")).toEqual(
      expect.arrayContaining(["users", "phones", "audit_log", "perch_migrations"]),
    );
    const elsewhere = await session.rows(
      `select p.proname as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
       where n.nspname not in ('perch', 'pg_catalog', 'information_schema') union all
       select t.typname from pg_type t join pg_namespace n on n.oid = t.typnamespace
       where n.nspname not in ('perch', 'perch_keys', 'pg_catalog', 'information_schema') and n.nspname not like 'pg_toast%'`,
    );
    expect(elsewhere).toEqual([]);
  });

  it("lets no role of Supabase in, whatever it was granted before", async () => {
    await client.exec(`${SUPABASE_ROLES}
      insert into perch.teams (id, name, created_at) values ('tem_1', 'A', now());
      grant usage on schema perch, perch_keys to public, anon, service_role;
      grant all on all tables in schema perch to anon, authenticated, service_role;
      alter default privileges in schema perch grant all on tables to anon;`);
    expect(await attemptsOf(client, "service_role", ["select * from perch.teams"])).toEqual([
      "select * from perch.teams: 1 rows",
    ]);
    // The second wall: a role that may read the table sees nothing in it, and writes nothing.
    expect(
      await attemptsOf(client, "anon", ["select * from perch.teams", "update perch.teams set name = 'B' returning 1"]),
    ).toEqual(["select * from perch.teams: 0 rows", "update perch.teams set name = 'B' returning 1: 0 rows"]);
    expect(await attemptsOf(client, "anon", ["insert into perch.teams values ('tem_2', 'B', now())"])).toEqual([
      "42501",
    ]);

    await preparePostgres(session, FOLDER, "perch");
    const tables = [
      ...(await tablesIn(session, "perch")).map((name) => `perch."${String(name)}"`),
      "perch_keys.subject_keys",
    ];
    for (const role of ["anon", "authenticated", "authenticator", "service_role"]) {
      const refused = await attemptsOf(client, role, [
        ...tables.map((name) => `select * from ${name}`),
        "select perch.perch_fence_holds('x')",
        "create table perch.mine (a int)",
      ]);
      expect(new Set(refused), role).toEqual(new Set(["42501"]));
    }
    const kept = await session.rows(
      `select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) e
       where n.nspname in ('perch', 'perch_keys') and e.grantee <> c.relowner`,
    );
    expect(kept).toEqual([]);
    await client.exec("create table perch.later (a int)");
    const [later] = await session.rows("select relacl::text as acl from pg_class where relname = 'later'");
    expect(String(later?.["acl"])).not.toMatch(/anon/);
    await client.exec("drop table perch.later");
    // The owner is not held up, and a second time nothing is written.
    expect((await client.query("select * from perch.teams")).rows).toHaveLength(1);
    const acls = async () =>
      await session.rows("select oid, xmin::text, relacl::text from pg_class where relacl is not null");
    const before = await acls();
    await preparePostgres(session, FOLDER, "perch");
    expect(await acls()).toEqual(before);
  });

  it("has row-level security on every table, of a later migration too", async () => {
    await client.exec("create table perch_keys.more (a int)");
    await preparePostgres(session, FOLDER, "perch");
    const open = await session.rows(
      `select relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname in ('perch', 'perch_keys') and relkind = 'r' and not relrowsecurity`,
    );
    expect(open).toEqual([]);
    await client.exec("drop table perch_keys.more");
  });

  it("does not start while a role keeps a way in that this user cannot take back", async () => {
    await client.exec(`create role perch_user; create schema theirs; create schema theirs_keys;
      grant all on schema theirs, theirs_keys to perch_user; grant usage on schema theirs to anon; set role perch_user`);
    await expect(preparePostgres(session, FOLDER, "theirs")).rejects.toThrow("The role anon may use the schema theirs");
    await client.exec("reset role");
  });

  it("says what to do when it may not make its schema", async () => {
    await client.exec("create role weak; set role weak");
    await expect(preparePostgres(session, FOLDER, "own")).rejects.toThrow("create schema own authorization <user>");
    await client.exec("reset role");
  });
});

describe("an installation in public", () => {
  let client: PGlite;
  let session: PostgresSession;
  let earlier: string;
  beforeAll(async () => {
    client = new PGlite();
    session = sessionOf(client);
    // As the version before had it: eight migrations, in public, beside tables of somebody else.
    earlier = earlierMigrations("postgres", 8);
    await client.exec(SUPABASE_ROLES);
    await migratePostgres(session, earlier);
    await client.exec(`insert into teams (id, name, created_at) values ('tem_1', 'Kept', now());
      create table shop (a int); insert into shop values (7);
      create schema perch_keys; create table perch_keys.subject_keys (subject text primary key, sealed text not null);
      insert into perch_keys.subject_keys values ('usr_1', 'k');
      create function perch_fence_refuse() returns trigger language plpgsql as $$ begin return null; end $$;
      create trigger perch_fence_teams_insert before insert on teams for each row execute function perch_fence_refuse();`);
  });
  afterAll(async () => {
    await client.close();
    rmSync(earlier, { recursive: true, force: true });
  });

  it("moves as a whole, and what is somebody else's stays", async () => {
    await preparePostgres(session, FOLDER, "perch");
    expect(await tablesIn(session, "public")).toEqual(["perch_migrations", "shop"]);
    expect((await client.query("select name from perch.teams")).rows).toEqual([{ name: "Kept" }]);
    expect((await client.query("select sealed from perch_keys.subject_keys")).rows).toEqual([{ sealed: "k" }]);
    const journal = await session.rows("select count(*)::int as n from perch.perch_migrations");
    expect(Number(journal[0]?.["n"])).toBeGreaterThan(8);
    const functions = await session.rows(
      "select n.nspname as at from pg_proc p join pg_namespace n on n.oid = p.pronamespace where proname like 'perch_fence%'",
    );
    expect(functions).toEqual([{ at: "perch" }, { at: "perch" }]);
    // What was granted there came along, and is taken back.
    expect(await attemptsOf(client, "anon", ["select * from perch.teams"])).toEqual(["42501"]);
  });

  it("is not begun anew by the version before", async () => {
    await client.exec("set search_path to public");
    await expect(migratePostgres(session, earlier)).rejects.toThrow("was written by a newer version of Perch");
    await preparePostgres(session, FOLDER, "perch");
    expect(await tablesIn(session, "public")).toEqual(["perch_migrations", "shop"]);
  });
});
