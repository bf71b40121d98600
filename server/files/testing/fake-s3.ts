/**
 * A small S3 server for tests, path-style, in memory: what the Amazon S3 API Reference says of the calls made here (objects,
 * ranges, ListObjectsV2, DeleteObjects, multipart uploads, presigned addresses), with its errors and bounds. Requests that
 * are not signed right are refused. `npm run test:counterparts` runs the same contract against a real server.
 */
import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type Clock, systemClock } from "../../clock.ts";
import type { S3Access } from "../s3-client.ts";
import { childrenOf, escapeXml, readXml, textOf } from "../s3-xml.ts";
import { faultOf } from "./sigv4.ts";

export interface Stored {
  readonly body: Buffer;
  readonly type: string;
  readonly modifiedAt: Date;
}
interface Begun {
  readonly key: string;
  readonly begunAt: Date;
  readonly parts: Map<number, Buffer>;
}

export interface FakeS3 {
  readonly access: S3Access;
  readonly objects: ReadonlyMap<string, Stored>;
  readonly uploads: ReadonlyMap<string, Begun>;
  /** What came, as `PUT key?query`. */
  readonly calls: readonly string[];
  /** Asked before a call is done: `down` ends the connection, a number is the status, `lost` does it and answers nothing. */
  meddle: ((call: string) => Meddling | undefined) | undefined;
  /** As with `Enabled` versioning: what is deleted is only hidden from lists, and old versions stay. */
  versioning: boolean;
  /** Bytes it holds at most, and of one file. */
  room: number;
  largest: number;
  /** Supabase's storage says of files in a bucket that does not exist that they are missing, and its errors name a namespace. */
  asSupabase: boolean;
  close(): Promise<void>;
}
export type Meddling = "down" | "lost" | "silent" | "cut" | number;

const NAMESPACE = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
const LEAST_PART = 5 * 2 ** 20;

