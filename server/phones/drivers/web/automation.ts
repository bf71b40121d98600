/** What automations ask of one running web phone; `automation-port.ts` says what each answer means. */

import { setTimeout as delay } from "node:timers/promises";
import type { PhoneId } from "../../../../shared/ids.ts";
import type { UiTree } from "../../../../shared/ui-tree.ts";
import { PerchError } from "../../../errors.ts";
import type { PhoneAutomation, UiHit, UiTarget } from "../../automation-port.ts";
import type { PhoneSpec, UiNode } from "../../driver.ts";
import { WEB_CAN } from "./abilities.ts";
import { clearOrigin } from "./automation-clear.ts";
import type { FrameAt } from "./automation-frames.ts";
import type { At } from "./automation-reach.ts";
import { parseRef } from "./automation-ref.ts";
import { stoodStill } from "./automation-still.ts";
import { namedNode, treeOf } from "./automation-tree.ts";
import { pickerValue, VALUE_WORDS } from "./automation-value.ts";
import { CdpError, type CdpSession } from "./cdp.ts";
import { checkedUrl } from "./documents.ts";
import { screenSize } from "./emulation.ts";
import type { Foreground } from "./foreground.ts";
import { goneWithDocument, PageReader } from "./page-reader.ts";
import type { PermissionAnswer, Permissions } from "./permissions.ts";
import type { Screencast } from "./screencast.ts";
import type { SystemScreen } from "./system-screen.ts";
import type { Tabs } from "./tabs.ts";

const ANSWER_MS = 5_000;
const OPENING_POLL_MS = 10;

export interface WebAutomationOptions {
  readonly foreground: Foreground;
  readonly system: SystemScreen;
  readonly screen: Screencast;
  readonly tabs: Tabs;
  readonly permissions: Permissions;
  spec(): PhoneSpec;
  setOffline(on: boolean): Promise<void>;
  addFile(name: string, bytes: Uint8Array): Promise<void>;
}

export class WebAutomation {
  readonly #options: WebAutomationOptions;
  readonly #pages: PageReader;

  constructor(options: WebAutomationOptions) {
    this.#options = options;
    this.#pages = new PageReader({ answerMs: ANSWER_MS, apart: () => options.foreground.tab?.framesApart ?? [] });
  }

  async opened(withinMs: number): Promise<void> {
    const { foreground } = this.#options;
    const until = performance.now() + withinMs;
    for (;;) {
      await foreground.settled();
      const { front } = foreground;
      if (typeof front === "string" || front.opening === undefined || performance.now() >= until) break;
      await delay(OPENING_POLL_MS);
    }
    await this.#inFront((at) => this.#pages.ask(at, "ready()", true));
  }

  async elements({ drawn } = { drawn: false }): Promise<UiTree> {
    for (;;) {
      // A page that opens a dialog or hangs meanwhile never answers; what covers it then does.
      const seen = await this.#inFront(async (at) => {
        // A person chooses from the phone's own lists without a thought about scrolling them.
        const sheet = at.session === this.#options.system.session;
        const call = `elements(${sheet},${drawn})`;
        const { front } = this.#options.foreground;
        const overPicture = sheet && typeof front !== "string" && front.sheet !== undefined;
        return { page: await this.#pages.list(at, call), overPicture };
      });
      if (seen === undefined) continue;
      const { width, height } = screenSize(this.#options.spec());
      return { ...treeOf(seen.page, width, height), ...(seen.overPicture && { overPicture: true }) };
    }
  }

