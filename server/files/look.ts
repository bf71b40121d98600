/** Whether the bucket of the settings is there and takes its key: one list, of what is not there. */
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { createS3Client } from "./s3-client.ts";

/**
 * Asks for the bucket: of a file in one that does not exist, Supabase's storage says only that there is no such file.
 *
 * @throws PerchError that says what does not work
 */
export async function lookAtBucket(s3: NonNullable<Config["s3"]>, clock: Clock, signal: AbortSignal): Promise<void> {
  const query = { "list-type": "2", prefix: `${s3.prefix}check/look/`, "max-keys": "1" };
  (await createS3Client(s3.access, clock).call({ method: "GET", query, again: true, signal })).drop();
}
