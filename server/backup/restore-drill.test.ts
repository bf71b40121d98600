/**
 * The drill: a server backs itself up, somebody is erased and others go on, the backup is put back. SQLite and PGlite
 * always; with a real PostgreSQL the whole server runs on it.
 */
import { randomBytes } from "node:crypto";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { eq } from "drizzle-orm";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { DeletionView } from "../../shared/privacy.ts";
import { runAdmin } from "../admin/commands.ts";
import { createArtifactStore } from "../automations/run-artifacts.ts";
import { ManualClock } from "../clock.ts";
import { type Config, parseConfig } from "../config.ts";
import { openMasterKey } from "../db/master-key.repo.ts";
import { connectSqlite } from "../db/move/ends.ts";
import { type MovedCount, tallyTable } from "../db/move/move.ts";
import { movedTables } from "../db/move/moved-tables.ts";
import { postgresSnapshot } from "../db/move/rows.postgres.ts";
import { sqliteReader } from "../db/move/rows.sqlite.ts";
import { DEFAULT_SCHEMA } from "../db/own-schema.postgres.ts";
import { countDatabase } from "../db/sqlite-copy.ts";
import { keysSchemaOf } from "../db/subject-keys.postgres.ts";
import { preparedPglite } from "../db/testing.ts";
import { dataFolder } from "../db/testing-run.ts";
import { openBlobs } from "../files/compose.ts";
import { deriveKey, readFileKey } from "../keys.ts";
import { FakeDriver } from "../phones/testing/fake-driver.ts";
import { dataMap } from "../privacy/map/data-map.ts";
import { type PostgresPlace, postgresPlace } from "../privacy/testing/gate-stores.ts";
import { plant } from "../privacy/testing/plant.repo.ts";
import { call, signIn, startTestServer, type TestPerson, type TestServer } from "../testing.ts";
import { BACKUP_JOB } from "./backups.service.ts";
import { inOne } from "./database-copy.ts";
import { restoreBackup } from "./restore.ts";
import { readVerified, verifyBackup } from "./verify.ts";

const HOUR = 3_600_000;
const BASE = process.env["TEST_DATABASE_URL"];
const ENGINES = [{ name: "SQLite" }, ...(BASE === undefined ? [] : [{ name: "PostgreSQL", base: BASE }])];