  /** The same as roles and names. */
  async tree(): Promise<UiNode> {
    const { root } = await this.elements();
    return { ...namedNode(root), name: this.#options.foreground.tab?.title ?? "Web phone" };
  }

  /** Of the topmost document and those it can reach; in a frame of another origin, the frame itself. */
  async elementAt(x: number, y: number): Promise<readonly UiHit[]> {
    const found = await this.#inFront((at) => this.#pages.ask(at, `at(${Number(x)},${Number(y)})`));
    if (found === undefined) return [];
    const { token, hits } = asAt(found);
    return hits.map(([number, css]) => ({ ref: `${token}.${number}`, ...(css !== "" && { css }) }));
  }

  async address(): Promise<string | undefined> {
    const { foreground } = this.#options;
    await foreground.settled();
    const { front } = foreground;
    return typeof front !== "string" && /^https?:/.test(front.address) ? front.address : undefined;
  }

  /** @throws PerchError `bad_input` */
  async findByCss(css: string): Promise<readonly string[]> {
    for (;;) {
      const refs = await this.#inFront((at) => this.#pages.find(at, css));
      if (refs !== undefined) return refs;
    }
  }

  async target(ref: string, withinMs: number): Promise<UiTarget | undefined> {
    const steps = parseRef(ref);
    if (steps === undefined) return undefined;
    const reach = await this.#inFront((at) => this.#pages.reach(at, steps, withinMs));
    if (reach === undefined) return undefined;
    const { box, point, covered, moving, width, height } = reach;
    return {
      bounds: {
        x: box.left / width,
        y: box.top / height,
        width: (box.right - box.left) / width,
        height: (box.bottom - box.top) / height,
      },
      point: { x: point.x / width, y: point.y / height },
      ...(covered === "" ? {} : { coveredBy: covered }),
      ...(moving ? { moving } : {}),
    };
  }

  async still(withinMs: number): Promise<boolean> {
    const { foreground, screen } = this.#options;
    await foreground.settled();
    const { front } = foreground;
    return stoodStill(screen, withinMs, () => typeof front !== "string" && front.opening !== undefined);
  }

  async hideKeyboard(): Promise<void> {
    await this.#inFront(async (at) => {
      const { tab } = this.#options.foreground;
      const frames = tab === undefined ? [at] : [at, ...tab.framesApart];
      await Promise.all(frames.map((frame) => this.#pages.ask(frame, "blur()").catch(goneWithDocument)));
    });
  }

  /** @throws PerchError `bad_input` */
  async answerPicker(text: string): Promise<boolean> {
    const { foreground } = this.#options;
    await foreground.settled();
    const { front } = foreground;
    const view = typeof front === "string" ? undefined : front.sheet?.view;
    if (typeof front === "string" || view?.kind !== "value") return false;
    const value = pickerValue(view.type, text);
    if (value === undefined) {
      const sentence = `The page asks for ${VALUE_WORDS[view.type]}; that is not “${text.slice(0, 40)}”.`;
      throw new PerchError("bad_input", sentence);
    }
    await front.answerControl({ value });
    await foreground.settled();
    return true;
  }

  /** @throws PerchError `address_not_allowed` */
  async closeApp(address: string): Promise<void> {
    const { origin } = new URL(checkedUrl(address));
    const { tabs, foreground } = this.#options;
    const open = tabs.list.filter((tab) => tab.origin === origin || tab.openedFor === origin);
    const inFront = open.some((tab) => tab === foreground.front);
    for (const tab of open) tabs.close(tab);
    if (inFront) await foreground.show("home");
  }

  /** @throws PerchError `address_not_allowed` */
  async clearState(address: string): Promise<void> {
    const { origin } = new URL(checkedUrl(address));
    const { tabs, system } = this.#options;
    await clearOrigin(
      system.session,
      tabs.list.filter((tab) => tab.origin === origin).map((tab) => tab.session),
      origin,
    );
  }

  setPermissions(values: Readonly<Record<string, PermissionAnswer>>): Promise<void> {
    return this.#options.permissions.set(values, this.#options.spec());
  }

  setAirplaneMode(on: boolean): Promise<void> {
    return this.#options.setOffline(on);
  }

  addMedia(name: string, bytes: Uint8Array): Promise<void> {
    return this.#options.addFile(name, bytes);
  }

  /** Asks what is in the foreground; undefined when something else comes there meanwhile. */
  async #inFront<T>(work: (at: FrameAt) => Promise<T>): Promise<T | undefined> {
    const { foreground, system } = this.#options;
    await foreground.settled();
    const { tab } = foreground;
    const at = tab === undefined ? { session: system.session, frameId: system.targetId } : mainFrame(tab);
    try {
      return await foreground.unlessLeft(work(at));
    } catch (error) {
      if (!(error instanceof CdpError)) throw error;
      // What takes the page's place, the words that it hangs for one, may be on its way.
      await foreground.settled();
      if (foreground.session !== at.session) return undefined;
      const sentence =
        error.kind === "refused"
          ? "The page on the phone kept changing to another while it was read. Try again."
          : "The page on the phone did not answer. Try again, or load it anew.";
      throw new PerchError("phone_unavailable", sentence, { cause: error });
    }
  }
}

function mainFrame(tab: { session: CdpSession; frameId: string }): FrameAt {
  return { session: tab.session, frameId: tab.frameId };
}

/** `at` of the page's automation part answers with this shape. */
function asAt(answer: unknown): At {
  return answer as At;
}

/** The driver's part for automations: each call goes to the phone it names. `phone` throws for one that is not running. */
export function automationOf(phone: (id: PhoneId) => WebAutomation): PhoneAutomation {
  return {
    can: WEB_CAN,
    opened: async (id, withinMs) => phone(id).opened(withinMs),
    elements: async (id, how) => phone(id).elements(how),
    elementAt: async (id, x, y) => phone(id).elementAt(x, y),
    address: async (id) => phone(id).address(),
    findByCss: async (id, css) => phone(id).findByCss(css),
    target: async (id, ref, withinMs) => phone(id).target(ref, withinMs),
    still: async (id, withinMs) => phone(id).still(withinMs),
    hideKeyboard: async (id) => phone(id).hideKeyboard(),
    answerPicker: async (id, text) => phone(id).answerPicker(text),
    closeApp: async (id, url) => phone(id).closeApp(url),
    clearState: async (id, url) => phone(id).clearState(url),
    setPermissions: async (id, values) => phone(id).setPermissions(values),
    setAirplaneMode: async (id, on) => phone(id).setAirplaneMode(on),
    addMedia: async (id, name, bytes) => phone(id).addMedia(name, bytes),
  };
}
