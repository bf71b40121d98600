/** What fits where the cursor is in a flow: commands, fields, values, names, and what is on a phone's screen. */
import { commandExample, commandFields, commandSpec } from "../../../../shared/flows/commands.ts";
import { KEYS } from "../../../../shared/flows/commands-text.ts";
import { HEADER_FIELDS } from "../../../../shared/flows/header.ts";
import { SELECTOR_FIELDS } from "../../../../shared/flows/selectors.ts";
import { cursorIn, isStepList, type Owner } from "./flow-cursor.ts";
import { COMMAND_DOCS, FIELD_DOCS, HEADER_DOCS, INPUT_DOCS, LIMIT_DOCS, OFFERED_COMMANDS } from "./flow-docs.ts";

/** What is known beside the text. */
export interface CompletionWorld {
  /** Names for expressions, of the header's env, inputs and secrets. */
  readonly names: readonly { readonly name: string; readonly about: string }[];
  /** Paths for runFlow, as a flow may write them. */
  readonly files: readonly string[];
  /** What the chosen phone shows. */
  readonly texts: readonly string[];
  readonly ids: readonly string[];
}

export interface Completion {
  readonly label: string;
  /** What is put in, with `#{…}` as places to fill. */
  readonly snippet?: string;
  /** What is put in as it is. Without either it is the label. */
  readonly text?: string;
  /** In one line, beside the label. */
  readonly detail?: string;
  readonly about?: string;
  readonly example?: string;
  readonly kind: "command" | "field" | "value" | "name" | "file" | "screen";
}

export interface Completions {
  /** Offset where what is typed begins. */
  readonly from: number;
  readonly options: readonly Completion[];
}

export function completionsAt(text: string, offset: number, world: CompletionWorld): Completions | undefined {
  const cursor = cursorIn(text, offset);
  switch (cursor.kind) {
    case "none":
      return undefined;
    case "expression":
      return { from: cursor.from, options: expressionNames(world) };
    case "header":
      return { from: cursor.from, options: fields(HEADER_FIELDS, HEADER_DOCS, new Set(LISTS_AND_MAPS)) };
    case "command":
      return { from: cursor.from, options: OFFERED_COMMANDS.map((name) => command(name, cursor.dash ? "- " : "")) };
    case "field":
      return { from: cursor.from, options: fieldsBelow(cursor.owners) };
    case "value":
      return { from: cursor.from, options: valuesOf(cursor.key, cursor.owners, world) };
  }
}

/** Commands that are written over more than one line. Four spaces stand under the name of the command. */
const SNIPPETS: Readonly<Record<string, string>> = {
  swipe: "swipe:\n    direction: #{LEFT}",
  scrollUntilVisible: "scrollUntilVisible:\n    element: #{text}",
  extendedWaitUntil: "extendedWaitUntil:\n    visible: #{text}\n    timeout: #{30000}",
  setLocation: "setLocation:\n    latitude: #{52.52}\n    longitude: #{13.4}",
  travel: 'travel:\n    points:\n      - "#{52.5,13.4}"',
  setPermissions: "setPermissions:\n    permissions:\n      all: #{allow}",
  repeat: "repeat:\n    times: #{3}\n    commands:\n      - #{scroll}",
  retry: "retry:\n    maxRetries: #{2}\n    commands:\n      - #{back}",
  addMedia: "addMedia:\n    - #{cat.png}",
};

function command(name: string, before: string): Completion {
  const spec = commandSpec(name);
  const short = spec?.bare === true ? name : `${name}: #{}`;
  return {
    label: name,
    snippet: before + (SNIPPETS[name] ?? short),
    kind: "command",
    ...(COMMAND_DOCS[name] !== undefined && { about: COMMAND_DOCS[name] }),
    ...(commandExample(name) !== undefined && { example: `- ${commandExample(name)}` }),
  };
}

const LISTS_AND_MAPS = [
  ...["tags", "env", "onFlowStart", "onFlowComplete", "onFlowFailure", "properties", "inputs", "secrets", "limits"],
  ...["x-targets", "triggers", "permissions", "arguments", "when", "while", "commands", "containsDescendants"],
];

function fields(
  names: readonly string[],
  docs: Readonly<Record<string, string>>,
  opening: ReadonlySet<string>,
): readonly Completion[] {
  return names.map((name) => ({
    label: name,
    snippet: opening.has(name) ? `${name}:` : `${name}: #{}`,
    kind: "field",
    ...(docs[name] !== undefined && { about: docs[name] }),
  }));
}

const SELECTOR_KEYS = new Set([
  ...["below", "above", "leftOf", "rightOf", "containsChild", "childOf", "containsDescendants"],
  ...["visible", "notVisible", "element", "from", "cropOn"],
]);
const CONDITION_FIELDS = ["visible", "notVisible", "true", "platform"];
const OPENING = new Set(LISTS_AND_MAPS);

