/** Reads an export back as whoever got it does: for tests. */
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import yauzl from "yauzl";
import { MANIFEST, type Manifest, manifestSchema } from "./manifest.ts";

export interface ReadArchive {
  readonly files: ReadonlyMap<string, Buffer>;
  readonly manifest: Manifest;
  lines(table: string): Record<string, unknown>[];
}

export async function readArchive(zip: Buffer): Promise<ReadArchive> {
  const archive = await promisify<Buffer, yauzl.Options, yauzl.ZipFile>(yauzl.fromBuffer)(zip, { lazyEntries: true });
  const files = new Map<string, Buffer>();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  archive.on("error", reject);
  archive.on("end", resolve);
  archive.on("entry", (entry: yauzl.Entry) => {
    archive.openReadStream(entry, (error, stream) => {
      if (error !== null) return reject(error);
      buffer(stream).then((bytes) => {
        files.set(entry.fileName, bytes);
        archive.readEntry();
      }, reject);
    });
  });
  archive.readEntry();
  await promise;
  const text = (path: string) => files.get(path)?.toString("utf8") ?? "";
  return {
    files,
    manifest: manifestSchema.parse(JSON.parse(text(MANIFEST))),
    lines: (table) =>
      text(`data/${table}.ndjson`)
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}
