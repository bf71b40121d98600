/**
 * Putting files and apps on a phone. `phones.upload` opens an upload; its bytes go to `uploadPath` in pieces, as tus 1.0.0
 * words it: `HEAD` tells `Upload-Offset`, `PATCH` with `Content-Type: application/offset+octet-stream` and the same
 * `Upload-Offset` adds to it and answers with the new one (409 when it differs). When all bytes are there the phone gets
 * them; `phones.uploads` tells how far it is. What is not finished after a day is deleted.
 */
import * as z from "zod/mini";
import { phoneId, type UploadId, uploadId } from "./ids.ts";

export const UPLOAD_PURPOSES = ["file", "app"] as const;
/** `file`: among the phone's own files. `app`: an APK to install. */
export type UploadPurpose = (typeof UPLOAD_PURPOSES)[number];

export const UPLOAD_STATES = ["receiving", "putting", "done", "failed"] as const;
/** `putting`: all bytes are here and go to the phone. */
export type UploadState = (typeof UPLOAD_STATES)[number];

/** Bytes a file, and an APK, may have. */
export const MAX_UPLOAD_BYTES = { file: 512 * 1024 * 1024, app: 1024 * 1024 * 1024 } as const satisfies Record<
  UploadPurpose,
  number
>;
/** Most bytes of one `PATCH`. */
export const UPLOAD_PIECE_BYTES = 4 * 1024 * 1024;

/** A plain file name: it names something in one folder and nothing else, on Android, Windows and here. */
export const uploadName = z.string().check(
  z.trim(),
  z.minLength(1, "A file needs a name."),
  z.maxLength(200, "A file name has at most 200 characters."),
  z.refine(
    (name) => !/[\p{Cc}\p{Cf}/\\:*?"<>|]/u.test(name) && !/^\.+$/.test(name),
    "This file name has characters a phone cannot keep. Rename it and try again.",
  ),
);

export const openUploadInput = z.strictObject({
  phoneId,
  purpose: z.enum(UPLOAD_PURPOSES),
  name: uploadName,
  bytes: z.int().check(z.gte(1, "This file is empty."), z.lte(MAX_UPLOAD_BYTES.app, "This file is larger than 1 GB.")),
});
export const uploadInput = z.strictObject({ phoneId, uploadId });

export interface Upload {
  readonly id: UploadId;
  readonly purpose: UploadPurpose;
  readonly name: string;
  readonly bytes: number;
  /** Bytes the server has. */
  readonly received: number;
  /** Bytes the phone has, while `putting`. */
  readonly put: number;
  readonly state: UploadState;
  /** What went wrong, as a sentence, when `failed`. */
  readonly message?: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** Where the bytes of an upload go. */
export function uploadPath(phone: string, upload: string): string {
  return `/files/phones/${phone}/uploads/${upload}`;
}
