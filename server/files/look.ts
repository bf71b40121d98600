/** Whether the bucket of the settings is there and takes its key: one read, of something that is not there. */
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { createS3Blobs } from "./s3-blobs.ts";

/** @throws PerchError that says what does not work */
export async function lookAtBucket(s3: NonNullable<Config["s3"]>, clock: Clock, signal: AbortSignal): Promise<void> {
  await createS3Blobs({ ...s3, clock }).get("check/look", { signal });
}
