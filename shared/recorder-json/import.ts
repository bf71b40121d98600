/** A recording of Chrome DevTools as a flow. Each step without an equivalent gives a message with its number. */
import { stringify } from "yaml";
import type { Selector } from "../flows/model.ts";
import { MAX_STEPS } from "../flows/steps.ts";
import {
  isRecord,
  numberOf,
  type RecordedStep,
  type RecorderMessage,
  type Recording,
  type StepType,
  stepType,
  textOf,
} from "./recording.ts";
import { bestSelector } from "./selectors.ts";
import { literal } from "./templates.ts";

export interface ImportedRecording {
  /** A flow as text. */
  readonly source: string;
  readonly messages: readonly RecorderMessage[];
}

/** A command as YAML has it: a name, or a name with what it needs. */
type Item = string | Readonly<Record<string, unknown>>;

const KEYS: Readonly<Record<string, string>> = {
  Enter: "Enter",
  NumpadEnter: "Enter",
  Backspace: "Backspace",
  Tab: "Tab",
  Escape: "Escape",
};
const LONG_PRESS_MS = 500;

export function importRecording(recording: Recording): ImportedRecording {
  const importer = new Importer();
  for (const [index, step] of recording.steps.entries()) {
    if (importer.items.length + 4 > MAX_STEPS) {
      importer.say(index, `A flow has at most ${MAX_STEPS} commands; what follows is left out.`);
      break;
    }
    importer.take(step, index);
  }
  const { url = "about:blank", items, frames, messages } = importer;
  const header = {
    url: literal(url),
    name: recording.title.slice(0, 100),
    ...(Object.keys(frames).length > 0 && { "x-frame": frames }),
  };
  const how = { lineWidth: 0 };
  const commands = items.length === 0 ? "- launchApp\n" : stringify(items, how);
  return { source: `${stringify(header, how)}---\n${commands}`, messages };
}

class Importer {
  url: string | undefined;
  readonly items: Item[] = [];
  /** Frames of steps by their place in the list: kept for whoever reads the file; a phone looks into frames by itself. */
  readonly frames: Record<string, readonly number[]> = {};
  readonly messages: RecorderMessage[] = [];
  #scrolled = 0;

  say(index: number, message: string): undefined {
    this.messages.push({ step: index + 1, message });
  }

  take(step: RecordedStep, index: number): undefined {
    const type = stepType(step);
    if (type === undefined) {
      return this.say(
        index,
        `\`${(textOf(step["type"]) ?? "").slice(0, 40)}\` is no step of a recording; it is left out.`,
      );
    }
    const before = this.items.length;
    const target = textOf(step["target"]);
    if (target !== undefined && target !== "main") {
      this.say(index, "This step was done in another window. It is taken as if it were done in the first.");
    }
    this.#by[type](step, index);
    if (this.items.length === before) return;
    const frame = step["frame"];
    if (
      Array.isArray(frame) &&
      frame.length > 0 &&
      frame.length < 20 &&
      frame.every((part) => Number.isInteger(part))
    ) {
      this.frames[before] = frame.map(Number);
    }
    const events = step["assertedEvents"];
    if (Array.isArray(events) && events.length > 0) this.items.push("waitForAnimationToEnd");
  }

