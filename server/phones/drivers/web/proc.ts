/** What /proc says about process trees: memory, command lines, orphans. Empty answers where there is no /proc. */
import { readdir, readFile } from "node:fs/promises";

/** Parent of every process. */
export async function parents(): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  const names = await readdir("/proc").catch(() => []);
  await Promise.all(
    names
      .filter((name) => /^\d+$/.test(name))
      .map(async (name) => {
        const text = await readFile(`/proc/${name}/stat`, "latin1").catch(() => "");
        // The command name, in brackets, may hold anything; the state and the parent follow the last bracket.
        const parent = /^\S (\d+)/.exec(text.slice(text.lastIndexOf(")") + 2))?.[1];
        if (parent !== undefined) found.set(Number(name), Number(parent));
      }),
  );
  return found;
}

/** The process and all its descendants. */
export function tree(root: number, parentOf: ReadonlyMap<number, number>): number[] {
  const members = new Set([root]);
  for (let grew = true; grew; ) {
    grew = false;
    for (const [pid, parent] of parentOf) {
      if (!members.has(parent) || members.has(pid)) continue;
      members.add(pid);
      grew = true;
    }
  }
  return [...members];
}

/** Private and shared-memory bytes of the processes; file-backed pages are shared by all browsers and not counted. */
export async function memoryBytes(pids: readonly number[]): Promise<number> {
  const sizes = await Promise.all(
    pids.map(async (pid) => {
      const text = await readFile(`/proc/${pid}/status`, "latin1").catch(() => "");
      const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0);
      return (kilobytes("RssAnon") + kilobytes("RssShmem")) * 1024;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Arguments of a process; empty when it is gone. */
export async function commandLine(pid: number): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return text.split("\0").filter((part) => part !== "");
}
