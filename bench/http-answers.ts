/** Finds the end of answers on a kept connection, by their length or their last chunk (RFC 9112 §6, §7.1); keeps no body. */

const HEAD_END = Buffer.from("\r\n\r\n");
/** Of a body, for the words of a refusal. */
const KEPT_BYTES = 600;

export interface Answer {
  readonly status: number;
  /** How the body begins. */
  readonly begins: string;
}

/** Takes what comes on one connection, where one request is asked at a time. @returns the answer as soon as it is whole */
export function createAnswerReader(): (part: Buffer) => Answer | undefined {
  let head: Buffer = Buffer.alloc(0);
  let body: { status: number; begins: string; isOver: (part: Buffer) => boolean } | undefined;
  return (part) => {
    let rest = part;
    if (body === undefined) {
      head = head.length === 0 ? part : Buffer.concat([head, part]);
      const end = head.indexOf(HEAD_END);
      if (end < 0) return undefined;
      rest = head.subarray(end + HEAD_END.length);
      body = readHead(head.toString("latin1", 0, end + 2));
      head = Buffer.alloc(0);
    }
    if (body.begins.length < KEPT_BYTES) body.begins += rest.toString("latin1", 0, KEPT_BYTES - body.begins.length);
    if (!body.isOver(rest)) return undefined;
    const { status, begins } = body;
    body = undefined;
    return { status, begins };
  };
}

function readHead(head: string) {
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1] ?? Number.NaN);
  if (Number.isNaN(status)) throw new Error(`This is no answer: ${head.slice(0, 100)}`);
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1];
  if (length !== undefined) return { status, begins: "", isOver: byLength(Number(length)) };
  if (/\r\ntransfer-encoding: chunked\r\n/i.test(head)) return { status, begins: "", isOver: byChunks() };
  throw new Error("An answer says neither its length nor that it comes in chunks.");
}

function byLength(bytes: number): (part: Buffer) => boolean {
  let left = bytes;
  return (part) => {
    left -= part.length;
    if (left < 0) throw new Error("More came than the answer has.");
    return left === 0;
  };
}

/** Without trailers, which the server does not send. */
function byChunks(): (part: Buffer) => boolean {
  let line = "";
  /** Of the chunk with its end of line. */
  let left = 0;
  let isLast = false;
  return (part) => {
    for (let at = 0; at < part.length; ) {
      if (left > 0) {
        const taken = Math.min(left, part.length - at);
        left -= taken;
        at += taken;
        if (left > 0 || !isLast) continue;
        if (at < part.length) throw new Error("More came than the answer has.");
        return true;
      }
      const end = part.indexOf(10, at);
      line += part.toString("latin1", at, end < 0 ? part.length : end + 1);
      if (end < 0) return false;
      at = end + 1;
      const size = Number.parseInt(line, 16);
      if (Number.isNaN(size)) throw new Error(`This is no chunk: ${line.slice(0, 100)}`);
      line = "";
      left = size + 2;
      isLast = size === 0;
    }
    return false;
  };
}
