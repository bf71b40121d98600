/** Debian's `adb` with a server of its own, on a free port and with keys of its own. For tests. */
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../../../../shared/testing/free-port.ts";

export const hasAdb = spawnSync("adb", ["version"]).error === undefined;

export interface AdbProcess {
  readonly at: { readonly host: string; readonly port: number };
  run(...args: readonly string[]): Promise<string>;
  start(): Promise<void>;
  kill(): Promise<void>;
  dispose(): Promise<void>;
}

/** `ADB_MDNS=0`: nothing is asked of the network. */
export async function adbProcess(): Promise<AdbProcess> {
  const home = mkdtempSync(join(tmpdir(), "perch-adb-"));
  const port = await freePort();
  const env = { ...process.env, HOME: home, ANDROID_ADB_SERVER_PORT: String(port), ADB_MDNS: "0" };
  const run = (...args: readonly string[]) =>
    new Promise<string>((resolve, reject) => {
      execFile("adb", args, { env, timeout: 20_000 }, (error, stdout) => (error ? reject(error) : resolve(stdout)));
    });
  const start = async () => void (await run("start-server"));
  const kill = async () => void (await run("kill-server").catch(() => ""));
  await start();
  return {
    at: { host: "127.0.0.1", port },
    run,
    start,
    kill,
    async dispose() {
      await kill();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
