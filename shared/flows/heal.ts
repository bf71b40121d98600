/** Puts a recorded fallback in the place of a step's selector: in the text, with everything else as it was. */
import { isMap, isScalar, isSeq, type Node, type Pair, parseAllDocuments, stringify, visit, type YAMLMap } from "yaml";
import { applyEdits, type Edit, unifiedDiff } from "./line-edits.ts";
import type { Command, Flow, Place, Selector, Step } from "./model.ts";
import { parseFlow } from "./parse.ts";
import { SELECTOR_FIELDS } from "./selectors.ts";
import { allSteps, stepKey } from "./targets.ts";

export interface HealedFlow extends Place {
  readonly source: string;
  /** Unified. */
  readonly diff: string;
}

/** The selector of a command that recorded targets stand in for, and the field it is in when it is not the command. */
export function targetOf(command: Command): { selector: Selector; field?: string } | undefined {
  switch (command.name) {
    case "tapOn":
    case "doubleTapOn":
    case "longPressOn":
    case "copyTextFrom":
    case "assertVisible":
      return { selector: command.selector };
    case "scrollUntilVisible":
      return { selector: command.element, field: "element" };
    case "swipe":
      return command.from && { selector: command.from, field: "from" };
    case "extendedWaitUntil":
      return command.condition.visible && { selector: command.condition.visible, field: "visible" };
    default:
      return undefined;
  }
}

/** A fallback in a selector's place: a spot in the element stays the spot in the new one. */
export function standIn({ point, ...rest }: Selector, fallback: Selector): Selector {
  const within = point !== undefined && Object.keys(rest).length > 0;
  return within ? { ...fallback, point } : fallback;
}

/**
 * The flow with fallback number `fallback` of the step at `path` as its selector. Its recorded targets stay with it: their
 * key follows the step. Undefined when there is no such fallback or the text cannot be changed without touching more.
 */
export function healedFlow(source: string, path: string, fallback: number): HealedFlow | undefined {
  const { flow } = parseFlow(source);
  const step = flow && allSteps(flow).find((one) => one.path === path);
  const target = step && targetOf(step.command);
  const spot = step && spotOf(source, step, target?.field, fallback);
  if (flow === undefined || step === undefined || target === undefined || spot === undefined) return undefined;
  const selectors = flow.header.targets.find(({ key }) => key === stepKey(step))?.selectors;
  const chosen = selectors?.[fallback];
  if (chosen === undefined) return undefined;
  const healed = { ...step, command: withSelector(step.command, standIn(target.selector, chosen)) };
  const wanted = meaning(flow, step, healed);
  for (const edits of waysToWrite(source, spot)) {
    const all = [...edits, renamed(source, spot.key, stepKey(step), stepKey(healed))];
    const text = applyEdits(source, all);
    const after = parseFlow(text).flow;
    if (after === undefined || meaning(after) !== wanted) continue;
    return { source: text, ...placeAt(source, spot.selector.range[0]), diff: unifiedDiff(source, all, "flow.yaml") };
  }
  return undefined;
}

function withSelector(command: Command, selector: Selector): Command {
  if (command.name === "scrollUntilVisible") return { ...command, element: selector };
  if (command.name === "swipe") return { ...command, from: selector };
  if (command.name === "extendedWaitUntil") {
    return { ...command, condition: { ...command.condition, visible: selector } };
  }
  return "selector" in command ? { ...command, selector } : command;
}

/** What a flow says, without places; with `healed` for `step`, wherever it stands. */
function meaning(flow: Flow, step?: Step, healed?: Step): string {
  return JSON.stringify(flow, (key, value: unknown) => {
    if (key === "place") return undefined;
    if (value === step && healed !== undefined) return sorted(healed);
    if (step !== undefined && healed !== undefined && key === "key" && value === stepKey(step)) return stepKey(healed);
    return sorted(value);
  });
}

/** The order of fields says nothing. */
function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

type Ranged = Node & { readonly range: readonly [number, number, number] };

/** Where in the text the change has to happen. */
interface Spot {
  /** End of the name before the selector, and that name's column, counting from 0. */
  readonly nameEnd: number;
  readonly column: number;
  readonly selector: Ranged;
  /** Key of the step's entry in `x-targets`. */
  readonly key: Ranged;
  /** The fallback's fields, as written. */
  readonly fields: Readonly<Record<string, unknown>>;
}

