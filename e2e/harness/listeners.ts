/** What a server and everything it started listens on, as the kernel knows it (Linux; what `ss -ltnp` shows). */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface Listener {
  readonly loopback: boolean;
  readonly port: number;
  /** Name of the program that holds it. */
  readonly program: string;
}

const LISTENING = "0A";
/** 127.0.0.1 and ::1 as `/proc/net` writes them: 32-bit words, each with its bytes turned around. */
const LOOPBACK = new Set(["0100007F", "00000000000000000000000001000000"]);

export function listenersOf(root: number): readonly Listener[] {
  const holders = new Map<string, string>();
  for (const pid of familyOf(root)) {
    for (const [inode, program] of socketsOf(pid)) holders.set(inode, program);
  }
  return ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((table) =>
    readFileSync(table, "utf8")
      .split("\n")
      .slice(1)
      .flatMap((line) => {
        const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
        const program = holders.get(inode);
        const [address = "", port = ""] = local.split(":");
        if (state !== LISTENING || program === undefined) return [];
        return [{ loopback: LOOPBACK.has(address), port: Number.parseInt(port, 16), program }];
      }),
  );
}

/** The process and all it started. */
function familyOf(root: number): readonly number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = quietly(() => readFileSync(`/proc/${name}/stat`, "utf8"));
    const parent = Number(stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = [root];
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}

function socketsOf(pid: number): readonly (readonly [string, string])[] {
  const program = quietly(() => readFileSync(`/proc/${pid}/comm`, "utf8").trim()) ?? "";
  return (quietly(() => readdirSync(`/proc/${pid}/fd`)) ?? []).flatMap((fd) => {
    const inode = /^socket:\[(\d+)\]$/.exec(quietly(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? "")?.[1];
    return inode === undefined ? [] : [[inode, program] as const];
  });
}

/** What ended while we looked is not there. */
function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
