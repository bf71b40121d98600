/**
 * What one viewer gets and when, without its socket: credit, ladder, round trip, and the two limits a slow viewer
 * meets (a still that would block the line is put off, ten seconds without an answer end it). Pure.
 */
import type { ScreenLevel } from "../phones/driver.ts";
import { type Acknowledged, createCredit } from "./credit.ts";
import type { HubFrame } from "./frame-hub.ts";
import { createLadder, PICTURE_RULES, VIDEO_RULES } from "./ladder.ts";
import { createPace } from "./pace.ts";

/** A viewer that acknowledges nothing for this long while frames wait is too slow. */
export const TOO_SLOW_MS = 10_000;
/**
 * A round trip longer than this gets a second frame in flight, as long as the link is not too busy for it. Measured at
 * 40 ms and 400 KB/s: 22 instead of 12 frames a second, and what is on the screen is 135 instead of 164 ms old (p95).
 */
const FAR_ROUND_TRIP_MS = 30;
/** Above this average a second frame only waits in line behind the first. */
const NOT_BUSY_MS = 160;
/**
 * Some decoders hold a frame of video back until the next one comes; viewers then acknowledge it after 150 ms. The last
 * frame before a rest says nothing about the link when it took no longer.
 */
const HELD_BACK_MS = 180;
/** Pictures are bounded by their number alone. */
const ANY_BYTES = Number.POSITIVE_INFINITY;
/** A still that would hold up the line longer than this waits until the picture rested for `STILL_PUT_OFF_MS`. */
const STILL_LINE_MS = 200;
const STILL_PUT_OFF_MS = 1_000;
/** Part of a new sample in the moving average of the link's speed. */
const SPEED_WEIGHT = 0.3;

export interface Flow {
  /** A new frame from the hub. Returns true when this viewer needs a key frame to go on; the level may have changed. */
  offer(now: number, frame: HubFrame): boolean;
  /** The next frame to send now. */
  take(now: number): HubFrame | undefined;
  /** The viewer has drawn frame `seq`. Returns whether the level changed; `undefined` for a frame not in flight. */
  acknowledge(now: number, seq: number): { readonly levelChanged: boolean; readonly ms: number } | undefined;
  /** A round trip of an empty message, in ms. */
  roundTrip(ms: number): void;
  limit(now: number, max: ScreenLevel): boolean;
  /** To call about twice a second. Returns true when the viewer is too slow to go on. */
  tick(now: number): boolean;
  level(): ScreenLevel;
  inFlight(): number;
  dropped(): number;
}

export function createFlow(codec: "jpeg" | "h264", now: number): Flow {
  const video = codec === "h264";
  const pace = createPace();
  const credit = createCredit(codec, video ? pace.window(0) : { frames: 1, bytes: ANY_BYTES });
  const ladder = createLadder(now, video ? VIDEO_RULES : PICTURE_RULES);
  /** The shortest way there and back seen so far, in ms. */
  let baseMs = Number.POSITIVE_INFINITY;
  let bytesPerMs: number | undefined;
  let putOff: { readonly frame: HubFrame; readonly until: number } | undefined;
  let answeredAt = now;

  const base = () => (Number.isFinite(baseMs) ? baseMs : 0);

  function learn(at: number, { ms, frame, bytes: delivered }: Acknowledged): void {
    const bytes = frame.message.length;
    baseMs = Math.min(baseMs, Math.max(0, ms));
    const speed = bytes / Math.max(1, ms - base());
    bytesPerMs = bytesPerMs === undefined ? speed : bytesPerMs + SPEED_WEIGHT * (speed - bytesPerMs);
    if (video) {
      pace.delivered(at, delivered, ms);
      credit.setWindow(pace.window(base()));
      return;
    }
    const average = ladder.average() ?? ms;
    const far = base() > FAR_ROUND_TRIP_MS;
    credit.setWindow({ frames: far && average < NOT_BUSY_MS ? 2 : 1, bytes: ANY_BYTES });
  }

  return {
    offer(at, frame) {
      if (frame.crisp && bytesPerMs !== undefined && frame.message.length / bytesPerMs > STILL_LINE_MS) {
        putOff = { frame, until: at + STILL_PUT_OFF_MS };
        return false;
      }
      putOff = undefined;
      const needsKeyFrame = credit.offer(at, frame);
      if (needsKeyFrame) ladder.strained(at);
      return needsKeyFrame;
    },
    take: (at) => credit.take(at),
    acknowledge(at, seq) {
      const done = credit.acknowledge(at, seq);
      if (done === undefined) return undefined;
      answeredAt = at;
      learn(at, done);
      // A still is many times larger than a moving frame, as a key frame is, and says nothing about the level.
      const heldBack = credit.inFlight() === 0 && !credit.waiting() && done.ms <= base() + HELD_BACK_MS;
      const judged = video ? done.frame.kind === "delta" && !heldBack : !done.frame.crisp;
      const levelChanged = judged && ladder.sample(at, video ? done.sinceOfferMs : done.ms, base());
      return { levelChanged, ms: done.ms };
    },
    roundTrip(ms) {
      baseMs = Math.min(baseMs, Math.max(0, ms));
    },
    limit: (at, max) => ladder.limit(at, max),
    tick(at) {
      if (putOff !== undefined && at >= putOff.until) {
        credit.offer(at, putOff.frame);
        putOff = undefined;
      }
      const oldest = credit.oldestSentAt();
      if (oldest === undefined || !credit.waiting()) return false;
      return at - Math.max(oldest, answeredAt) >= TOO_SLOW_MS;
    },
    level: () => ladder.level(),
    inFlight: () => credit.inFlight(),
    dropped: () => credit.dropped(),
  };
}
