/** Commands on what the screen shows: taps, swipes, assertions, waits, pictures. */
import { type CommandSpec, type CommandTable, readSelectorOf } from "./command-spec.ts";
import type { Direction } from "./model.ts";
import { type Fields, MILLISECONDS, type NumberRules, present } from "./reader.ts";
import {
  readPoint,
  readSelectorFields,
  readSettleTime,
  readTapOptions,
  SELECTOR_FIELDS,
  TAP_SELECTOR_FIELDS,
} from "./selectors.ts";

const DIRECTIONS: readonly Direction[] = ["UP", "DOWN", "LEFT", "RIGHT"];

function tap(name: "tapOn" | "doubleTapOn" | "longPressOn"): CommandSpec {
  return {
    completes: TAP_SELECTOR_FIELDS,
    short: "text",
    bare: false,
    example: `${name}: Log in`,
    read(fields) {
      const selector = readSelectorFields(fields, "tap");
      const options = readTapOptions(fields);
      return selector && { name, selector, ...options };
    },
  };
}

function onElement(name: "assertVisible" | "assertNotVisible" | "copyTextFrom"): CommandSpec {
  return {
    completes: SELECTOR_FIELDS,
    short: "text",
    bare: false,
    example: `${name}: Welcome`,
    read(fields) {
      const selector = readSelectorFields(fields, "elsewhere");
      return selector && { name, selector };
    },
  };
}

const swipe: CommandSpec = {
  fields: ["direction", "start", "end", "from", "duration", "waitToSettleTimeoutMs"],
  short: "direction",
  bare: false,
  example: "swipe: {direction: LEFT}",
  mistakes: {
    element: "Did you mean `from`?",
    speed: "Use `duration:`, in milliseconds.",
    to: "Use `start:` and `end:`, or `from:` with `direction:`.",
  },
  read(fields) {
    const entry = fields.entry("direction") ?? fields.entry("start") ?? fields.entry("end");
    const place = entry?.keyPlace ?? fields.place;
    const [direction, start, end] = [fields.node("direction"), fields.node("start"), fields.node("end")];
    if (direction !== undefined && (start !== undefined || end !== undefined)) {
      return fields.reader.error(place, "`swipe` takes `direction`, or `start` and `end`, not both.");
    }
    if (direction === undefined && (start === undefined || end === undefined)) {
      const help =
        fields.node("from") === undefined ? "`direction:`, or `start:` and `end:`" : "`direction:` beside `from:`";
      return fields.reader.error(place, `\`swipe\` needs ${help}.`);
    }
    const [from, to] = [readPoint(fields, "start"), readPoint(fields, "end")];
    if (from !== undefined && to !== undefined && from.includes("%") !== to.includes("%")) {
      return fields.reader.error(
        end?.place ?? place,
        "`start` and `end` of `swipe` must both be percentages or both be pixels.",
      );
    }
    return present({
      name: "swipe",
      direction: fields.word("direction", DIRECTIONS),
      start: from,
      end: to,
      from: readSelectorOf(fields, "from"),
      durationMs: fields.number("duration", MILLISECONDS) ?? 400,
      waitToSettleTimeoutMs: readSettleTime(fields),
    });
  },
};

const scrollUntilVisible: CommandSpec = {
  fields: [
    "element",
    "direction",
    "timeout",
    "speed",
    "visibilityPercentage",
    "centerElement",
    "waitToSettleTimeoutMs",
  ],
  bare: false,
  example: "scrollUntilVisible: {element: Terms}",
  mistakes: {
    text: "Put the element under `element:`.",
    id: "Put the element under `element:`.",
    visible: "Did you mean `element`?",
    maxScrolls: "Use `timeout:`, in milliseconds.",
  },
  read(fields) {
    if (fields.node("element") === undefined) return fields.missing("element", "element: Terms");
    const element = readSelectorOf(fields, "element");
    const percentage = fields.number("visibilityPercentage", { min: -1_000_000, max: 1_000_000, whole: true }) ?? 100;
    const rest = {
      direction: fields.word("direction", DIRECTIONS) ?? "DOWN",
      timeoutMs: orDefault(fields, "timeout", MILLISECONDS, "20000"),
      speed: orDefault(fields, "speed", { min: 0, max: 100, whole: true }, "40"),
      visibilityPercentage: Math.min(100, Math.max(0, percentage)),
      centerElement: fields.flag("centerElement") ?? false,
      waitToSettleTimeoutMs: readSettleTime(fields),
    };
    return element && present({ name: "scrollUntilVisible", element, ...rest });
  },
};

