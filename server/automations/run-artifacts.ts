/** Files of runs, each encrypted and bound to its place (AES-256-GCM). */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { RunId, TeamId } from "../../shared/ids.ts";
import { PerchError } from "../errors.ts";
import type { Shelf } from "../files/blob-shelves.ts";
import { allOf } from "../files/blob-store.ts";

/** What says where a run's files are. */
export interface RunHome {
  readonly id: RunId;
  readonly teamId: TeamId;
}
export type RunShelf = Shelf<TeamId, RunId>;

export interface ArtifactStore {
  /** Keeps bytes; gives the file's name in the run. */
  write(run: RunHome, bytes: Uint8Array): Promise<string>;
  /** @throws PerchError `not_found`; `unavailable` when the storage is down */
  read(run: RunHome, file: string): Promise<Buffer>;
  /** Its key in the storage. */
  keyOf(run: RunHome, file: string): string;
  /** As `read`, by key. */
  readAt(key: string): Promise<Buffer>;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;
const NAME = /^[0-9a-f]{24}$/;

export function createArtifactStore(options: { shelf: RunShelf; key: Buffer }): ArtifactStore {
  const { shelf, key } = options;
  const keyOf = (run: RunHome, file: string) => `${shelf.prefix(run.teamId, run.id)}/${file}`;
  /** The run and the file, whatever stands before them. */
  const place = (at: string) => Buffer.from(at.split("/").slice(-2).join("/"));

  async function readAt(at: string): Promise<Buffer> {
    const found = await shelf.blobs.get(at);
    if (found === undefined) throw noSuchFile();
    const sealed = await allOf(found.content);
    try {
      const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
        .setAAD(place(at))
        .setAuthTag(sealed.subarray(-TAG_BYTES));
      return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
    } catch (cause) {
      throw noSuchFile(cause);
    }
  }

  return {
    async write(run, bytes) {
      const file = randomBytes(12).toString("hex");
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(place(keyOf(run, file)));
      const sealed = Buffer.concat([iv, cipher.update(bytes), cipher.final()]);
      const whole = Buffer.concat([sealed, cipher.getAuthTag()]);
      await shelf.blobs.put(keyOf(run, file), whole, { bytes: whole.length });
      return file;
    },
    async read(run, file) {
      if (!NAME.test(file)) throw noSuchFile();
      return readAt(keyOf(run, file));
    },
    keyOf,
    readAt,
  };
}

function noSuchFile(cause?: unknown): PerchError {
  return new PerchError("not_found", "There is no such file of this run.", { cause });
}
