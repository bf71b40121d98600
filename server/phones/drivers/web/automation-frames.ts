/** Calls into the automation part of pages (`automation-page.ts`), one frame at a time, whatever process it is in. */
import { automationSource } from "./automation-page.ts";
import { CdpError, type CdpSession } from "./cdp.ts";
import { AGENT_WORLD } from "./page-agent.ts";

/** A document is replaced under a call this often before the page is given up on. */
const ASK_AGAIN = 9;
const FRAME_ID = /^[0-9A-Fa-f]{1,64}$/;
const ABSENT = "perch:absent";

/** A frame, and the session of the process its document lives in. */
export interface FrameAt {
  readonly session: CdpSession;
  readonly frameId: string;
}

export interface FrameCall {
  /** Of `perchAutomation`, e.g. "elements()". */
  readonly call: string;
  readonly timeoutMs: number;
  /** Asked again when the document is replaced meanwhile; otherwise the call ends as refused. */
  readonly again: boolean;
}

/** What automations ask of pages' frames. The part of a document that answers is sent to it with the first question. */
export class AutomationFrames {
  readonly #source = automationSource();
  readonly #worlds = new WeakMap<CdpSession, Map<string, number>>();

  /** The answer as plain data. @throws CdpError */
  async ask(at: FrameAt, { call, timeoutMs, again }: FrameCall): Promise<unknown> {
    return this.#retrying(again, async () => {
      const { result } = await this.#evaluate(at, call, timeoutMs, true);
      return result.value;
    });
  }

  /** The frame an element of this number holds; undefined when there is none. @throws CdpError */
  async frameIn(at: FrameAt, token: string, number: number, timeoutMs: number): Promise<string | undefined> {
    const call = `element(${JSON.stringify(token)},${number})`;
    const { result } = await this.#evaluate(at, call, timeoutMs, false);
    if (result.objectId === undefined) return undefined;
    const { node } = await at.session.send("DOM.describeNode", { objectId: result.objectId }, timeoutMs);
    // Part of refs, and asked for by it: nothing else than an id.
    return node.frameId !== undefined && FRAME_ID.test(node.frameId) ? node.frameId : undefined;
  }

  async #retrying<T>(again: boolean, work: () => Promise<T>): Promise<T> {
    for (let more = again ? ASK_AGAIN : 1; ; more -= 1) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof CdpError) || error.kind !== "refused" || more === 0) throw error;
      }
    }
  }

  async #evaluate(at: FrameAt, call: string, timeoutMs: number, plain: boolean) {
    const { session } = at;
    const contextId = await this.#world(at, timeoutMs);
    const how = plain ? { returnByValue: true, awaitPromise: true } : {};
    // A page can name an element like a variable, never like a property of the world itself.
    const expression = `Object.hasOwn(globalThis,"perchAutomation")?perchAutomation.${call}:"${ABSENT}"`;
    const asked = async (text: string) => {
      const answer = await session.send("Runtime.evaluate", { expression: text, contextId, ...how }, timeoutMs);
      const { exceptionDetails: failed } = answer;
      if (failed !== undefined) throw new Error(`A page call failed: ${failed.exception?.description ?? failed.text}`);
      return answer;
    };
    try {
      const answer = await asked(expression);
      return answer.result.value === ABSENT ? await asked(`${this.#source};perchAutomation.${call}`) : answer;
    } catch (error) {
      if (error instanceof CdpError) this.#worlds.get(session)?.delete(at.frameId);
      throw error;
    }
  }

  async #world({ session, frameId }: FrameAt, timeoutMs: number): Promise<number> {
    const worlds = this.#worlds.get(session) ?? new Map<string, number>();
    this.#worlds.set(session, worlds);
    const known = worlds.get(frameId);
    if (known !== undefined) return known;
    const { executionContextId } = await session.send(
      "Page.createIsolatedWorld",
      { frameId, worldName: AGENT_WORLD },
      timeoutMs,
    );
    worlds.set(frameId, executionContextId);
    return executionContextId;
  }
}
