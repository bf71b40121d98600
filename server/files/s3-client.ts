/**
 * Signed calls to an S3 service, path-style (AWS Signature Version 4, "Authenticating Requests", Amazon S3 API Reference).
 * Bodies are in memory and signed with their hash, so that a call can be made again and nothing is changed on the way.
 */
import { createHash } from "node:crypto";
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { AwsV4Signer } from "aws4fetch";
import type { Clock } from "../clock.ts";
import { PerchError } from "../errors.ts";
import { brokeOff } from "./blob-store.ts";
import { readXml, textOf } from "./s3-xml.ts";

export interface S3Access {
  /** With a path where there is one, as at Supabase. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface S3Call {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** Left out: the bucket itself. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** Whether doing it twice is as good as doing it once. */
  readonly again: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Read it to its end, or drop it: until then it holds a connection. */
export interface S3Answer {
  readonly status: number;
  readonly ok: boolean;
  header(name: string): string | undefined;
  readonly content: ReadableStream<Uint8Array>;
  /** All of it. @throws PerchError for one that is larger than any list */
  text(): Promise<string>;
  drop(): void;
}

export interface S3Client {
  /** The answer's status is good or one of `expected`. @throws PerchError */
  call(call: S3Call, expected?: readonly number[]): Promise<S3Answer>;
  /** An address with the signature in it, for who has no key. */
  presign(key: string, seconds: number, query: Readonly<Record<string, string>>): Promise<URL>;
}

export interface S3Times {
  /** For an answer to begin. A call with a body may take as long again for each MB of it, up to a minute. */
  readonly answerMs: number;
  /** Between pieces of an answer. */
  readonly pieceMs: number;
  /** Before a call is made again; twice as long each time. */
  readonly againMs: number;
}
export const S3_TIMES: S3Times = { answerMs: 20_000, pieceMs: 30_000, againMs: 100 };

const TRIES = 3;
const PASSING = new Set([429, 500, 502, 503, 504]);
const EMPTY = Buffer.alloc(0);
/** Of answers that are read whole. */
const MOST_ANSWER = 4 * 1024 * 1024;
const LONGEST_SEND_MS = 60_000;
const MOST_SOCKETS = 64;

export function createS3Client(access: S3Access, clock: Clock, times: S3Times = S3_TIMES): S3Client {
  const { accessKeyId, secretAccessKey, region } = access;
  const base = `${access.endpoint.replace(/\/+$/, "")}/${access.bucket}`;
  const cache = new Map<string, ArrayBuffer>();
  const agents = {
    http: new HttpAgent({ keepAlive: true, maxSockets: MOST_SOCKETS }),
    https: new HttpsAgent({ keepAlive: true, maxSockets: MOST_SOCKETS, minVersion: "TLSv1.3" }),
  };

  const sign = (url: URL, more: Partial<ConstructorParameters<typeof AwsV4Signer>[0]>) =>
    new AwsV4Signer({
      ...{ url: url.href, service: "s3", accessKeyId, secretAccessKey, region, cache },
      datetime: new Date(clock.now()).toISOString().replaceAll(/[:-]|\.\d{3}/g, ""),
      ...more,
    }).sign();
  const addressOf = (key: string | undefined, query: Readonly<Record<string, string>>) => {
    const url = new URL(key === undefined ? base : `${base}/${key}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return url;
  };

  async function once(call: S3Call): Promise<S3Answer> {
    const { method, body = EMPTY, signal } = call;
    signal?.throwIfAborted();
    const { url, headers } = await sign(addressOf(call.key, call.query ?? {}), {
      method,
      headers: { ...call.headers, "x-amz-content-sha256": createHash("sha256").update(body).digest("hex") },
    });
    const request = (url.protocol === "https:" ? requestHttps : requestHttp)(url, {
      ...{ method, minVersion: "TLSv1.3" },
      headers: { ...Object.fromEntries(headers), "content-length": body.length },
      // One that nobody else used before: it fails for its own reasons alone.
      agent: call.again ? agents[url.protocol === "https:" ? "https" : "http"] : false,
    });
    let answering: IncomingMessage | undefined;
    // A whole answer leaves its connection to others.
    const stop = () => void (answering ?? request).destroy(new Error("This is not wanted any more."));
    const leave = () => signal?.removeEventListener("abort", stop);
    signal?.addEventListener("abort", stop, { once: true });
    const sendMs = Math.min(LONGEST_SEND_MS, Math.ceil(body.length / 2 ** 20) * times.answerMs);
    const timer = setTimeout(() => request.destroy(new Error("No answer in time.")), times.answerMs + sendMs);
    try {
      answering = await new Promise<IncomingMessage>((resolve, reject) => {
        request.on("response", resolve).on("error", reject).end(body);
      });
      answering.once("end", leave).once("close", leave);
      return answerOf(answering, times.pieceMs, signal);
    } catch (error) {
      leave();
      signal?.throwIfAborted();
      throw noAnswer(error);
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    async call(call, expected = []) {
      for (let tried = 1; ; tried += 1) {
        const mayTryAgain = call.again && tried < TRIES;
        try {
          const answer = await once(call);
          if (answer.ok || expected.includes(answer.status)) return answer;
          const refusal = await refusalOf(answer);
          if (!mayTryAgain || !PASSING.has(answer.status)) throw refusal;
        } catch (error) {
          if (!mayTryAgain || !(error instanceof PerchError) || error.code !== "unavailable" || isRefusal(error))
            throw error;
        }
        await sleep(times.againMs * 2 ** (tried - 1), undefined, call.signal && { signal: call.signal });
      }
    },
    async presign(key, seconds, query) {
      const url = addressOf(key, { ...query, "X-Amz-Expires": String(seconds) });
      return (await sign(url, { method: "GET", signQuery: true })).url;
    },
  };
}

/** Ends an answer whose pieces stop coming, and says so in our words. */
function answerOf(message: IncomingMessage, pieceMs: number, signal: AbortSignal | undefined): S3Answer {
  const status = message.statusCode ?? 0;
  const parts = message[Symbol.asyncIterator]();
  const content = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const timer = setTimeout(() => message.destroy(new Error("It stopped in the middle.")), pieceMs);
      try {
        const next = await parts.next();
        if (next.done === true) controller.close();
        else controller.enqueue(next.value);
      } catch (error) {
        signal?.throwIfAborted();
        throw brokeOff(error);
      } finally {
        clearTimeout(timer);
      }
    },
    cancel: () => void message.destroy(),
  });
  // An answer that is dropped with its connection says so as an error, to nobody.
  message.on("error", () => {});
  return {
    ...{ status, ok: status >= 200 && status < 300, content },
    header(name) {
      const value = message.headers[name];
      return Array.isArray(value) ? value[0] : value;
    },
    async text() {
      const taken: Uint8Array[] = [];
      let bytes = 0;
      for await (const part of content) {
        bytes += part.length;
        if (bytes > MOST_ANSWER) throw noAnswer();
        taken.push(part);
      }
      return Buffer.concat(taken).toString("utf8");
    },
    // What is left of it is small where nobody reads it: an error, or nothing at all.
    drop: () => void message.resume(),
  };
}

/** What an answer of S3's says went wrong; undefined for one that is none of its errors. */
export function codeIn(text: string): string | undefined {
  // Supabase's storage names a namespace in it.
  if (!/<Error[\s>]/.test(text)) return undefined;
  try {
    return textOf(readXml(text), "Code");
  } catch {
    return undefined;
  }
}

/** Codes of the S3 API Reference, "Error responses", and of MinIO where it has its own. */
const FULL = new Set(["QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "StorageFull"]);

/** A refusal stays one however often it is asked; what passes is not of this class. */
export class S3Refusal extends PerchError {
  /** S3's word for it. */
  readonly s3Code: string | undefined;
  constructor(code: "unavailable" | "limit_reached", message: string, s3Code: string | undefined) {
    super(code, message);
    this.s3Code = s3Code;
  }
}
const isRefusal = (error: PerchError): boolean => error instanceof S3Refusal;

async function refusalOf(answer: S3Answer): Promise<PerchError> {
  const code = codeIn(await answer.text().catch(() => ""));
  const { status } = answer;
  const to = (message: string) => new S3Refusal("unavailable", message, code);
  if (status === 413 || code === "EntityTooLarge") {
    const words = "This file is larger than the file storage takes. Ask who runs this server.";
    return new S3Refusal("limit_reached", words, code);
  }
  if (status === 507 || (code !== undefined && FULL.has(code))) {
    return new S3Refusal("limit_reached", "The file storage is full. Ask who runs this server.", code);
  }
  if (PASSING.has(status)) {
    return new PerchError("unavailable", "The file storage is overloaded or down. Try again in a moment.", {
      cause: new Error(`S3 answered ${status}${code === undefined ? "" : ` ${code}`}.`),
    });
  }
  if (code === "NoSuchBucket")
    return to("The file storage has no such bucket. Whoever runs this server: check S3_BUCKET.");
  if (code === "RequestTimeTooSkewed") {
    return to("The clock of this server is wrong, so the file storage refuses it. Whoever runs it: set the clock.");
  }
  if (status >= 300 && status < 400) {
    return to("The file storage is elsewhere. Whoever runs this server: check S3_ENDPOINT and S3_REGION.");
  }
  if (status === 401 || status === 403) {
    return to(
      "The file storage refuses this server. Whoever runs it: check the S3_ settings and what the key may do in the bucket.",
    );
  }
  return to(`The file storage did not do what was asked (${status}${code === undefined ? "" : ` ${code}`}).`);
}

function noAnswer(cause?: unknown): PerchError {
  return new PerchError("unavailable", "The file storage does not answer. Try again in a moment.", { cause });
}
