/** Blobs in a bucket: AWS, Cloudflare R2, MinIO, Supabase Storage, or what else speaks S3 (Amazon S3 API Reference). */
import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../clock.ts";
import { PerchError } from "../errors.ts";
import {
  allOf,
  asAttachment,
  type BlobSource,
  type BlobStore,
  checkedKey,
  checkedPrefix,
  chunksOf,
  type ListedBlob,
  linkLasts,
  outOfRange,
  rangeIn,
  type StoredBlob,
  stillThere,
} from "./blob-store.ts";
import { codeIn, createS3Client, type S3Access, type S3Answer, S3Refusal, type S3Times } from "./s3-client.ts";
import { dropMultiparts, type MultipartUpload, startMultipart } from "./s3-multipart.ts";
import { childrenOf, escapeXml, readXml, textOf } from "./s3-xml.ts";

const MIB = 2 ** 20;
/** AWS, "Multipart upload limits". */
const MOST_PARTS = 10_000;

export interface S3Sizes {
  /** Of all parts but the last, as R2 asks; S3 takes none below 5 MiB. A larger file of known size gets larger ones. */
  readonly partBytes: number;
  /** Listed and deleted at once; S3 does 1,000 at most. */
  readonly pageKeys: number;
}
export const S3_SIZES: S3Sizes = { partBytes: 8 * MIB, pageKeys: 1_000 };

/** Rounds of list-and-delete without anything getting less. */
const MOST_ROUNDS = 5;

export interface S3BlobsOptions {
  readonly access: S3Access;
  /** In front of every key; empty, or ends with a slash. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly times?: S3Times;
  readonly sizes?: S3Sizes;
}

export function createS3Blobs(options: S3BlobsOptions): BlobStore {
  const { prefix: front, sizes = S3_SIZES } = options;
  const client = createS3Client(options.access, options.clock, options.times);
  const full = (key: string) => `${front}${checkedKey(key)}`;

  const sizeOfParts = (known = 0) => Math.max(sizes.partBytes, Math.ceil(known / MOST_PARTS / MIB) * MIB);

  /** One page of a listing. `folders`: only what stands right below. */
  async function page(begin: string, after: string | undefined, folders: boolean) {
    const query = {
      ...{ "list-type": "2", prefix: `${front}${begin}`, "max-keys": String(sizes.pageKeys) },
      ...(folders && { delimiter: "/" }),
      ...(after !== undefined && { "continuation-token": after }),
    };
    const answer = readXml(await (await client.call({ method: "GET", query, again: true })).text());
    const blobs = childrenOf(answer, "Contents").map((one): ListedBlob => {
      const modifiedAt = new Date(textOf(one, "LastModified") ?? "");
      return { key: ours(textOf(one, "Key")), bytes: Number(textOf(one, "Size")), modifiedAt };
    });
    const below = childrenOf(answer, "CommonPrefixes").map((one) => ours(textOf(one, "Prefix")));
    const next = textOf(answer, "IsTruncated") === "true" ? textOf(answer, "NextContinuationToken") : undefined;
    return { blobs, below, next };
  }
  function ours(key: string | undefined): string {
    if (key?.startsWith(front) !== true)
      throw new PerchError("unavailable", "The file storage listed what is not ours.");
    return key.slice(front.length);
  }

  async function* list(begin: string): AsyncGenerator<ListedBlob, void, undefined> {
    for (let after: string | undefined; ; ) {
      const { blobs, next } = await page(begin, after, false);
      yield* blobs;
      if (next === undefined) return;
      after = next;
    }
  }

  async function deleteAll(keys: readonly string[]): Promise<void> {
    const objects = keys.map((key) => `<Object><Key>${escapeXml(`${front}${key}`)}</Key></Object>`).join("");
    const body = Buffer.from(
      `<?xml version="1.0" encoding="UTF-8"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet>${objects}</Delete>`,
    );
    const headers = {
      "content-md5": createHash("md5").update(body).digest("base64"),
      "content-type": "application/xml",
    };
    const answer = await client.call({ method: "POST", query: { delete: "" }, headers, body, again: true });
    const [refused] = childrenOf(readXml(await answer.text()), "Error");
    if (refused === undefined) return;
    const code = textOf(refused, "Code");
    throw new S3Refusal(
      "unavailable",
      `The file storage did not remove everything (${code ?? "no reason given"}).`,
      code,
    );
  }

  async function putOne(key: string, body: Buffer, signal: AbortSignal | undefined): Promise<void> {
    const headers = { "content-type": "application/octet-stream" };
    (await client.call({ method: "PUT", key: full(key), headers, body, again: true, signal })).drop();
  }

