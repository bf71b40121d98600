/** What /proc says of the phones' browsers: memory in proportion, and processor time. */
import { readFile } from "node:fs/promises";
import { commandLine, parents, tree } from "../server/phones/drivers/web/proc.ts";

/** Ticks of `/proc/<pid>/stat` a second; fixed by the Linux ABI (`USER_HZ`). */
export const TICKS = 100;

/** Process trees of browsers whose profile is inside `folder`, one list of ids each. */
export async function browserTrees(folder: string): Promise<number[][]> {
  const parentOf = await parents();
  const children = [...parentOf].filter(([, parent]) => parent === process.pid).map(([pid]) => pid);
  const trees: number[][] = [];
  for (const pid of children) {
    const isPhone = (await commandLine(pid)).some((part) => part.startsWith(`--user-data-dir=${folder}/`));
    if (isPhone) trees.push(tree(pid, parentOf));
  }
  return trees;
}

/** Proportional set size, in MB of 2^20 bytes: shared pages are counted once over all that share them. */
export async function pssMB(pids: readonly number[]): Promise<number> {
  const sizes = await Promise.all(
    pids.map(async (pid) => {
      const text = await readFile(`/proc/${pid}/smaps_rollup`, "latin1").catch(() => "");
      return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0);
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0) / 1024;
}

/** Processor time of the processes so far, in ms; exact to 10 ms a process. */
export async function cpuMs(pids: readonly number[]): Promise<number> {
  const times = await Promise.all(
    pids.map(async (pid) => {
      const text = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
      const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
      return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
    }),
  );
  return (times.reduce((sum, time) => sum + time, 0) * 1_000) / TICKS;
}

/** Waits until the browsers in `folder` are `count` and have all come to rest: less than 5 % of a core for half a second. */
export async function atRest(folder: string, count: number, withinMs = 60_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const trees = await browserTrees(folder);
    const before = await cpuMs(trees.flat());
    await new Promise((resolve) => setTimeout(resolve, 500));
    if (trees.length === count && (await cpuMs(trees.flat())) - before <= 25) return;
    if (performance.now() > deadline) throw new Error(`There are ${trees.length} browsers, or they do not rest.`);
  }
}
