/** What stands on the wire of the test Engine: answers, frames, filters. */
import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

export interface Answer {
  readonly status: number;
  readonly json?: unknown;
  readonly bytes?: Buffer;
}

export const refuse = (status: number, message: string): Answer => ({ status, json: { message } });
export const newId = () => randomBytes(32).toString("hex");

/** The JSON of the request stands before what is typed; Node hands over both with the connection. */
export async function afterBody(request: IncomingMessage, socket: Duplex): Promise<Duplex> {
  let left = Number(request.headers["content-length"] ?? 0);
  while (left > 0) {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) {
      await new Promise((resolve) => socket.once("readable", resolve));
      continue;
    }
    const body = chunk.subarray(0, left);
    left -= body.length;
    if (chunk.length > body.length) socket.unshift(chunk.subarray(body.length));
  }
  return socket;
}

/** As `exec` and `logs` of a container without terminal are framed. */
export function frame(stream: 1 | 2, bytes: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt8(stream, 0);
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

export type Filters = Readonly<Record<string, readonly string[]>>;
export function filtersOf(query: URLSearchParams): Filters {
  return JSON.parse(query.get("filters") ?? "{}") as Filters;
}
export function fits(labels: Readonly<Record<string, string>>, { label = [] }: Filters): boolean {
  return label.every((one) => {
    const at = one.indexOf("=");
    return at < 0 ? one in labels : labels[one.slice(0, at)] === one.slice(at + 1);
  });
}
