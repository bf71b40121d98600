/**
 * A live phone screen that keeps itself alive: connects with a fresh ticket each time, comes back after a break, and
 * stops for good when the server says that coming back is no use.
 */
import {
  type EndReason,
  SCREEN_CLOSE,
  type ServerMessage,
  type ViewerMessage,
} from "../../../../shared/screen-protocol.ts";
import { createPicture, type Picture } from "./picture.ts";
import { type ConnectionClose, openScreen, type ScreenConnection, type ScreenPass } from "./screen-connection.ts";
import { createServerClock } from "./server-clock.ts";
import { createSound, type Sound, type SoundTrouble } from "./sound.ts";
import type { PictureRequest } from "./video.ts";

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 8_000;
/** A connection that lived this long was a good one; the next break starts with the shortest delay again. */
const GOOD_AFTER_MS = 5_000;

/** A connection that does not come to life within this time is given up. */
const CONNECT_WITHIN_MS = 10_000;

/** Why a screen is reconnecting. `unreachable`: the server gave no ticket or did not open the connection. */
export type BreakReason = "lost" | "offline" | "server_restarting" | "slow" | "unreachable";

export type ScreenStatus =
  | { readonly state: "connecting" }
  | { readonly state: "live" }
  | { readonly state: "reconnecting"; readonly reason: BreakReason; readonly attempt: number }
  | { readonly state: "ended"; readonly reason: EndReason; readonly message: string };

export interface ScreenStats {
  /** Frames drawn during the last second; 0 while the picture rests. */
  readonly fps: number;
  /** Capture to screen of the newest frame, in ms. */
  readonly ageMs: number | undefined;
  /** Send to acknowledgement of a frame, as the server measured it, in ms. */
  readonly roundTripMs: number | undefined;
  /** 0 (saves data) to 4 (sharpest). */
  readonly level: number | undefined;
}

export interface ScreenSessionOptions {
  /** A fresh ticket (`screen.ticket`). */
  readonly getTicket: () => Promise<ScreenPass>;
  readonly canvas: HTMLCanvasElement;
  readonly onStatus: (status: ScreenStatus) => void;
  readonly onMessage: (message: ServerMessage) => void;
  /** This browser cannot play the phone's video; pictures come instead. */
  readonly onPicturesOnly: () => void;
  /** The phone is not heard, though it was asked for. */
  readonly onSoundTrouble: (trouble: SoundTrouble) => void;
  /** Whether a failed `getTicket` will fail again (signed out, not allowed, parked); `undefined`: try again. */
  readonly endOf: (ticketError: unknown) => { readonly reason: EndReason; readonly message: string } | undefined;
}

export interface ScreenSession {
  /** Sends, or does nothing while the screen is not live. */
  send(message: ViewerMessage): void;
  /** Highest quality wanted, 0–4; kept over reconnects. */
  setQuality(max: 0 | 1 | 2 | 3 | 4): void;
  /** Whether the phone is heard, where it can be; kept over reconnects. */
  setSound(on: boolean): void;
  stats(): ScreenStats;
  /** Number of the frame being looked at, for `touch` and `wheel`. */
  seq(): number;
  lastFrame(): Promise<Blob | undefined>;
  /** Connects at once if waiting to. For a "Try again" button. */
  retry(): void;
  /** Ends the session; no handler is called any more. */
  close(): void;
}

/** What a session needs of the world around it. */
export interface SessionParts {
  readonly open: typeof openScreen;
  readonly picture: (ask: (request: PictureRequest) => void) => Picture;
  readonly sound: (onTrouble: (trouble: SoundTrouble) => void) => Sound;
  readonly random: () => number;
  readonly now: () => number;
  readonly isOnline: () => boolean;
  /** Calls back after `ms`; returns what prevents it. */
  readonly later: (ms: number, callback: () => void) => () => void;
  /** `online`: the network came back; `visible`: the person looks again. Returns what stops listening. */
  readonly onWake: (listener: (wake: "online" | "visible") => void) => () => void;
}

