/** For whom another node asks: a header that is believed at the nodes' own door and nowhere else. */
import type { IncomingMessage } from "node:http";
import { z } from "zod";
import type { RequestInfo } from "../http/request-info.ts";

export const CALLER_HEADER = "x-perch-caller";

const caller = z.strictObject({
  requestId: z.string().max(64),
  ip: z.string().max(64),
  userAgent: z.string().max(512),
});

export function callerHeader({ requestId, ip, userAgent }: RequestInfo): string {
  return Buffer.from(JSON.stringify({ requestId, ip, userAgent })).toString("base64url");
}

/** Requests that came through the nodes' door, and for whom. */
export interface PeerRequests {
  /** Notes one that came through the door; false when it does not say for whom. */
  note(request: IncomingMessage): boolean;
  of(request: IncomingMessage): RequestInfo | undefined;
}

export function createPeerRequests(): PeerRequests {
  const known = new WeakMap<IncomingMessage, RequestInfo>();
  return {
    note(request) {
      const info = read(request.headers[CALLER_HEADER]);
      if (info !== undefined) known.set(request, info);
      return info !== undefined;
    },
    of: (request) => known.get(request),
  };
}

function read(header: string | string[] | undefined): RequestInfo | undefined {
  if (typeof header !== "string") return undefined;
  try {
    return caller.parse(JSON.parse(Buffer.from(header, "base64url").toString()));
  } catch {
    return undefined;
  }
}
