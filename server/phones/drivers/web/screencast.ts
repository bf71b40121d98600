/**
 * The moving picture of whatever is in the foreground: one JPEG screencast, acknowledged at once, restarted to change
 * level or to get a whole frame. Runs only while somebody listens.
 */
import { createHash } from "node:crypto";
import type { Clock } from "../../../clock.ts";
import type { ScreenFrame, ScreenLevel, ScreenSource } from "../../driver.ts";
import { CdpError, type CdpSession } from "./cdp.ts";
import type { Gestures } from "./gestures.ts";

/**
 * JPEG quality and part of the width; measured on links of 400 and 120 KB/s. Every frame is asked for at every level:
 * with `everyNthFrame: 2` the browser leaves out the first frame, which of a page at rest is the only one.
 */
const LADDER: Readonly<Record<ScreenLevel, { quality: number; width: number }>> = {
  4: { quality: 60, width: 1 },
  3: { quality: 40, width: 1 },
  2: { quality: 35, width: 0.75 },
  1: { quality: 30, width: 0.6 },
  0: { quality: 20, width: 0.45 },
};
const STILL_QUALITY = 90;
/**
 * A screenshot makes the browser send a few frames of the same picture, drawn at another scale and back. They are held
 * until this long after the screenshot; then the last one is delivered if it shows something new.
 */
const ECHO_WINDOW_MS = 80;
/** A screencast begins with a frame of now; one that does not was lost in a change of page and is started again. */
const FIRST_FRAME_TIMEOUT_MS = 100;
const MAX_RESTARTS = 8;
const MOVING_WINDOW_MS = 1_000;
const STILL_TIMEOUT_MS = 3_000;
/** A page whose document gives way to the next refuses to be captured for a moment. */
const STILL_TRIES = 5;

interface Running {
  readonly session: CdpSession;
  readonly wish: number;
  readonly stopListening: () => void;
}

export class Screencast implements ScreenSource {
  readonly codec = "jpeg";
  readonly #clock: Clock;
  readonly #gestures: Gestures;
  readonly #size: () => { width: number; height: number };
  /** With the level each needs by itself; undefined: the one asked for. */
  readonly #listeners = new Map<(frame: ScreenFrame) => void, ScreenLevel | undefined>();
  #session: CdpSession | undefined;
  #level: ScreenLevel = 4;
  /** Raised by every change that needs a new screencast. */
  #wish = 0;
  #running: Running | undefined;
  #working = false;
  #last: { bytes: Buffer; session: CdpSession } | undefined;
  #lastFrameAt = Number.NEGATIVE_INFINITY;
  #stillRunning: Promise<void> | undefined;
  /** Frames held while a still is taken; undefined: none is. */
  #held: ScreenFrame[] | undefined;
  /** Digests of pictures that are the resting one. */
  #echoes = new Set<string>();
  #firstFrame: NodeJS.Timeout | undefined;
  #restarts = 0;
  #sawFrame = false;

  constructor(clock: Clock, gestures: Gestures, size: () => { width: number; height: number }) {
    this.#clock = clock;
    this.#gestures = gestures;
    this.#size = size;
  }

  size(): { width: number; height: number } {
    return this.#size();
  }

  listen(listener: (frame: ScreenFrame) => void, level?: ScreenLevel): () => void {
    const alone = !this.watched;
    const stop = this.watch(listener, level);
    if (!alone) this.refresh();
    return stop;
  }

