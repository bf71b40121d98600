/**
 * A small picture of each step's end, out of the frames the phone sends anyway; of a phone that sends video, one that is
 * asked for then. No step waits: pictures are stored behind the steps, and left out where they cost too much or could
 * show a secret.
 */
import type { UiElement, UiTree } from "../../shared/ui-tree.ts";
import type { ScreenFrame } from "../phones/driver.ts";
import type { PhoneHands } from "./engine/ports.ts";

export interface Thumbnails {
  /** Keeps the newest frame as that step's picture. Returns at once. */
  stepEnded(seq: number): void;
  /** Stops watching; resolves when what was seen is stored. */
  close(): Promise<void>;
}

const MOST_PICTURES = 200;
const MOST_BYTES = 4 * 1024 * 1024;
/** A viewer beside the run makes frames better and larger; one larger than this is no thumbnail. */
const LARGEST = 64 * 1024;
/** Waiting to be stored; more are dropped, so that a slow disk fills no memory. */
const MOST_WAITING = 20;
/** A picture that was asked for and comes later shows another step's work. */
const ASKED_MS = 1_000;

export function openThumbnails(options: {
  hands: Pick<PhoneHands, "watch" | "askPicture" | "tree" | "lastTree">;
  keep: (seq: number, picture: Uint8Array, same: string | undefined) => Promise<string>;
}): Thumbnails {
  const { hands, keep } = options;
  let newest: Uint8Array | undefined;
  let last: { readonly bytes: Uint8Array; readonly file: string | undefined } | undefined;
  let [pictures, bytes, waiting] = [0, 0, 0];
  let storing = Promise.resolve();
  const over = new AbortController();
  let asked: ((picture: Uint8Array | undefined) => void) | undefined;
  const stop = watched(hands, ({ kind, crisp, bytes }) => {
    // A still is the same picture, only larger.
    if (kind !== "image" || crisp) return;
    newest = bytes;
    asked?.(bytes);
  });

  /** The screen at this moment. */
  function picture(): Promise<Uint8Array | undefined> {
    asked?.(undefined);
    const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>();
    asked = resolve;
    if (!askedFor(hands)) resolve(newest);
    const timer = setTimeout(() => resolve(undefined), ASKED_MS);
    return promise.finally(() => clearTimeout(timer));
  }

  async function store(seq: number, picture: Uint8Array, before: UiTree | undefined): Promise<void> {
    if (last !== undefined && same(last.bytes, picture)) {
      if (last.file !== undefined) await keep(seq, picture, last.file);
      return;
    }
    if (picture.length > LARGEST || bytes + picture.length > MOST_BYTES) return;
    last = { bytes: picture, file: undefined };
    // The frame is from between the two trees.
    if ((before !== undefined && showsPassword(before)) || showsPassword(await hands.tree(over.signal))) return;
    bytes += picture.length;
    last = { bytes: picture, file: await keep(seq, picture, undefined) };
  }

  return {
    stepEnded(seq) {
      const before = hands.lastTree();
      if (newest === undefined || pictures >= MOST_PICTURES || waiting >= MOST_WAITING) return;
      const taken = picture();
      pictures += 1;
      waiting += 1;
      // A run without a thumbnail is as good a run: a lost phone or lease is told by the steps.
      storing = storing
        .then(() => taken)
        .then((bytes) => bytes && store(seq, bytes, before))
        .then(undefined, () => {})
        .finally(() => {
          waiting -= 1;
        });
    },
    async close() {
      over.abort();
      await storing;
      stop();
      newest = undefined;
    },
  };
}

function watched(hands: Pick<PhoneHands, "watch">, listener: (frame: ScreenFrame) => void): () => void {
  try {
    return hands.watch(listener, 0);
  } catch {
    return () => {};
  }
}

function askedFor(hands: Pick<PhoneHands, "askPicture">): boolean {
  try {
    return hands.askPicture();
  } catch {
    return false;
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || (a.length === b.length && Buffer.compare(a, b) === 0);
}

/** Whether what was typed into it is there is not known, so any counts. */
export function showsPassword({ root }: UiTree): boolean {
  const open: UiElement[] = [root];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next.password) return true;
    open.push(...next.children);
  }
  return false;
}
