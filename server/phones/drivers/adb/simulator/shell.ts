/**
 * `shell:`, `shell,v2:` and `exec:`, AOSP packages/modules/adb/{SERVICES.TXT,daemon/shell_service.cpp,shell_protocol.h}.
 * The line goes to a real `/bin/sh -c`, so words split, quote and expand as they do on a phone. Not done: a terminal.
 * `shell:` and `…,pty:` end their lines with CR LF as a terminal does, and nothing is echoed.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import type { AdbStream } from "./adb-stream.ts";

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const EXIT = 3;
const CLOSE_STDIN = 4;

export interface ShellPlace {
  /** Folder of the stub programs. */
  readonly path: string;
  /** Working folder: the phone's `/`. */
  readonly root: string;
  /** What runs, with what it left in the background. */
  readonly running: Set<ChildProcess>;
}

/**
 * dash's words for a program that is not there, in mksh's. dash writes a line in pieces, so one that begins like its own
 * waits for its end; every other goes on at once.
 */
class ErrorWords {
  #held = "";

  push(chunk: Buffer): Buffer {
    const text = this.#held + chunk.toString("latin1");
    const from = text.lastIndexOf("\n") + 1;
    const waits = "sh: ".startsWith(text.slice(from, from + 4)) && from < text.length;
    this.#held = waits ? text.slice(from) : "";
    return this.#words(waits ? text.slice(0, from) : text);
  }
  end(): Buffer {
    return this.#words(this.#held);
  }
  #words(text: string): Buffer {
    const android = text.replace(
      /^sh: (?:\d+: )?(.*): (?:not found|Permission denied)$/gm,
      (_, name: string) => `/system/bin/sh: ${name}: inaccessible or not found`,
    );
    return Buffer.from(android, "latin1");
  }
}

function packet(id: number, bytes: Uint8Array): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt8(id);
  header.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([header, bytes]);
}

function start(line: string, place: ShellPlace): ChildProcess {
  return spawn("/bin/sh", line === "" ? [] : ["-c", line], {
    argv0: "sh",
    cwd: place.root,
    detached: true,
    env: {
      PATH: place.path,
      ANDROID_ROOT: "/system",
      ANDROID_DATA: "/data",
      EXTERNAL_STORAGE: "/sdcard",
      TMPDIR: "/data/local/tmp",
      USER: "shell",
      LC_ALL: "C.UTF-8",
    },
  });
}

/** Ends a shell and all it started. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // Already over.
  }
}

/** Cuts what the host sends into packets of the shell protocol. */
function packets(take: (id: number, bytes: Buffer) => Promise<void>): (chunk: Buffer) => Promise<void> {
  let held: Buffer = Buffer.alloc(0);
  return async (chunk) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    while (held.length >= 5 && held.length >= 5 + held.readUInt32LE(1)) {
      const size = held.readUInt32LE(1);
      const [id = 0, bytes] = [held[0], held.subarray(5, 5 + size)];
      held = held.subarray(5 + size);
      await take(id, bytes);
    }
    if (held.length > 5 && held.readUInt32LE(1) > 1024 * 1024) throw new Error("shell packet too large");
  };
}

function feed(child: ChildProcess, bytes: Buffer): Promise<void> {
  const stdin = child.stdin;
  if (stdin === null || !stdin.writable) return Promise.resolve();
  return new Promise((resolve) => stdin.write(bytes, () => resolve()));
}

/** Serves one shell stream. `kind`: the words of the service before the colon. */
export function serveShell(stream: AdbStream, kind: readonly string[], line: string, place: ShellPlace): void {
  const [service = "shell", ...options] = kind;
  const v2 = options.includes("v2");
  const terminal = options.includes("pty") || (service === "shell" && !v2 && !options.includes("raw"));
  const child = start(line, place);
  place.running.add(child);
  const send = (id: number, bytes: Buffer): Promise<void> => {
    if (bytes.length === 0) return Promise.resolve();
    const out = terminal ? Buffer.from(bytes.toString("latin1").replaceAll(/\r?\n/g, "\r\n"), "latin1") : bytes;
    return stream.write(v2 ? packet(id, out) : out);
  };
  const pass = (from: NodeJS.ReadableStream | null, id: number, words: (chunk: Buffer) => Buffer) =>
    from?.on("data", (chunk: Buffer) => {
      from.pause();
      void send(id, words(chunk)).then(() => from.resume());
    });
  const errors = new ErrorWords();
  const errorId = terminal ? STDOUT : STDERR;
  child.stdin?.on("error", () => undefined);
  pass(child.stdout, STDOUT, (chunk) => chunk);
  pass(child.stderr, errorId, (chunk) => errors.push(chunk));
  child.on("error", () => stream.close());
  child.on("close", (code, signal) => {
    place.running.delete(child);
    void send(errorId, errors.end());
    const status = signal === null ? (code ?? 0) : 128 + constants.signals[signal];
    if (v2) void stream.write(packet(EXIT, Uint8Array.of(status & 0xff)));
    stream.end();
  });
  if (v2) {
    stream.onData(
      packets(async (id, bytes) => {
        if (id === STDIN) await feed(child, bytes);
        else if (id === CLOSE_STDIN) child.stdin?.end();
      }),
    );
  } else stream.onData((bytes) => feed(child, bytes));
  void stream.closed.then(() => {
    if (child.exitCode === null && child.signalCode === null) killGroup(child);
  });
}
