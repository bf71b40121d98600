/**
 * The port every storage of files is reached through: a folder of this machine (`fs-blobs.ts`) or a bucket (`s3-blobs.ts`).
 * What is put in is sealed before it comes here; nothing here knows what it means. `testing/blob-store-contract.ts` holds
 * what both do alike.
 */
import { PerchError } from "../errors.ts";

/** Parts of a path: letters, digits, dots, hyphens and underscores, as every system and every S3 takes them. */
const PART = /^(?!\.{1,2}$)[\w.-]{1,128}$/;
const LONGEST_KEY = 512;
/** S3's own bound (AWS, "Uploading an object using presigned URLs"), held by both. */
export const LONGEST_LINK_MS = 7 * 24 * 3_600_000;

export type BlobSource = Uint8Array | AsyncIterable<Uint8Array>;

export interface BlobInfo {
  readonly bytes: number;
  readonly modifiedAt: Date;
}
export interface ListedBlob extends BlobInfo {
  readonly key: string;
}

export interface BlobRange {
  readonly from: number;
  /** Left out: to the end. More than there is: to the end. */
  readonly bytes?: number;
}

export interface StoredBlob {
  /** Of the whole. */
  readonly bytes: number;
  /** Read it to its end, or cancel it. Fails with `unavailable` when it breaks off. */
  readonly content: ReadableStream<Uint8Array>;
}

/**
 * Methods throw `PerchError`: `unavailable` when the storage is down or refuses, `limit_reached` when it is full. Only calls
 * that may safely be made twice are repeated.
 */
export interface BlobStore {
  readonly kind: "fs" | "s3";
  /**
   * Keeps the content whole or not at all, over what was there; safe when it resolves. An error of the source is thrown on.
   * `bytes`: how much it is, where that is known.
   */
  put(
    key: string,
    content: BlobSource,
    options?: { readonly bytes?: number; readonly signal?: AbortSignal },
  ): Promise<{ readonly bytes: number }>;
  /** @throws PerchError `bad_input` for a range behind the end */
  get(
    key: string,
    options?: { readonly range?: BlobRange; readonly signal?: AbortSignal },
  ): Promise<StoredBlob | undefined>;
  head(key: string): Promise<BlobInfo | undefined>;
  delete(key: string): Promise<void>;
  /**
   * Everything whose key begins so, half-sent things too; gives how many there were. Looks afterwards that nothing is left.
   * @throws PerchError `unavailable` when something is
   */
  deletePrefix(prefix: string): Promise<number>;
  /** What begins so, in the order of keys. */
  list(prefix: string): AsyncGenerator<ListedBlob, void, undefined>;
  /** Names right below a folder, of blobs and of folders, in order. */
  names(folder: string): Promise<readonly string[]>;
  /** An address that gives what is stored, as a download, to whoever has it. */
  signedGet(key: string, forMs: number, fileName: string): Promise<URL>;
  /** Lets go of what was begun below a folder before that and never finished; gives how many. */
  dropUnfinished(folder: string, before: Date): Promise<number>;
  /** Writes, reads and removes something. @throws PerchError with what to change, for the operator */
  check(): Promise<void>;
}

/** @throws Error for what is no key: keys are made here of ids, never of what people send. */
export function checkedKey(key: string): string {
  if (key.length > LONGEST_KEY || !key.split("/").every((part) => PART.test(part))) {
    throw new Error("This is no key of a blob.");
  }
  return key;
}

/** A key, or the beginning of keys; never of all. */
export function checkedPrefix(prefix: string): string {
  checkedKey(prefix.endsWith("/") ? prefix.slice(0, -1) : prefix);
  return prefix;
}

/** How a range lies in something of this size. @throws PerchError `bad_input` */
export function rangeIn(
  range: BlobRange | undefined,
  total: number,
): { readonly from: number; readonly bytes: number } {
  const from = range?.from ?? 0;
  if (from < 0 || (from >= total && (range !== undefined || from > 0))) throw outOfRange();
  return { from, bytes: Math.min(range?.bytes ?? Number.POSITIVE_INFINITY, total - from) };
}

export function outOfRange(): PerchError {
  return new PerchError("bad_input", "The file is shorter than that. Ask for a part that is there.");
}

export function brokeOff(cause?: unknown): PerchError {
  return new PerchError("unavailable", "The file broke off while it was read. Try again.", { cause });
}
export function stillThere(): PerchError {
  return new PerchError("unavailable", "Something is still in the storage after it was removed. It is tried again.");
}

export function linkLasts(forMs: number): number {
  const seconds = Math.floor(forMs / 1000);
  if (seconds < 1 || forMs > LONGEST_LINK_MS) throw new Error("A link lasts from a second to seven days.");
  return seconds;
}

/** RFC 6266 and 8187: saved under its name, never opened in place. */
export function asAttachment(fileName: string): string {
  const encoded = encodeURIComponent(fileName).replaceAll(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename*=UTF-8''${encoded}`;
}

export async function* chunksOf(content: BlobSource): AsyncGenerator<Uint8Array, void, undefined> {
  if (content instanceof Uint8Array) yield content;
  else yield* content;
}

export async function allOf(content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of content) parts.push(part);
  return Buffer.concat(parts);
}
