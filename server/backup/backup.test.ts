import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newId } from "../../shared/ids.ts";
import { addUser } from "../accounts/testing/people.ts";
import { runAdmin } from "../admin/commands.ts";
import { ManualClock } from "../clock.ts";
import { type Config, parseConfig } from "../config.ts";
import { ERASED } from "../db/sealed-fields.ts";
import { dataFolder } from "../db/testing-run.ts";
import { openDatabase } from "../open-database.ts";
import { webPhonesRoot } from "../phones/drivers/web/storage.ts";
import { makeBackup, notCovered, removeOldBackups, renewKeysCopy } from "./backup.ts";
import { restoreBackup } from "./restore.ts";

const DAY_MS = 24 * 3_600_000;

describe("a backup", () => {
  let folder: string;
  let config: Config;
  let phones: string;
  const clock = new ManualClock(Date.UTC(2026, 0, 1));
  beforeEach(async () => {
    folder = dataFolder("perch-backup-");
    config = parseConfig({ DATA_DIR: join(folder, "data"), KEY_FILE: join(folder, "key") });
    await writeTeams("Before the backup");
    phones = await webPhonesRoot(config.DATA_DIR);
    mkdirSync(join(phones, "profiles", "a".repeat(24)), { recursive: true });
    mkdirSync(join(phones, "phones/ph_1/files"), { recursive: true });
    mkdirSync(join(config.DATA_DIR, "runs/run_1"), { recursive: true });
    writeFileSync(join(config.DATA_DIR, "runs/run_1/0a"), "sealed artifact");
    writeFileSync(join(phones, "profiles", `${"b".repeat(24)}.sealed`), "sealed profile");
    writeFileSync(join(phones, "profiles", "a".repeat(24), "Cookies"), "plain cookie");
    writeFileSync(join(phones, "phones/ph_1/phone.json"), "sealed record");
    writeFileSync(join(phones, "phones/ph_1/files/letter.txt"), "plain letter");
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
    if (!phones.startsWith(config.DATA_DIR)) rmSync(phones, { recursive: true, force: true });
  });
  async function writeTeams(name: string): Promise<void> {
    const { db } = await openDatabase(config);
    await db.tx((tx) => tx.insert(db.t.teams).values({ id: newId("team"), name, createdAt: new Date(0) }));
    await db.close();
  }
  async function teams(): Promise<string[]> {
    const { db } = await openDatabase(config);
    const rows = await db.read.select({ name: db.t.teams.name }).from(db.t.teams);
    await db.close();
    return rows.map(({ name }) => name).sort();
  }
  const contents = (of: string) =>
    readdirSync(of, { recursive: true, withFileTypes: true })
      .filter((one) => one.isFile())
      .map((one) => readFileSync(join(one.parentPath, one.name)).toString("latin1"))
      .join("\n");

  it("brings everything back as it was, and has nothing plain in it", async () => {
    const { folder: made } = await makeBackup(config, clock, config.backupDir);
    expect(contents(made)).not.toMatch(/SQLite format 3|Before the backup|plain/);
    expect(contents(made)).toContain("sealed profile");
    expect(readdirSync(made).sort()).toEqual(["backup.json", "perch.db", "perch.db.keyid", "runs", "web-phones"]);
    await writeTeams("After the backup");
    rmSync(join(config.DATA_DIR, "runs"), { recursive: true });
    writeFileSync(join(phones, "profiles", `${"c".repeat(24)}.sealed`), "later");
    await restoreBackup(config, clock, made);
    expect(await teams()).toEqual(["Before the backup"]);
    expect(readFileSync(join(config.DATA_DIR, "runs/run_1/0a"), "utf8")).toBe("sealed artifact");
    expect(readdirSync(join(phones, "profiles"))).toEqual([`${"b".repeat(24)}.sealed`]);
    expect(existsSync(join(config.DATA_DIR, "restoring"))).toBe(false);
  });

  it("is made while a server writes, and sees no half of a transaction", async () => {
    const { db } = await openDatabase(config);
    let stop = false;
    const writing = (async () => {
      while (!stop) {
        await db.tx(async (tx) => {
          for (const name of ["left", "right"]) {
            await tx.insert(db.t.teams).values({ id: newId("team"), name, createdAt: new Date(0) });
          }
        });
        await new Promise(setImmediate);
      }
    })();
    const { folder: made } = await makeBackup(config, clock, config.backupDir);
    stop = true;
    await writing;
    await db.close();
    await restoreBackup(config, clock, made);
    const names = await teams();
    expect(names.filter((name) => name === "left").length).toBe(names.filter((name) => name === "right").length);
  });

  it("that was changed, is damaged, too old or of another key is refused, and nothing is touched", async () => {
    const { folder: made } = await makeBackup(config, clock, config.backupDir);
    await writeTeams("After the backup");
    const spoiled = join(folder, "spoiled");
    const spoil = async (change: () => void, words: string) => {
      rmSync(spoiled, { recursive: true, force: true });
      cpSync(made, spoiled, { recursive: true });
      change();
      await expect(restoreBackup(config, clock, spoiled)).rejects.toThrow(words);
    };
    await spoil(() => writeFileSync(join(spoiled, "runs/run_1/0a"), "something else"), "damaged");
    await spoil(() => rmSync(join(spoiled, "perch.db")), "damaged");
    await spoil(() => rmSync(join(spoiled, "backup.json")), "There is no backup");
    await spoil(() => {
      const list = JSON.parse(readFileSync(join(spoiled, "backup.json"), "utf8"));
      writeFileSync(join(spoiled, "backup.json"), JSON.stringify({ ...list, madeAt: "2026-06-01T00:00:00.000Z" }));
    }, "was changed");
    await expect(restoreBackup(config, new ManualClock(clock.now() + 14 * DAY_MS + 1), made)).rejects.toThrow(
      "older than 14 days",
    );
    const other = parseConfig({ DATA_DIR: join(folder, "other"), KEY_FILE: join(folder, "other-key") });
    await (await openDatabase(other)).db.close();
    await expect(restoreBackup(other, clock, made)).rejects.toThrow("another key");
    expect(await teams()).toEqual(["After the backup", "Before the backup"]);
  });

  it("is not put in place while a server has the database open", async () => {
    const { folder: made } = await makeBackup(config, clock, config.backupDir);
    const { db } = await openDatabase(config);
    await db.read.select().from(db.t.teams);
    await expect(restoreBackup(config, clock, made)).rejects.toMatchObject({ code: "conflict" });
    await db.close();
  });

  it("goes when it gets older than 14 days, with half ones, and nothing else goes", async () => {
    const old = new ManualClock(clock.now());
    const { folder: made } = await makeBackup(config, old, config.backupDir);
    mkdirSync(`${made}.new`);
    mkdirSync(join(config.backupDir, "holiday-pictures"));
    old.advance(14 * DAY_MS);
    expect(await removeOldBackups(config, old, config.backupDir)).toBe(0);
    old.advance(1_000);
    expect(await removeOldBackups(config, old, config.backupDir)).toBe(2);
    expect(readdirSync(config.backupDir).sort()).toEqual(["holiday-pictures", "keys.db"]);
  });

  it("has the keys of people beside it, in no older copy than an hour: a destroyed one goes from there", async () => {
    await renewKeysCopy(config);
    expect(existsSync(join(config.backupDir, "keys.db"))).toBe(false);
    const userId = newId("user");
    const opened = await openDatabase(config);
    const { db } = opened;
    await db.tx((tx) => addUser(db, tx, { id: userId, email: "a@x.example", createdAt: new Date(0) }));
    const { folder: made } = await makeBackup(config, clock, config.backupDir);
    await db.keys.destroy(userId);
    await renewKeysCopy(config);
    await db.close();
    rmSync(join(config.DATA_DIR, "keys.db"));
    await restoreBackup(config, clock, made);
    const { db: restored } = await openDatabase(config);
    const [row] = await restored.read.select({ email: restored.t.users.email }).from(restored.t.users);
    expect(row?.email).toBe(ERASED);
    await restored.close();
  });

  it("claims nothing of what is in a bucket, and leaves alone what lies where it would be", async () => {
    const s3 = { S3_ENDPOINT: "http://127.0.0.1:9", S3_BUCKET: "perch", S3_REGION: "eu" };
    const access = { S3_ACCESS_KEY_ID: "id", S3_SECRET_ACCESS_KEY: "secret" };
    const { DATA_DIR, KEY_FILE } = { DATA_DIR: config.DATA_DIR, KEY_FILE: config.keyFile };
    const withBucket = parseConfig({ DATA_DIR, KEY_FILE, ...s3, ...access });
    const { folder: made } = await makeBackup(withBucket, clock, config.backupDir);
    expect(readdirSync(made)).not.toContain("runs");
    expect(notCovered(withBucket).join("\n")).toMatch(/The bucket perch: pictures and reports of runs, copies of/);
    await restoreBackup(withBucket, clock, made);
    expect(existsSync(join(DATA_DIR, "runs/run_1/0a"))).toBe(true);
  });

  it("is made and restored by commands that say why", async () => {
    const lines: string[] = [];
    const admin = (...args: string[]) =>
      runAdmin(args, {
        config: () => config,
        clock,
        readStdin: async () => "",
        out: (line) => lines.push(line),
        error: (line) => lines.push(line),
      });
    expect(await admin("backup")).toBe(2);
    expect(await admin("backup", "--reason", "before the update")).toBe(0);
    const made = lines.find((line) => line.startsWith(config.backupDir))?.split("\t")[0] ?? "";
    const missing = lines.filter((line) => line.startsWith("Not in it: ")).join("\n");
    expect(missing).toContain("key file");
    expect(missing).toContain("Copies of people's data");
    expect(missing).not.toContain("bucket");
    await writeTeams("After the backup");
    expect(await admin("restore", "--from", made, "--reason", "the update failed")).toBe(0);
    expect(await teams()).toEqual(["Before the backup"]);
    const { db } = await openDatabase(config);
    const rows = await db.read
      .select({ action: db.t.auditLog.action, detail: db.t.auditLog.detail })
      .from(db.t.auditLog);
    expect(rows).toMatchObject([{ action: "admin.backup_restored", detail: { reason: "the update failed" } }]);
    await db.close();
  });
});
