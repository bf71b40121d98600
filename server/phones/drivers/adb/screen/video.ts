/**
 * The moving picture: H.264 from scrcpy's encoder, in whole access units (Annex B) as the encoder gave them. Runs only
 * while somebody listens. A new level takes a new encoder, because scrcpy cannot change the bit rate of a running one: it
 * is started beside the old one and takes over with its first key frame, so nobody sees the change. An encoder that dies
 * is started again, smaller each time, and until one works listeners get pictures that stand alone (`kind: "image"`).
 * `capturedAtMs` is the server's clock at arrival: the device's own time stamps count from its boot, on a clock of its own.
 */
import type { ScrcpyMediaStreamPacket } from "@yume-chan/scrcpy";
import type { AudioSource, ScreenFrame, ScreenLevel, ScreenSource } from "../../../driver.ts";
import type { Display } from "./display.ts";
import { bestLevel, type Encoding, encodingOf } from "./levels.ts";
import type { ScreenParts } from "./parts.ts";
import type { Pictures } from "./pictures.ts";
import type { ScrcpySession, SessionWish } from "./scrcpy-session.ts";

/** Nobody listened for this long: the encoder stops. Longer than a panel takes to open again. */
const LINGER_MS = 1_500;
/** Between two encoders that were started only for another level. */
const LEVEL_EVERY_MS = 4_000;
const FIRST_KEY_FRAME_MS = 6_000;
/** Key frames are asked for at most this often, however many ask. */
const RESET_EVERY_MS = 500;
/** An encoder that was asked and gave no key frame is dead. */
const RESET_TIMEOUT_MS = 4_000;
/** What ran this long died of something new. */
const STEADY_MS = 10_000;
const RETRY_MS = [0, 500, 1_000, 2_000, 4_000] as const;
const RETRY_LATER_MS = 30_000;
/** Failures in a row after which pictures are shown meanwhile. */
const FAILURES_UNTIL_PICTURES = 2;
const MOVING_WINDOW_MS = 1_000;
/** A key frame that was asked for comes with a repeat of it; more than that in a second is movement. */
const MOVING_FRAMES = 3;

export interface VideoOptions extends ScreenParts {
  readonly display: Display;
  readonly pictures: Pictures;
  readonly audio: AudioSource | undefined;
  /** @throws PerchError `phone_unavailable` */
  readonly start: (wish: SessionWish) => Promise<ScrcpySession>;
  /** Settles when the session's hands are free: a touch that began in it ends in it. */
  readonly released: (session: ScrcpySession) => Promise<void>;
}

export interface Video extends ScreenSource {
  /** Whose picture is shown now. */
  current(): ScrcpySession | undefined;
  readonly moving: boolean;
  close(): Promise<void>;
}

interface Run {
  readonly level: ScreenLevel;
  readonly encoding: Encoding;
  session: ScrcpySession | undefined;
  config: Uint8Array | undefined;
  promotedAt: number | undefined;
  over: boolean;
}
interface Listener {
  readonly level: ScreenLevel | undefined;
  /** It has had a whole picture, so what builds on it makes sense. */
  ready: boolean;
}

