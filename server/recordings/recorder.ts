/**
 * What a person does on a phone, as steps. Hears the controller's input right before the phone gets it and never holds
 * it up; what a step's target was is found out afterwards, from the tree of the picture the person saw.
 */

import type { PhoneId, RecordingId, UserId } from "../../shared/ids.ts";
import { appeared } from "../../shared/recorder/appeared.ts";
import { candidatesFor, pointCandidate, shortId, wordsFirst } from "../../shared/recorder/candidates.ts";
import { fingerprintOf, nameOf } from "../../shared/recorder/fingerprint.ts";
import { createGestureReader, DOUBLE_TAP_MS, directionOf, type Gesture } from "../../shared/recorder/gestures.ts";
import { hitTest, touchTarget } from "../../shared/recorder/hit-test.ts";
import { stepWords } from "../../shared/recorder/step-words.ts";
import type { RecordedAction, RecordedTarget, Spot } from "../../shared/recording-model.ts";
import type { PhoneKey, ViewerMessage } from "../../shared/screen-protocol.ts";
import type { UiElement, UiTree } from "../../shared/ui-tree.ts";
import { holdsCardNumber } from "../billing/card-numbers.ts";
import type { Clock } from "../clock.ts";
import { createQueue } from "../db/database.ts";
import { errorFields, type Log } from "../log.ts";
import type { PhoneAutomation, UiHit } from "../phones/automation-port.ts";
import { KEYS, LEFT_OUT } from "./recorded-keys.ts";
import type { StepData } from "./recordings.tables.ts";
import { SeenTrees } from "./seen-trees.ts";
import { waitFor } from "./step-wait.ts";
import { passwordRefs, typedWhere } from "./typed-text.ts";

/** What came with a step is looked for when the screen had this long to show it. */
const CAME_MS = 700;
/** After a touch the focus may still be on its way. */
const FOCUS_MS = 400;
/** Turns of a wheel less than this apart are one. */
const WHEEL_MS = 600;
/** The language's own time of a swipe; the person's, within reason. */
const [SHORTEST_SWIPE_MS, LONGEST_SWIPE_MS] = [150, 2_000];
const NAVIGATED = "The page was changing under the finger, so only the place is known.";
const NOTHING_THERE = "Nothing with a name lies there, so only the place is known.";

export type RecordedMessage = Extract<
  ViewerMessage,
  { type: "touch" | "wheel" | "text" | "compose" | "key" | "rotate" | "clipboard" }
>;

/** Where steps go. Each call is committed when it settles. */
export interface StepSink {
  add(data: StepData): Promise<number>;
  /** False when the step was taken out meanwhile. */
  change(seq: number, data: StepData): Promise<boolean>;
  remove(seq: number): Promise<void>;
  /** Secrets' names by the field they were typed into, as in the steps so far. */
  secrets(): Promise<readonly { readonly secret: string; readonly field: string | undefined }[]>;
  note(words: string): Promise<void>;
}

export interface RecorderOptions {
  readonly id: RecordingId;
  readonly phoneId: PhoneId;
  /** Whose touches are recorded. */
  readonly userId: UserId;
  readonly automation: PhoneAutomation;
  /** Of the screen, in CSS pixels. */
  readonly size: () => { width: number; height: number };
  readonly sink: StepSink;
  readonly clock: Clock;
  readonly log: Log;
}

/** The newest step, as far as what comes next may still belong to it. */
interface Last {
  readonly seq: number;
  readonly data: StepData;
  readonly name: string;
  /** The element touched or typed into. */
  readonly ref: string | undefined;
  readonly endedAt: number;
  /** The screen before it, until what came with it is known. */
  readonly before: UiTree | undefined;
}

/** Where a finger went down: asked for then, answered later. */
interface Aim {
  readonly tree: Promise<UiTree | undefined>;
  readonly hits: Promise<readonly UiHit[]>;
}

export type Recorder = ReturnType<typeof createRecorder>;

