/** Conditions and sources as a person fills them in: which fields each has, in plain words. One list, drawn generically. */
import { MENU_TARGETS, type RuleInput } from "../../../../../shared/rules/model.ts";

export type ConditionInput = Extract<RuleInput["when"], { all: unknown }>["all"][number];
export type SourceInput = NonNullable<RuleInput["extract"]>[number]["from"][number];

export interface FieldSpec {
  /** Where the value stands in the object, with dots: `is.pathname`. */
  readonly key: string;
  readonly label: string;
  readonly type: "text" | "number" | "check" | "choice";
  readonly options?: readonly { readonly value: string; readonly label: string }[];
  readonly placeholder?: string;
  readonly hint?: string;
  /** The stored number is this times the shown one. */
  readonly scale?: number;
  /** Left out of the object when empty. */
  readonly optional?: true;
  /** Shown unless the comparison is `exists`. */
  readonly comparedWith?: true;
}

export interface PartSpec<T> {
  readonly id: string;
  readonly label: string;
  /** What a new one begins as. */
  readonly initial: T;
  readonly fields: readonly FieldSpec[];
}

const COMPARISON: readonly FieldSpec[] = [
  {
    key: "op",
    label: "Comparison",
    type: "choice",
    options: [
      { value: "exists", label: "is there" },
      { value: "equals", label: "equals" },
      { value: "not", label: "is not" },
      { value: "contains", label: "contains" },
      { value: "startsWith", label: "starts with" },
      { value: "wildcard", label: "is like (* for any text)" },
      { value: "lessThan", label: "is less than" },
      { value: "greaterThan", label: "is more than" },
    ],
  },
  { key: "value", label: "Value", type: "text", comparedWith: true },
];
const CSS: FieldSpec = { key: "css", label: "Selector", type: "text", placeholder: "#price, .in-stock" };
const TYPE: FieldSpec = { key: "type", label: "Kind of thing", type: "text", placeholder: "Product" };

export const CONDITION_SPECS: readonly PartSpec<ConditionInput>[] = [
  {
    id: "url",
    label: "The address matches",
    initial: { kind: "url", is: "" },
    fields: [{ key: "is", label: "Address", type: "text", placeholder: "https://shop.example/product/*" }],
  },
  {
    id: "parts",
    label: "Parts of the address match",
    initial: { kind: "url", is: { pathname: "" } },
    fields: [
      { key: "is.hostname", label: "Site", type: "text", placeholder: "*.shop.example", optional: true },
      {
        key: "is.pathname",
        label: "Path",
        type: "text",
        placeholder: "/product/:id",
        hint: ":id names a piece, so that a value can be read from it.",
        optional: true,
      },
      { key: "is.search", label: "Query", type: "text", placeholder: "color=*", optional: true },
    ],
  },
  {
    id: "host",
    label: "The site is",
    initial: { kind: "host", is: "" },
    fields: [{ key: "is", label: "Site", type: "text", placeholder: "*.shop.example" }],
  },
  {
    id: "query",
    label: "The address has a query value",
    initial: { kind: "query", name: "", op: "exists" },
    fields: [{ key: "name", label: "Name", type: "text", placeholder: "sku" }, ...COMPARISON],
  },
  {
    id: "jsonld",
    label: "The page describes a thing",
    initial: { kind: "jsonld", type: "Product", op: "exists" },
    fields: [
      TYPE,
      { key: "path", label: "Of it", type: "text", placeholder: "offers.price", optional: true },
      ...COMPARISON,
    ],
  },
  {
    id: "meta",
    label: "The page's description says",
    initial: { kind: "meta", name: "og:type", op: "exists" },
    fields: [{ key: "name", label: "Name", type: "text", placeholder: "og:type" }, ...COMPARISON],
  },
  {
    id: "dom",
    label: "The page has an element",
    initial: { kind: "dom", css: "" },
    fields: [
      CSS,
      { key: "minCount", label: "At least", type: "number", optional: true, placeholder: "1" },
      { key: "visible", label: "It can be seen", type: "check" },
    ],
  },
  {
    id: "text",
    label: "The page says",
    initial: { kind: "text", op: "contains", value: "" },
    fields: [
      {
        key: "op",
        label: "How",
        type: "choice",
        options: [
          { value: "contains", label: "these words" },
          { value: "wildcard", label: "words like (* for any text)" },
          { value: "regex", label: "what an expression finds" },
        ],
      },
      { key: "value", label: "Text", type: "text", placeholder: "Back in stock" },
    ],
  },
  {
    id: "selection",
    label: "Text is selected",
    initial: { kind: "selection" },
    fields: [{ key: "minLen", label: "At least characters", type: "number", optional: true, placeholder: "1" }],
  },
  {
    id: "contextMenu",
    label: "I choose it in a right-click menu",
    initial: { kind: "contextMenu", on: "link" },
    fields: [
      {
        key: "on",
        label: "On",
        type: "choice",
        options: MENU_TARGETS.map((value) => ({ value, label: value === "page" ? "the page" : `a ${value}` })),
      },
    ],
  },
  {
    id: "media",
    label: "Something plays",
    initial: { kind: "media", playing: true },
    fields: [{ key: "playing", label: "It plays now", type: "check" }],
  },
  {
    id: "visits",
    label: "I come here often",
    initial: { kind: "visits", count: 3, windowMs: 3_600_000 },
    fields: [
      { key: "count", label: "Visits", type: "number" },
      { key: "windowMs", label: "Within minutes", type: "number", scale: 60_000 },
    ],
  },
  {
    id: "schedule",
    label: "At these times",
    initial: { kind: "schedule", cron: "0 9 * * 1-5", timeZone: "UTC" },
    fields: [
      {
        key: "cron",
        label: "Times",
        type: "text",
        hint: "Minute, hour, day, month, weekday: 0 9 * * 1-5 is weekdays at 9.",
      },
      { key: "timeZone", label: "Time zone", type: "text" },
    ],
  },
];

