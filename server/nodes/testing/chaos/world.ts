/** The machines of a storm: a PostgreSQL of its own, nodes as processes, and something to cut between them. */
import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { openCluster } from "../../../db/testing/cluster.ts";
import type { LeaseTimes } from "../../lease.ts";
import type { Happened } from "./chaos-driver.ts";
import type { Door } from "./client.ts";
import { type CuttingProxy, openCuttingProxy } from "./cutting-proxy.ts";
import type { NodeAbout, NodeOrder } from "./node-process.ts";

const DATABASE = "perch";
const START_MS = 60_000;

export interface StormNode {
  readonly name: string;
  readonly proxy: CuttingProxy;
  /** Where it is asked; undefined while it does not serve. */
  door(): Door | undefined;
  /** Its id in the register, once it has served. */
  id(): string | undefined;
  /** @throws when it is not there or does not answer */
  tell(order: NodeOrder): Promise<unknown>;
  /** From now on it is started again whenever it ends. Resolves when it serves. */
  run(): Promise<void>;
  kill(): Promise<void>;
  /** SIGTERM, and waits for its end. */
  stop(): Promise<void>;
  /** Stands still for so long, as a machine that is suspended. */
  freeze(ms: number): Promise<void>;
  setClock(off: number): Promise<void>;
  /** What its processes said that nobody expects. */
  readonly complaints: string[];
}

export interface World {
  readonly nodes: readonly StormNode[];
  readonly folder: string;
  /** Past every proxy, as the superuser. */
  query<T extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<T[]>;
  /** Settings by which an operator's command reaches the same database. */
  readonly operator: Readonly<Record<string, string>>;
  readonly databaseUrl: string;
  restartDatabase(mode: "fast" | "immediate"): Promise<void>;
  /** Ends some of the nodes' connections. Gives how many. */
  endConnections(share: number): Promise<number>;
  journals(): Happened[];
  dispose(): Promise<void>;
}