function spotOf(source: string, step: Step, field: string | undefined, fallback: number): Spot | undefined {
  const documents = parseAllDocuments(source, { schema: "failsafe", uniqueKeys: false, logLevel: "silent" });
  if (!Array.isArray(documents)) return undefined;
  const targets = documents[0]?.get("x-targets");
  const entry = isMap(targets)
    ? targets.items.find(({ key }) => isScalar(key) && key.value === stepKey(step))
    : undefined;
  const item = isSeq(entry?.value) ? entry.value.items[fallback] : undefined;
  const offset = offsetOf(source, step.place);
  let found: Pair | undefined;
  for (const document of documents) {
    visit(document, {
      Pair(_key, pair) {
        if (!isRanged(pair.key) || pair.key.range[0] !== offset) return undefined;
        found = pair;
        return visit.BREAK;
      },
    });
  }
  const inner =
    field === undefined || !isMap(found?.value)
      ? found
      : found.value.items.find(({ key }) => isScalar(key) && key.value === field);
  if (!isRanged(inner?.key) || !isRanged(inner.value) || !isRanged(entry?.key)) return undefined;
  const fields = isMap(item) ? plainMap(item) : isScalar(item) ? { text: String(item.value) } : undefined;
  if (fields === undefined) return undefined;
  const { range } = inner.key;
  const column = placeAt(source, range[0]).column - 1;
  return { nameEnd: range[1], column, selector: inner.value, key: entry.key, fields };
}

function plainMap(map: YAMLMap): Record<string, unknown> {
  const plain: unknown = map.toJSON();
  return typeof plain === "object" && plain !== null ? { ...plain } : {};
}

function isRanged(node: unknown): node is Ranged {
  return typeof node === "object" && node !== null && "range" in node && Array.isArray(node.range);
}

/** Edits that write the new selector, the plainest way first. */
function waysToWrite(source: string, { selector, fields, nameEnd, column }: Spot): Edit[][] {
  const [start, end] = selector.range;
  const flow = flowFields(fields);
  if (!isMap(selector)) {
    const lines = blockLines(fields, column + 2);
    const onlyText = Object.keys(fields).join() === "text" && typeof fields["text"] === "string";
    const text = onlyText ? stringify(fields["text"], { lineWidth: 0 }).trimEnd() : `{${flow}}`;
    const inPlace = [{ start, end, text }];
    return onlyText ? [inPlace] : [[{ start: nameEnd, end, text: `:\n${lines}` }], inPlace];
  }
  const pairs = selector.items.flatMap((pair) =>
    isScalar(pair.key) && isRanged(pair.key) && isRanged(pair.value)
      ? [{ name: String(pair.key.value), start: pair.key.range[0], end: pair.value.range[1] }]
      : [],
  );
  const identity = pairs.filter(({ name }) => SELECTOR_FIELDS.includes(name) && name !== "point");
  const [first, ...rest] = identity;
  if (first === undefined) return [];
  if (selector.flow === true) {
    const kept = pairs.filter((pair) => !identity.includes(pair)).map((pair) => source.slice(pair.start, pair.end));
    return [[{ start, end, text: `{${[flow, ...kept].join(", ")}}` }]];
  }
  const own = placeAt(source, first.start).column - 1;
  const gone = rest.map((pair) => wholeLines(source, pair.start, pair.end));
  return [[{ start: first.start, end: first.end, text: blockLines(fields, own).trimStart() }, ...gone]];
}

function blockLines(fields: Readonly<Record<string, unknown>>, indent: number): string {
  const lines = stringify(fields, { indent: 2, lineWidth: 0 }).trimEnd().split("\n");
  return lines.map((line) => " ".repeat(indent) + line).join("\n");
}

function flowFields(fields: Readonly<Record<string, unknown>>): string {
  const options = { collectionStyle: "flow", flowCollectionPadding: false, lineWidth: 0 } as const;
  return stringify(fields, options).trim().slice(1, -1);
}

function wholeLines(source: string, start: number, end: number): Edit {
  const from = source.lastIndexOf("\n", start - 1) + 1;
  const to = source.indexOf("\n", end - (source[end - 1] === "\n" ? 1 : 0));
  return { start: from, end: to < 0 ? source.length : to + 1, text: "" };
}

function renamed(source: string, { range: [start, end] }: Ranged, before: string, after: string): Edit {
  return { start, end, text: source.slice(start, end).replace(before, () => after) };
}

function offsetOf(source: string, { line, column }: Place): number {
  let at = 0;
  for (let n = 1; n < line; n += 1) at = source.indexOf("\n", at) + 1;
  return at + column - 1;
}

function placeAt(source: string, offset: number): Place {
  const before = source.slice(0, offset);
  return { line: before.split("\n").length, column: offset - before.lastIndexOf("\n") };
}