/** Maestro takes its default for a number out of range. */
function orDefault(fields: Fields, name: string, rules: NumberRules, standard: string): string {
  const wide = { min: -86_400_000, max: 86_400_000, whole: true };
  const text = fields.numberText(name, wide, "expressions") ?? standard;
  if (Number(text) < rules.min || Number(text) > rules.max) {
    const place = fields.node(name)?.place ?? fields.place;
    fields.reader.warn(place, `${fields.what(name)} is out of range, so it is ${standard}.`);
    return standard;
  }
  return text;
}

const extendedWaitUntil: CommandSpec = {
  fields: ["visible", "notVisible", "timeout"],
  bare: false,
  example: "extendedWaitUntil: {visible: Welcome, timeout: 30000}",
  mistakes: {
    text: "Put the element under `visible:`.",
    id: "Put the element under `visible:`.",
    true: "Use `repeat` with `while:` for conditions other than elements.",
    anyOf: 'Write one regular expression under `visible:`, `"First|Second"`.',
    duration: "Did you mean `timeout`?",
  },
  read(fields) {
    if (fields.node("visible") === undefined && fields.node("notVisible") === undefined) {
      return fields.reader.error(fields.place, "`extendedWaitUntil` needs `visible:` or `notVisible:`.");
    }
    const condition = present({
      visible: readSelectorOf(fields, "visible"),
      notVisible: readSelectorOf(fields, "notVisible"),
    });
    const timeoutMs = fields.numberText("timeout", MILLISECONDS, "expressions");
    return present({ name: "extendedWaitUntil", condition, timeoutMs });
  },
};

/** A picture or film is kept with its run, whatever folder of a machine its path names; Maestro refuses such a path. */
function readArtifactPath(fields: Fields, example: string): string | undefined {
  const path = fields.needed("path", example);
  const place = fields.node("path")?.place ?? fields.place;
  if (path !== undefined && (/^([/\\]|[A-Za-z]:)/.test(path) || path.split(/[/\\]/).includes(".."))) {
    fields.reader.portable = false;
    fields.reader.warn(
      place,
      `What is taken is kept with the run; a name such as \`${example}\` is enough for ${fields.what("path")}.`,
    );
  }
  return path;
}

export const SCREEN_COMMANDS: CommandTable = {
  tapOn: tap("tapOn"),
  doubleTapOn: tap("doubleTapOn"),
  longPressOn: tap("longPressOn"),
  assertVisible: onElement("assertVisible"),
  assertNotVisible: onElement("assertNotVisible"),
  copyTextFrom: onElement("copyTextFrom"),
  swipe,
  scrollUntilVisible,
  scroll: {
    fields: [],
    bare: true,
    example: "scroll",
    mistakes: {
      direction:
        "`scroll` only goes down; use `swipe` with `direction:`, or `scrollUntilVisible` with `element:` and `direction:`.",
      duration: "Use `swipe` with `direction:` and `duration:`.",
      element: "Did you mean the command `scrollUntilVisible`?",
    },
    read: () => ({ name: "scroll" }),
  },
  extendedWaitUntil,
  waitForAnimationToEnd: {
    fields: ["timeout"],
    bare: true,
    example: "waitForAnimationToEnd: {timeout: 5000}",
    read: (fields) => ({
      name: "waitForAnimationToEnd",
      timeoutMs: fields.numberText("timeout", MILLISECONDS, "expressions") ?? "15000",
    }),
  },
  takeScreenshot: {
    fields: ["path", "cropOn"],
    short: "path",
    bare: false,
    example: "takeScreenshot: cart",
    mistakes: { name: "Did you mean `path`?", element: "Did you mean `cropOn`?" },
    read(fields) {
      const path = readArtifactPath(fields, "cart");
      const cropOn = readSelectorOf(fields, "cropOn");
      return path === undefined ? undefined : present({ name: "takeScreenshot", path, cropOn });
    },
  },
  assertScreenshot: {
    fields: ["path", "thresholdPercentage", "cropOn"],
    short: "path",
    bare: false,
    example: "assertScreenshot: cart",
    read(fields) {
      const path = fields.needed("path", "path: cart");
      const thresholdPercentage =
        fields.numberText("thresholdPercentage", { min: 0, max: 100, whole: false }, "expressions") ?? "95";
      const cropOn = readSelectorOf(fields, "cropOn");
      return path === undefined ? undefined : present({ name: "assertScreenshot", path, thresholdPercentage, cropOn });
    },
  },
  startRecording: {
    fields: ["path"],
    short: "path",
    bare: false,
    example: "startRecording: checkout",
    read(fields) {
      const path = readArtifactPath(fields, "checkout");
      return path === undefined ? undefined : { name: "startRecording", path };
    },
  },
  stopRecording: { fields: [], bare: true, example: "stopRecording", read: () => ({ name: "stopRecording" }) },
};
