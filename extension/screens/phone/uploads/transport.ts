/** The server's side of an upload: procedures to open, list and cancel it, and `shared/uploads.ts`'s PATCH and HEAD for the bytes. */

import { uploadPath } from "../../../../shared/uploads.ts";
import { authorization, PRIVATE_REQUEST } from "../../../api/client.ts";
import { type Failure, failureSentence } from "../../../api/errors.ts";
import type { PageParts } from "../../../state/app-context.tsx";
import type { CallResult } from "../../../state/phones.ts";
import { UploadRefused, type UploadTransport } from "./uploader.ts";

const OFFSET = "Upload-Offset";
/** A piece takes at most this long; on a slow line pieces get small long before. */
const PIECE_TIMEOUT_MS = 120_000;

export function uploadTransport({ app, phones }: PageParts, server: string): UploadTransport {
  const headers = async () => authorization((await app.tokens.get(server))?.token);
  const address = (phoneId: string, uploadId: string) => `${server}${uploadPath(phoneId, uploadId)}`;
  return {
    async open(phoneId, purpose, name, bytes) {
      return answerOf(await phones.call((api) => api.phones.openUpload.mutate({ phoneId, purpose, name, bytes })));
    },
    async list(phoneId) {
      return answerOf(await phones.call((api) => api.phones.uploads.query({ phoneId })));
    },
    async cancel(phoneId, uploadId) {
      answerOf(await phones.call((api) => api.phones.cancelUpload.mutate({ phoneId, uploadId })));
    },
    async offset(phoneId, uploadId) {
      const response = await fetch(address(phoneId, uploadId), {
        ...PRIVATE_REQUEST,
        method: "HEAD",
        headers: await headers(),
        signal: AbortSignal.timeout(PIECE_TIMEOUT_MS),
      });
      return offsetOf(await accepted(response));
    },
    async send(phoneId, uploadId, offset, piece, signal) {
      const response = await fetch(address(phoneId, uploadId), {
        ...PRIVATE_REQUEST,
        method: "PATCH",
        headers: {
          ...(await headers()),
          "Content-Type": "application/offset+octet-stream",
          [OFFSET]: String(offset),
        },
        body: piece,
        signal: AbortSignal.any([signal, AbortSignal.timeout(PIECE_TIMEOUT_MS)]),
      });
      return response.status === 409 ? undefined : offsetOf(await accepted(response));
    },
  };
}

/** The answer, if it is a yes. What a server that restarts or a proxy says is worth another try. */
async function accepted(response: Response): Promise<Response> {
  if (response.ok) return response;
  if (response.status >= 500 || response.status === 429 || response.status === 408) {
    throw new Error(`Status ${response.status}`);
  }
  throw new UploadRefused(
    (await sentenceOf(response)) ?? REFUSALS[response.status] ?? "The server did not take the file.",
  );
}

const REFUSALS: Partial<Readonly<Record<number, string>>> = {
  401: "You were signed out. Sign in, then send it again.",
  403: "You may not put files on this phone.",
  404: "The server no longer has this upload. Send the file again.",
  410: "The server no longer has this upload. Send the file again.",
  413: "The server does not take so much at once.",
};

/** The server's own sentence: `{ error: { message } }`. */
async function sentenceOf(response: Response): Promise<string | undefined> {
  const body: unknown = await response.json().catch(() => undefined);
  if (typeof body !== "object" || body === null || !("error" in body)) return undefined;
  const { error } = body;
  if (typeof error !== "object" || error === null || !("message" in error)) return undefined;
  return typeof error.message === "string" && error.message !== "" ? error.message : undefined;
}

function offsetOf(response: Response): number {
  const text = response.headers.get(OFFSET);
  const offset = Number(text);
  if (text === null || !Number.isSafeInteger(offset) || offset < 0) throw new Error("The answer has no offset.");
  return offset;
}

function answerOf<T>(result: CallResult<T>): T {
  if (result.ok) return result.value;
  if (passes(result.failure)) throw new Error(result.failure.kind);
  throw new UploadRefused(failureSentence(result.failure));
}

/** Whether it may be over in a moment. */
function passes(failure: Failure): boolean {
  if (failure.kind === "offline" || failure.kind === "server_unreachable") return true;
  if (failure.kind !== "refused") return false;
  return ["rate_limited", "unavailable", "internal"].includes(failure.error.code);
}