export async function openWorld(names: readonly string[], lease: LeaseTimes, drainSeconds: number): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), "perch-storm-"));
  const cluster = await openCluster(["max_connections = 200"]);
  const base = new URL(cluster.url);
  const query = async <T extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<T[]> => {
    const client = new pg.Client({ connectionString: urlTo(base, Number(base.port)) });
    await client.connect();
    try {
      return (await client.query<T>(text, [...values])).rows;
    } finally {
      await client.end();
    }
  };
  const first = new pg.Client({ connectionString: cluster.url });
  await first.connect();
  await first.query(`create database ${DATABASE}`);
  await first.end();
  const settings = { BILLING: "sandbox", PHONES_PER_TEAM: "100", RUNNING_PER_TEAM: "100", RUNNING_PHONES: "200" };
  const keyFile = join(folder, "perch.key");
  const nodes: StormNode[] = [];
  for (const name of names) {
    const proxy = await openCuttingProxy({ host: "127.0.0.1", port: Number(base.port) });
    const env = {
      ...settings,
      ...{ PORT: "0", DATA_DIR: join(folder, name), KEY_FILE: join(folder, `${name}.key`) },
      ...{ DATABASE_URL: urlTo(base, proxy.port), DRAIN_SECONDS: String(drainSeconds) },
      ...{ NODE_NAME: name, NODE_ADDRESS: "127.0.0.1:0", NODE_PORT: "0" },
    };
    const about: Omit<NodeAbout, "off"> = {
      ...{ name, lease, journal: join(folder, `${name}.journal`), log: join(folder, `${name}.log`) },
      archive: join(folder, "archive"),
    };
    mkdirSync(env.DATA_DIR, { recursive: true, mode: 0o711 });
    nodes.push(createNode({ name, proxy, env, about, keyFile }));
  }
  return {
    nodes,
    folder,
    query,
    databaseUrl: urlTo(base, Number(base.port)),
    operator: {
      ...settings,
      ...{ DATA_DIR: join(folder, "operator"), KEY_FILE: keyFile, DATABASE_URL: urlTo(base, Number(base.port)) },
    },
    async restartDatabase(mode) {
      cluster.stop(mode);
      await sleep(500);
      cluster.start();
    },
    async endConnections(share) {
      const ended = await query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid() and random() < $2",
        [DATABASE, share],
      );
      return ended.length;
    },
    journals: () =>
      names
        .map((name) => join(folder, `${name}.journal`))
        .filter((file) => existsSync(file))
        .flatMap((file) => readFileSync(file, "utf8").split("\n"))
        .filter((line) => line !== "")
        .map((line): Happened => JSON.parse(line)),
    async dispose() {
      await Promise.allSettled(nodes.map((node) => node.kill()));
      for (const { proxy } of nodes) proxy.close();
      cluster.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function urlTo(base: URL, port: number): string {
  const url = new URL(base);
  url.port = String(port);
  url.pathname = `/${DATABASE}`;
  return url.href;
}

function createNode(options: {
  name: string;
  proxy: CuttingProxy;
  env: Readonly<Record<string, string>> & { readonly KEY_FILE: string };
  about: Omit<NodeAbout, "off">;
  /** The first node to start makes it. */
  keyFile: string;
}): StormNode {
  const { name, proxy, env, about, keyFile } = options;
  const complaints: string[] = [];
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let child: ChildProcess | undefined;
  let ended: Promise<void> = Promise.resolve();
  let door: Door | undefined;
  let id: string | undefined;
  let wanted = false;
  let off = 0;
  let orders = 0;

  function spawnOnce(): Promise<boolean> {
    if (existsSync(keyFile) && !existsSync(env.KEY_FILE)) copyFileSync(keyFile, env.KEY_FILE);
    const mine = spawn(process.execPath, ["--no-warnings", join(import.meta.dirname, "node-process.ts")], {
      env: { PATH: process.env["PATH"] ?? "", TMPDIR: tmpdir(), ...env, CHAOS_NODE: JSON.stringify({ ...about, off }) },
      stdio: ["pipe", "pipe", "pipe"],
    });
    child = mine;
    mine.stderr.on("data", (bytes: Buffer) => complaints.push(bytes.toString().slice(0, 500)));
    mine.stdin.on("error", () => {});
    const ready = Promise.withResolvers<boolean>();
    createInterface(mine.stdout).on("line", (line) => {
      const said: {
        ready?: string;
        port?: number;
        id?: string;
        n?: number;
        answer?: unknown;
        error?: string;
        unhandled?: string;
        failed?: string;
      } = JSON.parse(line);
      if (said.port !== undefined) {
        door = { port: said.port };
        id = said.id;
        if (!existsSync(keyFile)) copyFileSync(env.KEY_FILE, keyFile);
        ready.resolve(true);
      }
      if (said.unhandled !== undefined) complaints.push(said.unhandled);
      if (said.failed !== undefined) complaints.push(`did not start or stop: ${said.failed}`);
      const asked = said.n === undefined ? undefined : waiting.get(said.n);
      if (said.n !== undefined) waiting.delete(said.n);
      if (said.error !== undefined) asked?.reject(new Error(said.error));
      else asked?.resolve(said.answer);
    });
    ended = new Promise((resolve) => {
      mine.once("close", () => {
        if (child === mine) [child, door] = [undefined, undefined];
        for (const one of waiting.values()) one.reject(new Error(`${name} ended.`));
        waiting.clear();
        ready.resolve(false);
        resolve();
        // As whatever looks after a server does.
        if (wanted) setTimeout(() => wanted && child === undefined && void spawnOnce(), 300);
      });
    });
    return ready.promise;
  }
  async function end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    wanted = false;
    child?.kill("SIGCONT");
    child?.kill(signal);
    await ended;
  }

  return {
    ...{ name, proxy, complaints },
    door: () => door,
    id: () => id,
    tell(order) {
      const to = child;
      if (to?.stdin == null) return Promise.reject(new Error(`${name} is not there.`));
      orders += 1;
      const n = orders;
      const answer = new Promise<unknown>((resolve, reject) => waiting.set(n, { resolve, reject }));
      to.stdin.write(`${JSON.stringify({ n, ...order })}\n`);
      return answer;
    },
    async run() {
      wanted = true;
      const deadline = performance.now() + START_MS;
      if (child === undefined) void spawnOnce();
      while (door === undefined) {
        if (performance.now() > deadline)
          throw new Error(`${name} does not start: ${complaints.slice(-3).join(" | ")}`);
        await sleep(50);
      }
    },
    kill: () => end("SIGKILL"),
    stop: () => end("SIGTERM"),
    async freeze(ms) {
      const frozen = child;
      frozen?.kill("SIGSTOP");
      await sleep(ms);
      frozen?.kill("SIGCONT");
    },
    async setClock(next) {
      off = next;
      await this.tell({ do: "clock", off });
    },
  };
}
