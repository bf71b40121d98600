/**
 * Files to and from a device: the sync service (AOSP `adb/SYNC.TXT`, version 1, which every Android has). The library keeps
 * a buffer of any length the device announces and waits for ever when what is sent breaks off; here lengths are checked,
 * and each step has its time.
 */
import type { Adb, AdbSocket } from "@yume-chan/adb";
import { PerchError } from "../../../errors.ts";
import { within } from "./connect/bounded.ts";
import { AdbUnavailable } from "./connect/unavailable.ts";

/** `SYNC_DATA_MAX` */
const MAX_DATA = 64 * 1024;
const MAX_NAME = 1_024;
const MAX_ENTRIES = 10_000;
/** For each step, not for the whole file: a large one takes its time. */
const STEP_MS = 30_000;
const WHOLE_MS = 12 * 3_600_000;
const FILE_MODE = 0o100_000;
const TYPE_MASK = 0o170_000;
const DIRECTORY = 0o040_000;

export interface SyncEntry {
  readonly name: string;
  readonly isFile: boolean;
  readonly isFolder: boolean;
  readonly bytes: number;
  readonly modifiedMs: number;
}

class Session {
  readonly #socket: AdbSocket;
  readonly #words: string;
  readonly #gone: Promise<never>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(socket: AdbSocket, words: string, disconnected: Promise<void>) {
    this.#socket = socket;
    this.#words = words;
    this.#gone = disconnected.then(() => {
      throw new AdbUnavailable("device_gone", `The connection to ${words} broke.`);
    });
    this.#gone.catch(() => undefined);
    this.#reader = socket.readable.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    this.#writer = socket.writable.getWriter() as WritableStreamDefaultWriter<Uint8Array>;
  }
  static async open(adb: Adb, words: string): Promise<Session> {
    return new Session(await adb.createSocket("sync:"), words, adb.disconnected);
  }
  /** An id of four letters and a number; behind it the data, where the number is its length. */
  async write(id: string, number: number, data: Uint8Array = new Uint8Array()): Promise<void> {
    const packet = Buffer.alloc(8 + data.byteLength);
    packet.write(id, "latin1");
    packet.writeUInt32LE(number >>> 0, 4);
    packet.set(data, 8);
    await within(STEP_MS, this.#words, Promise.race([this.#writer.write(packet), this.#gone]));
  }
  request(id: string, path: string): Promise<void> {
    const bytes = Buffer.from(path);
    if (bytes.byteLength > MAX_NAME || path.includes("\0")) {
      throw new PerchError("bad_input", "This name is too long for a phone.");
    }
    return this.write(id, bytes.byteLength, bytes);
  }
  async read(length: number, stepMs = STEP_MS): Promise<Buffer> {
    const parts = [this.#rest];
    let bytes = this.#rest.byteLength;
    while (bytes < length) {
      const { done, value } = await within(stepMs, this.#words, Promise.race([this.#reader.read(), this.#gone]));
      if (done) throw new AdbUnavailable("device_gone", `The connection to ${this.#words} broke.`);
      parts.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
      bytes += value.byteLength;
    }
    const all = parts.length === 1 ? this.#rest : Buffer.concat(parts);
    this.#rest = all.subarray(length);
    return all.subarray(0, length);
  }
  async header(stepMs?: number): Promise<{ id: string; number: number }> {
    const header = await this.read(8, stepMs);
    return { id: header.toString("latin1", 0, 4), number: header.readUInt32LE(4) };
  }
  /** @throws PerchError with the device's words, cut and in one line */
  async failed(length: number): Promise<never> {
    const text = (await this.read(Math.min(length, MAX_NAME))).toString("utf8").replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ");
    if (/No such file/i.test(text)) throw new PerchError("not_found", "This phone has no file of that name.");
    if (/No space left/i.test(text)) throw new PerchError("limit_reached", "There is no room for it on this phone.");
    if (/Read-only|Permission denied/i.test(text)) throw new PerchError("forbidden", "This phone does not allow that.");
    throw new PerchError("phone_unavailable", `The phone did not take it: ${text.slice(0, 200)}`);
  }
  close(): void {
    Promise.resolve(this.#socket.close()).catch(() => undefined);
    this.#reader.cancel().catch(() => undefined);
  }
}

export async function pushFile(
  adb: Adb,
  words: string,
  path: string,
  content: ReadableStream<Uint8Array>,
  how: { readonly mode: number; readonly modifiedMs: number },
): Promise<void> {
  const source = content.getReader();
  const session = await Session.open(adb, words).catch(async (error: unknown) => {
    await source.cancel(error);
    throw error;
  });
  try {
    await session.request("SEND", `${path},${FILE_MODE | (how.mode & 0o777)}`);
    // The device may refuse at any time, and then reads on without taking anything.
    const answered = { now: false };
    const answer = answerOf(session).finally(() => {
      answered.now = true;
    });
    answer.catch(() => undefined);
    for (;;) {
      const { done, value } = await within(STEP_MS, words, source.read());
      if (done) break;
      for (let at = 0; at < value.byteLength && !answered.now; at += MAX_DATA) {
        const piece = value.subarray(at, at + MAX_DATA);
        await session.write("DATA", piece.byteLength, piece);
      }
      if (answered.now) break;
    }
    if (!answered.now) await session.write("DONE", Math.floor(how.modifiedMs / 1000));
    await within(STEP_MS, words, answer);
  } finally {
    source.cancel().catch(() => undefined);
    session.close();
  }
}

async function answerOf(session: Session): Promise<void> {
  // While a file is sent the answer takes as long as that; each piece has its own time.
  const { id, number } = await session.header(WHOLE_MS);
  if (id === "FAIL") await session.failed(number);
  if (id !== "OKAY") throw new PerchError("phone_unavailable", "The phone did not speak as it should.");
}

export async function pullFile(adb: Adb, words: string, path: string): Promise<ReadableStream<Uint8Array>> {
  const session = await Session.open(adb, words);
  const next = async (): Promise<Buffer | undefined> => {
    const { id, number } = await session.header();
    if (id === "DONE") return undefined;
    if (id === "FAIL") return session.failed(number);
    if (id !== "DATA" || number > MAX_DATA) {
      throw new PerchError("phone_unavailable", "The phone did not speak as it should.");
    }
    return session.read(number);
  };
  let first: Buffer | undefined;
  try {
    await session.request("RECV", path);
    first = await next();
  } catch (error) {
    session.close();
    throw error;
  }
  let given = false;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const piece = given ? await next() : first;
        given = true;
        if (piece !== undefined) return controller.enqueue(piece);
        session.close();
        controller.close();
      } catch (error) {
        session.close();
        throw error;
      }
    },
    cancel: () => session.close(),
  });
}

/** What is in a folder, without `.` and `..`; empty for one that is not there. */
export async function listFolder(adb: Adb, words: string, path: string): Promise<readonly SyncEntry[]> {
  const session = await Session.open(adb, words);
  try {
    await session.request("LIST", path);
    const entries: SyncEntry[] = [];
    for (;;) {
      const header = await session.read(20);
      const id = header.toString("latin1", 0, 4);
      if (id === "DONE") return entries;
      const [mode, bytes, seconds, length] = [4, 8, 12, 16].map((at) => header.readUInt32LE(at));
      if (id !== "DENT" || length === undefined || length > MAX_NAME) {
        throw new PerchError("phone_unavailable", "The phone did not speak as it should.");
      }
      const name = (await session.read(length)).toString("utf8");
      if (name === "." || name === ".." || entries.length >= MAX_ENTRIES) continue;
      const type = (mode ?? 0) & TYPE_MASK;
      entries.push({
        name,
        isFile: type === FILE_MODE,
        isFolder: type === DIRECTORY,
        bytes: bytes ?? 0,
        modifiedMs: (seconds ?? 0) * 1000,
      });
    }
  } finally {
    session.close();
  }
}
