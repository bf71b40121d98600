/**
 * Files encrypted as they are written, in pieces that are checked one by one when they are read (AES-256-GCM in the STREAM
 * construction; Hoang, Reyhanitabar, Rogaway and Vizár, CRYPTO 2015): a piece that was changed, moved, repeated or cut off
 * does not open, and neither a writer nor a reader holds more than one piece.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { Transform } from "node:stream";

const MAGIC = Buffer.from("perch-sealed-1\n\0");
const PREFIX_BYTES = 7;
const HEADER_BYTES = MAGIC.length + PREFIX_BYTES;
const TAG_BYTES = 16;
export const PIECE_BYTES = 64 * 1024;
const SEALED_PIECE = PIECE_BYTES + TAG_BYTES;

/** The prefix, the number of the piece, and whether it is the last one. */
function nonceOf(prefix: Buffer, piece: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  prefix.copy(nonce);
  nonce.writeUInt32BE(piece, PREFIX_BYTES);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

/** `place` names where the file belongs: elsewhere it does not open. */
export function sealing(key: Buffer, place: string): Transform {
  const prefix = randomBytes(PREFIX_BYTES);
  const aad = Buffer.concat([MAGIC, Buffer.from(place)]);
  let piece = 0;
  let waiting: Buffer[] = [];
  let bytes = 0;
  const seal = (plain: Buffer, last: boolean): Buffer => {
    const cipher = createCipheriv("aes-256-gcm", key, nonceOf(prefix, piece, last)).setAAD(aad);
    piece += 1;
    return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  };
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      waiting.push(chunk);
      bytes += chunk.length;
      // A whole piece stays back: it may be the last one.
      if (bytes > PIECE_BYTES) {
        let rest = Buffer.concat(waiting, bytes);
        while (rest.length > PIECE_BYTES) {
          this.push(seal(rest.subarray(0, PIECE_BYTES), false));
          rest = rest.subarray(PIECE_BYTES);
        }
        waiting = [rest];
        bytes = rest.length;
      }
      done();
    },
    flush(done) {
      this.push(seal(Buffer.concat(waiting, bytes), true));
      done();
    },
  });
  stream.push(Buffer.concat([MAGIC, prefix]));
  return stream;
}

/** A sealed file, read piece by piece in any order. */
export class SealedReader {
  readonly #file: FileHandle;
  readonly #key: Buffer;
  readonly #prefix: Buffer;
  readonly #aad: Buffer;
  readonly #size: number;
  #last: { readonly piece: number; readonly content: Buffer } | undefined;

  private constructor(file: FileHandle, key: Buffer, prefix: Buffer, aad: Buffer, size: number) {
    this.#file = file;
    this.#key = key;
    this.#prefix = prefix;
    this.#aad = aad;
    this.#size = size;
  }

  /** @throws Error for what is no sealed file. */
  static async open(path: string, key: Buffer, place: string): Promise<SealedReader> {
    const file = await open(path, "r");
    try {
      const header = Buffer.alloc(HEADER_BYTES);
      await file.read(header, 0, HEADER_BYTES, 0);
      if (!header.subarray(0, MAGIC.length).equals(MAGIC)) throw new Error("This is no sealed file.");
      const aad = Buffer.concat([MAGIC, Buffer.from(place)]);
      return new SealedReader(file, key, header.subarray(MAGIC.length), aad, (await file.stat()).size);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** One piece, counted from 0; `last` for the last one. @throws Error when it does not open, or there is none. */
  async piece(number: number): Promise<{ readonly content: Buffer; readonly last: boolean }> {
    const at = HEADER_BYTES + number * SEALED_PIECE;
    const length = Math.min(SEALED_PIECE, this.#size - at);
    const last = at + length === this.#size;
    if (this.#last?.piece === number) return { content: this.#last.content, last };
    if (length < TAG_BYTES) throw new Error("The sealed file is cut off.");
    const sealed = Buffer.alloc(length);
    const { bytesRead } = await this.#file.read(sealed, 0, length, at);
    if (bytesRead !== length) throw new Error("The sealed file is cut off.");
    const nonce = nonceOf(this.#prefix, number, last);
    const decipher = createDecipheriv("aes-256-gcm", this.#key, nonce, { authTagLength: TAG_BYTES })
      .setAAD(this.#aad)
      .setAuthTag(sealed.subarray(-TAG_BYTES));
    const content = Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]);
    this.#last = { piece: number, content };
    return { content, last };
  }

  /** Bytes of the content from a place in it. @throws Error when there are not so many. */
  async read(from: number, bytes: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let at = from; at < from + bytes; ) {
      const number = Math.floor(at / PIECE_BYTES);
      const { content } = await this.piece(number);
      const start = at - number * PIECE_BYTES;
      const part = content.subarray(start, start + from + bytes - at);
      if (part.length === 0) throw new Error("The sealed file ends too early.");
      parts.push(part);
      at += part.length;
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** The content, piece by piece. @throws Error when it does not open: then what came before is all that can be trusted. */
export async function* unsealed(path: string, key: Buffer, place: string): AsyncGenerator<Buffer, void, undefined> {
  const reader = await SealedReader.open(path, key, place);
  try {
    for (let number = 0; ; number += 1) {
      const { content, last } = await reader.piece(number);
      yield content;
      if (last) return;
    }
  } finally {
    await reader.close();
  }
}

/** Size of the content of a sealed file of this size. */
export function unsealedSize(size: number): number {
  const body = size - HEADER_BYTES;
  return body - Math.ceil(body / SEALED_PIECE) * TAG_BYTES;
}

/** Writes over a file, then removes it. Nothing happens where there is none. */
export async function shred(path: string): Promise<void> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, "r+");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return;
    throw error;
  }
  try {
    const { size } = await file.stat();
    const noise = randomBytes(PIECE_BYTES);
    for (let at = 0; at < size; at += noise.length) await file.write(noise, 0, Math.min(noise.length, size - at), at);
    await file.sync();
  } finally {
    await file.close();
  }
  await rm(path, { force: true });
}
