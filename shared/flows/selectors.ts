/** Reads which element is meant: a text, or a map of what must hold (research/automation.md §1.4). */
import type { Selector, TapOptions } from "./model.ts";
import { Fields, type FlowReader, MILLISECONDS, present } from "./reader.ts";
import type { SourceNode } from "./source.ts";

const MATCH_FIELDS = [
  "text",
  "id",
  "index",
  "point",
  "enabled",
  "selected",
  "checked",
  "focused",
  "width",
  "height",
  "tolerance",
  "traits",
  "css",
  "below",
  "above",
  "leftOf",
  "rightOf",
  "containsChild",
  "containsDescendants",
  "childOf",
] as const;
const TAP_FIELDS = ["repeat", "delay", "retryTapIfNoChange", "waitUntilVisible", "waitToSettleTimeoutMs"] as const;
/** Maestro takes these in every selector, whatever they would do there. */
const IDLE_FIELDS = ["start", "end"] as const;

/** What a selector may hold; the tap fields act only in taps. */
export const SELECTOR_FIELDS: readonly string[] = MATCH_FIELDS;
export const TAP_SELECTOR_FIELDS: readonly string[] = [...MATCH_FIELDS, ...TAP_FIELDS];
const ACCEPTED = [...MATCH_FIELDS, ...TAP_FIELDS, ...IDLE_FIELDS, "optional", "label"];

const TEXT = "Use `text`: it also finds hints and accessibility texts.";
const MISTAKES: Readonly<Record<string, string>> = {
  timeout:
    "Assertions and taps wait by themselves; for a time of your own use `extendedWaitUntil` with `visible:` and `timeout:`.",
  anyOf: 'Write one regular expression, `text: "First|Second"`, or a `runFlow` with `when:` for each.',
  allOf: "All fields of a selector must hold anyway; write them side by side.",
  contains: 'Texts match whole; write `text: ".*part.*"`.',
  hint: TEXT,
  hintText: TEXT,
  placeholder: TEXT,
  accessibilityText: TEXT,
  accessibilityLabel: TEXT,
  contentDescription: TEXT,
  "content-desc": TEXT,
  description: TEXT,
  value: TEXT,
  resourceId: "Did you mean `id`?",
  "resource-id": "Did you mean `id`?",
  testID: "Did you mean `id`?",
  testId: "Did you mean `id`?",
  xpath: "XPath is not part of the language; use `text`, `id`, `childOf` or on web pages `css`.",
  visible: "Use `assertVisible` or `extendedWaitUntil` to wait for an element.",
  element: "Write the element's fields directly here.",
  direction: "Only `swipe` and `scrollUntilVisible` have a direction.",
};

/** `text` is what `tapOn: Log in` reads as. */
export function readSelector(reader: FlowReader, node: SourceNode, owner: string): Selector | undefined {
  if (node.kind === "scalar") {
    const entry = { key: "text", keyPlace: node.place, value: node };
    return readSelectorFields(
      new Fields(reader, owner, { kind: "map", entries: [entry], place: node.place }),
      "elsewhere",
    );
  }
  if (node.kind === "list")
    return reader.error(node.place, `\`${owner}\` takes one element: a text, or fields such as \`id:\`.`);
  const fields = new Fields(reader, owner, node);
  return readSelectorFields(fields, "elsewhere");
}

