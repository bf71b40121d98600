/**
 * Screens of phones of other nodes: the socket is passed through, byte for byte, to the node that has the phone. That node
 * redeems the ticket and holds the screen, so what ends a screen there ends it here.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { PhoneId } from "../../shared/ids.ts";
import type { RequestInfo } from "../http/request-info.ts";
import { CALLER_HEADER, callerHeader } from "./caller.ts";
import { NotReached, type Peers } from "./peers.ts";
import type { Whereabouts } from "./whereabouts.ts";

/** Takes the socket over when the phone is another node's. @throws NotReached, when that one is gone */
export type ScreenProxy = (phone: PhoneId, request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<boolean>;

export function createScreenProxy(options: {
  whereabouts: Pick<Whereabouts, "ofPhone">;
  peers: Pick<Peers, "connect">;
  /** Who asks, as this node sees it. */
  callerOf: (request: IncomingMessage) => RequestInfo;
}): ScreenProxy {
  const { whereabouts, peers, callerOf } = options;
  return async (phone, request, socket, head) => {
    const where = await whereabouts.ofPhone(phone);
    if (where.at === "here") return false;
    if (where.at === "gone") throw new NotReached();
    const other = await peers.connect(where.node);
    other.setNoDelay(true);
    other.write(openingFor(request, callerHeader(callerOf(request))));
    if (head.length > 0) other.write(head);
    // Whichever side ends first, the other ends with it.
    const end = () => {
      other.destroy();
      socket.destroy();
    };
    for (const one of [other, socket]) one.on("error", end).on("close", end);
    other.pipe(socket);
    socket.pipe(other);
    return true;
  };
}

/** The opening as it came, with nothing that only this node may say. */
function openingFor({ url = "", rawHeaders }: IncomingMessage, caller: string): string {
  const lines = [`GET ${url} HTTP/1.1`];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = "", value = ""] = rawHeaders.slice(at, at + 2);
    if (name.toLowerCase() !== CALLER_HEADER) lines.push(`${name}: ${value}`);
  }
  return `${[...lines, `${CALLER_HEADER}: ${caller}`].join("\r\n")}\r\n\r\n`;
}
