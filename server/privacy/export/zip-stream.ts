/** A zip written one entry after the other, each as it comes, with the facts about it that the contents list needs. */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { ZipFile } from "yazl";

export interface EntryFacts {
  readonly path: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

export interface ZipStream {
  readonly output: Readable;
  /** Resolves when all of the source went in. */
  add(path: string, source: AsyncIterable<Uint8Array>): Promise<EntryFacts>;
  end(): void;
}

/** What does not get smaller. */
const PACKED = /\.(png|jpe?g|webp|gif|webm|mp4|mp3|m4a|ogg|zip|gz|7z|pdf|woff2?)$/i;
/** Twice as quick as zlib's own choice, and a few percent larger. */
const LEVEL = 4;

/** `failed` rejects when what the output goes to no longer takes anything, so that no source waits for it for ever. */
export function createZip(options: { readonly mtime: Date; readonly failed: Promise<never> }): ZipStream {
  const zip = new ZipFile();
  const broken = new Promise<never>((_resolve, reject) => zip.on("error", reject));
  // Each `add` races with them; between two of them nobody listens.
  broken.catch(() => {});
  options.failed.catch(() => {});
  // The library pipes into a PassThrough and types it as less.
  const output = zip.outputStream as Readable;
  // Whoever takes it is told by its end; with nobody left to hear of it, an error must not end the process.
  output.on("error", () => {});
  return {
    output,
    async add(path, source) {
      const hash = createHash("sha256");
      let bytes = 0;
      const counted = async function* () {
        for await (const chunk of source) {
          hash.update(chunk);
          bytes += chunk.length;
          yield chunk;
        }
      };
      const stream = Readable.from(counted(), { objectMode: false, highWaterMark: 128 * 1024 });
      zip.addReadStream(stream, path, {
        mtime: options.mtime,
        mode: 0o100600,
        compressionLevel: PACKED.test(path) ? 0 : LEVEL,
      });
      await Promise.race([finished(stream, { writable: false }), broken, options.failed]).catch((error: unknown) => {
        stream.destroy();
        throw error;
      });
      return { path, bytes, sha256: hash.digest("hex") };
    },
    end: () => zip.end(),
  };
}