describe.each(ENGINES)("the restore drill on $name", ({ base }: { name: string; base?: string }) => {
  let kept: { folder: string; driver: FakeDriver; clock: ManualClock };
  let env: Record<string, string>;
  let place: PostgresPlace | undefined;
  let server: TestServer;
  beforeEach(async () => {
    kept = { folder: dataFolder("perch-drill-"), driver: new FakeDriver(), clock: new ManualClock() };
    place = base === undefined ? undefined : await postgresPlace(base, `perch_drill_${randomBytes(6).toString("hex")}`);
    env = { BACKUP_HOURS: "24", ...(place && { DATABASE_URL: place.url }) };
    server = await startTestServer(env, kept);
  });
  afterEach(async () => {
    await server.close();
    await place?.drop();
    rmSync(kept.folder, { recursive: true, force: true });
  });
  const config = () => parseConfig({ PORT: "0", DATA_DIR: join(kept.folder, "data"), BILLING: "off", ...env });
  const people = async () => {
    const { users } = server.db.t;
    return (await server.db.read.select({ id: users.id }).from(users)).map(({ id }) => id).sort();
  };
  async function erase(person: TestPerson): Promise<void> {
    const confirmation = `${person.userId.toLowerCase()}@x.example`;
    const input = { idempotencyKey: "delete-account", confirmation, now: true };
    const answer = await call(server, "mutation", "privacy.delete", input, person.token);
    if (!answer.ok) throw new Error(answer.error.message);
    const { erasures } = server.db.t;
    const { id } = answer.data as DeletionView;
    await vi.waitFor(
      async () => {
        const [row] = await server.db.read.select().from(erasures).where(eq(erasures.id, id));
        expect(row?.state).toBe("done");
      },
      { timeout: 15_000, interval: 20 },
    );
  }

  /** Signs in on the server's page as a browser does. */
  const signsIn = async (email: string, password: string) => {
    const answer = await fetch(`${server.url}/sign-in`, {
      method: "POST",
      headers: { origin: server.url, "sec-fetch-site": "same-origin" },
      body: new URLSearchParams({ email, password }),
      redirect: "manual",
    });
    return answer.status === 303 && answer.headers.getSetCookie().length > 0;
  };

  it("brings a living server to an empty machine: every row and file of the backup, nobody who was erased since, and people sign in", async () => {
    const [anna, ben] = [await signIn(server), await signIn(server)];
    const cara = { email: "cara@x.example", password: "four harbour lanterns glow" };
    await server.accounts.accounts.create({ ...cara, fullName: "Cara" }, "operator");
    const at = new Date(kept.clock.now());
    const email = `${ben.userId.toLowerCase()}@x.example`;
    await plant(server.db, dataMap(server.db.t), { ...ben, email }, { at, without: ["auditLog", "auditHeads"] });
    const [run] = await server.db.read.select().from(server.db.t.runs).where(eq(server.db.t.runs.teamId, ben.teamId));
    if (run === undefined) throw new Error("There is no run.");
    const artifacts = async (of: Config) => {
      const master = await openMasterKey(
        server.db,
        readFileKey({ keyFile: of.keyFile, databaseExists: true }),
        undefined,
      );
      const { runs } = openBlobs({ config: of, clock: kept.clock });
      return createArtifactStore({ shelf: runs, key: deriveKey(master, "run artifacts") });
    };
    const picture = randomBytes(200_000);
    const file = await (await artifacts(config())).write(run, picture);

    // By its schedule, while people go on.
    kept.clock.advance(HOUR / 4);
    const calls = Array.from({ length: 10 }, (_, n) =>
      call(
        server,
        "mutation",
        "flows.save",
        { name: `meanwhile ${n}`, source: "appId: web\n---\n- back\n" },
        ben.token,
      ),
    );
    await server.backups.jobs[BACKUP_JOB]?.(undefined, undefined as never);
    await Promise.all(calls);
    const { latest } = await server.backups.status();
    const from = join(config().backupDir, latest[0]?.name ?? "");
    expect(await readVerified(from)).toMatchObject({ rows: latest[0]?.rows });
    const proven = await server.db.tx((tx) =>
      server.accounts.sessions.create(tx, {
        ...{ userId: anna.userId, kind: "extension", method: "password" },
        authenticatedAt: new Date(kept.clock.now()),
        about: { requestId: "", ip: "127.0.0.1", userAgent: "test" },
      }),
    );
    await erase({ ...anna, token: proven.token });
    await server.close();

    // Elsewhere there are the key and the folder of backups, and nothing else.
    const elsewhere = dataFolder("perch-drill-elsewhere-");
    const fresh =
      base === undefined ? undefined : await postgresPlace(base, `perch_drill_${randomBytes(6).toString("hex")}`);
    const before = { kept, env };
    try {
      for (const name of ["data.key", "data.backups"]) {
        cpSync(join(kept.folder, name), join(elsewhere, name), { recursive: true });
      }
      kept = { folder: elsewhere, driver: kept.driver, clock: kept.clock };
      env = { ...env, ...(fresh && { DATABASE_URL: fresh.url, NODE_NAME: "another-machine" }) };
      const moved = join(config().backupDir, basename(from));
      const said: string[] = [];
      const admin = {
        config,
        clock: kept.clock,
        readStdin: async () => "",
        out: (line: string) => said.push(line),
        error: (line: string) => said.push(line),
      };
      expect(
        await runAdmin(["restore", "--from", moved, "--reason", "the machine is gone"], admin),
        said.join("\n"),
      ).toBe(0);
      const back = await tallies(config(), fresh);
      const list = JSON.parse(readFileSync(join(moved, "backup.json"), "utf8")) as { tables: MovedCount[] };
      // Written by the command itself.
      const own = ["audit_log", "audit_heads", "server_keys"];
      expect(back.filter(({ table }) => !own.includes(table))).toEqual(
        list.tables.filter(({ table }) => !own.includes(table)),
      );

      server = await startTestServer(env, kept);
      expect(server.lines.join("")).toContain("A backup brought back people who were erased");
      expect(await people()).toEqual(expect.arrayContaining([ben.userId]));
      expect(await people()).not.toContain(anna.userId);
      expect(await call(server, "query", "account.me", undefined, anna.token)).toMatchObject({ ok: false });
      const me = await call(server, "query", "account.me", undefined, ben.token);
      expect(me).toMatchObject({ ok: true, data: { user: { id: ben.userId } } });
      expect(await signsIn(cara.email, "not the password at all")).toBe(false);
      expect(await signsIn(cara.email, cara.password)).toBe(true);
      expect((await (await artifacts(config())).read(run, file)).equals(picture)).toBe(true);
      await server.close();
    } finally {
      ({ kept, env } = before);
      await server.close();
      await fresh?.drop();
      rmSync(elsewhere, { recursive: true, force: true });
    }
  });

  it("is put back as it was at the backup, without whoever was erased since", async () => {
    const [anna, ben] = [await signIn(server), await signIn(server)];
    const { folder, rows } = await server.backups.make();
    expect(rows).toBeGreaterThan(4);
    expect(await readVerified(folder)).toMatchObject({ rows });
    expect(readdirSync(join(kept.folder, "data.backups")).sort()).toEqual(["keys.db", folder.split("/").at(-1)]);
    expect(readdirSync(folder).sort()).toEqual(["backup.json", "perch.db", "perch.db.keyid", "verified.json"]);
    await erase(anna);
    const cara = await signIn(server);
    expect(await people()).toEqual([ben.userId, cara.userId].sort());
    await expect(restoreBackup(config(), kept.clock, folder)).rejects.toMatchObject({ code: "conflict" });
    expect(await people()).toContain(cara.userId);
    await server.close();

    await restoreBackup(config(), kept.clock, folder);
    server = await startTestServer(env, kept);
    expect(server.lines.join("")).toContain("A backup brought back people who were erased");
    expect(await people()).toEqual([ben.userId]);
    const me = await call(server, "query", "account.me", undefined, ben.token);
    expect(me).toMatchObject({ ok: true, data: { user: { email: `${ben.userId.toLowerCase()}@x.example` } } });
    expect(await call(server, "query", "account.me", undefined, anna.token)).toMatchObject({ ok: false });
  });

  it("makes one by itself every day, says so, and warns when there is none any more", async () => {
    await signIn(server);
    const finding = async () => (await server.backups.finding())[0];
    const made = async () => (await server.backups.status()).latest.length;
    const tick = server.backups.jobs[BACKUP_JOB];
    const look = () => tick?.(undefined, undefined as never);
    await look();
    expect(await made()).toBe(0);
    kept.clock.advance(HOUR / 4);
    await look();
    expect(await made()).toBe(1);
    await look();
    kept.clock.advance(23 * HOUR);
    await look();
    expect(await made()).toBe(1);
    kept.clock.advance(HOUR);
    await look();
    expect(await made()).toBe(2);
    expect(await finding()).toBe("ok");
    const { backupDir } = config();
    rmSync(backupDir, { recursive: true });
    writeFileSync(backupDir, "in the way");
    kept.clock.advance(25 * HOUR);
    await expect(look()).rejects.toThrow();
    expect(await finding()).toBe("ok");
    kept.clock.advance(24 * HOUR);
    expect(await server.backups.finding()).toEqual(["warn", expect.stringContaining("could not be written")]);
    expect((await server.backups.status()).lastGood?.failure).toBeNull();
  });

  it("does not count a backup that does not come back", async () => {
    await signIn(server);
    const { folder } = await server.backups.make();
    const file = join(folder, "perch.db");
    const whole = readFileSync(file);
    writeFileSync(file, Buffer.concat([whole.subarray(0, -1), Buffer.from([1])]));
    await expect(verifyBackup(config(), kept.clock, folder)).rejects.toThrow("damaged");
    writeFileSync(file, whole);
    rmSync(join(folder, "..", "keys.db"));
    await expect(verifyBackup(config(), kept.clock, folder)).rejects.toThrow("keys of people");
  });
});