function fieldsBelow(owners: readonly Owner[]): readonly Completion[] {
  const last = owners.at(-1);
  if (last === undefined) return [];
  if (isCommand(owners, owners.length - 1)) return fields(commandFields(last.key), FIELD_DOCS, OPENING);
  if (SELECTOR_KEYS.has(last.key)) return fields(SELECTOR_FIELDS, FIELD_DOCS, OPENING);
  if (last.key === "when" || last.key === "while") return fields(CONDITION_FIELDS, FIELD_DOCS, OPENING);
  if (owners.length === 1 && last.key === "limits") return fields(Object.keys(LIMIT_DOCS), LIMIT_DOCS, OPENING);
  if (last.key === "inputs" || owners.at(-2)?.key === "inputs")
    return fields(Object.keys(INPUT_DOCS), INPUT_DOCS, OPENING);
  return [];
}

/** Whether an owner is a command: an entry of the flow's list, or of a list of steps inside. */
function isCommand(owners: readonly Owner[], index: number): boolean {
  const owner = owners[index];
  return owner?.item === true && (index === 0 || isStepList(owners[index - 1])) && commandSpec(owner.key) !== undefined;
}

const YES_OR_NO = ["true", "false"];
const DIRECTIONS = ["UP", "DOWN", "LEFT", "RIGHT"];
const ON_OFF = ["enabled", "disabled"];
const VALUES: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    [
      ...["enabled", "selected", "checked", "focused", "optional", "clearState", "stopApp", "centerElement"],
      ...["retryTapIfNoChange", "waitUntilVisible", "browser", "required"],
    ].map((name) => [name, YES_OR_NO]),
  ),
  direction: DIRECTIONS,
  swipe: DIRECTIONS,
  key: KEYS,
  pressKey: KEYS,
  orientation: ["PORTRAIT", "LANDSCAPE_LEFT", "LANDSCAPE_RIGHT", "UPSIDE_DOWN"],
  setOrientation: ["PORTRAIT", "LANDSCAPE_LEFT", "LANDSCAPE_RIGHT", "UPSIDE_DOWN"],
  platform: ["web", "android", "ios"],
  traits: ["text", "square", "long-text"],
  value: ON_OFF,
  setDarkMode: ON_OFF,
  setAirplaneMode: ON_OFF,
  healing: ["off", "suggest", "auto"],
  onCrash: ["fail", "restart", "resume"],
  all: ["allow", "deny", "unset"],
};

function valuesOf(key: Owner, owners: readonly Owner[], world: CompletionWorld): readonly Completion[] {
  const below = owners.at(-1);
  const isStep = key.item && (owners.length === 0 || isStepList(below));
  const takesElement = isStep
    ? commandSpec(key.key)?.short === "text" && commandFields(key.key).includes("childOf")
    : SELECTOR_KEYS.has(key.key);
  const inSelector =
    below !== undefined &&
    (SELECTOR_KEYS.has(below.key) ||
      (isCommand(owners, owners.length - 1) && commandFields(below.key).includes("childOf")));
  if (takesElement || (key.key === "text" && inSelector)) return world.texts.map(onScreen);
  if (key.key === "id" && inSelector) return world.ids.map(onScreen);
  if ((isStep && key.key === "runFlow") || (key.key === "file" && below?.key !== "runScript"))
    return world.files.map((path) => ({ label: path, text: yamlText(path), kind: "file" }));
  const values = Object.hasOwn(VALUES, key.key) ? VALUES[key.key] : undefined;
  return (values ?? []).map((value) => ({ label: value, kind: "value" }));
}

function onScreen(text: string): Completion {
  return { label: text, text: yamlText(text), detail: "on the screen", kind: "screen" };
}

/** Text as a plain YAML value, in quotes where YAML would read something else. */
export function yamlText(text: string): string {
  const plain = /^[\p{L}\p{N}/(][^\n\r\t:#[\]{},&*!|>'"%@`\\]*$/u.test(text) && !/\s$|\$\{/.test(text) && !isWord(text);
  return plain ? text : JSON.stringify(text.replaceAll("${", "\\${"));
}

/** What YAML would read as a number, a yes or nothing. */
function isWord(text: string): boolean {
  return /^(true|false|yes|no|on|off|null|~|[+-]?[\d._]+)$/i.test(text);
}

const GLOBALS: readonly Completion[] = [
  { label: "output", about: "Values that scripts keep for later steps.", example: `\${output.total}`, kind: "name" },
  { label: "maestro.copiedText", about: "What copyTextFrom kept.", kind: "name" },
  { label: "maestro.platform", about: "web, android or ios.", kind: "name" },
  {
    label: "http.get",
    snippet: 'http.get("#{https://}")',
    about: "Asks a server.",
    example: 'http.get("https://a.example").body',
    kind: "name",
  },
  { label: "json", snippet: "json(#{text})", about: "Reads JSON.", kind: "name" },
];

function expressionNames({ names }: CompletionWorld): readonly Completion[] {
  return [...names.map(({ name, about }): Completion => ({ label: name, about, kind: "name" })), ...GLOBALS];
}
