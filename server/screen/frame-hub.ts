/**
 * The picture of one running phone, fanned out to its viewers. Listens to the driver only while somebody watches,
 * keeps only the newest frame, and sends one full-quality still when the picture comes to rest.
 */
import { encodeFrameHeader, FRAME_FLAGS, FRAME_HEADER_BYTES } from "../../shared/screen-protocol.ts";
import type { Clock } from "../clock.ts";
import type { ScreenFrame, ScreenLevel, ScreenSource } from "../phones/driver.ts";
import { best } from "./ladder.ts";

/** Without a frame for this long the picture rests. */
export const REST_MS = 150;
/**
 * A rest shorter than this was a hesitation (typing, a blinking caret, a busy machine). Taking a still costs as much as
 * several frames, so the next one waits twice as long, up to `LONGEST_REST_MS`.
 */
const HESITATION_MS = 1_000;
const LONGEST_REST_MS = 1_200;
const SEQ_RANGE = 0x1_0000_0000;
/** What came since the last key frame is kept for joiners as long as it is no more than this. */
const MAX_RUN_FRAMES = 10;
const MAX_RUN_BYTES = 512 * 1024;

/** A frame as it goes over the wire; viewers share its bytes. */
export interface HubFrame {
  readonly seq: number;
  readonly kind: ScreenFrame["kind"];
  readonly crisp: boolean;
  /** Header and payload. */
  readonly message: Buffer;
}

export interface HubViewer {
  /** A new frame. Must return at once: the viewer decides by itself what to keep. */
  offer(frame: HubFrame): void;
  /** The level this viewer can take now. */
  level(): ScreenLevel;
}

export interface FrameHub {
  readonly codec: ScreenSource["codec"];
  size(): { width: number; height: number };
  /** Adds a viewer, who gets a whole frame at once. Returns what removes it again. */
  join(viewer: HubViewer): () => void;
  /** To call when a viewer's level changed. */
  levelChanged(): void;
  /** A whole frame of now, for a viewer that lost one it needed. */
  refresh(): void;
  /** Goes on with another source: the same phone, reached anew. */
  replace(source: ScreenSource): void;
  /** Ends listening; the hub is not used afterwards. */
  close(): void;
}

export interface FrameHubOptions {
  readonly source: ScreenSource;
  readonly clock: Clock;
  /** Told when the driver could not take the still. The picture stays as it was. */
  readonly onStillFailed: (error: unknown) => void;
  /** Told of each picture after the viewers were offered it. */
  readonly onFrame?: (seq: number) => void;
  /** Numbers of frames, for hubs that share them. */
  readonly nextSeq?: () => number;
}

/** Numbers for frames: 1, 2, 3 … and from the start again. */
export function frameNumbers(): () => number {
  let seq = 0;
  return () => {
    seq = (seq + 1) % SEQ_RANGE;
    return seq;
  };
}

