/**
 * Recordings of one run's screen: the frames the phone sends, at their times, as a WebM when it stops. A moment that may
 * show a password is left out: the picture before it stays. Kept in memory until then, so a crash leaves nothing behind.
 */
import type { ScreenFrame, TimedPicture } from "../phones/driver.ts";
import { seconds } from "./engine/lookup.ts";
import type { PhoneHands, Recordings } from "./engine/ports.ts";
import { showsPassword } from "./run-thumbnails.ts";

const LONGEST_MS = 5 * 60_000;
const MOST_BYTES = 50 * 1024 * 1024;
/** Between pictures: ten a second show what an automation does. */
const PICTURE_MS = 100;
/** How often the screen is looked at for passwords while it moves. */
const LOOK_MS = 250;
/** Three quarters of the width. */
const LEVEL = 2;

export interface RunRecordings extends Recordings {
  /** What is still being recorded is stopped; resolves when all of it is stored. `drop`: nothing more is. */
  close(how: "keep" | "drop"): Promise<void>;
}

export function openRecordings(options: {
  readonly hands: Pick<PhoneHands, "watch" | "tree" | "encodeVideo">;
  readonly keep: (name: string, webm: Uint8Array, step: number) => Promise<void>;
  readonly log: (message: string) => Promise<void>;
  /** Unix milliseconds. */
  readonly now: () => number;
}): RunRecordings {
  const { hands, log } = options;
  let current: Recording | undefined;
  let storing = Promise.resolve();
  let dropped = false;
  let count = 0;

  function finish(recording: Recording): void {
    if (current === recording) current = undefined;
    const stopped = recording.stop();
    storing = storing.then(async () => {
      try {
        const { pictures, durationMs } = await stopped;
        if (dropped) return;
        if (pictures.length === 0)
          return await log(`The recording ${recording.name} is empty: nothing could be shown.`);
        const webm = await hands.encodeVideo?.(pictures, durationMs);
        if (webm !== undefined && !dropped) await options.keep(recording.name, webm, recording.step);
      } catch {
        await log(`The recording ${recording.name} could not be made into a video. Run it again.`).catch(() => {});
      }
    });
  }

  return {
    can: hands.encodeVideo !== undefined,
    get name() {
      return current?.name;
    },
    get count() {
      return count;
    },
    start(name, step) {
      count += 1;
      const recording = new Recording(name, step, options, (why) => {
        if (current !== recording) return;
        void log(`The recording ${name} ended after ${why}, which is the most.`).catch(() => {});
        finish(recording);
      });
      current = recording;
    },
    stop() {
      if (current !== undefined) finish(current);
    },
    async close(how) {
      dropped ||= how === "drop";
      if (dropped && current !== undefined) await current.stop();
      else if (current !== undefined) finish(current);
      current = undefined;
      if (!dropped) await storing;
    },
  };
}

/** A frame that is not yet known to show no password. Times are ms from the beginning. */
interface Waiting extends TimedPicture {
  /** When its last pixels came. */
  readonly seenMs: number;
}

class Recording {
  readonly name: string;
  readonly step: number;
  readonly #hands: Pick<PhoneHands, "watch" | "tree">;
  readonly #clock: () => number;
  readonly #tooMuch: (why: string) => void;
  readonly #longest: NodeJS.Timeout;
  readonly #begun: number;
  readonly #pictures: TimedPicture[] = [];
  #stopWatching: () => void = () => {};
  #bytes = 0;
  #waiting: Waiting[] = [];
  #looking: Promise<void> | undefined;
  #next: NodeJS.Timeout | undefined;
  /** Since when every look at the screen found no password; undefined: the last one did. */
  #cleanSince: number | undefined;
  #ended: number | undefined;

  constructor(
    name: string,
    step: number,
    { hands, now }: { readonly hands: Pick<PhoneHands, "watch" | "tree">; readonly now: () => number },
    tooMuch: (why: string) => void,
  ) {
    this.name = name;
    this.step = step;
    this.#hands = hands;
    this.#clock = now;
    this.#tooMuch = tooMuch;
    this.#begun = now();
    this.#longest = setTimeout(() => tooMuch(seconds(LONGEST_MS)), LONGEST_MS);
    this.#longest.unref();
    void this.#look();
  }

  async stop(): Promise<{ pictures: readonly TimedPicture[]; durationMs: number }> {
    this.#ended ??= Math.min(this.#now(), LONGEST_MS);
    clearTimeout(this.#longest);
    clearTimeout(this.#next);
    this.#stopWatching();
    // The look under way, and one after it: what waits is from before that.
    await this.#looking;
    if (this.#waiting.length > 0) await this.#look();
    return { pictures: this.#pictures, durationMs: this.#ended };
  }

  #now(): number {
    return this.#clock() - this.#begun;
  }

  #frame({ kind, crisp, bytes }: ScreenFrame): void {
    if (this.#ended !== undefined || kind !== "image" || crisp) return;
    const seenMs = this.#now();
    const last = this.#waiting.at(-1);
    // The newest of a moment is the one that stays.
    const again = last !== undefined && seenMs - last.atMs < PICTURE_MS ? this.#waiting.pop() : undefined;
    this.#waiting.push({ jpeg: bytes, atMs: again?.atMs ?? seenMs, seenMs });
    this.#lookSoon();
  }

  #lookSoon(): void {
    if (this.#looking !== undefined || this.#ended !== undefined) return;
    this.#next ??= setTimeout(() => {
      this.#next = undefined;
      void this.#look();
    }, LOOK_MS).unref();
  }

  #look(): Promise<void> {
    this.#looking = this.#judge().finally(() => {
      this.#looking = undefined;
      if (this.#waiting.length > 0) this.#lookSoon();
    });
    return this.#looking;
  }

  /** Keeps pictures from between looks at the screen that all found no password, and drops those of any other moment. */
  async #judge(): Promise<void> {
    const asked = this.#now();
    const clean = await this.#hands.tree().then(
      (tree) => !showsPassword(tree),
      () => false,
    );
    const since = this.#cleanSince;
    const known = this.#waiting.filter(({ seenMs }) => seenMs <= asked);
    this.#waiting = this.#waiting.filter(({ seenMs }) => seenMs > asked);
    if (!clean) this.#cleanSince = undefined;
    else if (since === undefined) {
      this.#cleanSince = this.#now();
      // A picture of now, also of a screen that rests.
      this.#stopWatching();
      if (this.#ended === undefined) this.#stopWatching = watched(this.#hands, (frame) => this.#frame(frame));
    } else for (const picture of known) if (picture.seenMs >= since) this.#keep(picture);
  }

  #keep({ jpeg, atMs }: TimedPicture): void {
    if (this.#bytes + jpeg.length > MOST_BYTES) {
      this.#tooMuch(`${MOST_BYTES / 1024 / 1024} MB`);
      return;
    }
    this.#bytes += jpeg.length;
    this.#pictures.push({ jpeg, atMs: this.#pictures.length === 0 ? 0 : atMs });
  }
}

function watched(hands: Pick<PhoneHands, "watch">, listener: (frame: ScreenFrame) => void): () => void {
  try {
    return hands.watch(listener, LEVEL);
  } catch {
    return () => {};
  }
}
