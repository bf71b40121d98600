/**
 * `sync:`, files to and from the device: AOSP packages/modules/adb/{SYNC.TXT,file_sync_protocol.h,daemon/file_sync_service.cpp}.
 * STAT, STA2, LST2, LIST, LIS2, SEND, RECV and QUIT. Links are not made: a SEND of one fails.
 */
import { type BigIntStats, constants, createReadStream } from "node:fs";
import { chmod, type FileHandle, mkdir, open, rename, rm, utimes } from "node:fs/promises";
import { dirname } from "node:path";
import type { AdbStream } from "./adb-stream.ts";
import { asFileError, type DeviceFiles, FileError } from "./device-files.ts";

const MAX_PATH = 1024;
const MAX_DATA = 64 * 1024;

/** Bytes as they come, asked for by number. */
class Incoming {
  #held: Buffer = Buffer.alloc(0);
  #wanted: { readonly count: number; readonly resolve: (bytes: Buffer | undefined) => void } | undefined;
  #over = false;

  push(chunk: Buffer): void {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#give();
  }
  end(): void {
    this.#over = true;
    this.#give();
  }
  read(count: number): Promise<Buffer | undefined> {
    return new Promise((resolve) => {
      this.#wanted = { count, resolve };
      this.#give();
    });
  }
  #give(): void {
    const wanted = this.#wanted;
    if (wanted === undefined) return;
    if (this.#held.length >= wanted.count) {
      this.#wanted = undefined;
      const bytes = this.#held.subarray(0, wanted.count);
      this.#held = this.#held.subarray(wanted.count);
      wanted.resolve(bytes);
    } else if (this.#over) {
      this.#wanted = undefined;
      wanted.resolve(undefined);
    }
  }
}

function head(id: string, ...words: number[]): Buffer {
  const bytes = Buffer.alloc(4 + 4 * words.length);
  bytes.write(id, "latin1");
  words.forEach((word, index) => {
    bytes.writeUInt32LE(word >>> 0, 4 + 4 * index);
  });
  return bytes;
}

/** `sync_stat_v2`: after the id an error, then device, inode, mode and so on. */
function statV2(id: string, stats: BigIntStats | undefined, errno: number): Buffer {
  const bytes = Buffer.alloc(72);
  bytes.write(id, "latin1");
  bytes.writeUInt32LE(errno, 4);
  if (stats === undefined) return bytes;
  bytes.writeBigUInt64LE(stats.dev, 8);
  bytes.writeBigUInt64LE(stats.ino, 16);
  bytes.writeUInt32LE(Number(stats.mode), 24);
  bytes.writeUInt32LE(Number(stats.nlink), 28);
  bytes.writeUInt32LE(2000, 32);
  bytes.writeUInt32LE(2000, 36);
  bytes.writeBigUInt64LE(stats.size, 40);
  for (const [at, time] of [stats.atimeMs, stats.mtimeMs, stats.ctimeMs].entries())
    bytes.writeBigInt64LE(time / 1000n, 48 + 8 * at);
  return bytes;
}

export function serveSync(stream: AdbStream, files: DeviceFiles): void {
  const incoming = new Incoming();
  stream.onData((bytes) => incoming.push(bytes));
  void stream.closed.then(() => incoming.end());
  // Nobody waits for a session whose stream is gone.
  void new SyncSession(stream, files, incoming)
    .run()
    .catch(() => {})
    .then(() => stream.end());
}

class SyncSession {
  readonly #stream: AdbStream;
  readonly #files: DeviceFiles;
  readonly #incoming: Incoming;

  constructor(stream: AdbStream, files: DeviceFiles, incoming: Incoming) {
    this.#stream = stream;
    this.#files = files;
    this.#incoming = incoming;
  }

