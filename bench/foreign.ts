/** How much of the machine was taken by others while something was measured (Linux; NaN where there is no /proc). */
import { readFile } from "node:fs/promises";
import { parents, tree } from "../server/phones/drivers/web/proc.ts";

/** Ours are looked at this often: what a process did after the last look before its end counts as someone else's. */
const LOOK_EVERY_MS = 1_000;

export interface Foreign {
  /** Processor time of programs that are not ours, in percent of one core. */
  readonly othersPercent: number;
  /** Processor time the host gave to other machines, in percent of one core. */
  readonly stolenPercent: number;
}

/** Begins to watch; the returned function ends it and tells of the time since. */
export async function watchForeign(): Promise<() => Promise<Foreign>> {
  const started = performance.now();
  // By process, and not by what parents account for: a browser that is killed never waits for its children.
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  const before = await machineTicks();
  const look = async () => {
    for (const [pid, ticks] of await ownTicks()) {
      // What was there at the first look brought its past with it; what came later began at nothing.
      if (!first.has(pid)) first.set(pid, last.size === 0 || pid === process.pid ? ticks : 0);
      last.set(pid, Math.max(ticks, last.get(pid) ?? 0));
    }
  };
  await look();
  const looking = setInterval(() => void look(), LOOK_EVERY_MS);
  return async () => {
    clearInterval(looking);
    await look();
    const after = await machineTicks();
    const ours = [...last].reduce((sum, [pid, ticks]) => sum + ticks - (first.get(pid) ?? 0), 0);
    // A tick is 10 ms, so ticks a second are percent of a core.
    const seconds = (performance.now() - started) / 1_000;
    return {
      othersPercent: Math.max(0, after.busy - before.busy - ours) / seconds,
      stolenPercent: (after.stolen - before.stolen) / seconds,
    };
  };
}

async function machineTicks(): Promise<{ busy: number; stolen: number }> {
  const stat = await readFile("/proc/stat", "latin1").catch(() => "");
  const [user, nice, system, , , irq, softirq, stolen] = (/^cpu +(.*)$/m.exec(stat)?.[1] ?? "").split(" ").map(Number);
  const busy = [user, nice, system, irq, softirq].reduce<number>((sum, part) => sum + (part ?? Number.NaN), 0);
  return { busy, stolen: stolen ?? Number.NaN };
}

/** Ticks each of our living processes has used. */
async function ownTicks(): Promise<[number, number][]> {
  return Promise.all(
    tree(process.pid, await parents()).map(async (pid): Promise<[number, number]> => {
      const text = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
      const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
      return [pid, Number(fields[11] ?? 0) + Number(fields[12] ?? 0)];
    }),
  );
}
