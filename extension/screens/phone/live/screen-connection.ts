/** One connection to a phone's screen: the protocol over a WebSocket, without any policy. */
import {
  decodeFrame,
  type ServerMessage,
  TICKET_PROTOCOL_PREFIX,
  type ViewerMessage,
} from "../../../../shared/screen-protocol.ts";

/** What `screen.ticket` answers; good for one connection. */
export interface ScreenPass {
  readonly url: string;
  readonly protocol: string;
  readonly ticket: string;
}

export type ScreenFrame = NonNullable<ReturnType<typeof decodeFrame>>;

export interface ConnectionHandlers {
  readonly onMessage: (message: ServerMessage) => void;
  /** The next frame comes when this one settles: it is acknowledged then, drawn or not. */
  readonly onFrame: (frame: ScreenFrame) => Promise<void>;
  /** Sound, which is not acknowledged. */
  readonly onSound: (frame: ScreenFrame) => void;
  /** Called once, however the connection ended; not after `close()`. */
  readonly onClose: (close: ConnectionClose) => void;
}

export interface ConnectionClose {
  /** WebSocket close code; 1006 when the connection broke or was refused. */
  readonly code: number;
  /** Whether it was ever open. */
  readonly opened: boolean;
}

export interface ScreenConnection {
  /** Sends, or does nothing while the connection is not open. */
  send(message: ViewerMessage): void;
  close(): void;
}

/** The part of a WebSocket that is used. */
export interface SocketLike {
  binaryType: string;
  readonly readyState: number;
  send(data: string): void;
  close(code?: number): void;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
}
export type OpenSocket = (url: string, protocols: string[]) => SocketLike;

const OPEN = 1;
const openWebSocket: OpenSocket = (url, protocols) => new WebSocket(url, protocols);

/** Connects with a ticket. Throws `SyntaxError` or `SecurityError` when the address cannot be a WebSocket's. */
export function openScreen(
  pass: ScreenPass,
  handlers: ConnectionHandlers,
  openSocket: OpenSocket = openWebSocket,
): ScreenConnection {
  const socket = openSocket(pass.url, [pass.protocol, `${TICKET_PROTOCOL_PREFIX}${pass.ticket}`]);
  socket.binaryType = "arraybuffer";
  let opened = false;
  let over = false;

  function send(message: ViewerMessage): void {
    if (!over && socket.readyState === OPEN) socket.send(JSON.stringify(message));
  }
  function receiveFrame(data: ArrayBuffer): void {
    const frame = decodeFrame(data);
    if (frame === undefined) return;
    if (frame.header.format === "opus") {
      handlers.onSound(frame);
      return;
    }
    const acknowledge = () => send({ type: "ack", seq: frame.header.seq });
    handlers.onFrame(frame).then(acknowledge, acknowledge);
  }

  socket.onopen = () => {
    opened = true;
  };
  socket.onmessage = ({ data }) => {
    if (over) return;
    if (data instanceof ArrayBuffer) {
      receiveFrame(data);
      return;
    }
    const message = parseServerMessage(data);
    if (message !== undefined) handlers.onMessage(message);
  };
  socket.onclose = ({ code }) => {
    if (over) return;
    over = true;
    handlers.onClose({ code, opened });
  };

  return {
    send,
    close() {
      over = true;
      socket.close(1000);
    },
  };
}

const MESSAGE_TYPES: ReadonlySet<unknown> = new Set<ServerMessage["type"]>([
  "hello",
  "resize",
  "state",
  "clipboard",
  "unreachable",
  "reachable",
  "keyboard",
  "stats",
  "idle_warning",
  "cover_warning",
  "ended",
]);

/**
 * Reads a text message; `undefined` for kinds this version does not know, so that a newer server may send more.
 * The cast holds because the server builds every message from the same type.
 */
function parseServerMessage(data: unknown): ServerMessage | undefined {
  if (typeof data !== "string") return undefined;
  try {
    const message: unknown = JSON.parse(data);
    const isKnown =
      typeof message === "object" && message !== null && "type" in message && MESSAGE_TYPES.has(message.type);
    return isKnown ? (message as ServerMessage) : undefined;
  } catch {
    return undefined;
  }
}
