/**
 * A small picture of each step's end, out of the frames the phone sends anyway. Nothing is asked of the phone for it, and
 * no step waits: pictures are stored behind the steps, and left out where they cost too much or could show a secret.
 */
import type { UiTree } from "../../shared/ui-tree.ts";
import type { ScreenFrame } from "../phones/driver.ts";
import type { PhoneHands } from "./engine/ports.ts";
import { placesToCover } from "./secrets/covered-pictures.ts";
import type { Redactor } from "./secrets/redact.ts";

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

export function openThumbnails(options: {
  hands: Pick<PhoneHands, "watch" | "tree" | "lastTree">;
  redactor: Redactor;
  keep: (seq: number, jpeg: Uint8Array, same: string | undefined) => Promise<string>;
}): Thumbnails {
  const { hands, redactor, keep } = options;
  const harmless = (tree: UiTree) => placesToCover(tree, redactor).length === 0;
  let newest: Uint8Array | undefined;
  let last: { readonly bytes: Uint8Array; readonly file: string | undefined } | undefined;
  let clean = false;
  let [pictures, bytes, waiting] = [0, 0, 0];
  let storing = Promise.resolve();
  const stop = watched(hands, ({ format, kind, crisp, bytes: jpeg }) => {
    // A still is the same picture, only larger.
    if (format === "jpeg" && kind === "image" && !crisp) newest = jpeg;
  });

  async function store(seq: number, jpeg: Uint8Array, before: UiTree | undefined): Promise<void> {
    if (last !== undefined && same(last.bytes, jpeg)) {
      if (last.file !== undefined) await keep(seq, jpeg, last.file);
      return;
    }
    if (jpeg.length > LARGEST || bytes + jpeg.length > MOST_BYTES) return;
    last = { bytes: jpeg, file: undefined };
    // The frame is from between the trees; with secrets also what a look-up does not see counts, at the end of the step before.
    const wasClean = clean;
    clean = harmless(await hands.tree());
    if (!clean || (before !== undefined && !harmless(before)) || (redactor.active && !wasClean)) return;
    bytes += jpeg.length;
    last = { bytes: jpeg, file: await keep(seq, jpeg, undefined) };
  }

  return {
    stepEnded(seq) {
      const jpeg = newest;
      const before = hands.lastTree();
      if (jpeg === undefined || pictures >= MOST_PICTURES || waiting >= MOST_WAITING) return;
      pictures += 1;
      waiting += 1;
      // A run without a thumbnail is as good a run: a lost phone or lease is told by the steps.
      storing = storing
        .then(() => store(seq, jpeg, before))
        .then(undefined, () => {})
        .finally(() => {
          waiting -= 1;
        });
    },
    async close() {
      stop();
      newest = undefined;
      await storing;
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

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || (a.length === b.length && Buffer.compare(a, b) === 0);
}