  readonly #by: Readonly<Record<StepType, (step: RecordedStep, index: number) => undefined>> = {
    navigate: (step, index) => {
      const url = textOf(step["url"]) ?? "";
      if (!/^(https?:\/\/|about:blank$)/i.test(url)) {
        return this.say(
          index,
          `A phone does not open ${url.slice(0, 80) || "an empty address"}; the step is left out.`,
        );
      }
      if (this.url === undefined && this.items.length === 0) {
        this.url = url;
        this.items.push("launchApp");
      } else this.items.push({ openLink: literal(url) });
    },
    click: (step, index) => {
      const button = textOf(step["button"]) ?? "primary";
      if (button !== "primary") {
        return this.say(index, `A phone has no ${button.slice(0, 20)} mouse button; the click is left out.`);
      }
      const long = (numberOf(step["duration"]) ?? 0) >= LONG_PRESS_MS;
      this.#on(step, index, long ? "longPressOn" : "tapOn");
    },
    doubleClick: (step, index) => {
      this.#on(step, index, "doubleTapOn");
    },
    change: (step, index) => {
      const value = textOf(step["value"]) ?? "";
      if (!this.#on(step, index, "tapOn")) return;
      this.items.push("eraseText");
      if (value !== "") this.items.push({ inputText: literal(value) });
    },
    keyDown: (step, index) => {
      const key = textOf(step["key"]) ?? "";
      const known = Object.hasOwn(KEYS, key) ? KEYS[key] : undefined;
      if (known !== undefined) this.items.push({ pressKey: known });
      else
        this.say(
          index,
          `The key ${key.slice(0, 40) || "without a name"} has no equivalent on a phone; it is left out.`,
        );
    },
    keyUp: () => {},
    scroll: (step, index) => {
      const selector = bestSelector(step["selectors"]);
      if (selector !== undefined) {
        this.items.push({ scrollUntilVisible: { element: short(selector) } });
        return;
      }
      const y = numberOf(step["y"]) ?? 0;
      if (y === this.#scrolled)
        return this.say(index, "Scrolling sideways is left out; use `swipe` with `direction: LEFT`.");
      this.items.push(y > this.#scrolled ? "scroll" : { swipe: { direction: "DOWN" } });
      this.#scrolled = y;
    },
    waitForElement: (step, index) => this.#wait(step, index),
    close: () => {
      this.items.push("stopApp");
    },
    emulateNetworkConditions: (step, index) => {
      const download = numberOf(step["download"]);
      const upload = numberOf(step["upload"]);
      if (download === 0 && upload === 0) this.items.push({ setAirplaneMode: "enabled" });
      else if (download === -1 && upload === -1) this.items.push({ setAirplaneMode: "disabled" });
      else this.say(index, "A phone's network is on or off, not slow; the step is left out.");
    },
    setViewport: (step, index) => {
      const size = [numberOf(step["width"]), numberOf(step["height"])];
      if (size.every((part) => part !== undefined)) {
        this.say(index, `It was recorded at ${size.join(" × ")}. Choose a phone of about that size.`);
      }
    },
    hover: (_step, index) => this.say(index, "A finger does not hover; the step is left out."),
    waitForExpression: (_step, index) =>
      this.say(index, "Scripts of pages are not run; wait for what the page shows with `extendedWaitUntil`."),
    customStep: (step, index) =>
      this.say(
        index,
        `The step ${(textOf(step["name"]) ?? "").slice(0, 40)} belongs to an extension of the recorder; it is left out.`,
      ),
  };

  #on(step: RecordedStep, index: number, command: "tapOn" | "doubleTapOn" | "longPressOn"): boolean {
    const selector = bestSelector(step["selectors"]);
    if (selector === undefined) {
      this.say(index, "None of its selectors is by name, id, text or CSS; the step is left out.");
      return false;
    }
    this.items.push({ [command]: short(selector) });
    return true;
  }

  #wait(step: RecordedStep, index: number): undefined {
    const selector = bestSelector(step["selectors"]);
    if (selector === undefined) {
      return this.say(index, "None of its selectors is by name, id, text or CSS; the wait is left out.");
    }
    const count = numberOf(step["count"]) ?? 1;
    const operator = textOf(step["operator"]) ?? ">=";
    const gone = step["visible"] === false || (count === 0 && operator !== ">=");
    if (!gone && (count !== 1 || operator !== ">=")) {
      this.say(index, `How many there are (${operator.slice(0, 4)} ${count}) is not checked; it waits for one.`);
    }
    if (isRecord(step["properties"]) || isRecord(step["attributes"])) {
      this.say(index, "Properties and attributes of an element are not checked; it waits for the element.");
    }
    const timeout = Math.min(Math.max(Math.round(numberOf(step["timeout"]) ?? 5_000), 0), 600_000);
    this.items.push({ extendedWaitUntil: { [gone ? "notVisible" : "visible"]: short(selector), timeout } });
  }
}

/** A text alone is written as it is. */
function short(selector: Selector): unknown {
  return Object.keys(selector).length === 1 && selector.text !== undefined ? selector.text : selector;
}