export function createFrameHub(options: FrameHubOptions): FrameHub {
  const { clock, onStillFailed, onFrame, nextSeq = frameNumbers() } = options;
  const viewers = new Set<HubViewer>();
  let { source } = options;
  /** What viewers were told; a source that outlives its device may have changed. */
  let { codec } = source;
  let newest: HubFrame | undefined;
  let codecConfig: HubFrame | undefined;
  /** The last key frame and all that builds on it, while that is little. */
  let run: HubFrame[] | undefined;
  let lastMoving: Uint8Array | undefined;
  let lastFrameAt = 0;
  let asked: ScreenLevel | undefined;
  let stopListening: (() => void) | undefined;
  let restTimer: NodeJS.Timeout | undefined;
  /** From asking for the still of this rest until something moves. */
  let resting = false;
  let restedAt = 0;
  let restMs = REST_MS;

  function receive(frame: ScreenFrame): void {
    if (codec === "jpeg" && frame.kind === "image" && !frame.crisp) {
      // Taking a still makes some browsers repeat the frame before it; that is not movement.
      if (resting && lastMoving !== undefined && sameBytes(lastMoving, frame.bytes)) return;
      lastMoving = frame.bytes;
      lastFrameAt = clock.now();
      if (resting) {
        resting = false;
        restMs = lastFrameAt - restedAt < HESITATION_MS ? Math.min(restMs * 2, LONGEST_REST_MS) : REST_MS;
      }
      restTimer ??= setTimeout(checkRest, restMs);
    }
    // A still that was overtaken by movement shows the past.
    if (frame.crisp && !resting) return;
    const seq = nextSeq();
    const hubFrame = toHubFrame(seq, frame);
    keep(hubFrame);
    for (const viewer of viewers) viewer.offer(hubFrame);
    if (frame.kind !== "codecConfig") onFrame?.(seq);
  }

  function keep(frame: HubFrame): void {
    if (frame.kind === "codecConfig") {
      codecConfig = frame;
      newest = undefined;
      run = undefined;
      return;
    }
    newest = frame;
    if (frame.kind === "keyFrame") run = [frame];
    else if (frame.kind === "image") run = undefined;
    else if (run !== undefined) {
      run.push(frame);
      const bytes = run.reduce((sum, { message }) => sum + message.length, 0);
      if (run.length > MAX_RUN_FRAMES || bytes > MAX_RUN_BYTES) run = undefined;
    }
  }

  /** All that a joiner needs, where it is at hand. Returns whether that is the picture of now. */
  function catchUp(viewer: HubViewer): boolean {
    if (codecConfig !== undefined && newest?.kind !== "image") viewer.offer(codecConfig);
    if (run !== undefined) {
      for (const frame of run) viewer.offer(frame);
      return true;
    }
    if (newest !== undefined && newest.kind !== "delta") viewer.offer(newest);
    // The crisp still is the whole picture of now; anything else may be on its way to change.
    return newest?.crisp === true;
  }

  function checkRest(): void {
    restTimer = undefined;
    const left = restMs - (clock.now() - lastFrameAt);
    if (left > 0) {
      restTimer = setTimeout(checkRest, left);
      return;
    }
    resting = true;
    restedAt = clock.now();
    source.still().catch(onStillFailed);
  }

  function start(): void {
    stopListening ??= source.listen(receive);
  }

  function stop(): void {
    stopListening?.();
    stopListening = undefined;
    forget();
  }

  function forget(): void {
    clearTimeout(restTimer);
    restTimer = undefined;
    // Nobody may be shown a picture from before the pause.
    newest = undefined;
    codecConfig = undefined;
    run = undefined;
    lastMoving = undefined;
    resting = false;
    restMs = REST_MS;
    asked = undefined;
  }

  function askLevel(): void {
    const level = best([...viewers].map((viewer) => viewer.level()));
    if (level === asked) return;
    asked = level;
    source.setLevel(level);
  }

  return {
    get codec() {
      return codec;
    },
    size: () => source.size(),
    join(viewer) {
      const first = viewers.size === 0;
      viewers.add(viewer);
      if (first) {
        askLevel();
        start();
      } else {
        const whole = catchUp(viewer);
        askLevel();
        if (!whole) source.refresh();
      }
      return () => {
        if (!viewers.delete(viewer)) return;
        if (viewers.size === 0) stop();
        else askLevel();
      };
    },
    levelChanged() {
      if (viewers.size > 0) askLevel();
    },
    refresh() {
      if (viewers.size > 0) source.refresh();
    },
    replace(next) {
      const listened = stopListening !== undefined;
      stop();
      source = next;
      codec = next.codec;
      if (!listened) return;
      askLevel();
      start();
    },
    close() {
      viewers.clear();
      stop();
    },
  };
}

function toHubFrame(seq: number, frame: ScreenFrame): HubFrame {
  const header = encodeFrameHeader({
    kind: frame.kind,
    format: frame.format,
    flags: frame.crisp ? FRAME_FLAGS.crisp : 0,
    seq,
    capturedAtMs: frame.capturedAtMs,
  });
  const message = Buffer.allocUnsafe(FRAME_HEADER_BYTES + frame.bytes.length);
  message.set(header, 0);
  message.set(frame.bytes, FRAME_HEADER_BYTES);
  return { seq, kind: frame.kind, crisp: frame.crisp, message };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}
