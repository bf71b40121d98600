import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newId } from "../shared/ids.ts";
import { addUser } from "./accounts/testing/people.ts";
import { createAudit } from "./audit/audit.repo.ts";
import { ManualClock } from "./clock.ts";
import { type Config, parseConfig } from "./config.ts";
import { openMasterKey } from "./db/master-key.repo.ts";
import { rekeySqlite } from "./db/sqlite-rekey.ts";
import { keysFileKey, keysFileOf } from "./db/subject-keys.sqlite.ts";
import { TEST_ENGINES, type TestDatabase } from "./db/testing.ts";
import { dataFolder } from "./db/testing-run.ts";
import { deriveKey, readFileKey, readPreviousFileKey, replaceFileKey } from "./keys.ts";
import { type OpenedDatabase, openDatabase, recordKeyChange, replaceKey } from "./open-database.ts";

describe("a new key file", () => {
  let folder: string;
  let config: Config;
  let filled: string;
  let old: Buffer;
  let master: Buffer;
  const opened: OpenedDatabase[] = [];
  const at = (place: string) => parseConfig({ DATA_DIR: join(place, "data"), KEY_FILE: join(place, "key") });
  beforeAll(async () => {
    filled = dataFolder("perch-filled-");
    config = at(filled);
    const first = await openDatabase(config);
    const { db } = first;
    await db.tx(async (tx) => {
      for (let n = 0; n < 30; n += 1) {
        await tx.insert(db.t.teams).values({ id: newId("team"), name: `${n}`.repeat(1500), createdAt: new Date(0) });
      }
      await addUser(db, tx, { id: newId("user"), email: "anna@x.example", createdAt: new Date(0) });
    });
    await db.close();
    old = fileKey();
    master = first.master;
  });
  afterAll(() => rmSync(filled, { recursive: true, force: true }));
  beforeEach(() => {
    folder = dataFolder("perch-rotate-");
    cpSync(filled, folder, { recursive: true });
    config = at(folder);
  });
  afterEach(async () => {
    await close();
    rmSync(folder, { recursive: true, force: true });
  });
  const open = async () => {
    const one = await openDatabase(config);
    opened.push(one);
    return one;
  };
  const close = () => Promise.all(opened.splice(0).map(({ db }) => db.close()));
  const file = () => join(config.DATA_DIR, "perch.db");
  const fileKey = () => readFileKey({ keyFile: config.keyFile, databaseExists: true });
  const databaseKey = (key: Buffer) => deriveKey(key, "database");
  const opens = (path: string, key: Buffer, table: string) => {
    const db = new Sqlite(path, { readonly: true });
    try {
      db.pragma(`key = "x'${key.toString("hex")}'"`);
      return db.prepare(`select count(*) from ${table}`).get() !== undefined;
    } catch {
      return false;
    } finally {
      db.close();
    }
  };
  const opensWith = (key: Buffer) => opens(file(), databaseKey(key), "teams");
  const keysOpenWith = (key: Buffer) => opens(keysFileOf(file()), keysFileKey(databaseKey(key)), "subject_keys");
  /** What must be true whenever a server starts: the data is there and opens what was sealed. */
  const expectWhole = async () => {
    const now = await open();
    expect(now.master.equals(master)).toBe(true);
    expect(await now.db.read.select().from(now.db.t.teams)).toHaveLength(30);
    expect(await now.db.read.select().from(now.db.t.users)).toMatchObject([{ email: "anna@x.example" }]);
    now.keyChanged?.();
    await close();
    expect(readdirSync(folder).sort()).toEqual(["data", "key"]);
    expect(readdirSync(config.DATA_DIR).sort()).toEqual(["keys.db", "keys.db.keyid", "perch.db", "perch.db.keyid"]);
  };

  it("opens everything, and the old one nothing any more", async () => {
    const before = readFileSync(file());
    await replaceKey(config);
    expect(readPreviousFileKey(config.keyFile)?.equals(old)).toBe(true);
    await expectWhole();
    expect(fileKey().equals(old)).toBe(false);
    expect([opensWith(old), opensWith(fileKey())]).toEqual([false, true]);
    expect([keysOpenWith(old), keysOpenWith(fileKey())]).toEqual([false, true]);
    // Not one page of the old file is left in the new one.
    const after = readFileSync(file());
    for (let page = 0; page + 4096 <= Math.min(before.length, after.length); page += 4096) {
      expect(after.subarray(page, page + 4096).equals(before.subarray(page, page + 4096)), `page ${page}`).toBe(false);
    }
  });

  it.each([
    [
      "the old key was kept",
      (key: Buffer) => writeFileSync(`${config.keyFile}.previous`, `${key.toString("hex")}\n`),
      false,
    ],
    ["the new key was written beside", () => writeFileSync(`${config.keyFile}.new`, "abc"), false],
    ["the key file was replaced", () => replaceFileKey(config.keyFile), true],
    [
      "half of a copy was made",
      () => {
        replaceFileKey(config.keyFile);
        const bytes = readFileSync(file());
        writeFileSync(`${file()}.rekeyed`, bytes.subarray(0, bytes.length / 2));
        writeFileSync(`${file()}.rekeyed-journal`, "left over");
      },
      true,
    ],
    [
      "the database has the new key, the file of people's keys not",
      (key: Buffer) => {
        replaceFileKey(config.keyFile);
        rekeySqlite({ file: file(), from: databaseKey(key), to: databaseKey(fileKey()) });
      },
      true,
    ],
    [
      "the file was replaced, its fingerprint not",
      (key: Buffer) => {
        const fingerprint = readFileSync(`${file()}.keyid`);
        replaceFileKey(config.keyFile);
        rekeySqlite({ file: file(), from: databaseKey(key), to: databaseKey(fileKey()) });
        writeFileSync(`${file()}.keyid`, fingerprint);
      },
      true,
    ],
    [
      "the file was replaced, the master key not sealed anew",
      (key: Buffer) => {
        replaceFileKey(config.keyFile);
        rekeySqlite({ file: file(), from: databaseKey(key), to: databaseKey(fileKey()) });
      },
      true,
    ],
  ])("is finished at the next start when the change was killed after %s", async (_when, step, changed) => {
    step(old);
    const { keyChanged } = await open();
    expect(keyChanged !== undefined).toBe(changed);
    await close();
    // Killed once more, before the old key was forgotten.
    if (changed) expect(existsSync(`${config.keyFile}.previous`)).toBe(true);
    rmSync(`${config.keyFile}.new`, { force: true });
    await expectWhole();
    expect(opensWith(old)).toBe(!changed);
  });

  it("takes along what a killed server left in its log", async () => {
    const raw = new Sqlite(file());
    raw.pragma(`key = "x'${databaseKey(old).toString("hex")}'"`);
    raw.pragma("journal_mode = WAL");
    raw.prepare("update teams set created_at = 7").run();
    const [main, log] = [readFileSync(file()), readFileSync(`${file()}-wal`)];
    raw.close();
    writeFileSync(file(), main);
    writeFileSync(`${file()}-wal`, log);
    replaceFileKey(config.keyFile);
    const { db } = await open();
    expect(new Set((await db.read.select().from(db.t.teams)).map(({ createdAt }) => createdAt.getTime()))).toEqual(
      new Set([7]),
    );
    await close();
    await expectWhole();
  });

  it("is refused while a server has the database open, and changes nothing", async () => {
    const running = await open();
    await expect(replaceKey(config)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("Stop the server"),
    });
    expect(await running.db.read.select().from(running.db.t.teams)).toHaveLength(30);
    await close();
    await expectWhole();
    expect(fileKey().equals(old)).toBe(true);
  });

  it("is recorded with its reason before the old key is forgotten", async () => {
    await replaceKey(config);
    const now = await open();
    const audit = createAudit(now.db, new ManualClock(), deriveKey(now.master, "audit heads"));
    await recordKeyChange(now, audit, "a laptop was stolen");
    expect(await now.db.read.select().from(now.db.t.auditLog)).toMatchObject([
      { chain: "server", actor: "operator", action: "admin.key_rotated", detail: { reason: "a laptop was stolen" } },
    ]);
    expect(existsSync(`${config.keyFile}.previous`)).toBe(false);
    expect((await audit.verify("server")).brokenAt).toBeUndefined();
  });
});

