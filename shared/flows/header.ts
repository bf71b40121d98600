/** Reads a flow's header. Keys nobody knows are kept out of the way without an error, as Maestro does. */
import { type Fingerprint, MAX_FINGERPRINT_TEXT } from "./fingerprint.ts";
import type { FlowHeader, FlowInput, FlowLimits, Place, Selector, Step, StepTargets } from "./model.ts";
import { Fields, FlowReader, present } from "./reader.ts";
import { readSelector } from "./selectors.ts";
import type { MapNode, SourceNode } from "./source.ts";
import { readStepList } from "./steps.ts";
import { nearest } from "./suggestions.ts";

/** Header keys with a meaning here; the last row is ours and Maestro ignores it. */
export const HEADER_FIELDS: readonly string[] = [
  ...["appId", "url", "name", "tags", "env", "onFlowStart", "onFlowComplete", "properties"],
  ...["onFlowFailure", "inputs", "secrets", "limits", "triggers", "x-targets"],
];
/** Keys that public flows use and that change nothing here. */
const HARMLESS_FIELDS = ["androidWebViewHierarchy", "jsEngine", "disableRetries", "platform", "description"];

/** `end` is where a key that is missing would have to stand at the latest. */
export function readHeader(reader: FlowReader, node: MapNode, end: Place): FlowHeader {
  const fields = new Fields(reader, "header", node);
  for (const { key, keyPlace } of node.entries) {
    if (HEADER_FIELDS.includes(key) || HARMLESS_FIELDS.includes(key) || key.startsWith("x-")) continue;
    const meant = nearest(key, HEADER_FIELDS);
    if (meant !== undefined)
      reader.warn(keyPlace, `The header key \`${key.slice(0, 60)}\` means nothing here. Did you mean \`${meant}\`?`);
  }
  if (fields.node("appId") === undefined && fields.node("url") === undefined) {
    reader.error(
      end,
      "The header needs `appId: com.example.app` or, for web phones, `url: https://example.com` above this line.",
    );
  }
  const hook = (name: string): readonly Step[] => {
    const list = fields.node(name);
    return list === undefined ? [] : readStepList(reader, list, name);
  };
  const header = {
    ...present({ appId: fields.text("appId"), url: fields.text("url"), name: fields.text("name") }),
    tags: readTexts(fields, "tags"),
    env: fields.texts("env") ?? {},
    onFlowStart: hook("onFlowStart"),
    onFlowComplete: hook("onFlowComplete"),
    onFlowFailure: hook("onFlowFailure"),
    properties: fields.texts("properties") ?? {},
    inputs: readInputs(fields),
    secrets: readSecrets(fields),
    limits: readLimits(fields),
    targets: readTargets(reader, fields.node("x-targets")),
  };
  if (changesMeaning(header)) reader.portable = false;
  return header;
}

/** What Maestro would skip although the outcome depends on it. */
function changesMeaning({ onFlowFailure, inputs, limits }: FlowHeader): boolean {
  return (
    onFlowFailure.length > 0 ||
    inputs.some((input) => input.default !== undefined) ||
    limits.lookupMs !== undefined ||
    limits.optionalMs !== undefined ||
    limits.healing === "auto"
  );
}

function readTexts(fields: Fields, name: string): readonly string[] {
  const node = fields.node(name);
  const items = node && fields.reader.list(node, fields.what(name));
  return items?.flatMap((item) => fields.reader.text(item, `An entry of ${fields.what(name)}`) ?? []) ?? [];
}

/** Neighbours read of a fingerprint. */
const MAX_NEAR = 8;

const VARIABLE = /^[A-Za-z_$][A-Za-z0-9_$]{0,63}$/;

function variable(reader: FlowReader, name: string, place: Place, what: string): string | undefined {
  if (VARIABLE.test(name)) return name;
  return reader.error(place, `${what} must be a variable's name: letters, digits and _, not beginning with a digit.`);
}

function readSecrets(fields: Fields): readonly string[] {
  const node = fields.node("secrets");
  const items = (node && fields.reader.list(node, fields.what("secrets"))) ?? [];
  return items.flatMap((item) => {
    const name = fields.reader.text(item, "A secret's name");
    return (name && variable(fields.reader, name, item.place, "A secret's name")) ?? [];
  });
}

/** A list of names or of maps with `name:`, or names with what is known of them. */
function readInputs(fields: Fields): readonly FlowInput[] {
  const { reader } = fields;
  const node = fields.node("inputs");
  if (node === undefined) return [];
  const inputs =
    node.kind === "map"
      ? node.entries.map(({ key, keyPlace, value }) => readInput(reader, key, keyPlace, value))
      : (reader.list(node, fields.what("inputs")) ?? []).map((item) => readListedInput(reader, item));
  const seen = new Set<string>();
  return inputs.flatMap((input) => {
    if (input === undefined) return [];
    if (seen.has(input.name)) reader.error(node.place, `The input \`${input.name}\` stands twice; keep one.`);
    seen.add(input.name);
    return [input];
  });
}

function readListedInput(reader: FlowReader, item: SourceNode): FlowInput | undefined {
  if (item.kind === "scalar") return readInput(reader, item.text, item.place, undefined);
  if (item.kind === "list")
    return reader.error(item.place, "An input is a name, or `name:` with `description:`, `required:` and `default:`.");
  const name = new Fields(reader, "inputs", item).needed("name", "name: email");
  return name === undefined ? undefined : readInput(reader, name, item.place, item);
}

