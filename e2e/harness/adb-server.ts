/** Debian's own `adb`, as a server on a port of its own, so that nobody else's is touched. */
import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { promisify } from "node:util";
import { freePort } from "../../shared/testing/free-port.ts";

const PROGRAM = "/usr/bin/adb";
const run = promisify(execFile);

/** Whether this machine has what Android tests need: `adb` to connect with, `ffmpeg` to encode with. */
export const hasAndroidTools = [PROGRAM, "/usr/bin/ffmpeg"].every((program) => {
  try {
    accessSync(program, constants.X_OK);
    return true;
  } catch {
    return false;
  }
});

export interface AdbServer {
  readonly port: number;
  /** Runs `adb <args>` against it; gives what it printed. */
  adb(...args: readonly string[]): Promise<string>;
  kill(): Promise<void>;
  start(): Promise<void>;
}

export async function startAdbServer(): Promise<AdbServer> {
  const port = await freePort();
  const adb = async (...args: readonly string[]) => {
    const { stdout } = await run(PROGRAM, ["-P", String(port), ...args], { timeout: 20_000 });
    return stdout.trim();
  };
  const start = async () => void (await adb("start-server"));
  await start();
  return { port, adb, start, kill: async () => void (await adb("kill-server")) };
}