export function createRecorder({ id, phoneId, userId, automation, size, sink, clock, log }: RecorderOptions) {
  const seen = new SeenTrees({
    look: () => automation.elements(phoneId),
    now: () => clock.now(),
    late: automation.looksLate,
  });
  const gestures = createGestureReader();
  const inTurn = createQueue();
  const passwords = new Set<string>();
  let last: Last | undefined;
  let aim: Aim | undefined;
  let touchedAt = Number.NEGATIVE_INFINITY;
  let allSelected = false;
  let cameTimer: NodeJS.Timeout | undefined;
  /** The screen after the last step, to tell whether the next had to wait for its target. */
  let settledTree: UiTree | undefined;
  let closed = false;
  /** Where a look takes its time, a touch right at the beginning would find nothing that was seen before it. */
  const ready = automation.looksLate === true ? seen.now().then(() => {}) : Promise.resolve();
  seen.hurry();

  /** One after the other, in the order things happened. */
  function enqueue(work: () => Promise<void>): void {
    if (closed) return;
    inTurn(work).catch((error: unknown) =>
      log.error("A step was not recorded", { recordingId: id, ...errorFields(error) }),
    );
  }

  function aimAt({ x, y, seq }: Spot & { seq: number }): Aim {
    seen.hurry();
    return {
      tree: seen.at(seq).catch(() => undefined),
      hits: automation.elementAt?.(phoneId, x, y).catch(() => []) ?? Promise.resolve([]),
    };
  }

  async function write(
    action: RecordedAction,
    target: RecordedTarget & { readonly name: string; readonly note?: string | undefined },
    about: { ref?: string | undefined; before: UiTree | undefined; startedAt: number; endedAt?: number },
  ): Promise<void> {
    const { name, note, ...found } = target;
    const gap = last === undefined ? 0 : about.startedAt - last.endedAt;
    const waitMs = waitFor(action, found, gap, settledTree);
    const data: StepData = {
      ...found,
      action,
      words: stepWords(action, name),
      ...(note !== undefined && { note }),
      ...(waitMs !== undefined && { waitMs }),
      proposals: [],
    };
    await cameWith(about.before);
    const seq = await sink.add(data);
    last = { seq, data, name, ref: about.ref, endedAt: about.endedAt ?? about.startedAt, before: about.before };
    settledTree = undefined;
  }

  async function change(step: Last, action: RecordedAction, name: string, more: Partial<Last> = {}): Promise<boolean> {
    const data = { ...step.data, action, words: stepWords(action, name) };
    if (!(await sink.change(step.seq, data))) {
      last = undefined;
      return false;
    }
    last = { ...step, data, ...more };
    return true;
  }

  /** Offers what is new since before the last step, once. */
  async function cameWith(now: UiTree | undefined): Promise<void> {
    const step = last;
    if (step?.before === undefined || now === undefined) return;
    settledTree = now;
    last = { ...step, before: undefined };
    const proposals = appeared(step.before, now);
    if (proposals.length === 0) return;
    const data = { ...step.data, proposals };
    if (await sink.change(step.seq, data)) last = { ...last, data };
  }

  /** To call when the phone took a step's last input. */
  function lookSoon(): void {
    clearTimeout(cameTimer);
    if (closed) return;
    cameTimer = setTimeout(() => enqueue(async () => cameWith(await seen.now())), CAME_MS);
  }

  async function targetAt(spot: Spot, { tree, hits }: Aim) {
    const [page, under] = [await tree, await hits];
    const element = page && touchTarget(page, spot, refsOf(under));
    if (page === undefined || element === undefined) {
      const note = page === undefined ? NAVIGATED : NOTHING_THERE;
      return { found: { candidates: [pointCandidate(spot)], chosen: 0, name: "", note }, page, ref: undefined };
    }
    learn(page);
    const css = under.find(({ ref }) => ref === element.ref)?.css;
    const candidates = candidatesFor(page, element, spot, css);
    const note = candidates[0]?.kind === "point" ? NOTHING_THERE : undefined;
    return { found: { ...targetOf(page, element, candidates), note }, page, ref: element.ref };
  }

  function targetOf(page: UiTree, element: UiElement, candidates = candidatesFor(page, element, middle(element))) {
    return {
      candidates,
      chosen: 0,
      fingerprint: fingerprintOf(element, page),
      name: nameOf(element) || shortId(element.id),
    };
  }

  function learn(page: UiTree | undefined): void {
    if (page !== undefined) for (const ref of passwordRefs(page)) passwords.add(ref);
  }

  async function touched(gesture: Exclude<Gesture, { kind: "many" }>, at: Aim): Promise<void> {
    const spot = gesture.kind === "swipe" ? gesture.start : gesture.at;
    const { found, page, ref } = await targetAt(spot, at);
    const { startedAt, endedAt } = gesture;
    if (gesture.kind !== "swipe") {
      const again = last?.data.action.kind === "tap" && gesture.kind === "tap" && ref !== undefined && last.ref === ref;
      if (again && last !== undefined && startedAt - last.endedAt <= DOUBLE_TAP_MS) {
        await change(last, { kind: "doubleTap" }, found.name, { endedAt });
        return;
      }
      await write({ kind: gesture.kind }, found, { ref, before: page, startedAt, endedAt });
      return;
    }
    const { start, end, direction } = gesture;
    const durationMs = Math.round(Math.min(Math.max(endedAt - startedAt, SHORTEST_SWIPE_MS), LONGEST_SWIPE_MS));
    const named = direction !== undefined && (found.candidates[0]?.score ?? 0) >= 60;
    const action = { kind: "swipe", start, end, durationMs, ...(named && { direction }) } as const;
    const target = named ? { ...found, note: undefined } : { candidates: [], chosen: 0, name: "" };
    await write(action, target, { ref, before: page, startedAt, endedAt });
  }

  async function turned({ x, y, dx, dy }: Extract<RecordedMessage, { type: "wheel" }>, at: number): Promise<void> {
    const before = last?.data.action.kind === "scroll" ? last : undefined;
    if (before?.data.action.kind === "scroll" && at - before.endedAt <= WHEEL_MS) {
      const { action } = before.data;
      const sum = { ...action, dx: action.dx + dx, dy: action.dy + dy };
      const same = directionOf(action.dx, action.dy) === directionOf(dx, dy);
      if (same && (await change(before, sum, "", { endedAt: at }))) return;
    }
    await write({ kind: "scroll", at: { x, y }, dx, dy }, NO_TARGET, { before: seen.newest, startedAt: at });
  }

  async function typed(
    value: string,
    before: UiTree | undefined,
    after: UiTree | undefined,
    settled: boolean,
    at: number,
  ): Promise<void> {
    learn(before);
    learn(after);
    const { secret, field, tree, note } = typedWhere({ value, before, after, settled, passwords });
    const ref = field?.ref;
    const target =
      field === undefined || tree === undefined
        ? NO_TARGET
        : { ...targetOf(tree, field), fingerprint: fingerprintOf(field, tree) };
    const kind = last?.data.action.kind;
    // A card number is the person's and the phone's; a recording keeps none.
    if (!secret && !holdsCardNumber(value)) {
      if (last !== undefined && last.data.action.kind === "inputText" && last.ref === ref) {
        const text = last.data.action.text + value;
        const action = holdsCardNumber(text)
          ? ({ kind: "inputSecret", secret: await secretFor(target) } as const)
          : ({ kind: "inputText", text } as const);
        if (await change(last, action, target.name, { endedAt: at })) return;
      }
      await write({ kind: "inputText", text: value }, { ...target, note }, { ref, before, startedAt: at });
      return;
    }
    // Nothing came between: what could not be seen any more went where the letters before it went.
    if (kind === "inputSecret" && (ref === undefined || last?.ref === ref)) return;
    const action = { kind: "inputSecret", secret: await secretFor(target) } as const;
    await write(action, { ...target, note }, { ref, before, startedAt: at });
  }

  /** The same field's secret keeps its name. */
  async function secretFor({ candidates }: RecordedTarget): Promise<string> {
    const field = candidates[0] && JSON.stringify(candidates[0].selector);
    const known = await sink.secrets();
    const same = known.find((one) => field !== undefined && one.field === field);
    if (same !== undefined) return same.secret;
    const numbers = known.map(({ secret }) => Number(/\d+$/.exec(secret)?.[0] ?? 0));
    return `SECRET_${Math.max(0, ...numbers) + 1}`;
  }

  async function pressed(name: PhoneKey, at: number, before: UiTree | undefined): Promise<void> {
    const plain = (action: RecordedAction) => write(action, NO_TARGET, { before, startedAt: at });
    const wasSelected = allSelected;
    allSelected = name === "SelectAll";
    if ((name === "Backspace" || name === "Delete") && wasSelected) return plain({ kind: "eraseText" });
    if (name === "Backspace") return erased(at, before);
    if (name === "Back") return plain({ kind: "back" });
    const key = KEYS[name];
    if (key !== undefined) return plain({ kind: "pressKey", key });
    const words = LEFT_OUT[name];
    if (words !== undefined) await sink.note(`${words} cannot be part of a flow, so it was left out.`);
  }

  async function erased(at: number, before: UiTree | undefined): Promise<void> {
    const action = last?.data.action;
    // What was typed into a secret is not known, so neither is what is left of it.
    if (action?.kind === "inputSecret") return;
    if (last !== undefined && action?.kind === "inputText") {
      const letters = [...new Intl.Segmenter().segment(action.text)].slice(0, -1);
      const text = letters.map(({ segment }) => segment).join("");
      if (text !== "") {
        await change(last, { kind: "inputText", text }, last.name, { endedAt: at });
      } else {
        await sink.remove(last.seq);
        last = undefined;
      }
      return;
    }
    if (last !== undefined && action?.kind === "eraseText" && action.characters !== undefined) {
      await change(last, { kind: "eraseText", characters: action.characters + 1 }, "", { endedAt: at });
      return;
    }
    await write({ kind: "eraseText", characters: 1 }, NO_TARGET, { before, startedAt: at });
  }

  return {
    id,
    phoneId,
    userId,
    /** Settles when touches find what they are aimed at. */
    ready,
    frame: (seq: number) => seen.frame(seq),

    /** The phone is about to get this. Returns what to call when it took it. */
    input(message: RecordedMessage): () => void {
      const at = clock.now();
      switch (message.type) {
        case "touch": {
          if (message.phase === "start") aim = aimAt(message);
          touchedAt = at;
          const gesture = gestures.touch(at, message, size());
          const from = aim;
          if (gesture === undefined || from === undefined) return () => {};
          if (gesture.kind === "many") {
            enqueue(() => sink.note("Gestures of several fingers cannot be part of a flow, so one was left out."));
            return () => {};
          }
          enqueue(() => touched(gesture, from));
          return lookSoon;
        }
        case "wheel":
          enqueue(() => turned(message, at));
          return lookSoon;
        case "text": {
          const settled = at - touchedAt > FOCUS_MS;
          if (allSelected)
            enqueue(() => write({ kind: "eraseText" }, NO_TARGET, { before: seen.newest, startedAt: at }));
          allSelected = false;
          const before = seen.now();
          // Where it went shows when the phone has it, so nothing is told before.
          const after = Promise.withResolvers<UiTree | undefined>();
          enqueue(async () => typed(message.value, await before, await after.promise, settled, at));
          return () => {
            after.resolve(seen.now());
            lookSoon();
          };
        }
        case "key": {
          const before = seen.newest;
          enqueue(() => pressed(message.name, at, before));
          return lookSoon;
        }
        case "rotate":
          return () =>
            enqueue(async () => {
              const tree = await seen.now();
              if (tree === undefined) return;
              const orientation = tree.width > tree.height ? "LANDSCAPE_LEFT" : "PORTRAIT";
              await write({ kind: "setOrientation", orientation }, NO_TARGET, { before: tree, startedAt: at });
            });
        case "compose":
        case "clipboard":
          return () => {};
      }
    },

    opened(link: string): void {
      const at = clock.now();
      const before = seen.newest;
      enqueue(() => write({ kind: "openLink", link }, NO_TARGET, { before, startedAt: at }));
      lookSoon();
    },

    /** What lies at a place of a picture, for an assertion; undefined when nothing there has a name. */
    async named(spot: Spot & { seq: number }): Promise<(RecordedTarget & { name: string }) | undefined> {
      const { tree, hits } = aimAt(spot);
      const page = await tree;
      if (page === undefined) return undefined;
      const under = await hits;
      const hit = hitTest(page, spot, refsOf(under));
      for (const element of [hit, touchTarget(page, spot, refsOf(under))]) {
        if (element === undefined) continue;
        const css = under.find(({ ref }) => ref === element.ref)?.css;
        const candidates = wordsFirst(candidatesFor(page, element, spot, css));
        if (candidates.length > 0) return { ...targetOf(page, element, candidates) };
      }
      return undefined;
    },

    /** Adds a step that no input made. */
    async assert(target: RecordedTarget & { readonly name: string }): Promise<void> {
      const at = clock.now();
      await inTurn(() => write({ kind: "assertVisible" }, target, { before: undefined, startedAt: at }));
    },

    /** A person changed steps: what comes next begins a new one. */
    forget(): void {
      enqueue(async () => {
        last = undefined;
      });
    },

    /** Settles when everything that happened so far is written; nothing more is recorded. */
    async close(): Promise<void> {
      closed = true;
      clearTimeout(cameTimer);
      // A phone that takes nothing any more holds up no ending.
      await Promise.race([inTurn(async () => {}), new Promise((resolve) => setTimeout(resolve, 2_000).unref())]);
      seen.close();
    },
  };
}

const NO_TARGET = { candidates: [], chosen: 0, name: "" } as const;

const refsOf = (hits: readonly UiHit[]) => hits.map(({ ref }) => ref);

function middle({ bounds: { x, y, width, height } }: UiElement): Spot {
  return { x: x + width / 2, y: y + height / 2 };
}
