/** A server killed in the middle of a purge: the next one ends it, and nothing is left in a byte of its files. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { eq } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import type { ErasureId } from "../../../shared/ids.ts";
import { openSqlite } from "../../db/sqlite.ts";
import { MIGRATIONS } from "../../db/testing.ts";
import { dataFolder } from "../../db/testing-run.ts";
import { dataMap } from "../map/data-map.ts";
import { canaryPerson, plant } from "../testing/plant.repo.ts";
import { needlesOf, scanBytes, scanFolder } from "./byte-scan.ts";
import type { PurgeOrders } from "./testing/process.ts";
import { erasureBench } from "./testing.ts";

/** How often it is killed at most; with `ERASURE_KILLS=100`, the long proof, every few commits from beginning to end. */
const KILLS = Number(process.env["ERASURE_KILLS"] ?? 2);

describe("a purge whose server is killed", () => {
  it(`ends all the same, after ${KILLS} kills`, { timeout: 30_000 + KILLS * 5_000 }, async () => {
    const folder = dataFolder("perch-kills-");
    mkdirSync(join(folder, "data"));
    const [key, master] = [randomBytes(32), randomBytes(32)];
    const open = async () => {
      const file = join(folder, "data/perch.db");
      const opened = await openSqlite({ file, key, migrationsFolder: join(MIGRATIONS, "sqlite") });
      opened.keys.unlock(master);
      return opened;
    };
    const anna = canaryPerson();
    let db = await open();
    const at = new Date();
    const planted = await plant(db, dataMap(db.t), anna, { at, without: ["auditLog", "auditHeads"] });
    // The next event of the team follows the planted one.
    await db.tx((tx) => tx.update(db.t.topics).set({ seq: 10_000 }));
    const { id } = await erasureBench(db, { folder, master }).erasures.enter(anna.userId, { now: true, reason: "x" });
    await db.close();

    let kills = 0;
    for (let ended = false; !ended; ) {
      const committed = kills % 2 === 0;
      // Far enough that each life gets on; in the last one nobody kills it.
      const step = kills < KILLS ? 1 + ((kills * 7) % 5) : 10_000;
      ended = (await live({ folder, key, master, id, at: step, committed })) === "done";
      if (!ended) kills += 1;
    }
    expect(kills).toBeGreaterThanOrEqual(Math.min(KILLS, 20));
    db = await open();
    const [row] = await db.read.select().from(db.t.erasures).where(eq(db.t.erasures.id, id));
    expect(row).toMatchObject({ state: "done", userId: null });
    const theirs = planted.flatMap(({ token, theirs: own, table }) =>
      token !== undefined && own && table !== "erasures" && token.startsWith("zq7k") ? [token] : [],
    );
    expect(theirs.length).toBeGreaterThan(10);
    const needles = needlesOf([anna.email]);
    const pages = await db.pages();
    if (pages === undefined) throw new Error("There is nothing to look at.");
    expect(await scanBytes(pages, needles)).toBe(0);
    await db.close();
    expect((await scanFolder(folder, needles, new Set())).hits).toBe(0);
    rmSync(folder, { recursive: true, force: true });
    console.log(`${kills} kills`);
  });
});

/** One life of a server: to its end, or to the place where it is killed. */
async function live(about: {
  folder: string;
  key: Buffer;
  master: Buffer;
  id: ErasureId;
  at: number;
  committed: boolean;
}): Promise<string> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "testing/process.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const orders: PurgeOrders = {
    ...{ folder: about.folder, at: about.at, committed: about.committed, erasureId: about.id },
    ...{ key: about.key.toString("base64"), master: about.master.toString("base64") },
  };
  child.stdin.write(`${JSON.stringify(orders)}\n`);
  const said = await new Promise<string>((resolve, reject) => {
    child.stdout.once("data", (bytes: Buffer) => resolve(bytes.toString().trim()));
    child.once("close", () => reject(new Error("The process ended by itself.")));
  });
  child.kill("SIGKILL");
  await closed;
  return said;
}