export function createVideo(options: VideoOptions): Video {
  const { clock, trouble, display, pictures, device } = options;
  const listeners = new Map<(frame: ScreenFrame) => void, Listener>();
  let level: ScreenLevel = 4;
  let current: Run | undefined;
  let candidate: Run | undefined;
  /** Whether the device can run two encoders at a time. */
  let overlaps = true;
  let failures = 0;
  /** Sizes given up since somebody listens. */
  let smaller = 0;
  let launchedAt = Number.NEGATIVE_INFINITY;
  let stopPictures: (() => void) | undefined;
  let keyAt = Number.NEGATIVE_INFINITY;
  let closed = false;
  const frameTimes: number[] = [];
  const timers = { stop: timer(), launch: timer(), reset: timer(), resetTimeout: timer(), first: timer() };
  void device.gone.then(() => {
    closed = true;
    stopAll();
  });

  const needed = () => bestLevel([...listeners.values()].map((own) => own.level ?? level));

  /** Brings what runs and what is wanted together. */
  function reconcile(): void {
    if (closed) return;
    if (listeners.size === 0) {
      if (current !== undefined || candidate !== undefined || timers.launch.waits) timers.stop.set(LINGER_MS, stopAll);
      return;
    }
    timers.stop.clear();
    if (candidate !== undefined) return;
    const wanted = needed();
    if (current === undefined) {
      if (!timers.launch.waits) launch(wanted);
    } else if (current.level !== wanted) {
      const wait = launchedAt + LEVEL_EVERY_MS - clock.now();
      if (wait > 0) timers.launch.set(wait, reconcile);
      else {
        if (!overlaps) retire();
        launch(wanted);
      }
    } else timers.launch.clear();
  }

  function launch(wanted: ScreenLevel): void {
    timers.launch.clear();
    launchedAt = clock.now();
    const encoding = encodingOf(wanted, smaller);
    const run: Run = {
      level: wanted,
      encoding,
      session: undefined,
      config: undefined,
      promotedAt: undefined,
      over: false,
    };
    candidate = run;
    timers.first.set(FIRST_KEY_FRAME_MS, () => end(run, new Error("The encoder gave no picture.")));
    options.start({ video: encoding, control: { autosync: true } }).then(
      (session) => {
        run.session = session;
        if (run.over) void session.close();
        else void pump(run, session);
      },
      (error: unknown) => end(run, error),
    );
  }

  async function pump(run: Run, session: ScrcpySession): Promise<void> {
    try {
      for await (const packet of session.packets()) {
        if (run.over) break;
        take(run, session, packet);
      }
      end(run, new Error("The encoder stopped."));
    } catch (error) {
      end(run, error);
    }
  }

  function take(run: Run, session: ScrcpySession, packet: ScrcpyMediaStreamPacket): void {
    const now = clock.now();
    if (packet.type === "configuration") {
      run.config = packet.data;
      if (run === current) tellConfig(run, session, now);
      return;
    }
    if (run.config === undefined) return;
    const key = packet.keyframe === true;
    if (run === candidate && key) promote(run, session, now);
    if (run !== current) return;
    if (key) {
      keyAt = now;
      timers.resetTimeout.clear();
    }
    frameTimes.push(now);
    if (frameTimes.length > MOVING_FRAMES) frameTimes.shift();
    emit({ format: "h264", kind: key ? "keyFrame" : "delta", bytes: packet.data, capturedAtMs: now, crisp: false });
  }

  function promote(run: Run, session: ScrcpySession, now: number): void {
    candidate = undefined;
    retire();
    current = run;
    run.promotedAt = now;
    timers.first.clear();
    stopPictures?.();
    stopPictures = undefined;
    tellConfig(run, session, now);
    // What was wanted may have changed while it started.
    queueMicrotask(reconcile);
  }

  function tellConfig(run: Run, session: ScrcpySession, now: number): void {
    const size = session.size();
    if (size !== undefined) display.seen(size);
    if (run.config !== undefined) emit(configFrame(run.config, now));
  }

  /** The one that is shown gives way. */
  function retire(): void {
    const run = current;
    current = undefined;
    timers.reset.clear();
    timers.resetTimeout.clear();
    if (run?.session === undefined) return;
    run.over = true;
    const { session } = run;
    void options.released(session).then(() => session.close());
  }

  /** An encoder that should go on does not. */
  function end(run: Run, error: unknown): void {
    if (run.over) return;
    run.over = true;
    void run.session?.close();
    const lived = run.promotedAt === undefined ? 0 : clock.now() - run.promotedAt;
    if (run === candidate) {
      candidate = undefined;
      timers.first.clear();
      if (current !== undefined) {
        overlaps = false;
        retire();
      }
    } else if (run === current) {
      current = undefined;
      timers.reset.clear();
      timers.resetTimeout.clear();
    }
    if (closed || listeners.size === 0) return;
    failures = lived >= STEADY_MS ? 1 : failures + 1;
    if (failures > 1) smaller = Math.max(smaller, failures);
    trouble("the encoder of a phone ended", error, failures);
    for (const listener of listeners.values()) listener.ready = false;
    if (failures >= FAILURES_UNTIL_PICTURES) stopPictures ??= pictures.listen(emit, level);
    timers.launch.set(RETRY_MS[failures - 1] ?? RETRY_LATER_MS, () => reconcile());
  }

  function stopAll(): void {
    for (const one of Object.values(timers)) one.clear();
    for (const run of [current, candidate]) {
      if (run === undefined) continue;
      run.over = true;
      const { session } = run;
      if (session !== undefined) void options.released(session).then(() => session.close());
    }
    current = undefined;
    candidate = undefined;
    stopPictures?.();
    stopPictures = undefined;
    failures = 0;
    smaller = 0;
    launchedAt = Number.NEGATIVE_INFINITY;
    frameTimes.length = 0;
  }

  function emit(frame: ScreenFrame): void {
    const whole = frame.kind === "keyFrame" || frame.kind === "image";
    for (const [listener, state] of [...listeners]) {
      if (whole) state.ready = true;
      if (state.ready || frame.kind === "codecConfig") listener(frame);
    }
  }

  function refresh(): void {
    if (listeners.size === 0 || closed) return;
    if (stopPictures !== undefined) pictures.refresh();
    const run = current;
    if (run === undefined || timers.resetTimeout.waits || timers.reset.waits) return;
    timers.reset.set(keyAt + RESET_EVERY_MS - clock.now(), () => {
      timers.resetTimeout.set(RESET_TIMEOUT_MS, () => end(run, new Error("The encoder gave no key frame.")));
      run.session?.control((writer) => writer.resetVideo()).catch((error: unknown) => end(run, error));
    });
  }

  return {
    codec: "h264",
    size: () => display.css(),
    listen(listener, own) {
      listeners.set(listener, { level: own, ready: false });
      if (current?.config !== undefined) {
        listener(configFrame(current.config, clock.now()));
        refresh();
      } else if (stopPictures !== undefined) pictures.refresh();
      reconcile();
      return () => {
        if (listeners.delete(listener)) reconcile();
      };
    },
    setLevel(next) {
      level = next;
      reconcile();
    },
    refresh,
    // Video comes to its full quality by itself when it rests.
    still: async () => {},
    pictures,
    ...(options.audio !== undefined && { audio: options.audio }),
    current: () => current?.session,
    get moving() {
      const [oldest] = frameTimes;
      const enough = frameTimes.length === MOVING_FRAMES && oldest !== undefined;
      return listeners.size > 0 && enough && clock.now() - oldest < MOVING_WINDOW_MS;
    },
    async close() {
      closed = true;
      const sessions = [current?.session, candidate?.session];
      stopAll();
      listeners.clear();
      await Promise.all(sessions.map((session) => session?.close()));
    },
  };
}

function configFrame(bytes: Uint8Array, capturedAtMs: number): ScreenFrame {
  return { format: "h264", kind: "codecConfig", bytes, capturedAtMs, crisp: false };
}

interface Timer {
  readonly waits: boolean;
  set(ms: number, work: () => void): void;
  clear(): void;
}
function timer(): Timer {
  let running: NodeJS.Timeout | undefined;
  return {
    get waits() {
      return running !== undefined;
    },
    set(ms, work) {
      clearTimeout(running);
      running = setTimeout(
        () => {
          running = undefined;
          work();
        },
        Math.max(0, ms),
      );
    },
    clear() {
      clearTimeout(running);
      running = undefined;
    },
  };
}
