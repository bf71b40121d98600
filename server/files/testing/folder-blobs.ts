/** Storage in a folder: for tests. */
import { systemClock } from "../../clock.ts";
import { type Blobs, openBlobs } from "../compose.ts";

export function folderBlobs(folder: string): Blobs {
  return openBlobs({ config: { DATA_DIR: folder, s3: undefined }, clock: systemClock });
}
