/** Where files are kept: in the data folder, or all of them in the bucket of `S3_ENDPOINT`. */
import type { DataExportId, PhoneId, RunId, TeamId, UploadId, UserId } from "../../shared/ids.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { PerchError } from "../errors.ts";
import { errorFields, type Log } from "../log.ts";
import { createShelf, PERSONS, type Shelf, TEAMS } from "./blob-shelves.ts";
import type { BlobStore } from "./blob-store.ts";
import { createFsBlobs } from "./fs-blobs.ts";
import { createS3Blobs } from "./s3-blobs.ts";
import { S3Refusal } from "./s3-client.ts";
import type { SignedLinks } from "./signed-links.ts";

export interface Blobs {
  readonly runs: Shelf<TeamId, RunId>;
  readonly uploads: Shelf<TeamId, UploadId>;
  readonly exports: Shelf<UserId, DataExportId>;
  /** What parked phones keep; in a bucket alone. */
  readonly phones: Shelf<TeamId, PhoneId> | undefined;
  /** Set where files go to one. */
  readonly bucket: BlobStore | undefined;
  /** Lets go of what was begun before that and never finished. */
  dropUnfinished(before: Date): Promise<void>;
}

export function openBlobs(options: {
  config: Pick<Config, "DATA_DIR" | "s3">;
  clock: Clock;
  /** Left out where nobody is given addresses. */
  links?: Pick<SignedLinks, "make">;
}): Blobs {
  const { config, clock } = options;
  const bucket = config.s3 && createS3Blobs({ ...config.s3, clock });
  const folder = { folder: config.DATA_DIR, overwritten: "exports/", hurried: "runs/" };
  const blobs = bucket ?? createFsBlobs({ ...folder, ...(options.links && { link: options.links.make }) });
  return {
    runs: createShelf({ blobs, name: "runs", owners: TEAMS, kind: "run" }),
    uploads: createShelf({ blobs, name: "uploads", owners: TEAMS, kind: "upload" }),
    exports: createShelf({ blobs, name: "exports", owners: PERSONS, kind: "dataExport" }),
    phones: bucket && createShelf({ blobs: bucket, name: "phones", owners: TEAMS, kind: "phone" }),
    bucket,
    async dropUnfinished(before) {
      const folders = bucket === undefined ? ["runs", "uploads", "exports"] : [TEAMS, PERSONS];
      for (const folder of folders) await blobs.dropUnfinished(folder, before);
    },
  };
}

/** @throws PerchError when the bucket refuses; one that is only down is used as soon as it is back. */
export async function checkBucket({ bucket }: Pick<Blobs, "bucket">, log: Log): Promise<void> {
  try {
    await bucket?.check();
  } catch (error) {
    if (error instanceof S3Refusal || !(error instanceof PerchError)) throw error;
    log.warn("The file storage does not answer. Files can be kept and read once it does", errorFields(error));
  }
}
