/** What can be said of a file before a byte of it is sent. */
import { MAX_UPLOAD_BYTES, type UploadPurpose, uploadName } from "../../../../shared/uploads.ts";

/** What an APK is: a ZIP file (developer.android.com, "APK Signature Scheme v2"). */
const ZIP_HEAD = [0x50, 0x4b, 0x03, 0x04] as const;
/** Packages of several APKs, which a phone does not take as one. */
const BUNDLE = /\.(xapk|apks|apkm|aab)$/i;

/** `MAX_UPLOAD_BYTES`, as people say it. */
export const MOST_WORDS = { file: "512 MB", app: "1 GB" } as const satisfies Record<UploadPurpose, string>;

export type FileLike = Pick<File, "name" | "size" | "slice">;

export function isApk(name: string): boolean {
  return /\.apk$/i.test(name);
}

/** The sentence that says why it is not sent; undefined when it can be. */
export async function fileProblem(file: FileLike, purpose: UploadPurpose): Promise<string | undefined> {
  const name = uploadName.safeParse(file.name);
  if (!name.success) return name.error.issues[0]?.message ?? "This file has a name a phone cannot keep.";
  if (file.size === 0) return "This file is empty.";
  const most = MAX_UPLOAD_BYTES[purpose];
  if (file.size > most) {
    return `It is larger than ${MOST_WORDS[purpose]}, the most ${purpose === "app" ? "an app" : "a file"} may have.`;
  }
  if (purpose !== "app") return undefined;
  if (BUNDLE.test(file.name)) return "A bundle of several APKs cannot be installed as one. Choose a single .apk file.";
  const head = await file
    .slice(0, ZIP_HEAD.length)
    .arrayBuffer()
    .then((bytes) => new Uint8Array(bytes))
    .catch(() => undefined);
  if (head === undefined) return "This computer does not give the file. Choose it again.";
  return ZIP_HEAD.every((byte, index) => head[index] === byte) ? undefined : "This is not an Android app (.apk).";
}