/** Every table there is, counted as the list of a backup counts it. */
async function tallies(config: Config, place: PostgresPlace | undefined): Promise<readonly MovedCount[]> {
  if (place === undefined) {
    const key = deriveKey(readFileKey({ keyFile: config.keyFile, databaseExists: true }), "database");
    return countDatabase(join(config.DATA_DIR, "perch.db"), key);
  }
  const client = new pg.Client({ connectionString: place.url });
  await client.connect();
  const schema = { schema: DEFAULT_SCHEMA, keysSchema: keysSchemaOf(DEFAULT_SCHEMA) };
  try {
    const snapshot = await postgresSnapshot({ client, ...schema, close: async () => {} });
    const counts: MovedCount[] = [];
    for (const table of movedTables()) {
      const { rows, checksum } = await tallyTable(snapshot, table);
      counts.push({ table: table.name, rows, checksum });
    }
    return counts;
  } finally {
    await client.end();
  }
}

describe("rows of a backup", () => {
  it("take the place of what PGlite holds, all or nothing, and keys in place stay", async () => {
    const kept = {
      folder: dataFolder("perch-drill-"),
      driver: new FakeDriver(),
      clock: new ManualClock(),
    };
    const server = await startTestServer({}, kept);
    const client = await preparedPglite();
    try {
      await signIn(server);
      const { folder } = await server.backups.make();
      const config = parseConfig({ PORT: "0", DATA_DIR: join(kept.folder, "data") });
      const key = deriveKey(readFileKey({ keyFile: config.keyFile, databaseExists: true }), "database");
      const end = {
        ...{ client, close: async () => {} },
        ...{ schema: DEFAULT_SCHEMA, keysSchema: keysSchemaOf(DEFAULT_SCHEMA) },
      };
      await client.query("insert into perch_keys.subject_keys values ('somebody', 'sealed')");
      await client.query("insert into perch.topics (topic, seq) values ('later', 1)");
      const db = connectSqlite(join(folder, "perch.db"), key);
      const source = { ...sqliteReader(db, db), keys: async () => [] };
      const broken = { ...source, page: async () => Promise.reject(new Error("the disk went")) };
      await expect(inOne(end, broken)).rejects.toThrow("the disk went");
      expect((await client.query("select topic from perch.topics")).rows).toEqual([{ topic: "later" }]);
      await inOne(end, source);
      db.close();
      expect((await client.query("select topic from perch.topics where topic = 'later'")).rows).toEqual([]);
      expect((await client.query("select subject from perch_keys.subject_keys")).rows).toEqual([
        { subject: "somebody" },
      ]);
      expect((await client.query("select 1 from perch.server_keys where name = 'move'")).rows).toEqual([]);
      // And what was put in is read back the same, as the next backup reads it.
      const counts = await countDatabase(join(folder, "perch.db"), key);
      const snapshot = await postgresSnapshot(end);
      for (const table of movedTables()) {
        const { rows, checksum } = await tallyTable(snapshot, table);
        expect({ table: table.name, rows, checksum }).toEqual(counts.find((one) => one.table === table.name));
      }
    } finally {
      await client.close();
      await server.close();
      rmSync(kept.folder, { recursive: true, force: true });
    }
  });
});
