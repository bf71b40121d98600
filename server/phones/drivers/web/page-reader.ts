/**
 * Questions to a page that go through its frames, whatever process each is in: what is on it, what a selector finds, where
 * an element is. Web phones ask their own browser; Androids' pages are asked over their DevTools sockets.
 */
import { PerchError } from "../../../errors.ts";
import { AutomationFrames, type FrameAt } from "./automation-frames.ts";
import type { Found, Reach } from "./automation-reach.ts";
import type { Ref } from "./automation-ref.ts";
import { type FrameListing, parseListing } from "./automation-tree.ts";
import { CdpError } from "./cdp.ts";

const MAX_FRAMES = 50;
const MAX_FRAME_DEPTH = 5;
/** The page's own part finds a thousand at most, and frames besides. */
const MAX_FOUND = 2_000;

export interface PageReaderOptions {
  /** For each frame's answer. */
  readonly answerMs: number;
  /** Frames in processes of their own that can be asked. */
  readonly apart: () => readonly FrameAt[];
}

export class PageReader {
  readonly #frames = new AutomationFrames();
  readonly #options: PageReaderOptions;

  constructor(options: PageReaderOptions) {
    this.#options = options;
  }

  /** Of one frame, and asked again when its document is replaced meanwhile only where `again` says so. @throws CdpError */
  ask(at: FrameAt, call: string, again = false, timeoutMs = this.#options.answerMs): Promise<unknown> {
    return this.#frames.ask(at, { call, timeoutMs, again });
  }

  /** What is on a page. `call`: "elements(sheet,drawn)". @throws CdpError */
  async list(at: FrameAt, call: string): Promise<FrameListing> {
    let room = MAX_FRAMES;
    const list = async (frame: FrameAt, prefix: string, depth: number): Promise<FrameListing> => {
      const listing = parseListing(await this.ask(frame, call, depth === 0));
      if (listing === undefined) throw new Error("A page listed its elements in a shape of its own");
      const inside = new Map<number, FrameListing>();
      for (const { row } of depth < MAX_FRAME_DEPTH ? listing.holes : []) {
        const number = listing.rows[row]?.[1];
        if (number === undefined || room === 0) continue;
        room -= 1;
        const held = await this.#held(frame, listing.token, number);
        if (held === undefined) continue;
        const inner = `${prefix}${listing.token}.${number}>${held.frameId}:`;
        // A frame that goes, or does not answer, is a frame without elements.
        const found = await list(held, inner, depth + 1).catch(nothingOfFrame);
        if (found !== undefined) inside.set(row, found);
      }
      return { listing, prefix, inside };
    };
    return list(at, "", 0);
  }

  /** Refs of what a selector finds. @throws PerchError `bad_input` for what is none, CdpError */
  async find(at: FrameAt, css: string): Promise<readonly string[]> {
    const call = `find(${JSON.stringify(css)})`;
    const find = async (frame: FrameAt, prefix: string, depth: number): Promise<string[]> => {
      const found = parseFound(await this.ask(frame, call, depth === 0));
      if (found === undefined) throw new Error("A page found elements in a shape of its own");
      if (found === "invalid") throw new PerchError("bad_input", `“${css}” is not a CSS selector.`);
      const refs: string[] = [];
      for (const number of found.numbers) {
        const inside = number < 0 && depth < MAX_FRAME_DEPTH ? -number : undefined;
        if (number > 0) refs.push(`${prefix}${found.token}.${number}`);
        const held = inside === undefined ? undefined : await this.#held(frame, found.token, inside);
        if (held === undefined) continue;
        const inner = `${prefix}${found.token}.${inside}>${held.frameId}:`;
        refs.push(...((await find(held, inner, depth + 1).catch(nothingOfFrame)) ?? []));
      }
      return refs;
    };
    return find(at, "", 0);
  }

  /** Frame by frame down to the element, and back up to where that is on the screen. */
  async reach(at: FrameAt, [step, ...rest]: readonly Ref[], withinMs: number): Promise<Reach | undefined> {
    if (step === undefined) return undefined;
    const who = `${JSON.stringify(step.token)},${step.number}`;
    const { answerMs } = this.#options;
    const ask = (call: string, ms = answerMs) => this.ask(at, call, false, ms).catch(goneWithDocument);
    const next = rest[0];
    if (next === undefined) {
      return asReach(await ask(`target(${who},${Math.max(0, withinMs)})`, withinMs + answerMs));
    }
    if ((await ask(`reveal(${who})`)) !== true) return undefined;
    const held = await this.#held(at, step.token, step.number);
    if (held === undefined || held.frameId !== next.frameId) return undefined;
    const inside = await this.reach(held, rest, withinMs);
    return inside === undefined ? undefined : asReach(await ask(`through(${who},${JSON.stringify(inside)})`));
  }

  /** The frame an element holds. */
  async #held(at: FrameAt, token: string, number: number): Promise<FrameAt | undefined> {
    const { answerMs, apart } = this.#options;
    const frameId = await this.#frames.frameIn(at, token, number, answerMs).catch(goneWithDocument);
    if (frameId === undefined) return undefined;
    return apart().find((frame) => frame.frameId === frameId) ?? { frameId, session: at.session };
  }
}

export function goneWithDocument(error: unknown): undefined {
  if (error instanceof CdpError && error.kind === "refused") return undefined;
  throw error;
}

function nothingOfFrame(error: unknown): undefined {
  if (error instanceof CdpError && error.kind !== "closed") return undefined;
  throw error;
}

/** Undefined for an answer no page of ours gives. */
function parseFound(answer: unknown): Found | undefined {
  if (answer === "invalid") return answer;
  if (typeof answer !== "object" || answer === null || !("token" in answer && "numbers" in answer)) return undefined;
  const { token, numbers } = answer;
  if (typeof token !== "string" || !/^[0-9a-f]{16}$/.test(token)) return undefined;
  if (!Array.isArray(numbers) || numbers.length > MAX_FOUND) return undefined;
  return numbers.every(Number.isSafeInteger) ? { token, numbers } : undefined;
}

/** `target` and `through` of the page's automation part answer with this shape, or null. */
function asReach(answer: unknown): Reach | undefined {
  return (answer ?? undefined) as Reach | undefined;
}