/** Whether tap fields may act says `where`. */
export function readSelectorFields(fields: Fields, where: "tap" | "elsewhere"): Selector | undefined {
  fields.only(ACCEPTED, MISTAKES);
  for (const name of where === "tap" ? IDLE_FIELDS : [...TAP_FIELDS, ...IDLE_FIELDS]) {
    const entry = fields.entry(name);
    if (entry !== undefined) fields.reader.warn(entry.keyPlace, `\`${name}\` does nothing in \`${fields.owner}\`.`);
  }
  const inner = (name: string): Selector | undefined => {
    const node = fields.node(name);
    return node && readSelector(fields.reader, node, name);
  };
  const pixels = { min: 0, max: 100_000, whole: true };
  const selector = present({
    text: readPattern(fields, "text"),
    id: readPattern(fields, "id"),
    index: fields.numberText("index", { min: -100_000, max: 100_000, whole: false }, "expressions"),
    point: readPoint(fields, "point"),
    enabled: fields.flag("enabled"),
    selected: fields.flag("selected"),
    checked: fields.flag("checked"),
    focused: fields.flag("focused"),
    width: fields.number("width", pixels),
    height: fields.number("height", pixels),
    tolerance: fields.number("tolerance", pixels),
    traits: readTraits(fields),
    css: fields.text("css"),
    below: inner("below"),
    above: inner("above"),
    leftOf: inner("leftOf"),
    rightOf: inner("rightOf"),
    containsChild: inner("containsChild"),
    containsDescendants: readDescendants(fields),
    childOf: inner("childOf"),
  });
  const names = Object.keys(selector).filter((name) => name !== "tolerance");
  if (names.length > 0 || fields.reader.failed) return selector;
  const sentence = `\`${fields.owner}\` says nothing about the element; add \`text:\` or \`id:\`.`;
  // To look for anything is of little use, to touch anything is an accident.
  if (where === "tap" || fields.map.entries.length === 0) return fields.reader.error(fields.place, sentence);
  fields.reader.warn(fields.place, sentence);
  return selector;
}

/** What Java's expressions can and RE2's cannot is compared as plain text, which nobody means. */
function readPattern(fields: Fields, name: "text" | "id"): string | undefined {
  const node = fields.node(name);
  const text = fields.text(name);
  if (node !== undefined && text !== undefined && /\(\?(?:[=!>]|<[=!])|\\[1-9]/.test(text)) {
    fields.reader.portable = false;
    fields.reader.warn(
      node.place,
      `${fields.what(name)} uses look-around or a back reference, which are compared as plain text here; write it without.`,
    );
  }
  return text;
}

export function readTapOptions(fields: Fields): TapOptions {
  const delay = fields.number("delay", { ...MILLISECONDS, min: -86_400_000 });
  return present({
    repeat: fields.numberText("repeat", { min: -100_000, max: 1000, whole: true }, "numbers"),
    delayMs: delay === undefined || delay < 0 ? undefined : delay,
    retryTapIfNoChange: fields.flag("retryTapIfNoChange"),
    waitUntilVisible: fields.flag("waitUntilVisible"),
    waitToSettleTimeoutMs: readSettleTime(fields),
  });
}

/** Maestro waits 30 s at most, whatever is asked. */
export function readSettleTime(fields: Fields): number | undefined {
  const asked = fields.number("waitToSettleTimeoutMs", MILLISECONDS);
  return asked === undefined ? undefined : Math.min(asked, 30_000);
}

/** "50%,50%" or "100,200"; an expression is taken as it is. */
export function readPoint(fields: Fields, name: string): string | undefined {
  const node = fields.node(name);
  const text = fields.text(name);
  if (node === undefined || text === undefined || text.includes("${")) return text;
  const percent = /^\s*(\d+(?:\.\d+)?)%\s*,\s*(\d+(?:\.\d+)?)%\s*$/.exec(text);
  if (percent !== null && Number(percent[1]) <= 100 && Number(percent[2]) <= 100) return text;
  if (percent === null && /^\s*\d+(\.\d+)?\s*,\s*\d+(\.\d+)?\s*$/.test(text)) return text;
  return fields.reader.error(
    node.place,
    `${fields.what(name)} must be two percentages from 0 to 100, \`50%,50%\`, or two numbers of pixels, \`100,200\`.`,
  );
}

const TRAITS = ["text", "square", "long-text"] as const;

function readTraits(fields: Fields): Selector["traits"] {
  const node = fields.node("traits");
  const text = fields.text("traits");
  if (node === undefined || text === undefined) return undefined;
  const traits = text
    .trim()
    .split(/\s+/)
    .map((word) => TRAITS.find((trait) => trait === word.toLowerCase().replaceAll("_", "-")));
  const known = traits.filter((trait) => trait !== undefined);
  if (known.length === traits.length) return known;
  return fields.reader.error(
    node.place,
    `${fields.what("traits")} must be words out of ${TRAITS.join(", ")}, with spaces between them.`,
  );
}

function readDescendants(fields: Fields): readonly Selector[] | undefined {
  const node = fields.node("containsDescendants");
  if (node === undefined) return undefined;
  const items = fields.reader.list(node, fields.what("containsDescendants"));
  return items?.flatMap((item) => readSelector(fields.reader, item, "containsDescendants") ?? []);
}
