/** Several whole servers of one process over one PostgreSQL database, each with a data folder and phones in memory. */
import { randomBytes } from "node:crypto";
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { systemClock } from "../../clock.ts";
import { parseConfig } from "../../config.ts";
import { dataFolder } from "../../db/testing-run.ts";
import { createLog } from "../../log.ts";
import type { ProfileArchive } from "../../phones/profile-archive.ts";
import { FakeDriver } from "../../phones/testing/fake-driver.ts";
import { type RunningServer, startServer } from "../../server.ts";
import { LEASE, type LeaseTimes } from "../lease.ts";

/** Short, so that tests see leases end; long enough that a busy machine ends none. */
export const QUICK: LeaseTimes = { beatMs: 100, leaseMs: 1_500, marginMs: 400 };

export interface TestNode extends RunningServer {
  readonly name: string;
  readonly clock: typeof systemClock;
  readonly phones: FakeDriver;
  readonly lines: string[];
}

export interface Cluster {
  readonly nodes: TestNode[];
  /** Of the database of all nodes. */
  readonly url: string;
  /** Data folders of the nodes, by their names, and their key files. */
  readonly folder: string;
  /** The key of the others for one that was never started. */
  copyKeyTo(name: string): void;
  /** The database is lost; an empty one takes its place. */
  forgetDatabase(): Promise<void>;
  start(name: string, env?: Record<string, string>, driver?: FakeDriver, archive?: ProfileArchive): Promise<TestNode>;
  /** Ends the connections on which nodes hear each other; they connect again. */
  cutListeners(): Promise<void>;
  /** Stops every node; the database stays. */
  closeAll(): Promise<void>;
  dispose(): Promise<void>;
}

/** Of a PostgreSQL server, at this address. `lease`: where leases are to end while somebody waits for it. */
export async function openCluster(url: string, lease: LeaseTimes = LEASE): Promise<Cluster> {
  const folder = dataFolder("perch-nodes-");
  const database = `perch_nodes_${randomBytes(6).toString("hex")}`;
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  await admin.query(`create database ${database}`);
  const target = new URL(url);
  target.pathname = `/${database}`;
  const nodes: TestNode[] = [];
  let key: string | undefined;
  async function closeAll(): Promise<void> {
    await Promise.allSettled(nodes.splice(0).map((node) => node.close()));
  }
  return {
    nodes,
    url: target.href,
    folder,
    copyKeyTo(name) {
      if (key !== undefined) copyFileSync(key, join(folder, `${name}.key`));
    },
    async forgetDatabase() {
      await admin.query(`drop database ${database} with (force)`);
      await admin.query(`create database ${database}`);
    },
    async start(name, env = {}, driver = new FakeDriver(), archive) {
      const dataDir = join(folder, name);
      const keyFile = `${dataDir}.key`;
      if (key !== undefined && key !== keyFile) copyFileSync(key, keyFile);
      key ??= keyFile;
      const lines: string[] = [];
      const server = await startServer({
        config: parseConfig({
          ...{ PORT: "0", DATA_DIR: dataDir, BILLING: "off", DATABASE_URL: target.href, PHONES_PER_TEAM: "100" },
          ...{ NODE_NAME: name, NODE_ADDRESS: "127.0.0.1:0", NODE_PORT: "0", RUNNING_PER_TEAM: "100", ...env },
        }),
        clock: systemClock,
        log: createLog({ clock: systemClock, write: (line) => lines.push(line) }),
        driver,
        lease,
        ...(archive && { archive }),
      });
      const node = { ...server, name, clock: systemClock, phones: driver, lines };
      nodes.push(node);
      return node;
    },
    async cutListeners() {
      const where = "datname = $1 and query ilike 'listen %'";
      await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where ${where}`, [database]);
    },
    closeAll,
    async dispose() {
      await closeAll();
      await admin.query(`drop database ${database} with (force)`);
      await admin.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
