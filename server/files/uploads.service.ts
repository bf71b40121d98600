/** Files and apps on their way to phones. Every method takes the `TeamScope` of a caller who was checked. */
import type { z } from "zod";
import type { PhoneId, UploadId } from "../../shared/ids.ts";
import type { openUploadInput, Upload } from "../../shared/uploads.ts";
import { PerchError } from "../errors.ts";
import type { TeamScope } from "../teams/team-scope.ts";

export interface UploadsService {
  /** @throws PerchError `capability_missing` where the phone takes no such thing, `too_large`, `limit_reached` */
  open(scope: TeamScope, input: z.output<typeof openUploadInput>): Promise<Upload>;
  /** Of one phone, the newest first. */
  list(scope: TeamScope, phone: PhoneId): Promise<readonly Upload[]>;
  /** Ends it, wherever it is; what the phone has already stays there. */
  cancel(scope: TeamScope, phone: PhoneId, upload: UploadId): Promise<Record<never, never>>;
}

export function createUploads(): UploadsService {
  const refuse = async () => {
    throw new PerchError("capability_missing", "No files can be put on phones yet.");
  };
  return { open: refuse, list: async () => [], cancel: refuse };
}
