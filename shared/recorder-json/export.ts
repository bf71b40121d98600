/** The web steps of a flow as a recording of Chrome DevTools; a message for each command without an equivalent. */
import type { Flow, Selector, Step, Template } from "../flows/model.ts";
import type { RecordedStep } from "./recording.ts";
import { alternatives } from "./selectors.ts";
import { plain } from "./templates.ts";

export interface ExportedRecording {
  /** JSON as the Recorder panel imports it. */
  readonly json: string;
  readonly messages: readonly { readonly line: number; readonly message: string }[];
}

const KEYS: ReadonlySet<string> = new Set(["Enter", "Backspace", "Tab", "Escape"]);
const LONG_PRESS_MS = 1_000;
/** How far one scroll of a flow goes, in a recording's pixels. */
const SCROLL_PX = 400;
/** Where in an element a click is, from its top left. */
const INSIDE = { offsetX: 5, offsetY: 5 } as const;

export function exportRecording(flow: Flow, title: string): ExportedRecording {
  const exporter = new Exporter(flow);
  const { header, steps } = flow;
  exporter.all([...header.onFlowStart, ...steps, ...header.onFlowComplete]);
  return { json: `${JSON.stringify({ title, steps: exporter.steps }, null, 2)}\n`, messages: exporter.messages };
}

class Exporter {
  readonly steps: RecordedStep[] = [];
  readonly messages: { line: number; message: string }[] = [];
  readonly #flow: Flow;
  #scrolled = 0;

  constructor(flow: Flow) {
    this.#flow = flow;
  }

  all(steps: readonly Step[]): undefined {
    for (let at = 0; at < steps.length; at += 1) {
      const taken = this.#change(steps.slice(at, at + 3));
      if (taken > 0) at += taken - 1;
      else this.#one(steps[at]);
    }
  }

  /** A field that is tapped, emptied and filled is one `change`; gives how many steps that were. */
  #change([tap, ...after]: readonly Step[]): number {
    if (tap?.command.name !== "tapOn") return 0;
    const erased = after[0]?.command.name === "eraseText" ? 1 : 0;
    const input = after[erased]?.command;
    const selectors = alternatives(tap.command.selector);
    if (selectors === undefined || (input?.name !== "inputText" && erased === 0)) return 0;
    const value = input?.name === "inputText" ? plain(input.text) : "";
    if (value === undefined) return 0;
    this.#add("change", { selectors, target: "main", value });
    return 1 + erased + (input?.name === "inputText" ? 1 : 0);
  }

  #one(step: Step | undefined): undefined {
    if (step === undefined) return;
    const { command } = step;
    switch (command.name) {
      case "launchApp":
        return this.#navigate(step, command.appId ?? this.#flow.header.url ?? this.#flow.header.appId ?? "");
      case "openLink":
        return this.#navigate(step, command.link);
      case "tapOn":
        return this.#on(step, command.selector, "click", INSIDE);
      case "longPressOn":
        return this.#on(step, command.selector, "click", { ...INSIDE, duration: LONG_PRESS_MS });
      case "doubleTapOn":
        return this.#on(step, command.selector, "doubleClick", INSIDE);
      case "pressKey": {
        const key = plain(command.key);
        if (key === undefined || !KEYS.has(key)) return this.#say(step, "The Recorder has no such key of a phone.");
        this.#add("keyDown", { target: "main", key });
        return this.#add("keyUp", { target: "main", key });
      }
      case "scroll":
        return this.#scroll(SCROLL_PX);
      case "swipe":
        if (command.direction === "UP") return this.#scroll(SCROLL_PX);
        if (command.direction === "DOWN") return this.#scroll(-SCROLL_PX);
        return this.#say(step, "The Recorder knows no swipes, only scrolling up and down.");
      case "scrollUntilVisible":
        return this.#on(step, command.element, "scroll", {});
      case "assertVisible":
        return this.#on(step, command.selector, "waitForElement", { visible: true });
      case "assertNotVisible":
        return this.#on(step, command.selector, "waitForElement", { visible: false });
      case "extendedWaitUntil":
        return this.#wait(step, command.condition.visible, command.condition.notVisible, command.timeoutMs);
      case "stopApp":
        return this.#add("close", { target: "main" });
      case "setAirplaneMode": {
        const rate = command.value === "enabled" ? 0 : -1;
        const network = { target: "main", download: rate, upload: rate, latency: 0 };
        return this.#add("emulateNetworkConditions", network);
      }
      default:
        return this.#say(
          step,
          `\`${command.name === "unsupported" ? command.command : command.name}\` has no equivalent.`,
        );
    }
  }

  #navigate(step: Step, address: Template): undefined {
    const url = plain(address);
    if (url === undefined) return this.#say(step, "The address depends on values of a run.");
    if (!/^(https?:\/\/|about:blank$)/i.test(url)) return this.#say(step, "The Recorder opens web addresses only.");
    this.#add("navigate", { url });
  }

  #on(step: Step, selector: Selector, type: string, fields: RecordedStep): undefined {
    const selectors = alternatives(selector);
    if (selectors === undefined) {
      return this.#say(step, "The Recorder has no such selector: it takes one fixed text, id or CSS selector.");
    }
    this.#add(type, { selectors, target: "main", ...fields });
  }

  #wait(step: Step, visible?: Selector, notVisible?: Selector, timeout: Template = ""): undefined {
    const selector = visible ?? notVisible;
    if (selector === undefined || (visible !== undefined && notVisible !== undefined)) {
      return this.#say(step, "The Recorder waits for one element to be there or gone.");
    }
    const ms = Number(timeout.replaceAll("_", ""));
    const until = { visible: visible !== undefined, ...(timeout !== "" && Number.isFinite(ms) && { timeout: ms }) };
    this.#on(step, selector, "waitForElement", until);
  }

  #scroll(by: number): undefined {
    this.#scrolled += by;
    this.#add("scroll", { target: "main", x: 0, y: this.#scrolled });
  }

  #add(type: string, fields: RecordedStep): undefined {
    this.steps.push({ type, ...fields });
  }

  #say({ place }: Step, message: string): undefined {
    this.messages.push({ line: place.line, message: `${message} The step is left out.` });
  }
}
