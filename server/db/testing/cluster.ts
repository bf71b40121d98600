/**
 * A throw-away PostgreSQL of Debian's, and a pgbouncer before it, for tests that stop, restart and starve them. Both refuse
 * to run as root, so they run as the user `postgres` then.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../../shared/testing/free-port.ts";

const PROGRAMS = globSync("/usr/lib/postgresql/*/bin/initdb")
  .sort()
  .at(-1)
  ?.replace(/\/initdb$/, "");
const POOLER = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"].find((path) => existsSync(path));
export const HAS_POSTGRES = PROGRAMS !== undefined;
export const HAS_POOLER = POOLER !== undefined && HAS_POSTGRES;

export interface Cluster {
  /** Of the database `postgres`, as the superuser `perch`. */
  readonly url: string;
  stop(mode?: "fast" | "immediate"): void;
  start(): void;
  dispose(): void;
}

/** The user to run as: root may not. */
function unprivileged(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

function ownFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), name));
  const { uid, gid } = unprivileged();
  if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
  return folder;
}

/** Makes and starts one. `settings` are lines of postgresql.conf. */
export async function openCluster(settings: readonly string[] = []): Promise<Cluster> {
  const folder = ownFolder("perch-cluster-");
  const port = await freePort();
  const run = (program: string, ...args: string[]) =>
    execFileSync(join(PROGRAMS ?? "", program), args, { cwd: folder, stdio: "ignore", ...unprivileged() });
  const data = join(folder, "data");
  run("initdb", "-D", data, "-A", "trust", "-U", "perch", "--no-sync");
  const lines = [
    `port = ${port}`,
    "listen_addresses = '127.0.0.1'",
    `unix_socket_directories = '${folder}'`,
    "fsync = off",
    ...settings,
  ];
  writeFileSync(join(data, "postgresql.auto.conf"), `${lines.join("\n")}\n`);
  const start = () => void run("pg_ctl", "-D", data, "-l", join(folder, "log"), "-w", "start");
  const stop = (mode = "fast") => void run("pg_ctl", "-D", data, "-m", mode, "-w", "stop");
  start();
  return {
    url: `postgres://perch@127.0.0.1:${port}/postgres`,
    start,
    stop,
    dispose() {
      try {
        stop("immediate");
      } catch {
        // Stopped by the test.
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface Pooler {
  readonly url: string;
  close(): Promise<void>;
}

/** A pgbouncer that gives each transaction any connection of a few, as Supabase's port 6543 does. */
export async function openPooler(target: string, mode: "transaction" | "session" = "transaction"): Promise<Pooler> {
  const folder = ownFolder("perch-pooler-");
  const port = await freePort();
  const { hostname, port: targetPort, username } = new URL(target);
  const file = join(folder, "pgbouncer.ini");
  writeFileSync(
    file,
    `[databases]
* = host=${hostname} port=${targetPort} user=${username}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
auth_type = any
pool_mode = ${mode}
default_pool_size = 4
max_client_conn = 200
`,
  );
  const child: ChildProcess = spawn(POOLER ?? "", ["-q", file], { stdio: "ignore", ...unprivileged() });
  const ended = once(child, "exit");
  await untilOpen(port, child);
  const url = new URL(target);
  url.port = String(port);
  return {
    url: url.href,
    async close() {
      child.kill("SIGTERM");
      child.kill("SIGINT");
      setTimeout(() => child.kill("SIGKILL"), 2_000).unref();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function untilOpen(port: number, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error("pgbouncer did not start.");
    const socket = connect(port, "127.0.0.1");
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
