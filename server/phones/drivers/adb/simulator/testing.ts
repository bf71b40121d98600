/** For tests: Debian's `adb` with a server of its own, and `@yume-chan/adb` straight to a phone. */
import { execFile, spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  Adb,
  type AdbCredentialStore,
  AdbDaemonTransport,
  AdbPacket,
  type AdbPacketData,
  AdbPacketSerializeStream,
} from "@yume-chan/adb";
import { type Consumable, ReadableStream, StructDeserializeStream, WritableStream } from "@yume-chan/stream-extra";
import { freePort } from "../../../../../shared/testing/free-port.ts";

/** Whether a program is installed here; `describe.skipIf(!there("adb"))`. */
export const there = (program: string): boolean => spawnSync(program, ["-version"]).error === undefined;

export interface CliResult {
  readonly code: number;
  readonly stdout: Buffer;
  readonly text: string;
  readonly stderr: string;
}

/** `adb` on a port and with keys of its own; `close` ends its server. */
export class AdbCli {
  readonly port: number;
  readonly #home: string;

  private constructor(port: number, home: string) {
    this.port = port;
    this.#home = home;
  }
  static async start(): Promise<AdbCli> {
    const cli = new AdbCli(await freePort(), mkdtempSync(join(tmpdir(), "adb-home-")));
    await cli.run("start-server");
    return cli;
  }

  run(...args: string[]): Promise<CliResult> {
    return this.feed("", ...args);
  }
  /** The same with something to read. */
  feed(input: string | Uint8Array, ...args: string[]): Promise<CliResult> {
    return new Promise((resolve) => {
      const child = execFile(
        "adb",
        args,
        {
          encoding: "buffer",
          timeout: 20_000,
          maxBuffer: 64 * 1024 * 1024,
          env: { ...process.env, HOME: this.#home, ANDROID_ADB_SERVER_PORT: String(this.port), ADB_MDNS: "0" },
        },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === "number" ? error.code : 255;
          resolve({ code, stdout, text: stdout.toString(), stderr: stderr.toString() });
        },
      );
      child.stdin?.on("error", () => undefined);
      child.stdin?.end(input);
    });
  }

  async close(): Promise<void> {
    await this.run("kill-server");
    rmSync(this.#home, { recursive: true, force: true });
  }
}

/** A key of a host. */
export function newKey(name = "host@test"): AdbCredentialStore {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const buffer = new Uint8Array(privateKey.export({ format: "der", type: "pkcs8" }));
  return {
    generateKey: () => ({ buffer, name }),
    *iterateKeys() {
      yield { buffer, name };
    },
  };
}

/** Connects to a phone without an ADB server. */
export async function connectDirectly(port: number, credentialStore: AdbCredentialStore = newKey()): Promise<Adb> {
  const socket = connect(port, "127.0.0.1");
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  socket.setNoDelay(true);
  const readable = new ReadableStream<Uint8Array>({
    start(controller) {
      socket.on("data", (chunk: Buffer) => {
        controller.enqueue(new Uint8Array(chunk));
        if ((controller.desiredSize ?? 1) <= -64) socket.pause();
      });
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        try {
          controller.close();
        } catch {
          // Cancelled.
        }
      });
    },
    pull: () => void socket.resume(),
    cancel: () => void socket.destroy(),
  }).pipeThrough(new StructDeserializeStream(AdbPacket));
  const serialize = new AdbPacketSerializeStream();
  void serialize.readable
    .pipeTo(
      new WritableStream<Consumable<Uint8Array>>({
        write: (chunk) =>
          chunk.tryConsume(
            (bytes) =>
              new Promise<void>((resolve, reject) =>
                socket.write(bytes, (error) => (error ? reject(error) : resolve())),
              ),
          ),
        close: () => void socket.end(),
        abort: () => void socket.destroy(),
      }),
    )
    .catch(() => socket.destroy());
  const transport = await AdbDaemonTransport.authenticate({
    serial: `127.0.0.1:${port}`,
    connection: { readable: readable as ReadableStream<AdbPacketData>, writable: serialize.writable },
    credentialStore,
  });
  return new Adb(transport);
}
