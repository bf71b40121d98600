/**
 * What may be sent to one viewer, and when: a viewer holds at most `window` unacknowledged frames, and what waits is
 * the newest picture (images) or an unbroken run of frames (video). Pure: every call says what time it is.
 */
import type { HubFrame } from "./frame-hub.ts";

/** Video frames that may wait before the run is given up until the next key frame. */
const MAX_WAITING_VIDEO_FRAMES = 12;

export interface Credit {
  /** A new frame. Returns true when the viewer now needs a key frame to go on. */
  offer(frame: HubFrame): boolean;
  /** The next frame to send now, or `undefined` while there is no credit or nothing to send. */
  take(now: number): HubFrame | undefined;
  /**
   * The viewer has drawn frame `seq` (and with it everything sent before it).
   * Returns how long that took in ms and whether it was a still; `undefined` for a frame that is not in flight.
   */
  acknowledge(now: number, seq: number): { readonly ms: number; readonly frame: HubFrame } | undefined;
  setWindow(frames: number): void;
  inFlight(): number;
  /** True when frames wait for credit. */
  waiting(): boolean;
  /** When the oldest unacknowledged frame was sent. */
  oldestSentAt(): number | undefined;
  /** Frames that were replaced before they were sent. */
  dropped(): number;
}

interface Sent {
  readonly frame: HubFrame;
  readonly at: number;
}

/** What waits to be sent, for one kind of codec. */
interface Waiting {
  offer(frame: HubFrame): boolean;
  next(): HubFrame | undefined;
  size(): number;
  dropped(): number;
}

/** @param codec pictures that stand alone (`jpeg`) or build on each other (`h264`). */
export function createCredit(codec: "jpeg" | "h264", window: number): Credit {
  const waiting = codec === "jpeg" ? latestSlot() : unbrokenRun();
  const sent: Sent[] = [];
  let allowed = window;
  return {
    offer: (frame) => waiting.offer(frame),
    take(now) {
      if (sent.length >= allowed) return undefined;
      const frame = waiting.next();
      if (frame !== undefined) sent.push({ frame, at: now });
      return frame;
    },
    acknowledge(now, seq) {
      const index = sent.findIndex((one) => one.frame.seq === seq);
      const found = sent[index];
      if (found === undefined) return undefined;
      sent.splice(0, index + 1);
      return { ms: now - found.at, frame: found.frame };
    },
    setWindow(frames) {
      allowed = frames;
    },
    inFlight: () => sent.length,
    waiting: () => waiting.size() > 0,
    oldestSentAt: () => sent[0]?.at,
    dropped: () => waiting.dropped(),
  };
}

function latestSlot(): Waiting {
  let slot: HubFrame | undefined;
  let dropped = 0;
  return {
    offer(frame) {
      if (slot !== undefined) dropped += 1;
      slot = frame;
      return false;
    },
    next() {
      const frame = slot;
      slot = undefined;
      return frame;
    },
    size: () => (slot === undefined ? 0 : 1),
    dropped: () => dropped,
  };
}

/** Never skips a delta: when too much waits, everything up to the next key frame is left out. */
function unbrokenRun(): Waiting {
  let queue: HubFrame[] = [];
  let needsKey = true;
  let dropped = 0;
  return {
    offer(frame) {
      if (frame.kind === "codecConfig") {
        // A new configuration makes what waits undecodable and is followed by a key frame.
        dropped += queue.length;
        queue = [frame];
        needsKey = true;
        return false;
      }
      if (frame.kind === "keyFrame" || frame.kind === "image") {
        const config = queue.find((one) => one.kind === "codecConfig");
        dropped += queue.length - (config === undefined ? 0 : 1);
        queue = config === undefined ? [frame] : [config, frame];
        needsKey = false;
        return false;
      }
      if (needsKey) {
        dropped += 1;
        return false;
      }
      if (queue.length < MAX_WAITING_VIDEO_FRAMES) {
        queue.push(frame);
        return false;
      }
      const config = queue.find((one) => one.kind === "codecConfig");
      dropped += queue.length + 1 - (config === undefined ? 0 : 1);
      queue = config === undefined ? [] : [config];
      needsKey = true;
      return true;
    },
    next: () => queue.shift(),
    size: () => queue.length,
    dropped: () => dropped,
  };
}
