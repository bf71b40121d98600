import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { like } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newId, type UserId } from "../../shared/ids.ts";
import { addUser } from "../accounts/testing/people.ts";
import { deriveKey, readFileKey } from "../keys.ts";
import type { LogState } from "./checkpoints.ts";
import type { Database } from "./database.ts";
import { ERASED } from "./sealed-fields.ts";
import { openSqlite } from "./sqlite.ts";
import { keysFileKey } from "./subject-keys.sqlite.ts";
import { MIGRATIONS } from "./testing.ts";

const CANARY = "canary-9f2c-日本-in-a-row";

describe("the embedded database on disk", () => {
  let folder: string;
  let file: string;
  const key = randomBytes(32);
  const opened: Database[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "perch-db-"));
    file = join(folder, "data/perch.db");
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((db) => db.close()));
    rmSync(folder, { recursive: true, force: true });
  });
  const open = async (with_ = key) => {
    const db = await openSqlite({ file, key: with_, migrationsFolder: join(MIGRATIONS, "sqlite") });
    opened.push(db);
    return db;
  };
  const close = () => Promise.all(opened.splice(0).map((db) => db.close()));
  /** A row in a column that is not sealed: what hides it is the encryption of the file. */
  const addRow = (db: Database, topic = CANARY) => db.tx((tx) => tx.insert(db.t.topics).values({ topic, seq: 1 }));
  const everyFile = () =>
    readdirSync(join(folder, "data"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => ({ name: entry.name, bytes: readFileSync(join(entry.parentPath, entry.name)) }));
  /** Leaves a database with many pages behind, closed. */
  const fill = async () => {
    const db = await open();
    for (let n = 0; n < 40; n += 1) await addRow(db, `${n}`.repeat(2000));
    await close();
  };

  it("has the log written back by a thread, and empties it although the thread is at it", async () => {
    const db = await open();
    const raw = new Sqlite(file);
    raw.pragma(`key = "x'${key.toString("hex")}'"`);
    const look = () => raw.prepare<[], LogState>("pragma wal_checkpoint(NOOP)").get();
    expect(await db.settle([])).toBe(true);
    // 2.5 MB: less than what makes the engine do it inside a commit.
    await addRow(db, "x".repeat(2_500_000));
    expect(look()).toMatchObject({ checkpointed: 0 });
    await expect.poll(() => look()?.checkpointed, { interval: 5 }).toBeGreaterThan(600);
    await addRow(db, "y".repeat(2_500_000));
    expect(await db.settle([])).toBe(true);
    expect(statSync(`${file}-wal`).size).toBe(0);
    await addRow(db, "z".repeat(2_500_000));
    raw.close();
    await close();
    expect(existsSync(`${file}-wal`)).toBe(false);
    expect(await (await open()).read.$count(db.t.topics)).toBe(3);
  });

  it("shows neither its format nor a row to who reads its files, the log and a backup included", async () => {
    const db = await open();
    await addRow(db);
    const raw = new Sqlite(file);
    raw.pragma(`key = "x'${key.toString("hex")}'"`);
    raw.exec(`vacuum into '${join(folder, "data/backup.db")}'`);
    raw.close();
    const names = everyFile().map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["perch.db", "perch.db-wal", "backup.db"]));
    for (const { name, bytes } of everyFile()) {
      expect(bytes.includes("SQLite format 3"), name).toBe(false);
      expect(bytes.includes(CANARY), name).toBe(false);
      expect(bytes.includes("create table"), name).toBe(false);
    }
    expect(statSync(file).mode & 0o077).toBe(0);
  });

  it("overwrites what is deleted", async () => {
    const db = await open();
    await addRow(db, "before");
    await addRow(db, CANARY.repeat(20));
    await addRow(db, "after");
    await db.tx((tx) => tx.delete(db.t.topics).where(like(db.t.topics.topic, "canary%")));
    await close();
    const raw = new Sqlite(file);
    raw.pragma(`key = "x'${key.toString("hex")}'"`);
    // The decrypted pages as they are; decrypting the file itself would rewrite it and prove nothing.
    const bytes = raw.serialize();
    raw.close();
    expect(bytes.includes("SQLite format 3")).toBe(true);
    expect(bytes.includes("before")).toBe(true);
    expect(bytes.includes(CANARY)).toBe(false);
  });

  it("gives a reader that cannot write", async () => {
    const db = await open();
    // The reader's type has no `insert`; what is underneath has, and must refuse.
    const sly = db.read as unknown as typeof db.read & {
      insert: Parameters<Parameters<Database["tx"]>[0]>[0]["insert"];
    };
    await expect(async () => {
      await sly.insert(db.t.topics).values({ topic: "x", seq: 1 });
    }).rejects.toThrow(/readonly/);
  });

  it("tells a wrong key from a damaged file, and still opens with the right one", async () => {
    await addRow(await open());
    await close();
    await expect(open(randomBytes(32))).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("key file does not fit"),
    });
    expect(await (await open()).read.select().from((await open()).t.topics)).toHaveLength(1);
  });

  it("never remembers a wrong key", async () => {
    await addRow(await open());
    await close();
    rmSync(`${file}.keyid`);
    await expect(open(randomBytes(32))).rejects.toMatchObject({
      message: expect.stringContaining("its key is another"),
    });
    const db = await open();
    expect(await db.read.select().from(db.t.topics)).toHaveLength(1);
  });

  it.each([
    ["the first page", 0],
    ["the schema", 2048],
  ])("says that a file is damaged in %s", async (_where, from) => {
    await fill();
    const bytes = readFileSync(file);
    randomBytes(200).copy(bytes, from);
    writeFileSync(file, bytes);
    const before = readFileSync(file);
    await expect(open()).rejects.toMatchObject({ code: "unavailable", message: expect.stringContaining("damaged") });
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it("says that a file of other bytes is damaged", async () => {
    mkdirSync(join(folder, "data"));
    writeFileSync(file, "this is a text file, not a database\n".repeat(200));
    await expect(open()).rejects.toMatchObject({ code: "unavailable", message: expect.stringContaining("damaged") });
  });

  it("does not open with a key that is not 32 bytes: an empty one would leave the file in plain text, without a word", async () => {
    for (const bytes of [0, 16, 31, 33]) {
      await expect(open(Buffer.alloc(bytes))).rejects.toThrow("32 bytes");
      expect(existsSync(file)).toBe(false);
    }
    // The trap itself, for as long as the engine has it.
    mkdirSync(join(folder, "data"), { recursive: true });
    const trap = new Sqlite(file);
    trap.pragma("key = ''");
    trap.exec("create table t (x)");
    trap.close();
    expect(readFileSync(file).subarray(0, 15).toString()).toBe("SQLite format 3");
    await expect(open()).rejects.toMatchObject({ message: expect.stringContaining("not encrypted") });
  });

  it("does not start without the keys of people once fields are sealed, and goes on when they are back", async () => {
    const keys = join(folder, "data/keys.db");
    const master = Buffer.alloc(32, 7);
    const db = await open();
    db.keys.unlock(master);
    const id = newId("user");
    await db.tx((tx) => addUser(db, tx, { id, email: "anna@x.example", createdAt: new Date(0) }));
    await close();
    for (const { name, bytes } of everyFile()) expect(bytes.includes("SQLite format 3"), name).toBe(false);
    const saved = readFileSync(keys);
    rmSync(keys);
    await expect(open()).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("keys of people"),
    });
    expect(existsSync(keys)).toBe(false);
    writeFileSync(keys, saved);
    const again = await open();
    again.keys.unlock(master);
    expect((await again.read.select().from(again.t.users))[0]?.email).toBe("anna@x.example");
  });

  it("opens a database of before a key was destroyed: what that key sealed stays unreadable", async () => {
    const master = Buffer.alloc(32, 7);
    const [anna, bert] = [newId("user"), newId("user")];
    const unlocked = async () => {
      const db = await open();
      db.keys.unlock(master);
      return db;
    };
    const first = await unlocked();
    await first.tx(async (tx) => {
      await addUser(first, tx, { id: anna, email: "anna@x.example", createdAt: new Date(0) });
      await addUser(first, tx, { id: bert, email: "bert@x.example", createdAt: new Date(1) });
    });
    await close();
    const backup = [readFileSync(file), readFileSync(join(folder, "data/keys.db"))] as const;
    const emails = async (db: Database) =>
      (await db.read.select().from(db.t.users).orderBy(db.t.users.createdAt)).map(({ email }) => email);

    const [here, there] = [await unlocked(), await unlocked()];
    expect(await emails(there)).toEqual(["anna@x.example", "bert@x.example"]);
    await here.keys.destroy(anna);
    // Another process beside this one forgets it as well.
    expect(await emails(there)).toEqual([ERASED, "bert@x.example"]);
    await close();
    writeFileSync(file, backup[0]);
    expect(await emails(await unlocked())).toEqual([ERASED, "bert@x.example"]);
    await close();
    // With the old keys beside it the old database would be readable: they have to be kept apart, and not for long.
    writeFileSync(join(folder, "data/keys.db"), backup[1]);
    expect(await emails(await unlocked())).toEqual(["anna@x.example", "bert@x.example"]);
  });

  it("leaves no byte of a destroyed key in the file of keys", async () => {
    const master = Buffer.alloc(32, 7);
    const db = await open();
    db.keys.unlock(master);
    const ids = Array.from({ length: 30 }, () => newId("user"));
    await db.tx(async (tx) => {
      for (const id of ids) await db.keys.create(tx, id);
    });
    const clear = () => {
      const raw = new Sqlite(join(folder, "data/keys.db"));
      raw.pragma(`key = "x'${keysFileKey(key).toString("hex")}'"`);
      const rows = raw.prepare("select subject, sealed from subject_keys").all() as {
        subject: string;
        sealed: string;
      }[];
      const pages = raw.serialize();
      raw.close();
      return { rows, pages };
    };
    const before = clear();
    const gone = before.rows.filter((_, n) => n % 2 === 0);
    for (const { sealed } of before.rows) expect(before.pages.includes(sealed)).toBe(true);
    for (const { subject } of gone) await db.keys.destroy(subject as UserId);
    expect(statSync(join(folder, "data/keys.db-wal")).size).toBe(0);
    const after = clear();
    expect(after.rows).toHaveLength(15);
    for (const { sealed, subject } of gone) {
      expect(after.pages.includes(sealed)).toBe(false);
      expect(after.pages.includes(subject)).toBe(false);
    }
  });

  it("refuses a database that is not encrypted and leaves it as it was", async () => {
    mkdirSync(join(folder, "data"));
    const plain = new Sqlite(file);
    plain.exec("create table t (x)");
    plain.close();
    const before = readFileSync(file);
    await expect(open()).rejects.toMatchObject({ message: expect.stringContaining("not encrypted") });
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(existsSync(`${file}.keyid`)).toBe(false);
  });
});

