/** An export from elsewhere, opened with care: bounded before anything is unpacked, and held against its contents list. */
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import yauzl from "yauzl";
import type * as z from "zod";
import { zipContent, zipEntries } from "../../../automations/zip.ts";
import { PerchError } from "../../../errors.ts";
import { type Age, isAge } from "../age.ts";
import { FORMAT, FORMAT_VERSION, MANIFEST, type Manifest, type ManifestEntry, manifestSchema } from "../manifest.ts";

export interface ImportArchive {
  readonly manifest: Manifest;
  /** Lines of a table that fit the shape; the others are passed over. */
  lines<S extends z.ZodType>(table: string, shape: S): Promise<readonly z.output<S>[]>;
  /** Paths below a folder, with that folder cut off. */
  paths(folder: string): readonly string[];
  /** A file, held against its hash. @throws PerchError `bad_input` */
  file(path: string): Promise<Buffer>;
}

export const MAX_ARCHIVE_BYTES = 64 * 1024 * 1024;
const MOST_ENTRIES = 100_000;
const MAX_MANIFEST_BYTES = 32 * 1024 * 1024;
const MAX_FILE_BYTES = 32 * 1024 * 1024;
/** Of everything that is read. */
const MAX_UNPACKED_BYTES = 160 * 1024 * 1024;
/** JSON and texts pack well; what packs better than this is made to fill a server. */
const MOST_RATIO = 400;
const RATIO_COUNTS_FROM = 1024 * 1024;
const MOST_LINES = 20_000;

export async function openArchive(
  uploaded: Uint8Array,
  passphrase: string | undefined,
  age: Pick<Age, "openPassphrase">,
): Promise<ImportArchive> {
  if (uploaded.length > MAX_ARCHIVE_BYTES) {
    throw new PerchError("too_large", "At most 64 MB are taken in. Leave the folder files/runs out of the archive.");
  }
  const bytes = isAge(uploaded) ? await opened(uploaded, passphrase, age) : uploaded;
  const { archive, entries } = await entriesOf(Buffer.from(bytes));
  let unpacked = 0;

  async function read(path: string, most: number): Promise<Buffer> {
    const entry = entries.get(path);
    if (entry === undefined) throw incomplete(path);
    const { uncompressedSize, compressedSize } = entry;
    const ratio = uncompressedSize / Math.max(1, compressedSize);
    unpacked += uncompressedSize;
    if (uncompressedSize > most || unpacked > MAX_UNPACKED_BYTES) {
      throw new PerchError("too_large", "This export holds more than is taken in at once.");
    }
    if (
      entry.isEncrypted() ||
      !entry.canDecodeFileData() ||
      (uncompressedSize > RATIO_COUNTS_FROM && ratio > MOST_RATIO)
    ) {
      throw new PerchError("bad_input", `${path} is packed in a way that is not read here.`);
    }
    return zipContent(archive, entry);
  }

  const manifest = manifestOf(await read(MANIFEST, MAX_MANIFEST_BYTES));
  const listed = new Map(manifest.files.map((file) => [file.path, file]));

  async function verified(entry: ManifestEntry): Promise<Buffer> {
    const content = await read(entry.path, MAX_FILE_BYTES);
    const sha256 = createHash("sha256").update(content).digest("hex");
    if (content.length !== entry.bytes || sha256 !== entry.sha256) throw changed(entry.path);
    return content;
  }

  return {
    manifest,
    paths: (folder) =>
      manifest.files.flatMap(({ path, kind }) =>
        kind === "file" && path.startsWith(`${folder}/`) ? [path.slice(folder.length + 1)] : [],
      ),
    async file(path) {
      const entry = listed.get(path);
      if (entry === undefined) throw incomplete(path);
      return verified(entry);
    },
    async lines<S extends z.ZodType>(table: string, shape: S) {
      const entry = manifest.files.find((file) => file.kind === "lines" && file.table === table);
      if (entry === undefined) return [];
      const rows = (await verified(entry)).toString("utf8").split("\n");
      if (rows.length > MOST_LINES) {
        throw new PerchError("too_large", `At most ${MOST_LINES.toLocaleString("en")} records of a kind are taken in.`);
      }
      return rows.flatMap((row): z.output<S>[] => {
        const parsed = row === "" ? undefined : shape.safeParse(parsedJson(row));
        return parsed?.success === true ? [parsed.data] : [];
      });
    },
  };
}

async function opened(
  uploaded: Uint8Array,
  passphrase: string | undefined,
  age: Pick<Age, "openPassphrase">,
): Promise<Uint8Array> {
  if (passphrase === undefined) {
    const words = "This file has a passphrase. Type it.";
    throw new PerchError("bad_input", words, { fields: { passphrase: words } });
  }
  return age.openPassphrase(uploaded, passphrase);
}

async function entriesOf(zip: Buffer) {
  let archive: yauzl.ZipFile;
  try {
    const options = { lazyEntries: true, autoClose: false, validateEntrySizes: true };
    archive = await promisify<Buffer, yauzl.Options, yauzl.ZipFile>(yauzl.fromBuffer)(zip, options);
  } catch (cause) {
    throw new PerchError("bad_input", "This is no export of Perch: it is not a zip file, or it is damaged.", { cause });
  }
  if (archive.entryCount > MOST_ENTRIES) throw new PerchError("too_large", "This archive holds too many files.");
  const entries = new Map<string, yauzl.Entry>();
  for await (const entry of zipEntries(archive)) {
    // Of two with one name, readers choose differently.
    if (entries.has(entry.fileName)) throw changed(entry.fileName);
    entries.set(entry.fileName, entry);
  }
  if (!entries.has(MANIFEST)) {
    throw new PerchError("bad_input", `This is no export of Perch: it has no ${MANIFEST}.`);
  }
  return { archive, entries };
}

function manifestOf(bytes: Buffer): Manifest {
  const json = parsedJson(bytes.toString("utf8"));
  const about = typeof json === "object" && json !== null ? json : {};
  const format = "format" in about ? about.format : undefined;
  const version = "formatVersion" in about ? about.formatVersion : undefined;
  if (format !== FORMAT || typeof version !== "number") {
    throw new PerchError("bad_input", "This is no export of Perch: its contents list says something else.");
  }
  if (version > FORMAT_VERSION) {
    throw new PerchError(
      "version_mismatch",
      `This export has format ${version}, of a newer Perch; this server reads up to ${FORMAT_VERSION}. Update this server first.`,
    );
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) throw new PerchError("bad_input", "The contents list of this export is damaged.");
  return parsed.data;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function incomplete(path: string): PerchError {
  return new PerchError("bad_input", `This export is not complete: ${path} is missing.`);
}

function changed(path: string): PerchError {
  return new PerchError("bad_input", `This export was changed or damaged: ${path} is not what its contents list says.`);
}
