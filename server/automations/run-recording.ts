/**
 * Recordings of one run's screen: the frames the phone sends, at their times, as a file when it stops: pictures as a WebM,
 * video as it is, as an MP4. A moment that may show a password is left out: the picture before it stays, and video goes on
 * with its next key frame. Kept in memory until then, so a crash leaves nothing behind.
 */
import type { ScreenFrame, TimedPicture, TimedUnit } from "../phones/driver.ts";
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
  readonly hands: Pick<PhoneHands, "film" | "tree" | "encodeVideo" | "packVideo">;
  readonly keep: (name: string, video: Uint8Array, step: number) => Promise<void>;
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
        const recorded = await stopped;
        if (dropped) return;
        const file = await fileOf(recorded);
        if (file === undefined) return await log(`The recording ${recording.name} is empty: nothing could be shown.`);
        if (!dropped) await options.keep(`${recording.name}.${file.ending}`, file.bytes, recording.step);
      } catch {
        await log(`The recording ${recording.name} could not be made into a video. Run it again.`).catch(() => {});
      }
    });
  }

  /** Of video, where there was any: a phone whose encoder failed for a while sent pictures meanwhile. */
  async function fileOf({ pictures, units, durationMs }: Recorded) {
    const { encodeVideo, packVideo } = hands;
    if (packVideo !== undefined && units.length > 0) {
      return { ending: "mp4", bytes: await packVideo(units, durationMs) };
    }
    if (encodeVideo === undefined || pictures.length === 0) return undefined;
    return { ending: "webm", bytes: await encodeVideo(pictures, durationMs) };
  }

  return {
    can: hands.encodeVideo !== undefined || hands.packVideo !== undefined,
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

interface Recorded {
  readonly pictures: readonly TimedPicture[];
  readonly units: readonly TimedUnit[];
  readonly durationMs: number;
}

/** A frame that is not yet known to show no password. Times are ms from the beginning. */
interface Waiting {
  readonly kind: "image" | "key" | "delta";
  readonly bytes: Uint8Array;
  readonly atMs: number;
  /** When its last pixels came. */
  readonly seenMs: number;
}

class Recording {
  readonly name: string;
  readonly step: number;
  readonly #hands: Pick<PhoneHands, "film" | "tree">;
  readonly #clock: () => number;
  readonly #tooMuch: (why: string) => void;
  readonly #longest: NodeJS.Timeout;
  readonly #begun: number;
  readonly #pictures: TimedPicture[] = [];
  readonly #units: TimedUnit[] = [];
  #stopWatching: () => void = () => {};
  /** Of what is kept, and of what waits. */
  #bytes = 0;
  /** Parameter sets of the video that comes. */
  #sets: Uint8Array = new Uint8Array();
  /** The unit before was kept, so what changes it can be shown. */
  #unbroken = false;
  #waiting: Waiting[] = [];
  #looking: Promise<void> | undefined;
  #next: NodeJS.Timeout | undefined;
  /** Since when every look at the screen found no password; undefined: the last one did. */
  #cleanSince: number | undefined;
  #ended: number | undefined;

  constructor(
    name: string,
    step: number,
    { hands, now }: { readonly hands: Pick<PhoneHands, "film" | "tree">; readonly now: () => number },
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

  async stop(): Promise<Recorded> {
    this.#ended ??= Math.min(this.#now(), LONGEST_MS);
    clearTimeout(this.#longest);
    clearTimeout(this.#next);
    this.#stopWatching();
    // The look under way, and one after it: what waits is from before that.
    await this.#looking;
    if (this.#waiting.length > 0) await this.#look();
    return { pictures: this.#pictures, units: this.#units, durationMs: this.#ended };
  }

  #now(): number {
    return this.#clock() - this.#begun;
  }

  #frame({ kind, crisp, bytes }: ScreenFrame): void {
    if (this.#ended !== undefined || crisp) return;
    const seenMs = this.#now();
    if (kind === "codecConfig") this.#sets = bytes;
    else if (kind === "image") {
      const last = this.#waiting.at(-1);
      // The newest of a moment is the one that stays.
      const again = last?.kind === "image" && seenMs - last.atMs < PICTURE_MS ? this.#waiting.pop() : undefined;
      if (again !== undefined) this.#bytes -= again.bytes.length;
      this.#wait({ kind, bytes, atMs: again?.atMs ?? seenMs, seenMs });
    } else if (kind === "keyFrame") {
      this.#wait({ kind: "key", bytes: Buffer.concat([this.#sets, bytes]), atMs: seenMs, seenMs });
    } else this.#wait({ kind, bytes, atMs: seenMs, seenMs });
  }

  #wait(frame: Waiting): void {
    if (this.#bytes + frame.bytes.length > MOST_BYTES) {
      this.#tooMuch(`${MOST_BYTES / 1024 / 1024} MB`);
      return;
    }
    this.#bytes += frame.bytes.length;
    this.#waiting.push(frame);
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
    for (const frame of known) {
      if (clean && since !== undefined && frame.seenMs >= since) this.#keep(frame);
      else this.#drop(frame);
    }
    if (!clean) this.#cleanSince = undefined;
    else if (since === undefined) {
      this.#cleanSince = this.#now();
      // A picture of now, also of a screen that rests; of video a key frame.
      this.#stopWatching();
      if (this.#ended === undefined) this.#stopWatching = watched(this.#hands, (frame) => this.#frame(frame));
    }
  }

  #keep(frame: Waiting): void {
    const { kind, bytes, atMs } = frame;
    if (kind === "image") {
      this.#pictures.push({ jpeg: bytes, atMs: this.#pictures.length === 0 ? 0 : atMs });
      return;
    }
    this.#unbroken ||= kind === "key";
    if (!this.#unbroken) this.#drop(frame);
    else this.#units.push({ bytes, key: kind === "key", atMs: this.#units.length === 0 ? 0 : atMs });
  }

  #drop({ kind, bytes }: Waiting): void {
    this.#bytes -= bytes.length;
    if (kind !== "image") this.#unbroken = false;
  }
}

function watched(hands: Pick<PhoneHands, "film">, listener: (frame: ScreenFrame) => void): () => void {
  try {
    return hands.film(listener, LEVEL);
  } catch {
    return () => {};
  }
}