describe("the key file", () => {
  let folder: string;
  let keyFile: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "perch-key-"));
    keyFile = join(folder, "keys/perch.key");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("is made once, readable by nobody else, and read again", () => {
    const key = readFileKey({ keyFile, databaseExists: false });
    expect(key).toHaveLength(32);
    expect(readFileKey({ keyFile, databaseExists: true })).toEqual(key);
    expect(statSync(keyFile).mode & 0o077).toBe(0);
  });

  it("is not made anew for a database that needs the old one", () => {
    expect(() => readFileKey({ keyFile, databaseExists: true })).toThrow(/is missing/);
    expect(existsSync(keyFile)).toBe(false);
  });

  it.each(["", "short", "z".repeat(64), `${"a".repeat(64)} more`])("refuses a file that holds %j", (text) => {
    readFileKey({ keyFile, databaseExists: false });
    writeFileSync(keyFile, text);
    expect(() => readFileKey({ keyFile, databaseExists: true })).toThrow(/64 hexadecimal digits/);
    expect(readFileSync(keyFile, "utf8")).toBe(text);
  });

  it("gives each purpose its own key", () => {
    const master = readFileKey({ keyFile, databaseExists: false });
    const keys = (["rate limits", "mail", "database"] as const).map((purpose) =>
      deriveKey(master, purpose).toString("hex"),
    );
    expect(new Set([...keys, master.toString("hex")]).size).toBe(4);
    expect(deriveKey(master, "mail").toString("hex")).toBe(keys[1]);
  });
});
