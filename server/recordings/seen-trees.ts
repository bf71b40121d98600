/**
 * What was on a phone's screen in each picture a person may still be looking at. A tree is asked for when a new picture
 * went out, at a bounded rate, so that a touch finds the elements of the picture it was aimed at and waits for nothing.
 */
import { walk } from "../../shared/recorder/walk.ts";
import type { UiTree } from "../../shared/ui-tree.ts";

/** Between two looks while the picture moves. */
export const LOOK_MS = 100;
/** How long a picture's tree is kept after a newer one; the newest stays. */
export const KEPT_MS = 2_000;
/** A tree asked for this long after its picture may already be of the next document. */
const FRESH_MS = 60;
/** Pictures a blinking caret or a clock makes while a person aims; more is a screen that changed. */
const FEW_PICTURES = 3;

interface Seen {
  readonly tree: UiTree;
  /** The newest picture when the tree was asked for, and when it came. */
  readonly frame: number;
  readonly endFrame: number;
  /** How long after that picture. */
  readonly lateMs: number;
  readonly at: number;
}

export interface SeenTreesOptions {
  readonly look: () => Promise<UiTree>;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** A look tells what is there at its end (`PhoneAutomation.looksLate`). */
  readonly late?: boolean | undefined;
}

export class SeenTrees {
  readonly #options: SeenTreesOptions;
  #seen: Seen[] = [];
  #frame = 0;
  /** A picture went out since this began; before, everything is of the picture that was there already. */
  #told = false;
  #frameAt: number;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<Seen | undefined> | undefined;
  /** The picture changed since the last look began. */
  #stale = true;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: SeenTreesOptions) {
    this.#options = options;
    this.#frameAt = options.now();
  }

  /** A picture of this number went out. */
  frame(seq: number): void {
    // Numbers begin anew with the first viewer after a while without any.
    if (seq < this.#frame) this.#seen = [];
    if (!this.#told) this.#seen = this.#seen.map((seen) => ({ ...seen, frame: seq - 1, endFrame: seq - 1 }));
    this.#told = true;
    this.#frame = seq;
    this.#frameAt = this.#options.now();
    this.#stale = true;
    this.#lookSoon();
  }

  /** Begins a look at once if the picture changed since the last: the tree then is from before what happens next. */
  hurry(): void {
    if (this.#stale && this.#looking === undefined) void this.#look();
  }

  /** The screen as it is now; undefined when the phone does not answer. */
  async now(): Promise<UiTree | undefined> {
    // One under way may have been asked for too early.
    await this.#looking;
    return (await this.#look())?.tree;
  }

  /** The newest tree there is. */
  get newest(): UiTree | undefined {
    return this.#seen.at(-1)?.tree;
  }

  /** What was in that picture; undefined when that is not known for certain. */
  async at(seq: number): Promise<UiTree | undefined> {
    if (this.#options.late === true) return this.#cameBefore(seq);
    if (!this.#seen.some(({ frame }) => frame >= seq))
      await (this.#looking ?? (this.#stale ? this.#look() : undefined));
    const own = this.#seen.filter(({ frame }) => frame === seq);
    const before = this.#seen.findLast(({ frame }) => frame < seq);
    const after = this.#seen.find(({ frame }) => frame > seq);
    const [first] = own;
    if (first !== undefined) {
      // A page that is leaving still shows its last picture while the next document is already there.
      const sure = first.lateMs <= FRESH_MS || before === undefined || sameDocument(before.tree, first.tree);
      if (!sure) return undefined;
      return own.findLast(({ tree }) => sameDocument(tree, first.tree))?.tree;
    }
    // Older than everything that is still known.
    if (before === undefined) return undefined;
    if (after === undefined) return before.tree;
    if (!sameDocument(before.tree, after.tree)) return undefined;
    return seq - before.frame <= after.frame - seq ? before.tree : after.tree;
  }

  /** A look under way now sees what the touch does, so only one that came before counts. */
  #cameBefore(seq: number): UiTree | undefined {
    if (!this.#told) return this.newest;
    const before = this.#seen.findLast(({ endFrame }) => endFrame <= seq);
    if (before !== undefined && seq - before.endFrame <= FEW_PICTURES) return before.tree;
    const after = this.#seen.find(({ endFrame }) => endFrame > seq);
    return after !== undefined && after.endFrame - seq <= FEW_PICTURES ? after.tree : undefined;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#seen = [];
  }

  #lookSoon(): void {
    if (this.#looking !== undefined || this.#timer !== undefined || this.#closed) return;
    const wait = LOOK_MS - (this.#options.now() - this.#lookedAt);
    if (wait <= 0) {
      void this.#look();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.hurry();
    }, wait);
  }

  #look(): Promise<Seen | undefined> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const at = this.#options.now();
    const [frame, lateMs] = [this.#frame, at - this.#frameAt];
    this.#lookedAt = at;
    this.#stale = false;
    const looking = this.#options
      .look()
      .then(
        (tree) => (tree.unread === true ? undefined : this.#keep({ tree, frame, endFrame: this.#frame, lateMs, at })),
        () => undefined,
      )
      .finally(() => {
        if (this.#looking === looking) this.#looking = undefined;
        if (this.#stale) this.#lookSoon();
      });
    this.#looking = looking;
    return looking;
  }

  #keep(seen: Seen): Seen {
    if (this.#closed) return seen;
    const kept = this.#seen.filter((_, index) => {
      const next = this.#seen[index + 1] ?? seen;
      return seen.at - next.at < KEPT_MS;
    });
    this.#seen = [...kept, seen];
    return seen;
  }
}

/** Elements are named by the document they are in. */
function sameDocument(one: UiTree, other: UiTree): boolean {
  return documentOf(one) === documentOf(other);
}

export function documentOf(tree: UiTree): string {
  return (walk(tree).elements[1]?.ref ?? "").replace(/\.\d+$/, "");
}
