/** Uploads in parts (Amazon S3 API Reference, "Multipart upload overview"): whole when completed, gone when aborted. */
import { PerchError } from "../errors.ts";
import { codeIn, type S3Client, S3Refusal } from "./s3-client.ts";
import { childrenOf, escapeXml, readXml, textOf } from "./s3-xml.ts";

const MOST_PARTS = 10_000;
const PAGE = "1000";

export interface MultipartUpload {
  /** All but the last of one size, 5 MiB at least. */
  add(part: Buffer): Promise<void>;
  /** Of this many bytes. */
  complete(bytes: number): Promise<void>;
  /** Lets go of the parts, as well as that is possible now; never throws. */
  abort(): Promise<void>;
}

export async function startMultipart(
  client: S3Client,
  key: string,
  signal: AbortSignal | undefined,
): Promise<MultipartUpload> {
  const headers = { "content-type": "application/octet-stream" };
  // Asked for twice it begins two: the other one would be left over.
  const call = { method: "POST", key, query: { uploads: "" }, headers, again: false, signal } as const;
  const begun = readXml(await (await client.call(call)).text());
  const uploadId = textOf(begun, "UploadId");
  if (uploadId === undefined) throw new PerchError("unavailable", "The file storage began no upload. Try again.");
  const tags: string[] = [];

  return {
    async add(part) {
      if (tags.length >= MOST_PARTS) throw new PerchError("too_large", "This file is larger than the storage takes.");
      const query = { partNumber: String(tags.length + 1), uploadId };
      const answer = await client.call({ method: "PUT", key, query, body: part, again: true, signal });
      answer.drop();
      const tag = answer.header("etag");
      if (tag === undefined)
        throw new PerchError("unavailable", "The file storage did not say what it got. Try again.");
      tags.push(tag);
    },
    async complete(bytes) {
      const parts = tags.map(
        (tag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${escapeXml(tag)}</ETag></Part>`,
      );
      const body = Buffer.from(
        `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts.join("")}</CompleteMultipartUpload>`,
      );
      const call = { method: "POST", key, query: { uploadId }, body, again: true, signal } as const;
      const answer = await client.call({ ...call, headers: { "content-type": "application/xml" } }, [404]);
      // S3 begins to answer 200 before it knows how it ends.
      const code = codeIn(await answer.text());
      if (answer.ok && code === undefined) return;
      // Done already, by a call whose answer was lost.
      if (answer.status === 404) {
        const there = await client.call({ method: "HEAD", key, again: true, signal }, [404]);
        there.drop();
        if (there.ok && Number(there.header("content-length")) === bytes) return;
      }
      throw new S3Refusal("unavailable", "The file storage did not put the file together. Try again.", code);
    },
    abort: () => abort(client, key, uploadId).catch(() => {}),
  };
}

async function abort(client: S3Client, key: string, uploadId: string): Promise<void> {
  const answer = await client.call({ method: "DELETE", key, query: { uploadId }, again: true }, [404]);
  answer.drop();
}

/**
 * Aborts what was begun below a prefix and is not finished; gives how many. Where the storage cannot list them it ends
 * them by a rule of its own, which `docs/storage.md` asks for.
 */
export async function dropMultiparts(
  client: S3Client,
  prefix: string,
  wanted: (upload: { readonly begunAt: Date }) => boolean,
): Promise<number> {
  let count = 0;
  let after: Readonly<Record<string, string>> = {};
  for (;;) {
    const query = { uploads: "", "max-uploads": PAGE, ...(prefix !== "" && { prefix }), ...after };
    const answer = await client.call({ method: "GET", query, again: true }, [400, 405, 501]);
    const text = await answer.text();
    if (!answer.ok) return count;
    const list = readXml(text);
    for (const one of childrenOf(list, "Upload")) {
      const [key, id] = [textOf(one, "Key"), textOf(one, "UploadId")];
      const begunAt = new Date(textOf(one, "Initiated") ?? "");
      if (key?.startsWith(prefix) !== true || id === undefined || !wanted({ begunAt })) continue;
      await abort(client, key, id);
      count += 1;
    }
    const next = textOf(list, "NextKeyMarker");
    if (textOf(list, "IsTruncated") !== "true" || next === undefined) return count;
    after = { "key-marker": next, "upload-id-marker": textOf(list, "NextUploadIdMarker") ?? "" };
  }
}