describe.each(TEST_ENGINES)("the master key on $name", (engine) => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await engine.open();
  });
  afterAll(() => test.dispose());
  it("is made once, sealed, opened by its key file alone, and sealed anew for another", async () => {
    const { db } = test;
    const [first, second, stranger] = [1, 2, 3].map((byte) => Buffer.alloc(32, byte)) as [Buffer, Buffer, Buffer];
    const [master, again] = await Promise.all([
      openMasterKey(db, first, undefined),
      openMasterKey(db, first, undefined),
    ]);
    expect(master.equals(again)).toBe(true);
    expect(master.equals(first)).toBe(false);
    const [row] = await db.read.select().from(db.t.serverKeys);
    expect(Buffer.from(row?.sealed ?? "", "base64url").includes(master)).toBe(false);
    await expect(openMasterKey(db, stranger, undefined)).rejects.toThrow("does not fit");
    await expect(openMasterKey(db, second, stranger)).rejects.toThrow("does not fit");
    expect((await openMasterKey(db, second, first)).equals(master)).toBe(true);
    await expect(openMasterKey(db, first, undefined)).rejects.toThrow("does not fit");
    expect((await openMasterKey(db, second, undefined)).equals(master)).toBe(true);
  });

  it("of a database from before is the key its people's data was sealed with", async () => {
    const { db } = test;
    await db.tx((tx) => tx.delete(db.t.serverKeys));
    await db.tx((tx) => addUser(db, tx, { id: newId("user"), email: "a@x.example", createdAt: new Date(0) }));
    const key = Buffer.alloc(32, 7);
    expect((await openMasterKey(db, key, undefined)).equals(key)).toBe(true);
  });
});