export const SOURCE_SPECS: readonly PartSpec<SourceInput>[] = [
  {
    id: "url",
    label: "the address",
    initial: { kind: "url", part: "address" },
    fields: [
      {
        key: "part",
        label: "Part",
        type: "choice",
        options: ["address", "origin", "host", "path", "hash"].map((value) => ({
          value,
          label: value === "address" ? "all of it" : value,
        })),
      },
    ],
  },
  {
    id: "query",
    label: "a query value of the address",
    initial: { kind: "query", name: "" },
    fields: [{ key: "name", label: "Name in the query", type: "text", placeholder: "sku" }],
  },
  {
    id: "path",
    label: "a piece of the path",
    initial: { kind: "path", index: -1 },
    fields: [{ key: "index", label: "Which", type: "number", hint: "0 is the first, -1 the last." }],
  },
  {
    id: "group",
    label: "a piece named in a condition",
    initial: { kind: "group", name: "id" },
    fields: [{ key: "name", label: "Its name, without :", type: "text", placeholder: "id" }],
  },
  {
    id: "jsonld",
    label: "the thing the page describes",
    initial: { kind: "jsonld", type: "Product", path: "name" },
    fields: [TYPE, { key: "path", label: "Of it", type: "text", placeholder: "offers.price" }],
  },
  {
    id: "meta",
    label: "the page's description",
    initial: { kind: "meta", name: "og:title" },
    fields: [{ key: "name", label: "Name in the description", type: "text", placeholder: "og:title" }],
  },
  {
    id: "css",
    label: "an element's text",
    initial: { kind: "css", css: "" },
    fields: [CSS, { key: "attr", label: "Attribute instead of text", type: "text", optional: true }],
  },
  { id: "selection", label: "the selected text", initial: { kind: "selection" }, fields: [] },
  {
    id: "menu",
    label: "what was right-clicked",
    initial: { kind: "menu", part: "link" },
    fields: [
      {
        key: "part",
        label: "What",
        type: "choice",
        options: [
          { value: "link", label: "the link" },
          { value: "media", label: "the picture, video or sound" },
        ],
      },
    ],
  },
  { id: "canonical", label: "the page's own link", initial: { kind: "canonical" }, fields: [] },
  {
    id: "app",
    label: "the page's Android app",
    initial: { kind: "app", part: "package" },
    fields: [
      {
        key: "part",
        label: "What",
        type: "choice",
        options: [
          { value: "package", label: "its package" },
          { value: "address", label: "its link into the app" },
          { value: "name", label: "its name" },
        ],
      },
    ],
  },
  { id: "play", label: "the app of a Play page", initial: { kind: "play" }, fields: [] },
];

export function conditionSpec(condition: ConditionInput): PartSpec<ConditionInput> {
  const id = condition.kind === "url" && typeof condition.is !== "string" ? "parts" : condition.kind;
  return specOf(CONDITION_SPECS, id);
}
export function sourceSpec(source: SourceInput): PartSpec<SourceInput> {
  return specOf(SOURCE_SPECS, source.kind);
}
function specOf<T>(specs: readonly PartSpec<T>[], id: string): PartSpec<T> {
  const spec = specs.find((one) => one.id === id) ?? specs[0];
  if (spec === undefined) throw new Error("The list of specs is not empty.");
  return spec;
}

type Json = Readonly<Record<string, unknown>>;

/** The value a field shows. */
export function fieldValue(part: object, { key }: FieldSpec): unknown {
  return key.split(".").reduce<unknown>((at, name) => (isJson(at) ? at[name] : undefined), part);
}

/** The part with one field changed; `undefined` leaves it out. Its shape stays what its specs say. */
export function withField<T extends object>(part: T, { key }: FieldSpec, value: unknown): T {
  const [name = "", ...rest] = key.split(".");
  const old: Json = isJson(part) ? part : {};
  const inner = rest.length === 0 ? value : withField(isJson(old[name]) ? old[name] : {}, subSpec(rest), value);
  const { [name]: _, ...others } = old;
  return (inner === undefined ? others : { ...others, [name]: inner }) as T;
}

function subSpec(rest: readonly string[]): FieldSpec {
  return { key: rest.join("."), label: "", type: "text" };
}

function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null;
}
