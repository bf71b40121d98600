/**
 * What may be sent to one viewer, and when: a viewer holds at most `window` unacknowledged frames, and what waits is
 * the newest picture (images) or an unbroken run of frames (video). Pure: every call says what time it is.
 */
import type { HubFrame } from "./frame-hub.ts";

/**
 * Video that may wait before the run is given up until the next key frame: what comes while a key frame is on its way
 * over a slow link, or every key frame would make the next one necessary.
 */
const MAX_WAITING_VIDEO_FRAMES = 60;
const MAX_WAITING_VIDEO_BYTES = 768 * 1024;
/** What waited this long is better left out than shown: the next key frame is sooner there. */
const MAX_WAITING_VIDEO_MS = 700;

export interface Credit {
  /** A new frame. Returns true when the viewer now needs a key frame to go on. */
  offer(now: number, frame: HubFrame): boolean;
  /** The next frame to send now, or `undefined` while there is no credit or nothing to send. */
  take(now: number): HubFrame | undefined;
  /**
   * The viewer has drawn frame `seq` (and with it everything sent before it).
   * Returns how long that took in ms and whether it was a still; `undefined` for a frame that is not in flight.
   */
  acknowledge(now: number, seq: number): Acknowledged | undefined;
  setWindow(window: Window): void;
  inFlight(): number;
  /** True when frames wait for credit, or were left out and not made up for yet. */
  waiting(): boolean;
  /** When the oldest unacknowledged frame was sent. */
  oldestSentAt(): number | undefined;
  /** Frames that were replaced before they were sent. */
  dropped(): number;
}

/** What may be unacknowledged. One frame always may, however large. */
export interface Window {
  readonly frames: number;
  readonly bytes: number;
}

export interface Acknowledged {
  readonly frame: HubFrame;
  /** From its sending, in ms. */
  readonly ms: number;
  /** From when it could have been sent. */
  readonly sinceOfferMs: number;
  /** Bytes the viewer got between its sending and now, it included. */
  readonly bytes: number;
}

interface Offered {
  readonly frame: HubFrame;
  readonly offeredAt: number;
}
interface Sent extends Offered {
  readonly at: number;
  /** Acknowledged before it was sent. */
  readonly delivered: number;
}

/** What waits to be sent, for one kind of codec. */
interface Waiting {
  offer(offered: Offered): boolean;
  peek(): Offered | undefined;
  next(): Offered | undefined;
  size(): number;
  dropped(): number;
}

/** @param codec pictures that stand alone (`jpeg`) or build on each other (`h264`). */
export function createCredit(codec: "jpeg" | "h264", window: Window): Credit {
  const waiting = codec === "jpeg" ? latestSlot() : unbrokenRun();
  const sent: Sent[] = [];
  let allowed = window;
  let bytesInFlight = 0;
  let delivered = 0;
  return {
    offer: (now, frame) => waiting.offer({ frame, offeredAt: now }),
    take(now) {
      const next = waiting.peek();
      if (next === undefined) return undefined;
      const fits = sent.length < allowed.frames && bytesInFlight + next.frame.message.length <= allowed.bytes;
      if (sent.length > 0 && !fits) return undefined;
      waiting.next();
      sent.push({ ...next, at: now, delivered });
      bytesInFlight += next.frame.message.length;
      return next.frame;
    },
    acknowledge(now, seq) {
      const index = sent.findIndex((one) => one.frame.seq === seq);
      const found = sent[index];
      if (found === undefined) return undefined;
      for (const { frame } of sent.splice(0, index + 1)) {
        bytesInFlight -= frame.message.length;
        delivered += frame.message.length;
      }
      return {
        frame: found.frame,
        ms: now - found.at,
        sinceOfferMs: now - found.offeredAt,
        bytes: delivered - found.delivered,
      };
    },
    setWindow(next) {
      allowed = next;
    },
    inFlight: () => sent.length,
    waiting: () => waiting.size() > 0,
    oldestSentAt: () => sent[0]?.at,
    dropped: () => waiting.dropped(),
  };
}

function latestSlot(): Waiting {
  let slot: Offered | undefined;
  let dropped = 0;
  return {
    offer(offered) {
      if (slot !== undefined) dropped += 1;
      slot = offered;
      return false;
    },
    peek: () => slot,
    next() {
      const offered = slot;
      slot = undefined;
      return offered;
    },
    size: () => (slot === undefined ? 0 : 1),
    dropped: () => dropped,
  };
}

/** Never skips a delta: when too much waits, everything up to the next key frame is left out. */
function unbrokenRun(): Waiting {
  let queue: Offered[] = [];
  let bytes = 0;
  let needsKey = true;
  let broken = false;
  let dropped = 0;

  /** Leaves out all that waits but what a decoder needs first. */
  function clear(): void {
    const config = queue.filter(({ frame }) => frame.kind === "codecConfig").slice(-1);
    dropped += queue.length - config.length;
    queue = config;
    bytes = 0;
  }
  function push(offered: Offered): void {
    queue.push(offered);
    bytes += offered.frame.message.length;
  }

  return {
    offer(offered) {
      const { kind, message } = offered.frame;
      if (kind === "codecConfig") {
        // A new configuration makes what waits undecodable and is followed by a key frame.
        dropped += queue.length;
        queue = [];
        bytes = 0;
        push(offered);
        needsKey = true;
        return false;
      }
      if (kind === "keyFrame" || kind === "image") {
        clear();
        push(offered);
        needsKey = false;
        broken = false;
        return false;
      }
      if (needsKey) {
        dropped += 1;
        return false;
      }
      const waited = offered.offeredAt - (queue[0]?.offeredAt ?? offered.offeredAt);
      const little = queue.length < MAX_WAITING_VIDEO_FRAMES && bytes + message.length <= MAX_WAITING_VIDEO_BYTES;
      if (little && waited <= MAX_WAITING_VIDEO_MS) {
        push(offered);
        return false;
      }
      clear();
      dropped += 1;
      needsKey = true;
      broken = true;
      return true;
    },
    peek: () => queue[0],
    next() {
      const offered = queue.shift();
      if (offered !== undefined) bytes = Math.max(0, bytes - offered.frame.message.length);
      return offered;
    },
    size: () => queue.length + (broken ? 1 : 0),
    dropped: () => dropped,
  };
}
