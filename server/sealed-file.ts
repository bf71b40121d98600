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

/** Seals what comes, in whole pieces. */
class Sealer {
  readonly header: Buffer;
  readonly #key: Buffer;
  readonly #prefix = randomBytes(PREFIX_BYTES);
  readonly #aad: Buffer;
  #piece = 0;
  #waiting: Uint8Array[] = [];
  #bytes = 0;

  constructor(key: Buffer, place: string) {
    this.#key = key;
    this.#aad = aadOf(place);
    this.header = Buffer.concat([MAGIC, this.#prefix]);
  }

  /** What is whole by now. */
  *add(chunk: Uint8Array): Generator<Buffer, void, undefined> {
    this.#waiting.push(chunk);
    this.#bytes += chunk.length;
    // A whole piece stays back: it may be the last one.
    if (this.#bytes <= PIECE_BYTES) return;
    let rest = Buffer.concat(this.#waiting, this.#bytes);
    for (; rest.length > PIECE_BYTES; rest = rest.subarray(PIECE_BYTES)) {
      yield this.#seal(rest.subarray(0, PIECE_BYTES), false);
    }
    this.#waiting = [rest];
    this.#bytes = rest.length;
  }

  end(): Buffer {
    return this.#seal(Buffer.concat(this.#waiting, this.#bytes), true);
  }

  #seal(plain: Buffer, last: boolean): Buffer {
    const nonce = nonceOf(this.#prefix, this.#piece, last);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce).setAAD(this.#aad);
    this.#piece += 1;
    return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }
}

/** `place` names where the file belongs: elsewhere it does not open. */
export function sealing(key: Buffer, place: string): Transform {
  const sealer = new Sealer(key, place);
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      for (const piece of sealer.add(chunk)) this.push(piece);
      done();
    },
    flush(done) {
      this.push(sealer.end());
      done();
    },
  });
  stream.push(sealer.header);
  return stream;
}

/** The same for what is read as it comes. */
export async function* sealed(
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  key: Buffer,
  place: string,
): AsyncGenerator<Buffer, void, undefined> {
  const sealer = new Sealer(key, place);
  yield sealer.header;
  for await (const chunk of content) yield* sealer.add(chunk);
  yield sealer.end();
}

/**
 * The content of what was sealed, as it comes, piece by piece. @throws Error when it does not open or is cut off: then what
 * came before is all that can be trusted.
 */
export async function* unsealing(
  content: AsyncIterable<Uint8Array>,
  key: Buffer,
  place: string,
): AsyncGenerator<Buffer, void, undefined> {
  const aad = aadOf(place);
  let prefix: Buffer | undefined;
  let number = 0;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of content) {
    rest = rest.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length) : Buffer.concat([rest, chunk]);
    if (prefix === undefined) {
      if (rest.length < HEADER_BYTES) continue;
      prefix = prefixIn(rest);
      rest = rest.subarray(HEADER_BYTES);
    }
    // A whole piece stays back: it may be the last one.
    for (; rest.length > SEALED_PIECE; rest = rest.subarray(SEALED_PIECE)) {
      yield unsealPiece(rest.subarray(0, SEALED_PIECE), key, nonceOf(prefix, number, false), aad);
      number += 1;
    }
  }
  if (prefix === undefined || rest.length < TAG_BYTES) throw new Error("The sealed file is cut off.");
  yield unsealPiece(rest, key, nonceOf(prefix, number, true), aad);
}

function aadOf(place: string): Buffer {
  return Buffer.concat([MAGIC, Buffer.from(place)]);
}

function prefixIn(header: Buffer): Buffer {
  if (!header.subarray(0, MAGIC.length).equals(MAGIC)) throw new Error("This is no sealed file.");
  return Buffer.from(header.subarray(MAGIC.length, HEADER_BYTES));
}

function unsealPiece(piece: Buffer, key: Buffer, nonce: Buffer, aad: Buffer): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(aad)
    .setAuthTag(piece.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(piece.subarray(0, -TAG_BYTES)), decipher.final()]);
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
      return new SealedReader(file, key, prefixIn(header), aadOf(place), (await file.stat()).size);
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
    const content = unsealPiece(sealed, this.#key, nonceOf(this.#prefix, number, last), this.#aad);
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
