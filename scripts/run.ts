/** Running the project's programs from scripts. */
import { spawnSync } from "node:child_process";

/** Runs a program with this one's output; ends this process with its status when it fails. */
export function run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  const { status } = spawnSync(program, args, { stdio: "inherit", env: { ...process.env, ...env } });
  if (status !== 0) process.exit(status ?? 1);
}
