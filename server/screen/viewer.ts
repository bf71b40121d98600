/** One viewer's socket: sends what `Flow` lets through, reads its messages, notices when it is gone. */
import type { RawData, WebSocket } from "ws";
import type { ViewerId } from "../../shared/ids.ts";
import {
  type ConnectionMessage,
  type EndReason,
  SCREEN_CLOSE,
  type ServerMessage,
  type ViewerMessage,
  viewerMessage,
} from "../../shared/screen-protocol.ts";
import type { Clock } from "../clock.ts";
import type { ScreenLevel } from "../phones/driver.ts";
import { createFit } from "./fit.ts";
import { createFlow } from "./flow.ts";
import type { HubFrame, HubViewer } from "./frame-hub.ts";
import { createInputGate, type InputGate } from "./input.ts";
import { createKeyFrames } from "./key-frames.ts";
import type { Listener } from "./sound.ts";
import type { TicketGrant } from "./tickets.ts";

const HEARTBEAT_MS = 15_000;
const MISSES_UNTIL_DEAD = 2;
/** How long a connection whose place is taken may take to prove that it lives. */
const PROBE_MS = 2_000;
/** After this the closing handshake is not waited for: a revoked session is off within a second. */
const CLOSE_HANDSHAKE_MS = 500;
/** Frames are bounded by credit; this bounds everything else a viewer that reads nothing can pile up. */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;
/** Sound that does not get through is left out: it must not wait, and video must not wait for it. */
const MAX_UNSENT_WITH_SOUND = 96 * 1024;
const STATS_EVERY_MS = 1_000;

/** What ends a connection, as close code and as sentence. */
const ENDINGS = {
  parked: { code: SCREEN_CLOSE.phoneEnded, message: "The phone was parked. Start it to go on." },
  removed: { code: SCREEN_CLOSE.phoneEnded, message: "The phone was removed." },
  failed: { code: SCREEN_CLOSE.phoneEnded, message: "The phone stopped unexpectedly. Start it again." },
  signed_out: { code: SCREEN_CLOSE.signedOut, message: "You were signed out. Sign in to go on." },
  server_stopping: {
    code: SCREEN_CLOSE.serverStopping,
    message: "The server is restarting. You are reconnected soon.",
  },
  not_allowed: { code: SCREEN_CLOSE.notAllowed, message: "You may not watch this phone." },
  protocol_error: { code: SCREEN_CLOSE.protocolError, message: "The server did not understand a message." },
  too_slow: {
    code: SCREEN_CLOSE.tooSlow,
    message: "The picture did not get through for ten seconds. Check your connection.",
  },
} as const satisfies Record<EndReason, { code: number; message: string }>;

export interface ViewerEvents {
  /** Every message that does not concern this connection alone. */
  readonly message: (message: Exclude<ViewerMessage, ConnectionMessage>) => void;
  /** The connection is over; called once. */
  readonly closed: () => void;
  readonly levelChanged: () => void;
  /** This viewer needs a whole picture to go on. */
  readonly needsKeyFrame: () => void;
  /** It cannot show video, or its link cannot carry what others need. */
  readonly pictures: () => void;
  /** Its link may carry video again. */
  readonly video: () => void;
  readonly audio: (on: boolean) => void;
}

export interface Viewer extends HubViewer, Listener {
  readonly id: ViewerId;
  readonly grant: TicketGrant;
  readonly input: InputGate;
  send(message: ServerMessage): void;
  /** Says why and closes. `message` replaces the reason's own sentence. */
  end(reason: EndReason, message?: string): void;
  /** From now on it gets frames of this codec, from their beginning. */
  restart(codec: "jpeg" | "h264"): void;
  /** To call about twice a second: heartbeat and limits. */
  tick(): void;
  /** Closes the connection unless it proves soon that it lives. */
  probe(): void;
  /** Frames sent and frames replaced before they were sent. */
  counts(): { readonly sent: number; readonly dropped: number };
}

export interface ViewerOptions {
  readonly id: ViewerId;
  readonly socket: WebSocket;
  readonly grant: TicketGrant;
  readonly codec: "jpeg" | "h264";
  readonly clock: Clock;
  readonly events: ViewerEvents;
}

