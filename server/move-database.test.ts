/** `db move` as an operator runs it: a real PostgreSQL of Debian, a process that is killed, and the way back. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../shared/ids.ts";
import { addUser } from "./accounts/testing/people.ts";
import { runAdmin } from "./admin/commands.ts";
import { createAudit } from "./audit/audit.repo.ts";
import { ManualClock } from "./clock.ts";
import { type Config, parseConfig } from "./config.ts";
import { type Cluster, HAS_POSTGRES, openCluster } from "./db/testing/cluster.ts";
import { deriveKey } from "./keys.ts";
import { openDatabase } from "./open-database.ts";

const ROWS = 3_000;

describe.skipIf(!HAS_POSTGRES)("db move", () => {
  const folder = mkdtempSync(join(tmpdir(), "perch-move-"));
  const clock = new ManualClock(Date.UTC(2026, 0, 1));
  const env: Record<string, string> = { DATA_DIR: join(folder, "data"), KEY_FILE: join(folder, "key") };
  const lite = parseConfig(env);
  let cluster: Cluster;
  let url: string;
  const out: string[] = [];
  const admin = (config: Config, ...args: string[]) => {
    out.length = 0;
    const told = (line: string) => void out.push(line);
    return runAdmin(args, { config: () => config, clock, readStdin: async () => "", out: told, error: told });
  };
  const move = (config: Config, to: string) => admin(config, "db", "move", "--to", to, "--reason", "outgrown");
  /** Names, addresses and the count of the log's entries, read as a server reads them. */
  const contents = async (config: Config) => {
    const { db, master } = await openDatabase(config);
    const people = await db.read.select({ email: db.t.users.email }).from(db.t.users);
    const teams = await db.read.select({ name: db.t.teams.name }).from(db.t.teams);
    const audit = createAudit(db, clock, deriveKey(master, "audit heads"));
    const { entries, how } = await audit.verify("server");
    await db.close();
    return { people, teams: teams.map(({ name }) => name).sort(), entries, how };
  };

  beforeAll(async () => {
    cluster = await openCluster();
    url = cluster.url;
    const { db, master } = await openDatabase(lite);
    const audit = createAudit(db, clock, deriveKey(master, "audit heads"));
    await db.tx(async (tx) => {
      await addUser(db, tx, { id: newId("user"), email: "anna@x.example", createdAt: new Date(0) });
      await tx.insert(db.t.teams).values({ id: newId("team"), name: "Ours", createdAt: new Date(0) });
      for (let n = 0; n < 20; n += 1)
        await audit.record(tx, { chain: "server", actor: "operator", action: "server.started", detail: { n } });
      for (let from = 0; from < ROWS; from += 500) {
        await tx.insert(db.t.topics).values(Array.from({ length: 500 }, (_, n) => ({ topic: `t${from + n}`, seq: n })));
      }
    });
    await db.close();
  });
  afterAll(() => {
    cluster.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  it("refuses what it cannot do, and changes nothing then", async () => {
    await expect(move(lite, "mysql://x")).rejects.toThrow("--to: write postgres://");
    await expect(move(lite, `sqlite:${folder}/other/perch.db`)).rejects.toThrow("is SQLite already");
    await expect(move(lite, "postgres://perch@127.0.0.1:1/x")).rejects.toThrow("does not answer or refuses");
    await expect(admin(lite, "db", "move", "--reason", "r")).rejects.toThrow("Say where to");
    await expect(admin(lite, "db", "move", "--undo", "--reason", "r")).rejects.toThrow("was not moved away");
    const { db } = await openDatabase(lite);
    await expect(move(lite, url)).rejects.toThrow("Stop the server");
    await db.close();
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query("create schema perch; create table perch.theirs (a int); insert into perch.theirs values (1)");
    await expect(move(lite, url)).rejects.toThrow("needs an empty place");
    await client.query("drop schema perch cascade");
    await client.end();
    expect((await contents(lite)).entries).toBe(20);
  });

  it("killed in the middle keeps servers off both, goes on, and is checked at the end", async () => {
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, "admin/main.ts"), "db", "move", "--to", url, "--reason", "outgrown"],
      { cwd: folder, env: { PATH: process.env["PATH"], ...env }, stdio: ["ignore", "pipe", "inherit"] },
    );
    // Its progress is printed after a batch is there.
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    await expect(openDatabase(lite)).rejects.toThrow("is being moved to PostgreSQL, and is not finished");
    const big = parseConfig({ ...env, DATABASE_URL: url });
    await expect(openDatabase(big)).rejects.toThrow("A move into this database is not finished");

    expect(await move(lite, url)).toBe(0);
    const text = out.join("\n");
    expect(text).toMatch(/^topics\t3000 rows\t[0-9a-f]{16}$/m);
    expect(text).toMatch(/^\d+ sealed fields open, \d+ audit chains are as they were\.$/m);
    expect(text).toContain("Set DATABASE_URL to the new database");
    await expect(openDatabase(lite)).rejects.toThrow(/was moved to PostgreSQL on [\d-]{10}\. Set DATABASE_URL/);
    expect(await contents(big)).toEqual({
      people: [{ email: "anna@x.example" }],
      teams: ["Ours"],
      entries: 21,
      how: undefined,
    });
    await expect(move(lite, url)).rejects.toThrow("was moved to PostgreSQL");
  });

  it("brings it back, and from one server to another, while nobody uses it", async () => {
    const big = parseConfig({ ...env, DATABASE_URL: url });
    const home = `sqlite:${lite.DATA_DIR}/perch.db`;
    const { db } = await openDatabase(big);
    await expect(move(big, home)).rejects.toThrow("A server or another command uses this database");
    await db.close();
    await expect(move(big, home)).rejects.toThrow("perch.db holds rows already");
    renameSync(lite.DATA_DIR, `${lite.DATA_DIR}.before`);
    expect(await move(big, home)).toBe(0);
    expect(await contents(lite)).toMatchObject({ people: [{ email: "anna@x.example" }], teams: ["Ours"], entries: 22 });
    await expect(openDatabase(big)).rejects.toThrow("was moved to SQLite");
    expect(await admin(big, "db", "move", "--undo", "--reason", "stay")).toBe(0);
    const { entries } = await contents(big);
    expect(entries).toBe(23);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query("create database elsewhere");
    await client.end();
    const elsewhere = new URL(url);
    elsewhere.pathname = "/elsewhere";
    expect(await move(big, elsewhere.href)).toBe(0);
    const third = parseConfig({ ...env, DATABASE_URL: elsewhere.href });
    expect(await contents(third)).toMatchObject({ people: [{ email: "anna@x.example" }], entries: entries + 1 });
  });
});