  const store: BlobStore = {
    kind: "s3",
    async put(key, content, { bytes: known, signal } = {}) {
      let upload: MultipartUpload | undefined;
      let bytes = 0;
      try {
        for await (const { body, isLast } of partsOf(content, sizeOfParts(known))) {
          signal?.throwIfAborted();
          bytes += body.length;
          if (upload === undefined && isLast) await putOne(key, body, signal);
          else {
            upload ??= await startMultipart(client, full(key), signal);
            await upload.add(body);
          }
        }
        await upload?.complete(bytes);
        return { bytes };
      } catch (error) {
        await upload?.abort();
        throw error;
      }
    },
    async get(key, { range, signal } = {}) {
      const { from = 0, bytes } = range ?? {};
      if (from < 0 || bytes === 0) rangeIn(range, 0);
      const until = bytes === undefined ? "" : String(from + bytes - 1);
      const headers = range === undefined ? {} : { range: `bytes=${from}-${until}` };
      const call = { method: "GET", key: full(key), headers, again: true, signal } as const;
      const answer = await client.call(call, [404, 416]);
      if (answer.status === 404) return missing(answer);
      if (answer.status !== 416) return storedIn(answer, range !== undefined);
      answer.drop();
      throw outOfRange();
    },
    async head(key) {
      const answer = await client.call({ method: "HEAD", key: full(key), again: true }, [404]);
      answer.drop();
      if (answer.status === 404) return undefined;
      const modifiedAt = new Date(answer.header("last-modified") ?? "");
      return { bytes: Number(answer.header("content-length")), modifiedAt };
    },
    async delete(key) {
      (await client.call({ method: "DELETE", key: full(key), again: true }, [404])).drop();
    },
    async deletePrefix(begin) {
      const known = new Set<string>();
      checkedPrefix(begin);
      await dropMultiparts(client, `${front}${begin}`, () => true);
      for (let round = 0; ; ) {
        const { blobs } = await page(begin, undefined, false);
        if (blobs.length === 0) return known.size;
        const before = known.size;
        for (const { key } of blobs) known.add(key);
        // What was deleted and is listed again is either late news or kept by somebody's rule.
        round = known.size > before ? 0 : round + 1;
        if (round >= MOST_ROUNDS) throw stillThere();
        await deleteAll(blobs.map(({ key }) => key));
      }
    },
    list: (begin) => list(checkedPrefix(begin)),
    async names(folder) {
      const begin = `${checkedKey(folder)}/`;
      const found = new Set<string>();
      for (let after: string | undefined; ; ) {
        const { blobs, below, next } = await page(begin, after, true);
        for (const { key } of blobs) found.add(key.slice(begin.length));
        for (const key of below) found.add(key.slice(begin.length, -1));
        if (next === undefined) return [...found].sort();
        after = next;
      }
    },
    signedGet: async (key, forMs, fileName) =>
      client.presign(full(key), linkLasts(forMs), {
        "response-content-disposition": asAttachment(fileName),
        "response-content-type": "application/octet-stream",
      }),
    dropUnfinished: (folder, before) => dropMultiparts(client, `${full(folder)}/`, ({ begunAt }) => begunAt < before),
    async check() {
      const key = `check/${randomBytes(8).toString("hex")}`;
      const body = randomBytes(32);
      await putOne(key, body, undefined);
      const back = await store.get(key);
      const isSame = back !== undefined && body.equals(await allOf(back.content));
      await store.deletePrefix(key);
      if (!isSame)
        throw new S3Refusal("unavailable", "The file storage gives back something else than it got.", undefined);
      await demandNoVersions();
    },
  };

  /** Where old versions are kept nothing is ever deleted, and that is promised. */
  async function demandNoVersions(): Promise<void> {
    // Some storages have no such thing and say so in their own ways.
    const answer = await client.call(
      { method: "GET", query: { versioning: "" }, again: true },
      [400, 403, 404, 405, 501],
    );
    const text = await answer.text();
    if (!answer.ok || text === "") return;
    if (textOf(readXml(text), "Status") !== "Enabled") return;
    throw new S3Refusal(
      "unavailable",
      "The bucket keeps old versions, so nothing in it is ever deleted, which people are promised. Use a bucket without versioning.",
      "VersioningEnabled",
    );
  }
  return store;
}

/** The content in parts of one size, the last one shorter; at least one. */
async function* partsOf(
  content: BlobSource,
  size: number,
): AsyncGenerator<{ readonly body: Buffer; readonly isLast: boolean }, void, undefined> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunksOf(content)) {
    waiting.push(chunk);
    bytes += chunk.length;
    // A whole part stays back: it may be the last one.
    while (bytes > size) {
      const all = Buffer.concat(waiting, bytes);
      yield { body: all.subarray(0, size), isLast: false };
      waiting = [all.subarray(size)];
      bytes -= size;
    }
  }
  yield { body: Buffer.concat(waiting, bytes), isLast: true };
}

async function missing(answer: S3Answer): Promise<undefined> {
  if (codeIn(await answer.text()) === "NoSuchBucket") {
    const words = "The file storage has no such bucket. Whoever runs this server: check S3_BUCKET.";
    throw new S3Refusal("unavailable", words, "NoSuchBucket");
  }
  return undefined;
}

function storedIn(answer: S3Answer, isPart: boolean): StoredBlob {
  const of = /^bytes \d+-\d+\/(\d+)$/.exec(answer.header("content-range") ?? "")?.[1];
  const total = Number((isPart ? of : answer.header("content-length")) ?? Number.NaN);
  if (isPart !== (answer.status === 206) || !Number.isSafeInteger(total)) {
    // Rejects where the connection broke already; what is thrown is said either way.
    answer.content.cancel().catch(() => {});
    throw new PerchError("unavailable", "The file storage answered something that cannot be read.");
  }
  // An answer that ends before its length is an error already, of the connection.
  return { bytes: total, content: answer.content };
}
