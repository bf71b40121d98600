/** What programs in the containers of the test Engine do: as much of toybox and Android as phones are asked for. */
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import type { FakeContainer } from "./engine-things.ts";

export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout?: string;
  readonly stderr?: string;
}
/** A program that only writes and ends, or one that takes over the connection. */
export type Program =
  | ProgramResult
  | ((stream: { stdin: Duplex; stdout(bytes: Buffer): void; end(exitCode: number): void }) => void);

/** Where a container is: what of it programs see. */
export interface ProgramWorld {
  readonly withoutToybox: boolean;
  readonly booting: Set<string>;
  readonly reachable: ReadonlyMap<string, "open" | "refused">;
  readonly volumes: ReadonlyMap<string, { readonly files: ReadonlyMap<string, number> }>;
  readonly kernelFiles: ReadonlyMap<string, string[]>;
  readonly freeDiskKb: number;
}
export type ProgramContainer = Pick<FakeContainer, "id" | "binds" | "device"> & { pollsUntilBooted: number };

const TOYBOX = "/system/bin/toybox";
const NOT_FOUND = 127;

export function programOf(engine: ProgramWorld, container: ProgramContainer, argv: readonly string[]): Program {
  const [first, ...rest] = argv;
  if (first === "/system/bin/getprop" && rest[0] === "sys.boot_completed") return bootCompleted(engine, container);
  if (first === "/system/bin/sh" && rest[0] === "-c") return look(engine, container, rest.slice(3));
  if (first !== TOYBOX || engine.withoutToybox) {
    return { exitCode: NOT_FOUND, stderr: `OCI runtime exec failed: exec: "${first}": no such file or directory` };
  }
  const [name, ...args] = rest;
  if (name === "nc") return netcat(engine, container, args);
  if (name === "echo") return { exitCode: 0, stdout: `${args.join(" ")}\n` };
  if (name === "false") return { exitCode: 1 };
  if (name === "cat") return ({ stdin, stdout, end }) => void stdin.on("data", stdout).on("end", () => end(0));
  if (name === "find") return { exitCode: 0, stdout: sizes(engine, container) };
  if (name === "grep") return { exitCode: 0, stdout: kernelFiles(engine, args.slice(2)) };
  if (name === "df") return { exitCode: 0, stdout: diskFree(engine.freeDiskKb) };
  return { exitCode: NOT_FOUND, stderr: `toybox: Unknown command ${name}` };
}

function bootCompleted(engine: ProgramWorld, container: ProgramContainer): Program {
  if (container.pollsUntilBooted > 0) {
    container.pollsUntilBooted -= 1;
    return { exitCode: 0, stdout: "\n" };
  }
  engine.booting.delete(container.id);
  return { exitCode: 0, stdout: "1\n" };
}

/** The guard's look: one line a target. The script itself runs where there is a shell, in the counterparts. */
function look(engine: ProgramWorld, container: ProgramContainer, targets: readonly string[]): Program {
  if (engine.withoutToybox)
    return { exitCode: 0, stdout: targets.map((target) => `${target} 127 sh: not found\n`).join("") };
  const lines = targets.map((target) => {
    const at = target.lastIndexOf(":");
    const done = netcat(engine, container, ["-w", "1", target.slice(0, at), target.slice(at + 1)]);
    const { exitCode, stderr = "" } = typeof done === "function" ? { exitCode: 0 } : done;
    return `${target} ${exitCode} ${stderr}\n`;
  });
  return { exitCode: 0, stdout: lines.join("") };
}

/** toybox 0.8.9: `nc: Timeout` and exit code 1 for silence, `nc: connect: Connection refused` for a closed port. */
function netcat(engine: ProgramWorld, container: ProgramContainer, args: readonly string[]): Program {
  const [address = "", port = ""] = args.slice(-2);
  const looks = args.includes("-w");
  if (address === "127.0.0.1" && port === "5555") {
    if (container.device === undefined) return { exitCode: 1, stderr: "nc: connect: Connection refused" };
    if (looks) return { exitCode: 0 };
    const to = container.device.port;
    return ({ stdin, stdout, end }) => {
      const socket = connect({ host: "127.0.0.1", port: to, noDelay: true });
      stdin.on("data", (bytes: Buffer) => socket.write(bytes));
      stdin.on("end", () => socket.end());
      stdin.on("close", () => socket.destroy());
      socket.on("data", stdout);
      socket.on("error", () => end(1));
      socket.on("close", () => end(0));
    };
  }
  const how = engine.reachable.get(`${address}:${port}`);
  if (how === "open") return { exitCode: 0 };
  if (how === "refused") return { exitCode: 1, stderr: "nc: connect: Connection refused" };
  return { exitCode: 1, stderr: "nc: Timeout" };
}

function sizes(engine: ProgramWorld, container: ProgramContainer): string {
  const mounted = container.binds.map((bind) => bind.split(":")[0] ?? "");
  const files = mounted.flatMap((volume) => [...(engine.volumes.get(volume)?.files.values() ?? [])]);
  return files.map((bytes) => `${bytes}\n`).join("");
}

function kernelFiles(engine: ProgramWorld, names: readonly string[]): string {
  return names.flatMap((name) => (engine.kernelFiles.get(name) ?? []).map((line) => `${name}:${line}\n`)).join("");
}

function diskFree(freeKb: number): string {
  return `Filesystem     1K-blocks     Used Available Use% Mounted on\noverlay        200000000 90000000 ${freeKb}  45% /\n`;
}
