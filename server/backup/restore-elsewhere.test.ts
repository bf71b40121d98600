/** A backup of one node is put back by another: whoever was erased meanwhile is gone before anybody is served, on every node. */
import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { eq } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { DeletionView } from "../../shared/privacy.ts";
import { systemClock } from "../clock.ts";
import { parseConfig } from "../config.ts";
import { dataFolder } from "../db/testing-run.ts";
import { type FakeS3, startFakeS3 } from "../files/testing/fake-s3.ts";
import { type Cluster, openCluster, type TestNode } from "../nodes/testing/cluster.ts";
import { call, signIn, type TestPerson } from "../testing.ts";
import { restoreBackup } from "./restore.ts";

const url = process.env["TEST_DATABASE_URL"];

describe.skipIf(url === undefined)("a backup put back by another node (needs TEST_DATABASE_URL)", () => {
  let cluster: Cluster;
  let backups: string;
  beforeEach(async () => {
    cluster = await openCluster(url ?? "");
    backups = dataFolder("perch-elsewhere-");
  });
  afterEach(async () => {
    await cluster.dispose();
    rmSync(backups, { recursive: true, force: true });
  });

  async function erase(at: TestNode, person: TestPerson): Promise<void> {
    const confirmation = `${person.userId.toLowerCase()}@x.example`;
    const input = { idempotencyKey: "delete-account", confirmation, now: true };
    const answer = await call(at, "mutation", "privacy.delete", input, person.token);
    if (!answer.ok) throw new Error(answer.error.message);
    const { erasures } = at.db.t;
    const { id } = answer.data as DeletionView;
    await vi.waitFor(
      async () => {
        const [row] = await at.db.read.select().from(erasures).where(eq(erasures.id, id));
        expect(row?.state).toBe("done");
      },
      { timeout: 15_000, interval: 20 },
    );
  }
  const people = async (at: TestNode) => {
    const { users } = at.db.t;
    return (await at.db.read.select({ id: users.id }).from(users)).map(({ id }) => id);
  };
  const settings = (name: string, env: Record<string, string> = {}) =>
    parseConfig({
      ...{ PORT: "0", DATA_DIR: join(cluster.folder, name), BILLING: "off", DATABASE_URL: cluster.url, ...env },
    });
  const saysBack = (node: TestNode) => node.lines.join("").includes("A backup brought back people who were erased");

  it("knows from the other node's word, which it had while it lived", async () => {
    const a = await cluster.start("a");
    const b = await cluster.start("b");
    const [anna, ben] = [await signIn(a), await signIn(a)];
    const { folder } = await b.backups.make();
    await erase(a, anna);
    await cluster.closeAll();
    expect(readFileSync(join(cluster.folder, "b", "erasures.ledger"), "utf8")).toContain(anna.userId);
    await restoreBackup(settings("b"), systemClock, folder);
    const again = await cluster.start("b");
    expect(await people(again)).toEqual([ben.userId]);
    expect(saysBack(again)).toBe(true);
    const other = await cluster.start("a");
    expect([await people(other), saysBack(other)]).toEqual([[ben.userId], false]);
  });

  it("knows from the database it replaces, when it was away meanwhile; and when both start at once", async () => {
    const b = await cluster.start("b");
    const [anna, ben] = [await signIn(b), await signIn(b)];
    const { folder } = await b.backups.make();
    await cluster.closeAll();
    const a = await cluster.start("a");
    await erase(a, anna);
    await cluster.closeAll();
    expect(existsSync(join(cluster.folder, "b", "erasures.ledger"))).toBe(false);
    await restoreBackup(settings("b"), systemClock, folder);
    expect(readFileSync(join(cluster.folder, "b", "erasures.ledger"), "utf8")).toContain(anna.userId);
    const both = await Promise.all([cluster.start("a"), cluster.start("b")]);
    for (const node of both) expect(await people(node)).toEqual([ben.userId]);
  });

  it("knows from what lies beside the backup, on a machine that is new", async () => {
    const a = await cluster.start("a");
    const [anna, ben] = [await signIn(a), await signIn(a)];
    const { folder } = await a.backups.make();
    await erase(a, anna);
    await cluster.closeAll();
    cpSync(join(folder, ".."), backups, { recursive: true });
    rmSync(join(cluster.folder, "a"), { recursive: true });
    rmSync(join(cluster.folder, "a.key.erasures"));
    await cluster.forgetDatabase();
    cluster.copyKeyTo("c");
    await restoreBackup(settings("c"), systemClock, join(backups, folder.split("/").at(-1) ?? ""));
    const c = await cluster.start("c");
    expect([await people(c), saysBack(c)]).toEqual([[ben.userId], true]);
  });

  it("knows from the bucket, with nothing of the other node but its key and an earlier backup", async () => {
    const s3: FakeS3 = await startFakeS3(systemClock);
    const { endpoint, region, bucket, accessKeyId, secretAccessKey } = s3.access;
    const env = {
      ...{ S3_ENDPOINT: endpoint, S3_REGION: region, S3_BUCKET: bucket },
      ...{ S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey },
    };
    const a = await cluster.start("a", env);
    const [anna, ben] = [await signIn(a), await signIn(a)];
    const { folder } = await a.backups.make();
    cpSync(join(folder, ".."), backups, { recursive: true });
    await erase(a, anna);
    expect([...s3.objects.keys()]).toEqual([`erasures/${anna.userId}`]);
    await cluster.closeAll();
    rmSync(join(cluster.folder, "a"), { recursive: true });
    await cluster.forgetDatabase();
    cluster.copyKeyTo("c");
    await restoreBackup(settings("c", env), systemClock, join(backups, folder.split("/").at(-1) ?? ""));
    s3.meddle = () => 503;
    await expect(cluster.start("c", env)).rejects.toMatchObject({ code: "unavailable" });
    s3.meddle = undefined;
    const c = await cluster.start("c", env);
    expect([await people(c), saysBack(c)]).toEqual([[ben.userId], true]);
    await cluster.closeAll();
    await s3.close();
  });
});