export function createViewer({ id, socket, grant, codec, clock, events }: ViewerOptions): Viewer {
  let flow = createFlow(codec, clock.now());
  const fit = createFit();
  /** Gets pictures though it could show video. */
  let spared = false;
  let limit: ScreenLevel = 4;
  /** Of flows before this one. */
  let droppedBefore = 0;
  const keyFrames = createKeyFrames();
  let open = true;
  let sent = 0;
  let pingedAt = clock.now();
  let missed = 0;
  let statsAt = 0;
  let probeTimer: NodeJS.Timeout | undefined;

  function write(data: string | Buffer): void {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > MAX_UNSENT_BYTES) end("too_slow");
    else socket.send(data);
  }
  function send(message: ServerMessage): void {
    if (open) write(JSON.stringify(message));
  }
  function pump(): void {
    while (open) {
      const frame = flow.take(clock.now());
      if (frame === undefined) return;
      sent += 1;
      write(frame.message);
    }
  }
  /** While much is on its way a key frame would only join the line. */
  function askKeyFrame(atOnce = false): void {
    if (open && (atOnce || flow.inFlight() === 0) && keyFrames.ask(clock.now())) events.needsKeyFrame();
  }
  function ping(): void {
    pingedAt = clock.now();
    if (socket.readyState === socket.OPEN) socket.ping(String(pingedAt));
  }
  function closed(): void {
    if (!open) return;
    open = false;
    clearTimeout(probeTimer);
    events.closed();
  }
  function end(reason: EndReason, message: string = ENDINGS[reason].message): void {
    if (!open) return;
    closed();
    endSocket(socket, reason, message);
  }

  socket.on("message", (data, isBinary) => {
    if (!open) return;
    const message = isBinary ? undefined : parse(data);
    if (message === undefined) {
      end("protocol_error");
    } else if (message.type === "ack") {
      const done = flow.acknowledge(clock.now(), message.seq);
      pump();
      askKeyFrame();
      if (spared && fit.arrived(clock.now(), flow.level())) events.video();
      if (done === undefined) return;
      if (done.levelChanged) events.levelChanged();
      if (clock.now() - statsAt >= STATS_EVERY_MS) {
        statsAt = clock.now();
        send({ type: "stats", roundTripMs: Math.max(0, Math.round(done.ms)), level: flow.level() });
      }
    } else if (message.type === "quality") {
      limit = toLevel(message.max);
      if (flow.limit(clock.now(), limit)) events.levelChanged();
    } else if (message.type === "refresh") {
      keyFrames.need();
      askKeyFrame(true);
    } else if (message.type === "pictures") {
      spared = false;
      events.pictures();
    } else if (message.type === "audio") {
      events.audio(message.on);
    } else {
      events.message(message);
    }
  });
  socket.on("pong", (payload) => {
    missed = 0;
    clearTimeout(probeTimer);
    probeTimer = undefined;
    if (payload.toString() === String(pingedAt)) flow.roundTrip(clock.now() - pingedAt);
  });
  socket.on("close", closed);
  // ws closes the connection itself after an error (broken frame, message too large, reset).
  socket.on("error", closed);
  ping();

  return {
    id,
    grant,
    input: createInputGate(clock.now()),
    offer(frame: HubFrame) {
      if (!open) return;
      if (frame.kind === "keyFrame" || frame.kind === "image") keyFrames.came();
      const level = flow.level();
      const lost = flow.offer(clock.now(), frame);
      if (lost) keyFrames.need();
      pump();
      askKeyFrame();
      if (flow.level() !== level) events.levelChanged();
      if (!lost || !fit.lost(clock.now(), flow.level())) return;
      spared = true;
      events.pictures();
    },
    hear(message, config) {
      if (open && (config || socket.bufferedAmount <= MAX_UNSENT_WITH_SOUND)) write(message);
    },
    restart(next) {
      droppedBefore += flow.dropped();
      if (next === "h264") spared = false;
      flow = createFlow(next, clock.now());
      flow.limit(clock.now(), limit);
      keyFrames.came();
    },
    level: () => flow.level(),
    send,
    end,
    tick() {
      if (!open) return;
      if (flow.tick(clock.now())) {
        end("too_slow");
        return;
      }
      pump();
      askKeyFrame();
      if (clock.now() - pingedAt < HEARTBEAT_MS) return;
      if (missed >= MISSES_UNTIL_DEAD) {
        socket.terminate();
        return;
      }
      missed += 1;
      ping();
    },
    probe() {
      if (!open || probeTimer !== undefined) return;
      probeTimer = setTimeout(() => socket.terminate(), PROBE_MS);
      ping();
    },
    counts: () => ({ sent, dropped: droppedBefore + flow.dropped() }),
  };
}

/** Tells a viewer why its connection ends and closes it, by force when it does not answer. */
export function endSocket(socket: WebSocket, reason: EndReason, message: string = ENDINGS[reason].message): void {
  // A connection may be closed before it ever became a viewer.
  if (socket.listenerCount("error") === 0) socket.on("error", () => socket.terminate());
  const ended: ServerMessage = { type: "ended", reason, message };
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(ended));
  socket.close(ENDINGS[reason].code, reason);
  const force = setTimeout(() => socket.terminate(), CLOSE_HANDSHAKE_MS);
  socket.once("close", () => clearTimeout(force));
}

function parse(data: RawData): ViewerMessage | undefined {
  try {
    const result = viewerMessage.safeParse(JSON.parse(data.toString()));
    return result.success ? result.data : undefined;
  } catch {
    return undefined;
  }
}

const LEVELS = [0, 1, 2, 3, 4] as const satisfies readonly ScreenLevel[];
function toLevel(max: number): ScreenLevel {
  return LEVELS[max] ?? 4;
}