export function createScreenSession(options: ScreenSessionOptions): ScreenSession {
  return createScreenSessionOf(options, {
    open: openScreen,
    picture: (ask) => createPicture(options.canvas, ask),
    sound: createSound,
    random: Math.random,
    now: () => Date.now(),
    isOnline: () => navigator.onLine,
    later(ms, callback) {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
    onWake(listener) {
      const online = () => listener("online");
      const visible = () => {
        if (document.visibilityState === "visible") listener("visible");
      };
      window.addEventListener("online", online);
      document.addEventListener("visibilitychange", visible);
      return () => {
        window.removeEventListener("online", online);
        document.removeEventListener("visibilitychange", visible);
      };
    },
  });
}

/** The same with its surroundings given. */
export function createScreenSessionOf(
  { getTicket, onStatus, onMessage, onPicturesOnly, onSoundTrouble, endOf }: Omit<ScreenSessionOptions, "canvas">,
  { open, random, now, isOnline, later, onWake, ...parts }: SessionParts,
): ScreenSession {
  const picture = parts.picture((request) => {
    connection?.send({ type: request });
    if (request === "pictures" && !closed) onPicturesOnly();
  });
  const serverClock = createServerClock();
  let connection: ScreenConnection | undefined;
  let status: ScreenStatus = { state: "connecting" };
  let attempt = 0;
  let liveSince: number | undefined;
  let stopWaiting: (() => void) | undefined;
  let stopConnectLimit: (() => void) | undefined;
  let quality: 0 | 1 | 2 | 3 | 4 = 4;
  let lastStats: Extract<ServerMessage, { type: "stats" }> | undefined;
  let farewell: Extract<ServerMessage, { type: "ended" }> | undefined;
  let closed = false;
  let sound: Sound | undefined;
  let audible = false;
  /** Counts connections, so that what belongs to an earlier one is recognised. */
  let generation = 0;

  function setStatus(next: ScreenStatus): void {
    status = next;
    if (!closed) onStatus(next);
  }

  async function connect(): Promise<void> {
    stopWaiting = undefined;
    generation += 1;
    const mine = generation;
    farewell = undefined;
    stopConnectLimit = later(CONNECT_WITHIN_MS, () => drop(isOnline() ? "unreachable" : "offline"));
    let pass: ScreenPass;
    try {
      pass = await getTicket();
    } catch (error) {
      if (closed || mine !== generation) return;
      const end = endOf(error);
      if (end === undefined) reconnect(isOnline() ? "unreachable" : "offline");
      else finish(end.reason, end.message);
      return;
    }
    if (closed || mine !== generation) return;
    serverClock.reset();
    try {
      connection = open(pass, {
        onMessage: receive,
        onFrame(frame) {
          serverClock.arrived(frame.header.capturedAtMs, now());
          return picture.draw(frame);
        },
        onSound: ({ header, payload }) => sound?.take(header.kind === "audioConfig" ? "config" : "packet", payload),
        onClose: broke,
      });
    } catch {
      reconnect("unreachable");
    }
  }

  /** Gives up the connection there is, or is being made. */
  function drop(reason: BreakReason): void {
    generation += 1;
    connection?.close();
    connection = undefined;
    reconnect(reason);
  }

  function receive(message: ServerMessage): void {
    if (message.type === "hello") {
      serverClock.arrived(message.nowMs, now());
      liveSince = now();
      stopConnectLimit?.();
      audible = message.audio === true;
      picture.begin(message.codec);
      if (quality !== 4) connection?.send({ type: "quality", max: quality });
      if (audible && sound !== undefined) connection?.send({ type: "audio", on: true });
      setStatus({ state: "live" });
    } else if (message.type === "stats") {
      lastStats = message;
      serverClock.roundTrip(message.roundTripMs);
    } else if (message.type === "ended") {
      farewell = message;
    }
    if (!closed) onMessage(message);
  }

  function broke({ code, opened }: ConnectionClose): void {
    connection = undefined;
    const reason = finalReason(code, farewell?.reason);
    if (reason !== undefined) finish(reason, farewell?.message ?? FINAL_MESSAGES[reason]);
    else if (!isOnline()) reconnect("offline");
    else if (code === SCREEN_CLOSE.serverStopping) reconnect("server_restarting");
    else if (code === SCREEN_CLOSE.tooSlow) reconnect("slow");
    else reconnect(opened ? "lost" : "unreachable");
  }

  function finish(reason: EndReason, message: string): void {
    stopListening();
    stopConnectLimit?.();
    setStatus({ state: "ended", reason, message });
  }

  function reconnect(reason: BreakReason): void {
    if (liveSince !== undefined && now() - liveSince >= GOOD_AFTER_MS) attempt = 0;
    liveSince = undefined;
    stopConnectLimit?.();
    lastStats = undefined;
    attempt += 1;
    stopWaiting = later(delayBefore(attempt, random()), () => void connect());
    setStatus({ state: "reconnecting", reason, attempt });
  }

  /** Connects now if a connection is being waited for. */
  function retry(): void {
    if (stopWaiting === undefined) return;
    stopWaiting();
    void connect();
  }

  const stopListening = onWake((wake) => {
    // The network was away: a connection that still looks open may be dead without either side knowing.
    if (wake === "online" && status.state === "live") drop("lost");
    retry();
  });

  setStatus(status);
  void connect();

  return {
    send(message) {
      if (status.state === "live") connection?.send(message);
    },
    setQuality(max) {
      quality = max;
      if (status.state === "live") connection?.send({ type: "quality", max });
    },
    setSound(on) {
      if (on === (sound !== undefined)) return;
      sound?.close();
      sound = on ? parts.sound(onSoundTrouble) : undefined;
      if (audible && status.state === "live") connection?.send({ type: "audio", on });
    },
    stats() {
      const { fps, shown } = picture.stats();
      return {
        fps,
        ageMs: shown === undefined ? undefined : serverClock.age(shown.capturedAtMs, shown.drawnAtMs),
        roundTripMs: lastStats?.roundTripMs,
        level: lastStats?.level,
      };
    },
    seq: () => picture.stats().seq,
    lastFrame: () => picture.lastFrame(),
    retry,
    close() {
      closed = true;
      stopWaiting?.();
      stopWaiting = undefined;
      stopConnectLimit?.();
      stopListening();
      connection?.close();
      connection = undefined;
      picture.close();
      sound?.close();
    },
  };
}

/** Delay before reconnect number `attempt` (from 1), in ms: doubling, with up to half of it taken off by chance. */
export function delayBefore(attempt: number, random: number): number {
  const full = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempt - 1));
  return full * (1 - random / 2);
}

type FinalReason = Extract<
  EndReason,
  "signed_out" | "not_allowed" | "failed" | "protocol_error" | "parked" | "removed"
>;

/** Why there is no use in coming back; `undefined` when there is. */
function finalReason(code: number, said: EndReason | undefined): FinalReason | undefined {
  switch (code) {
    case SCREEN_CLOSE.signedOut:
      return "signed_out";
    case SCREEN_CLOSE.notAllowed:
      return "not_allowed";
    case SCREEN_CLOSE.protocolError:
      return "protocol_error";
    case SCREEN_CLOSE.phoneEnded:
      return said === "parked" || said === "removed" ? said : "failed";
    default:
      return undefined;
  }
}

/** For an end without the server's own sentence. */
const FINAL_MESSAGES: Readonly<Record<FinalReason, string>> = {
  signed_out: "You were signed out. Sign in to go on.",
  not_allowed: "You may not watch this phone.",
  protocol_error: "This version of Perch and the server do not understand each other. Update Perch.",
  failed: "The phone stopped. Start it again.",
  parked: "The phone was parked. Start it to go on.",
  removed: "The phone was removed.",
};
