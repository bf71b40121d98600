/**
 * The door of the screen socket: `GET /screen` with subprotocols `perch.screen.v1` and `ticket.<ticket>`. Everything
 * that is wrong is refused before the upgrade, with a status and a sentence.
 */
import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { MAX_VIEWER_MESSAGE_BYTES, SCREEN_PROTOCOL, TICKET_PROTOCOL_PREFIX } from "../../shared/screen-protocol.ts";
import { PerchError } from "../errors.ts";
import { MISDIRECTED } from "../http/guards.ts";
import type { HttpListener } from "../http/listener.ts";
import { bareAnswer } from "../http/security-headers.ts";
import { errorFields, type Log } from "../log.ts";
import type { ScreenProxy } from "../nodes/screen-proxy.ts";
import { SCREEN_FAILED, SCREEN_PATH, type ScreenService } from "./screen.service.ts";

export interface ScreenDoorOptions {
  readonly screen: Pick<ScreenService, "attach" | "consume" | "phoneOf">;
  /** Takes over sockets for phones of other nodes. */
  readonly proxy?: ScreenProxy;
  /** Whether pages of this exact origin may open a screen. */
  readonly originAllowed: (origin: string) => boolean;
  /** Whether this is a name of ours (`Host`); any other points at a rebound address. */
  readonly hostAllowed: (host: string) => boolean;
  /** People come by https. */
  readonly secure: boolean;
  readonly log: Log;
}

export interface ScreenSocketOptions extends ScreenDoorOptions {
  readonly server: HttpListener;
}

interface Refusal {
  readonly status: 401 | 403 | 404 | 421 | 426 | 500 | 503;
  readonly message: string;
}

const TICKET_REFUSED: Refusal = {
  status: 401,
  message: "This screen ticket is missing, used or expired. Ask for a new one and connect within 30 seconds.",
};
const ORIGIN_REFUSED: Refusal = { status: 403, message: "Screens open only from the Perch extension of this server." };

/** Serves screen sockets on `server`. Returns what stops serving them; open screens stay with the service. */
export function attachScreenSocket({ server, ...options }: ScreenSocketOptions): () => void {
  const onUpgrade = createScreenDoor(options);
  server.on("upgrade", onUpgrade);
  return () => server.off("upgrade", onUpgrade);
}

export type OnUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** What is done with each upgrade, whichever listener it came to. */
export function createScreenDoor(options: ScreenDoorOptions): OnUpgrade {
  const { screen, log } = options;
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_VIEWER_MESSAGE_BYTES,
    clientTracking: false,
    handleProtocols: () => SCREEN_PROTOCOL,
  });

  const refuse = (socket: Duplex, refusal: Refusal) => answerRefusal(socket, refusal, options.secure);

  async function admit(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const opening = readOpening(request, options);
    if ("status" in opening) {
      refuse(socket, opening);
      return;
    }
    const phone = options.proxy && (await screen.phoneOf(opening.ticket));
    if (phone !== undefined && (await options.proxy?.(phone, request, socket, head)) === true) return;
    const grant = await screen.consume(opening.ticket);
    if (grant === undefined) {
      refuse(socket, TICKET_REFUSED);
      return;
    }
    // A browser always says where it comes from; programs with an API token have no origin.
    if (opening.origin === undefined && grant.browser) {
      refuse(socket, ORIGIN_REFUSED);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => screen.attach(webSocket, grant));
  }

  function onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // The peer may go away while its ticket is looked up.
    socket.on("error", () => socket.destroy());
    admit(request, socket, head).catch((error: unknown) => {
      if (error instanceof PerchError) return refuse(socket, { status: 503, message: error.message });
      log.error("screen upgrade failed", errorFields(error));
      refuse(socket, { status: 500, message: SCREEN_FAILED });
    });
  }

  return onUpgrade;
}

/** What a request for a screen brings, or why it is refused; wrong ones do not use up their ticket. */
function readOpening(
  request: IncomingMessage,
  { originAllowed, hostAllowed }: ScreenDoorOptions,
): Refusal | { readonly ticket: string; readonly origin: string | undefined } {
  const { host, origin, upgrade } = request.headers;
  if (request.url !== SCREEN_PATH) return { status: 404, message: "There is nothing here to connect to." };
  if (host === undefined || !hostAllowed(host)) {
    return { status: 421, message: MISDIRECTED };
  }
  if (origin !== undefined && !originAllowed(origin)) return ORIGIN_REFUSED;
  const protocols = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
  const isWebSocket = upgrade?.toLowerCase() === "websocket" && request.method === "GET";
  if (!isWebSocket || request.headers["sec-websocket-version"] !== "13" || !protocols.includes(SCREEN_PROTOCOL)) {
    return { status: 426, message: `Connect with a WebSocket that speaks ${SCREEN_PROTOCOL}.` };
  }
  const offered = protocols.find((name) => name.startsWith(TICKET_PROTOCOL_PREFIX));
  if (offered === undefined) return TICKET_REFUSED;
  return { ticket: offered.slice(TICKET_PROTOCOL_PREFIX.length), origin };
}

function answerRefusal(socket: Duplex, { status, message }: Refusal, secure: boolean): void {
  const headers: Record<string, string> = status === 426 ? { Upgrade: "websocket", "Sec-WebSocket-Version": "13" } : {};
  const answer = bareAnswer({ status, reason: STATUS_CODES[status] ?? "", message, secure, headers });
  socket.end(answer, () => socket.destroy());
}