  async run(): Promise<void> {
    for (;;) {
      const request = await this.#incoming.read(8);
      if (request === undefined) return;
      const id = request.toString("latin1", 0, 4);
      const size = request.readUInt32LE(4);
      if (id === "QUIT") return;
      if (size > MAX_PATH) return this.#fail("path too long");
      const path = (await this.#incoming.read(size))?.toString("utf8");
      if (path === undefined) return;
      if (!(await this.#serve(id, path))) return;
    }
  }

  async #serve(id: string, path: string): Promise<boolean> {
    switch (id) {
      case "STAT": {
        const { stats } = this.#lstat(path);
        const mtime = stats === undefined ? 0 : Number(stats.mtimeMs / 1000n);
        await this.#stream.write(head("STAT", Number(stats?.mode ?? 0n), Number(stats?.size ?? 0n), mtime));
        return true;
      }
      case "STA2":
      case "LST2": {
        const { stats, errno } = this.#lstat(path);
        await this.#stream.write(statV2(id, stats, errno));
        return true;
      }
      case "LIST":
      case "LIS2":
        await this.#list(path, id === "LIS2");
        return true;
      case "SEND":
        return this.#receive(path);
      case "RECV":
        return this.#send(path);
      default:
        await this.#fail(`unknown command ${id}`);
        return false;
    }
  }

  #lstat(path: string): { readonly stats: BigIntStats | undefined; readonly errno: number } {
    try {
      return { stats: this.#files.stat(path), errno: 0 };
    } catch (error) {
      return { stats: undefined, errno: asFileError(error).errno };
    }
  }

  async #list(path: string, v2: boolean): Promise<void> {
    let names: string[] = [];
    try {
      names = this.#files.list(path);
    } catch {
      // An empty list, as adbd says it.
    }
    for (const name of names) {
      const { stats, errno } = this.#lstat(`${path}/${name}`);
      if (stats === undefined && !v2) continue;
      const bytes = Buffer.from(name);
      const entry = v2
        ? Buffer.concat([statV2("DNT2", stats, errno), head("", bytes.length).subarray(4)])
        : head(
            "DENT",
            Number(stats?.mode ?? 0n),
            Number(stats?.size ?? 0n),
            Number((stats?.mtimeMs ?? 0n) / 1000n),
            bytes.length,
          );
      await this.#stream.write(Buffer.concat([entry, bytes]));
    }
    await this.#stream.write(
      v2 ? Buffer.concat([statV2("DONE", undefined, 0), Buffer.alloc(4)]) : head("DONE", 0, 0, 0, 0),
    );
  }

  async #send(path: string): Promise<boolean> {
    try {
      const real = this.#files.real(path);
      if ((Number(this.#files.stat(path).mode) & constants.S_IFMT) === constants.S_IFDIR) throw new FileError("EISDIR");
      for await (const chunk of createReadStream(real, { highWaterMark: MAX_DATA })) {
        const bytes = chunk as Buffer;
        await this.#stream.write(Buffer.concat([head("DATA", bytes.length), bytes]));
        if (!this.#stream.open) return false;
      }
      await this.#stream.write(head("DONE", 0));
      return true;
    } catch (error) {
      const { message } = asFileError(error);
      await this.#fail(message === "Is a directory" ? `read failed: ${message}` : `open failed: ${message}`);
      return true;
    }
  }

  /** A file from the host, under another name until all of it is here. */
  async #receive(pathAndMode: string): Promise<boolean> {
    const comma = pathAndMode.lastIndexOf(",");
    const path = comma < 0 ? pathAndMode : pathAndMode.slice(0, comma);
    const mode = comma < 0 ? 0o644 : Number.parseInt(pathAndMode.slice(comma + 1), 10);
    let failure: string | undefined;
    let file: FileHandle | undefined;
    let real = "";
    const part = () => `${real}.part`;
    const failed = (why: string, error: unknown) => {
      failure ??= `${why} ${path}: ${asFileError(error).message}`.replace(/^(\S+ failed) .*?: /, "$1: ");
    };
    try {
      if ((mode & constants.S_IFMT) === constants.S_IFLNK) throw new FileError("EACCES");
      real = this.#files.real(path, true);
      await mkdir(dirname(real), { recursive: true });
      file = await open(part(), "w");
    } catch (error) {
      failed("couldn't create file", error);
    }
    for (;;) {
      const next = await this.#incoming.read(8);
      const id = next?.toString("latin1", 0, 4);
      const size = next?.readUInt32LE(4) ?? 0;
      const data = id === "DATA" && size <= MAX_DATA ? await this.#incoming.read(size) : undefined;
      if (data !== undefined) {
        try {
          if (failure === undefined && this.#files.full) throw new FileError("ENOSPC");
          if (failure === undefined) await file?.write(data);
        } catch (error) {
          failed("write failed", error);
        }
        continue;
      }
      await file?.close();
      if (id !== "DONE") {
        if (file !== undefined) await rm(part(), { force: true });
        if (id !== undefined) await this.#fail(id === "DATA" ? "oversize data message" : "invalid data message");
        return false;
      }
      try {
        if (failure === undefined) {
          await chmod(part(), mode & 0o777 || 0o644);
          await utimes(part(), size, size);
          await rename(part(), real);
        }
      } catch (error) {
        failed("couldn't create file", error);
      }
      if (failure === undefined) await this.#stream.write(head("OKAY", 0));
      else {
        if (file !== undefined) await rm(part(), { force: true });
        await this.#fail(failure);
      }
      return true;
    }
  }

  async #fail(words: string): Promise<void> {
    const bytes = Buffer.from(words);
    await this.#stream.write(Buffer.concat([head("FAIL", bytes.length), bytes]));
  }
}