  /** Like `listen`, but when others look already nothing comes until something moves. */
  watch(listener: (frame: ScreenFrame) => void, level?: ScreenLevel): () => void {
    const first = !this.watched;
    const before = this.#needed();
    this.#listeners.set(listener, level);
    if (first || this.#needed() !== before) this.refresh();
    return () => {
      const needed = this.#needed();
      if (!this.#listeners.delete(listener)) return;
      if (this.#listeners.size === 0) this.#reconcile();
      else if (this.#needed() !== needed) this.refresh();
    };
  }

  /** The best any listener needs. */
  #needed(): ScreenLevel {
    if (this.#listeners.size === 0) return this.#level;
    const needs = new Set([...this.#listeners.values()].map((level) => level ?? this.#level));
    return ([4, 3, 2, 1] as const).find((level) => needs.has(level)) ?? 0;
  }

  get watched(): boolean {
    return this.#listeners.size > 0;
  }

  setLevel(level: ScreenLevel): void {
    const before = this.#needed();
    this.#level = level;
    if (this.#needed() !== before) this.refresh();
  }

  refresh(): void {
    this.#wish += 1;
    this.#restarts = 0;
    this.letGo();
    this.#reconcile();
  }

  /** Something is about to change: frames held back during a still are of interest now. */
  letGo(): void {
    const held = this.#held;
    this.#held = undefined;
    for (const frame of held ?? []) this.#move(frame);
  }

  /** Shows another page from now on. */
  follow(session: CdpSession | undefined): void {
    if (session === this.#session) return;
    this.#session = session;
    this.refresh();
  }

  /** True while the picture is watched and changed within the last second. */
  get moving(): boolean {
    return this.#listeners.size > 0 && this.#clock.now() - this.#lastFrameAt < MOVING_WINDOW_MS;
  }

  /** The newest picture of this page, if it was on screen. */
  lastPicture(session: CdpSession): Buffer | undefined {
    return this.#last?.session === session ? this.#last.bytes : undefined;
  }

  still(): Promise<void> {
    const session = this.#session;
    if (session === undefined || this.#listeners.size === 0) return Promise.resolve();
    this.#stillRunning ??= this.#gestures
      .capture(session, () => this.#takeStill(session))
      .finally(() => {
        this.#stillRunning = undefined;
      });
    return this.#stillRunning;
  }

  async #takeStill(session: CdpSession): Promise<void> {
    const wish = this.#wish;
    if (session !== this.#session || this.#listeners.size === 0) return;
    const resting = this.#last?.session === session ? digest(this.#last.bytes) : "";
    if (!this.#echoes.has(resting)) this.#echoes = new Set([resting]);
    const held: ScreenFrame[] = [];
    this.#held = held;
    const capturedAtMs = this.#clock.now();
    const picture = await this.#capture(session);
    // Another page came to the front, or something moved meanwhile: this still is of the past.
    if (picture === undefined || this.#held !== held || this.#wish !== wish) {
      if (this.#held === held) this.letGo();
      return;
    }
    this.#deliver({
      format: "jpeg",
      kind: "image",
      bytes: Buffer.from(picture, "base64"),
      capturedAtMs,
      crisp: true,
    });
    setTimeout(() => {
      if (this.#held !== held) return;
      this.#held = undefined;
      const newest = held.at(-1);
      const known = newest === undefined || this.#echoes.has(digest(newest.bytes));
      for (const frame of held) this.#echoes.add(digest(frame.bytes));
      if (!known) this.#move(newest);
    }, ECHO_WINDOW_MS).unref();
  }

  /** JPEG in base64; undefined when the page cannot be captured. */
  async #capture(session: CdpSession): Promise<string | undefined> {
    const how = { format: "jpeg", quality: STILL_QUALITY, optimizeForSpeed: true } as const;
    for (let left = STILL_TRIES; ; left -= 1) {
      try {
        return (await session.send("Page.captureScreenshot", how, STILL_TIMEOUT_MS)).data;
      } catch (error) {
        if (!(error instanceof CdpError)) throw error;
        if (error.kind !== "refused" || left === 0 || session !== this.#session) return undefined;
      }
    }
  }

  /** Ends for good. */
  close(): void {
    this.#listeners.clear();
    this.#held = undefined;
    clearTimeout(this.#firstFrame);
    this.#session = undefined;
    this.#reconcile();
  }

  #reconcile(): void {
    if (this.#working) return;
    this.#working = true;
    this.#work().finally(() => {
      this.#working = false;
      if (!this.#settled()) this.#reconcile();
    });
  }

  #settled(): boolean {
    const wanted = this.#listeners.size > 0 ? this.#session : undefined;
    return wanted === undefined
      ? this.#running === undefined
      : this.#running?.session === wanted && this.#running.wish === this.#wish;
  }

  async #work(): Promise<void> {
    while (!this.#settled()) {
      const session = this.#listeners.size > 0 ? this.#session : undefined;
      const wish = this.#wish;
      const before = this.#running;
      this.#running = undefined;
      clearTimeout(this.#firstFrame);
      if (before !== undefined) {
        before.stopListening();
        // In order on the pipe; the answer is not waited for unless the same page starts again.
        const stopped = before.session.send("Page.stopScreencast", {}).catch(() => undefined);
        if (before.session === session) await stopped;
      }
      if (session === undefined) continue;
      this.#sawFrame = false;
      // The first frame may come before the answer to the start.
      const stopListening = session.on("Page.screencastFrame", (event) => {
        session.tell("Page.screencastFrameAck", { sessionId: event.sessionId });
        this.#frame(session, event.data, event.metadata.timestamp);
      });
      this.#running = { session, wish, stopListening };
      const { quality, width } = LADDER[this.#needed()];
      const size = this.#size();
      await session
        .send("Page.startScreencast", {
          format: "jpeg",
          quality,
          maxWidth: Math.round(size.width * width),
          maxHeight: Math.round(size.height * width),
          everyNthFrame: 1,
        })
        .catch(() => undefined);
      if (!this.#settled() || this.#sawFrame) continue;
      this.#firstFrame = setTimeout(
        () => {
          if (this.#restarts >= MAX_RESTARTS) return;
          this.#restarts += 1;
          this.#wish += 1;
          this.#reconcile();
        },
        FIRST_FRAME_TIMEOUT_MS * (this.#restarts + 1),
      );
      this.#firstFrame.unref();
    }
  }

  #frame(session: CdpSession, data: string, timestamp: number | undefined): void {
    this.#sawFrame = true;
    clearTimeout(this.#firstFrame);
    const frame: ScreenFrame = {
      format: "jpeg",
      kind: "image",
      bytes: Buffer.from(data, "base64"),
      capturedAtMs: timestamp === undefined ? this.#clock.now() : timestamp * 1000,
      crisp: false,
    };
    if (this.#held === undefined) this.#move(frame, session);
    else this.#held.push(frame);
  }

  #move(frame: ScreenFrame, session = this.#session): void {
    if (session === undefined) return;
    this.#last = { bytes: asBuffer(frame.bytes), session };
    this.#lastFrameAt = this.#clock.now();
    this.#deliver(frame);
  }

  #deliver(frame: ScreenFrame): void {
    for (const listener of [...this.#listeners.keys()]) listener(frame);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("base64");
}
