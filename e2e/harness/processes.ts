/** Processes of one server's phones, found by the data folder in their command line (Linux). */
import { readdirSync, readFileSync } from "node:fs";

export interface PhoneProcess {
  readonly pid: number;
  readonly parent: number;
  readonly commandLine: readonly string[];
}

/** Browser processes, children included, whose command line names `folder`. */
export function processesUnder(folder: string): readonly PhoneProcess[] {
  const found: PhoneProcess[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const commandLine = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0");
      if (!commandLine.some((part) => part.includes(folder))) continue;
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      found.push({ pid: Number(name), parent, commandLine });
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}

/** The main process of each phone's browser: no `--type=`. */
export function phoneBrowsers(folder: string): readonly PhoneProcess[] {
  return processesUnder(folder).filter(
    ({ commandLine }) =>
      commandLine.some((part) => part.startsWith("--user-data-dir=")) &&
      !commandLine.some((part) => part.startsWith("--type=")),
  );
}

/** Ends processes that are still there; those already gone are fine. */
export function killAll(processes: readonly PhoneProcess[]): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // Gone already.
    }
  }
}
