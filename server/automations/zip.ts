/** Zips from and to people: what is read is bounded before it is unpacked, and nothing is ever written to a disk. */
import { promisify } from "node:util";
import { zipSync } from "fflate";
import yauzl from "yauzl";
import { MAX_FILE_BYTES, MAX_IMPORT_BYTES, MAX_IMPORT_FILES } from "../../shared/workspace-model.ts";
import { PerchError } from "../errors.ts";
import type { FileBytes } from "./workspaces.repo.ts";

export interface Unpacked {
  /** With their paths as the archive has them. */
  readonly files: readonly FileBytes[];
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
}

/** An archive may hold more than is kept, such as a repository's history; its list is read to this length. */
const MOST_ENTRIES = 20_000;
/** No text or picture packs better; what does is made to fill a server. */
const MOST_RATIO = 200;
const RATIO_COUNTS_FROM = 256 * 1024;

const open = promisify<Buffer, yauzl.Options, yauzl.ZipFile>(yauzl.fromBuffer);

/** @throws PerchError `bad_input`, `too_large` */
export async function readZip(zip: Buffer, wanted: (path: string) => boolean): Promise<Unpacked> {
  let archive: yauzl.ZipFile;
  try {
    archive = await open(zip, { lazyEntries: true, decodeStrings: false, validateEntrySizes: true });
  } catch (cause) {
    throw new PerchError("bad_input", "This is not a zip file, or it is damaged. Make it anew.", { cause });
  }
  if (archive.entryCount > MOST_ENTRIES) throw tooMany();
  const files: FileBytes[] = [];
  const skipped: { path: string; reason: string }[] = [];
  let total = 0;
  for await (const entry of zipEntries(archive)) {
    const path = yauzl.getFileNameLowLevel(entry.generalPurposeBitFlag, entry.fileNameRaw, entry.extraFields, false);
    if (path.endsWith("/") || !wanted(path)) continue;
    const reason = refusalOf(entry);
    if (reason !== undefined) {
      skipped.push({ path, reason });
      continue;
    }
    total += entry.uncompressedSize;
    if (files.length >= MAX_IMPORT_FILES) throw tooMany();
    if (total > MAX_IMPORT_BYTES) {
      throw new PerchError("too_large", "At most 16 MB are imported at once. Leave out what flows do not need.");
    }
    files.push({ path, bytes: await zipContent(archive, entry) });
  }
  return { files, skipped };
}

function tooMany(): PerchError {
  return new PerchError(
    "too_large",
    `At most ${MAX_IMPORT_FILES} files are imported at once. Choose the folder with the flows alone.`,
  );
}

function refusalOf(entry: yauzl.Entry): string | undefined {
  const mode = (entry.externalFileAttributes >>> 16) & 0o170000;
  if (mode === 0o120000) return "It is a link to another file. Put the file itself there.";
  if (entry.isEncrypted()) return "It has a password. Make the zip without one.";
  if (!entry.canDecodeFileData()) return "It is packed in a way that is not read here. Make an ordinary zip.";
  if (entry.uncompressedSize > MAX_FILE_BYTES) return "It is larger than 4 MB.";
  const ratio = entry.uncompressedSize / Math.max(1, entry.compressedSize);
  if (entry.uncompressedSize > RATIO_COUNTS_FROM && ratio > MOST_RATIO) {
    return "It unpacks to far more than it is packed. Such files are not read.";
  }
  return undefined;
}

/** One after the other; an error of the archive is a sentence. */
export async function* zipEntries(archive: yauzl.ZipFile): AsyncGenerator<yauzl.Entry, void, undefined> {
  for (;;) {
    const { promise, resolve, reject } = Promise.withResolvers<yauzl.Entry | undefined>();
    archive.once("entry", resolve);
    archive.once("end", () => resolve(undefined));
    archive.once("error", (cause) => reject(damaged(cause)));
    archive.readEntry();
    const entry = await promise;
    archive.removeAllListeners();
    if (entry === undefined) return;
    yield entry;
  }
}

/** @throws PerchError `bad_input` for a damaged one, or one that unpacks to more than it says */
export async function zipContent(archive: yauzl.ZipFile, entry: yauzl.Entry): Promise<Buffer> {
  try {
    const stream = await promisify<yauzl.Entry, NodeJS.ReadableStream>(archive.openReadStream.bind(archive))(entry);
    const parts: Buffer[] = [];
    // The library stops what unpacks to more than the entry says.
    for await (const part of stream) parts.push(Buffer.from(part));
    return Buffer.concat(parts);
  } catch (cause) {
    throw damaged(cause);
  }
}

function damaged(cause: unknown): PerchError {
  return new PerchError("bad_input", "This zip file is damaged. Make it anew.", { cause });
}

/** In the order given; the same files give the same bytes. */
export function writeZip(files: readonly FileBytes[]): Uint8Array {
  const mtime = new Date(Date.UTC(2000, 0, 1, 12));
  return zipSync(Object.fromEntries(files.map(({ path, bytes }) => [path, [bytes, { level: 6, mtime }]])));
}
