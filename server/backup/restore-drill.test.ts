/**
 * The drill: a server backs itself up, somebody is erased and others go on, the backup is put back. SQLite and PGlite
 * always; with a real PostgreSQL the whole server runs on it.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eq } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { DeletionView } from "../../shared/privacy.ts";
import { ManualClock } from "../clock.ts";
import { parseConfig } from "../config.ts";
import { connectSqlite } from "../db/move/ends.ts";
import { tallyTable } from "../db/move/move.ts";
import { movedTables } from "../db/move/moved-tables.ts";
import { postgresSnapshot } from "../db/move/rows.postgres.ts";
import { sqliteReader } from "../db/move/rows.sqlite.ts";
import { DEFAULT_SCHEMA } from "../db/own-schema.postgres.ts";
import { countDatabase } from "../db/sqlite-copy.ts";
import { keysSchemaOf } from "../db/subject-keys.postgres.ts";
import { preparedPglite } from "../db/testing.ts";
import { deriveKey, readFileKey } from "../keys.ts";
import { FakeDriver } from "../phones/testing/fake-driver.ts";
import { type PostgresPlace, postgresPlace } from "../privacy/testing/gate-stores.ts";
import { call, signIn, startTestServer, type TestPerson, type TestServer } from "../testing.ts";
import { BACKUP_JOB } from "./backups.service.ts";
import { inOne } from "./database-copy.ts";
import { restoreBackup } from "./restore.ts";
import { readVerified, verifyBackup } from "./verify.ts";

const HOUR = 3_600_000;
const BASE = process.env["TEST_DATABASE_URL"];
const ENGINES = [{ name: "SQLite" }, ...(BASE === undefined ? [] : [{ name: "PostgreSQL", base: BASE }])];

describe.each(ENGINES)("a server on $name", ({ base }: { name: string; base?: string }) => {
  let kept: { folder: string; driver: FakeDriver; clock: ManualClock };
  let env: Record<string, string>;
  let place: PostgresPlace | undefined;
  let server: TestServer;
  beforeEach(async () => {
    kept = { folder: mkdtempSync(join(tmpdir(), "perch-drill-")), driver: new FakeDriver(), clock: new ManualClock() };
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

describe("rows of a backup", () => {
  it("take the place of what PGlite holds, all or nothing, and keys in place stay", async () => {
    const kept = {
      folder: mkdtempSync(join(tmpdir(), "perch-drill-")),
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
