/**
 * `shell:`, `shell,v2:` and `exec:`, AOSP packages/modules/adb/{SERVICES.TXT,daemon/shell_service.cpp,shell_protocol.h}.
 * The line goes to a real `/bin/sh -c`, so words split, quote and expand as they do on a phone. Not done: a terminal.
 * `shell:` and `…,pty:` end their lines with CR LF as a terminal does, and nothing is echoed.
 */
import type { Socket } from "node:net";
import type { AdbStream } from "./adb-stream.ts";
import type { ShellHost } from "./shell-host.ts";

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const EXIT = 3;
const CLOSE_STDIN = 4;

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

/** Serves one shell stream. `kind`: the words of the service before the colon. */
export function serveShell(stream: AdbStream, kind: readonly string[], line: string, host: ShellHost): void {
  const [service = "shell", ...options] = kind;
  const v2 = options.includes("v2");
  const terminal = options.includes("pty") || (service === "shell" && !v2 && !options.includes("raw"));
  const shell = host.start(line);
  const send = (id: number, bytes: Buffer): Promise<void> => {
    if (bytes.length === 0) return Promise.resolve();
    const out = terminal ? Buffer.from(bytes.toString("latin1").replaceAll(/\r?\n/g, "\r\n"), "latin1") : bytes;
    return stream.write(v2 ? packet(id, out) : out);
  };
  const pass = async (from: Promise<Socket>, id: number, words: (chunk: Buffer) => Buffer) => {
    for await (const chunk of await from) void (await send(id, words(chunk)));
  };
  const errors = new ErrorWords();
  const errorId = terminal ? STDOUT : STDERR;
  const written = Promise.allSettled([
    pass(shell.stdout, STDOUT, (chunk) => chunk),
    pass(shell.stderr, errorId, (chunk) => errors.push(chunk)),
  ]);
  let exited = false;
  void shell.exited.then(async (status) => {
    exited = true;
    if (status === undefined) {
      shell.forget();
      stream.close();
      return;
    }
    void shell.stdin.then((stdin) => stdin.destroy());
    await written;
    shell.forget();
    void send(errorId, errors.end());
    if (v2) void stream.write(packet(EXIT, Uint8Array.of(status & 0xff)));
    stream.end();
  });
  const feed = async (bytes: Buffer) => {
    const stdin = await shell.stdin;
    if (stdin.writable) await new Promise<void>((resolve) => stdin.write(bytes, () => resolve()));
  };
  if (v2) {
    stream.onData(
      packets(async (id, bytes) => {
        if (id === STDIN) await feed(bytes);
        else if (id === CLOSE_STDIN) (await shell.stdin).end();
      }),
    );
  } else stream.onData(feed);
  void stream.closed.then(() => {
    if (!exited) shell.kill();
  });
}
