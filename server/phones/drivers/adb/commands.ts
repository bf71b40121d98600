/** Programs on a device: run to their end, or read while they run. Each call has a time, a size and one quoting. */
import { randomBytes } from "node:crypto";
import { type Adb, AdbFeature, type AdbSocket } from "@yume-chan/adb";
import { PerchError } from "../../../errors.ts";
import { within } from "./connect/bounded.ts";
import { AdbUnavailable } from "./connect/unavailable.ts";
import type { CommandOptions, CommandResult } from "./ports.ts";
import { SHELL, ShellParser, shellPacket } from "./shell-protocol.ts";
import { shellLine } from "./shell-quote.ts";

const COMMAND_MS = 10_000;
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_STDERR = 64 * 1024;

export type Argv = readonly [string, ...string[]];

export async function runCommand(adb: Adb, words: string, argv: Argv, options: CommandOptions): Promise<CommandResult> {
  const { timeoutMs = COMMAND_MS, signal, maxBytes = MAX_BYTES } = options;
  const line = shellLine(argv);
  const hasCodes = adb.canUseFeature(AdbFeature.ShellV2);
  const marker = `PERCH-${randomBytes(8).toString("hex")}:`;
  // Without the protocol there are no exit codes: the shell writes it behind the output, with a word nobody else knows.
  const service = hasCodes ? `shell,v2,raw:${line}` : `exec:${line}; echo ${marker}$?`;
  const opened = Promise.withResolvers<AdbSocket>();
  opened.promise.catch(() => undefined);
  const work = async () => {
    const socket = await adb.createSocket(service);
    opened.resolve(socket);
    return hasCodes ? readProtocol(socket, maxBytes) : readMarked(socket, marker, maxBytes);
  };
  try {
    return await within(timeoutMs, words, work(), signal);
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason;
    if (error instanceof PerchError) throw error;
    throw new AdbUnavailable("device_gone", `The connection to ${words} broke.`, { cause: error });
  } finally {
    // Whenever it opens: a program nobody waits for any more is ended by its socket.
    opened.promise.then((socket) => socket.close()).catch(() => undefined);
    opened.reject(new Error("Given up."));
  }
}

function tooMuch(): PerchError {
  return new PerchError("phone_unavailable", "The phone sent far more than was asked for.");
}

async function readProtocol(socket: AdbSocket, maxBytes: number): Promise<CommandResult> {
  await closeStdin(socket);
  const parser = new ShellParser();
  const reader = socket.readable.getReader();
  const stdout: Uint8Array[] = [];
  const stderr: Uint8Array[] = [];
  let bytes = 0;
  let errorBytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error("The shell ended without a word.");
    for (const { id, data } of parser.push(value)) {
      if (id === SHELL.stdout) {
        bytes += data.byteLength;
        if (bytes > maxBytes) throw tooMuch();
        stdout.push(data);
      } else if (id === SHELL.stderr && errorBytes < MAX_STDERR) {
        errorBytes += data.byteLength;
        stderr.push(data);
      } else if (id === SHELL.exit) {
        return {
          exitCode: data[0] ?? 255,
          stdout: Buffer.concat(stdout),
          stderr: Buffer.concat(stderr).toString("utf8"),
        };
      }
    }
  }
}

/** Nothing is typed into commands: what reads gets the end of its input and not a wait. */
async function closeStdin(socket: AdbSocket): Promise<void> {
  const writer = socket.writable.getWriter();
  await writer.write(shellPacket(SHELL.closeStdin)).catch(() => undefined);
  writer.releaseLock();
}

async function readMarked(socket: AdbSocket, marker: string, maxBytes: number): Promise<CommandResult> {
  const reader = socket.readable.getReader();
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.byteLength;
    if (bytes > maxBytes + 64) throw tooMuch();
    parts.push(value);
  }
  const all = Buffer.concat(parts);
  const at = all.lastIndexOf(marker);
  const after = at < 0 ? "" : all.toString("latin1", at + marker.length, at + marker.length + 8);
  const line = /^(\d{1,3})\r?\n/.exec(after);
  if (line === null) throw new Error("The shell ended without a word.");
  // What the program wrote elsewhere may come later.
  const rest = all.subarray(at + marker.length + line[0].length);
  return { exitCode: Number(line[1]), stdout: Buffer.concat([all.subarray(0, at), rest]), stderr: "" };
}

/** What a program writes to its standard output, as it does. */
export async function streamCommand(
  adb: Adb,
  words: string,
  argv: Argv,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const hasCodes = adb.canUseFeature(AdbFeature.ShellV2);
  const line = shellLine(argv);
  const opening = adb.createSocket(`${hasCodes ? "shell,v2,raw" : "exec"}:${line}`);
  const socket = await within(COMMAND_MS, words, opening, signal).catch((error: unknown) => {
    opening.then((late) => late.close()).catch(() => undefined);
    throw error;
  });
  if (hasCodes) await closeStdin(socket);
  const parser = new ShellParser();
  const reader = socket.readable.getReader();
  const close = () => void Promise.resolve(socket.close()).catch(() => undefined);
  signal.addEventListener("abort", close, { once: true });
  const end = () => signal.removeEventListener("abort", close);
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      for (;;) {
        const { done, value } = await reader.read();
        const pieces = done ? [] : hasCodes ? parser.push(value) : [{ id: SHELL.stdout, data: value }];
        const written = pieces.filter(({ id }) => id === SHELL.stdout);
        for (const { data } of written) controller.enqueue(data);
        if (done || pieces.some(({ id }) => id === SHELL.exit)) {
          end();
          close();
          controller.close();
          return;
        }
        if (written.length > 0) return;
      }
    },
    cancel() {
      end();
      close();
    },
  });
}