function readInput(
  reader: FlowReader,
  name: string,
  place: Place,
  node: SourceNode | undefined,
): FlowInput | undefined {
  if (variable(reader, name, place, "An input's name") === undefined) return undefined;
  if (node === undefined) return { name, required: true };
  if (node.kind === "list")
    return reader.error(
      node.place,
      `The input \`${name}\` takes a default or \`description:\`, \`required:\` and \`default:\`.`,
    );
  if (node.kind === "scalar") {
    return node.plain && node.text === "" ? { name, required: true } : { name, required: false, default: node.text };
  }
  const fields = new Fields(reader, "inputs", node);
  fields.only(["name", "description", "required", "default"]);
  const standard = fields.text("default");
  const required = fields.flag("required") ?? standard === undefined;
  return present({ name, description: fields.text("description"), required, default: standard });
}

const TIMES = {
  timeout: "timeoutMs",
  lookup: "lookupMs",
  optional: "optionalMs",
  cleanupOnCancel: "cleanupOnCancelMs",
} as const;
const LIMIT_FIELDS = [...Object.entries(TIMES).flat(), "maxSteps", "healing", "onCrash"];

function readLimits(header: Fields): FlowLimits {
  const node = header.node("limits");
  if (node === undefined) return {};
  if (node.kind !== "map") {
    header.reader.error(node.place, "`limits` needs fields below it, for example `timeout: 5m`.");
    return {};
  }
  const fields = new Fields(header.reader, "limits", node);
  fields.only(LIMIT_FIELDS);
  const time = (name: keyof typeof TIMES): number | undefined =>
    readDuration(fields, name) ?? readDuration(fields, TIMES[name]);
  return present({
    timeoutMs: time("timeout"),
    lookupMs: time("lookup"),
    optionalMs: time("optional"),
    maxSteps: fields.number("maxSteps", { min: 1, max: 1_000_000, whole: true }),
    healing: fields.word("healing", ["off", "suggest", "auto"]),
    onCrash: fields.word("onCrash", ["fail", "restart", "resume"]),
    cleanupOnCancelMs: time("cleanupOnCancel"),
  });
}

const UNITS: Readonly<Record<string, number>> = { "": 1, ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 };

/** Milliseconds, or a number with `ms`, `s`, `m` or `h`. */
function readDuration(fields: Fields, name: string): number | undefined {
  const node = fields.node(name);
  if (node === undefined) return undefined;
  const match = node.kind === "scalar" ? /^(\d[\d_]{0,12}(?:\.\d{1,6})?)\s*([a-z]*)$/.exec(node.text.trim()) : null;
  const unit = match === null ? undefined : Object.hasOwn(UNITS, match[2] ?? "") ? UNITS[match[2] ?? ""] : undefined;
  if (match === null || unit === undefined) {
    return fields.reader.error(node.place, `${fields.what(name)} must be a time: \`30s\`, \`5m\`, or milliseconds.`);
  }
  return Math.round(Number((match[1] ?? "").replaceAll("_", "")) * unit);
}

/** Fallbacks only help: those that cannot be read are dropped with a warning. */
function readTargets(reader: FlowReader, node: SourceNode | undefined): readonly StepTargets[] {
  if (node === undefined) return [];
  if (node.kind !== "map") {
    reader.warn(node.place, "`x-targets` must hold step keys with lists of selectors; it is not read.");
    return [];
  }
  return node.entries.flatMap(({ key, keyPlace, value }): StepTargets[] => {
    const quiet = new FlowReader();
    const items = value.kind === "list" ? value.items : [];
    const described = fingerprintNode(items.at(-1));
    const selectors = (described === undefined ? items : items.slice(0, -1)).flatMap((item): Selector[] => {
      const selector = readSelector(quiet, item, "x-targets");
      return selector === undefined ? [] : [selector];
    });
    const fingerprint = described && readFingerprint(quiet, described);
    if (quiet.failed || value.kind !== "list") {
      reader.warn(keyPlace, `The other targets of \`${key.slice(0, 60)}\` cannot be read and are left out.`);
      return [];
    }
    return [present({ key, selectors, fingerprint })];
  });
}

function fingerprintNode(item: SourceNode | undefined): SourceNode | undefined {
  const [entry, second] = item?.kind === "map" ? item.entries : [];
  return entry?.key === "fingerprint" && second === undefined ? entry.value : undefined;
}

/** `{role, text, bounds: [x, y, width, height], near: [texts]}`; bounds are fractions of the screen. */
function readFingerprint(reader: FlowReader, node: SourceNode): Fingerprint | undefined {
  if (node.kind !== "map") return reader.error(node.place, "`fingerprint` needs fields.");
  const fields = new Fields(reader, "fingerprint", node);
  fields.only(["role", "text", "bounds", "near"]);
  const list = (name: string) => {
    const value = fields.node(name);
    return value && reader.list(value, fields.what(name))?.map((item) => (item.kind === "scalar" ? item.text : ""));
  };
  const numbers = list("bounds")?.map((text) => (text === "" ? Number.NaN : Number(text)));
  const [x, y, width, height] = numbers ?? [];
  const near = (list("near") ?? []).slice(0, MAX_NEAR).map((text) => text.slice(0, MAX_FINGERPRINT_TEXT));
  const described = { role: fields.text("role") ?? "", text: textOrNothing(fields, "text"), near };
  if (numbers === undefined) return described;
  const known = x !== undefined && y !== undefined && width !== undefined && height !== undefined;
  if (!known || numbers.length !== 4 || numbers.some((value) => !(value >= 0 && value <= 1))) {
    return reader.error(node.place, "`bounds` are four fractions of the screen: x, y, width, height.");
  }
  return { ...described, bounds: { x, y, width, height } };
}

function textOrNothing(fields: Fields, name: string): string {
  const node = fields.entry(name)?.value;
  return node?.kind === "scalar" ? node.text.slice(0, MAX_FINGERPRINT_TEXT) : "";
}