export async function startFakeS3(clock: Clock = systemClock): Promise<FakeS3> {
  const objects = new Map<string, Stored>();
  const uploads = new Map<string, Begun>();
  const calls: string[] = [];
  const keys = { accessKeyId: "AKIAPERCHTEST", secretAccessKey: "test/secret+key", region: "eu-test-1" };
  const bucket = "perch-test";
  const server = createServer((request, response) => {
    take(request, response).catch((error: unknown) => {
      if (!response.headersSent)
        fault(
          response,
          error instanceof Fault ? error : new Fault(500, "InternalError"),
          fake.asSupabase ? NAMESPACE : "",
        );
      else response.destroy();
    });
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  const now = () => new Date(clock.now());
  const used = () => [...objects.values()].reduce((sum, { body }) => sum + body.length, 0);

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const target = request.url ?? "/";
    const [path = "/", search = ""] = target.split("?", 2);
    const query = new URLSearchParams(search);
    const [, name, ...rest] = path.split("/");
    const key = rest.map(decodeURIComponent).join("/");
    const method = request.method ?? "GET";
    const headers = Object.fromEntries(Object.entries(request.headers).map(([n, v]) => [n, String(v)]));
    const call = `${method} ${key}${search === "" || query.has("X-Amz-Algorithm") ? "" : `?${search}`}`;
    calls.push(call);
    const meddling = fake.meddle?.(call);
    if (meddling === "down") return void request.socket.destroy();
    if (meddling === "silent") return;
    if (typeof meddling === "number") throw new Fault(meddling, meddling === 503 ? "SlowDown" : "InternalError");
    const bad = faultOf({ method, target, headers }, keys, clock.now());
    if (bad !== undefined) throw new Fault(bad === "AuthorizationHeaderMalformed" ? 400 : 403, bad);
    const sum = headers["x-amz-content-sha256"];
    if (sum !== undefined && sum !== "UNSIGNED-PAYLOAD" && sum !== digest("sha256", body, "hex")) {
      throw new Fault(400, "XAmzContentSHA256Mismatch");
    }
    if (["PUT", "POST"].includes(method) && headers["content-length"] === undefined) {
      throw new Fault(411, "MissingContentLength");
    }
    if (name !== bucket)
      throw new Fault(404, fake.asSupabase && method === "GET" && key !== "" ? "NoSuchKey" : "NoSuchBucket");
    const answer = key === "" ? ofBucket(method, query, headers, body) : ofObject(method, key, query, headers, body);
    if (meddling === "lost") return void request.socket.destroy();
    const { status = 200, body: sent = "", ...more } = answer;
    response.writeHead(status, { "content-length": Buffer.byteLength(sent), ...more.headers });
    if (meddling === "cut") return void response.write(sent.slice(0, 10), () => response.destroy());
    response.end(method === "HEAD" ? undefined : sent);
  }

  interface Answer {
    readonly status?: number;
    readonly body?: Buffer | string;
    readonly headers?: Readonly<Record<string, string | number>>;
  }

  function ofBucket(method: string, query: URLSearchParams, headers: Record<string, string>, body: Buffer): Answer {
    if (method === "GET" && query.has("versioning")) {
      const status = fake.versioning ? "<Status>Enabled</Status>" : "";
      return xml("VersioningConfiguration", status);
    }
    if (method === "GET" && query.has("uploads")) {
      const prefix = query.get("prefix") ?? "";
      const after = query.get("key-marker") ?? "";
      const most = Number(query.get("max-uploads") ?? 1000);
      const all = [...uploads].filter(([, { key }]) => key.startsWith(prefix) && key > after);
      const found = all.sort(([, a], [, b]) => (a.key < b.key ? -1 : 1)).slice(0, most);
      const last = found.at(-1);
      const next =
        all.length > most && last !== undefined
          ? `<NextKeyMarker>${last[1].key}</NextKeyMarker><NextUploadIdMarker>${last[0]}</NextUploadIdMarker>`
          : "";
      const list = found.map(
        ([id, { key, begunAt }]) =>
          `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${begunAt.toISOString()}</Initiated></Upload>`,
      );
      return xml(
        "ListMultipartUploadsResult",
        `<IsTruncated>${all.length > most}</IsTruncated>${next}${list.join("")}`,
      );
    }
    if (method === "GET" && query.get("list-type") === "2") return listed(query);
    if (method === "POST" && query.has("delete")) {
      if (headers["content-md5"] !== digest("md5", body, "base64")) throw new Fault(400, "InvalidDigest");
      const wanted = childrenOf(readXml(body.toString()), "Object");
      if (wanted.length > 1000) throw new Fault(400, "MalformedXML");
      for (const one of wanted) objects.delete(textOf(one, "Key") ?? "");
      return xml("DeleteResult", "");
    }
    throw new Fault(501, "NotImplemented");
  }

  function listed(query: URLSearchParams): Answer {
    const prefix = query.get("prefix") ?? "";
    const delimiter = query.get("delimiter");
    const most = Math.min(1000, Number(query.get("max-keys") ?? 1000));
    const token = query.get("continuation-token");
    const after = token === null ? "" : Buffer.from(token, "base64").toString();
    const found: { readonly name: string; readonly xml: string }[] = [];
    for (const [key, { body, modifiedAt }] of [...objects].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (!key.startsWith(prefix)) continue;
      const end = delimiter === null ? -1 : key.indexOf(delimiter, prefix.length);
      const name = end < 0 ? key : key.slice(0, end + 1);
      if (name <= after || found.at(-1)?.name === name) continue;
      const about = `<Key>${escapeXml(key)}</Key><LastModified>${modifiedAt.toISOString()}</LastModified><Size>${body.length}</Size>`;
      const one =
        end < 0 ? `<Contents>${about}</Contents>` : `<CommonPrefixes><Prefix>${name}</Prefix></CommonPrefixes>`;
      found.push({ name, xml: one });
    }
    const page = found.slice(0, most);
    const next = Buffer.from(page.at(-1)?.name ?? "").toString("base64");
    const more = found.length > most ? `<NextContinuationToken>${next}</NextContinuationToken>` : "";
    const about = `<IsTruncated>${found.length > most}</IsTruncated><KeyCount>${page.length}</KeyCount>`;
    return xml("ListBucketResult", `${about}${more}${page.map((one) => one.xml).join("")}`);
  }

  function keep(key: string, body: Buffer, type: string): void {
    if (used() + body.length > fake.room) throw new Fault(507, "XMinioStorageFull");
    objects.set(key, { body, type, modifiedAt: now() });
  }

  function ofObject(
    method: string,
    key: string,
    query: URLSearchParams,
    headers: Record<string, string>,
    body: Buffer,
  ): Answer {
    const type = headers["content-type"] ?? "binary/octet-stream";
    if (method === "POST" && query.has("uploads")) {
      const id = randomBytes(12).toString("hex");
      uploads.set(id, { key, begunAt: now(), parts: new Map() });
      return xml("InitiateMultipartUploadResult", `<UploadId>${id}</UploadId>`);
    }
    const id = query.get("uploadId");
    if (id !== null) {
      const upload = uploads.get(id);
      if (upload?.key !== key) throw new Fault(404, "NoSuchUpload");
      if (method === "DELETE") {
        uploads.delete(id);
        return { status: 204 };
      }
      if (method === "PUT") {
        const number = Number(query.get("partNumber"));
        if (!(number >= 1 && number <= 10_000)) throw new Fault(400, "InvalidArgument");
        if (used() + body.length > fake.room) throw new Fault(507, "XMinioStorageFull");
        const held = [...upload.parts.values()].reduce((sum, { length }) => sum + length, 0);
        if (held + body.length > fake.largest) throw new Fault(413, "EntityTooLarge");
        upload.parts.set(number, body);
        return { headers: { etag: `"${digest("md5", body, "hex")}"` } };
      }
      const parts = childrenOf(readXml(body.toString()), "Part").map((part) => {
        const found = upload.parts.get(Number(textOf(part, "PartNumber")));
        if (found === undefined || textOf(part, "ETag") !== `"${digest("md5", found, "hex")}"`) {
          throw new Fault(400, "InvalidPart");
        }
        return found;
      });
      if (parts.length === 0) throw new Fault(400, "MalformedXML");
      if (parts.slice(0, -1).some(({ length }) => length < LEAST_PART)) throw new Fault(400, "EntityTooSmall");
      keep(key, Buffer.concat(parts), type);
      uploads.delete(id);
      return xml("CompleteMultipartUploadResult", `<Key>${key}</Key>`);
    }
    if (method === "PUT") {
      keep(key, body, type);
      return { headers: { etag: `"${digest("md5", body, "hex")}"` } };
    }
    if (method === "DELETE") {
      objects.delete(key);
      return { status: 204 };
    }
    const stored = objects.get(key);
    if (stored === undefined) throw new Fault(404, "NoSuchKey");
    const about = {
      "content-type": query.get("response-content-type") ?? stored.type,
      "last-modified": stored.modifiedAt.toUTCString(),
      ...(query.has("response-content-disposition") && {
        "content-disposition": query.get("response-content-disposition") ?? "",
      }),
    };
    const size = stored.body.length;
    if (method === "HEAD") return { headers: { ...about, "content-length": size } };
    const [, from, until] = /^bytes=(\d+)-(\d*)$/.exec(headers["range"] ?? "") ?? [];
    if (from === undefined) return { body: stored.body, headers: about };
    if (Number(from) >= size) throw new Fault(416, "InvalidRange");
    const end = Math.min(size, until === "" ? size : Number(until) + 1);
    const range = { "content-range": `bytes ${from}-${end - 1}/${size}` };
    return { status: 206, body: stored.body.subarray(Number(from), end), headers: { ...about, ...range } };
  }

  const fake: FakeS3 = {
    access: { endpoint: `http://127.0.0.1:${port}`, bucket, ...keys },
    ...{
      objects,
      uploads,
      calls,
      meddle: undefined,
      versioning: false,
      room: Number.POSITIVE_INFINITY,
      largest: Number.POSITIVE_INFINITY,
      asSupabase: false,
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return fake;
}

class Fault extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

function fault(response: ServerResponse, { status, code }: Fault, namespace: string): void {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error${namespace}><Code>${code}</Code><Message>No.</Message></Error>`;
  response.writeHead(status, { "content-type": "application/xml", "content-length": body.length }).end(body);
}

function xml(name: string, inner: string) {
  const body = `<?xml version="1.0" encoding="UTF-8"?><${name}${NAMESPACE}>${inner}</${name}>`;
  return { body, headers: { "content-type": "application/xml" } };
}

function digest(kind: "md5" | "sha256", body: Buffer, encoding: "hex" | "base64"): string {
  return createHash(kind).update(body).digest(encoding);
}
