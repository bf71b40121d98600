/**
 * A rule: when this page, then this flow on this phone (research/automation.md §4.2). Checked alike where it is written
 * and where it is kept. Times are milliseconds unless a field says otherwise.
 */
import * as z from "zod/mini";
import { flowId, phoneId, ruleId } from "../ids.ts";
import { isTimeZone } from "../phone-model.ts";
import { phoneTag } from "../phones.ts";
import { parseCron } from "./cron.ts";
import { type Parsed, parseMatchPattern } from "./match-pattern.ts";
import { MAX_REGEX_LENGTH } from "./rule-parts.ts";
import { parseUrlParts } from "./url-parts.ts";

export const MAX_CONDITIONS = 20;
export const MAX_VALUES = 16;
export const MAX_SCOPE = 50;
export const START_WAYS = ["navigation", "click", "menu", "schedule"] as const;
export const MENU_TARGETS = ["link", "image", "video", "audio", "selection", "page"] as const;
export const OPERATORS = [
  "exists",
  "equals",
  "not",
  "contains",
  "startsWith",
  "wildcard",
  "lessThan",
  "greaterThan",
] as const;

/** A text whose reader says in a sentence what is wrong with it. */
function readBy(read: (text: string) => Parsed<unknown>) {
  return z.string().check((payload) => {
    const result = read(payload.value);
    if (!result.ok) payload.issues.push({ code: "custom", input: payload.value, message: result.message });
  });
}

const text = (longest: number, what: string) =>
  z
    .string()
    .check(z.minLength(1, `${what} is empty.`), z.maxLength(longest, `${what} has at most ${longest} characters.`));
const whole = (low: number, high: number, what: string) =>
  z
    .int(`${what} is a whole number.`)
    .check(z.gte(low, `${what} is at least ${low}.`), z.lte(high, `${what} is at most ${high}.`));

export const matchPattern = readBy(parseMatchPattern);
const regexSource = text(MAX_REGEX_LENGTH, "An expression");
const variable = z
  .string()
  .check(
    z.regex(
      /^(?!__)[A-Za-z_][A-Za-z0-9_]{0,39}$/,
      "A name has letters, digits and _, begins with no digit and no __, and has at most 40 characters.",
    ),
  );

/** `:has()` and `~` can take time quadratic in the size of a page. */
export const cssSelector = text(512, "A selector").check(
  z.refine((css) => {
    const bare = css.replace(/\\.|"[^"]*"|'[^']*'|\[[^\]]*\]/gs, "");
    return !/~|:has\(/i.test(bare);
  }, "A selector cannot use :has() or ~, which are slow on large pages; name the element itself."),
);

const comparison = {
  op: z.enum(OPERATORS, `A comparison is one of ${OPERATORS.join(", ")}.`),
  value: z._default(z.string().check(z.maxLength(2_048, "A value has at most 2,048 characters.")), ""),
};

const urlParts = z
  .strictObject({
    protocol: z.optional(z.string()),
    hostname: z.optional(z.string()),
    port: z.optional(z.string()),
    pathname: z.optional(z.string()),
    search: z.optional(z.string()),
    hash: z.optional(z.string()),
  })
  .check((payload) => {
    const result = parseUrlParts(payload.value);
    if (!result.ok) payload.issues.push({ code: "custom", input: payload.value, message: result.message });
  });

const hostPattern = readBy((host) => {
  const parsed = parseMatchPattern(`*://${host}/*`);
  if (parsed.ok && !host.includes("/")) return parsed;
  return {
    ok: false,
    message: `${JSON.stringify(host)} is not a host; write shop.example, or *.shop.example for all below it too.`,
  };
});

export const condition = z.discriminatedUnion(
  "kind",
  [
    z.strictObject({ kind: z.literal("url"), is: z.union([matchPattern, urlParts]) }),
    z.strictObject({ kind: z.literal("host"), is: hostPattern }),
    z.strictObject({ kind: z.literal("query"), name: text(200, "A name"), ...comparison }),
    z.strictObject({
      kind: z.literal("dom"),
      css: cssSelector,
      minCount: z._default(whole(1, 1_000, "The count"), 1),
      visible: z._default(z.boolean(), false),
    }),
    z.strictObject({
      kind: z.literal("text"),
      op: z.enum(["contains", "wildcard", "regex"]),
      value: text(500, "The text"),
    }),
    z.strictObject({ kind: z.literal("selection"), minLen: z._default(whole(1, 2_000, "The length"), 1) }),
    z.strictObject({ kind: z.literal("contextMenu"), on: z.enum(MENU_TARGETS) }),
    z.strictObject({ kind: z.literal("meta"), name: text(100, "A name"), ...comparison }),
    z.strictObject({
      kind: z.literal("jsonld"),
      type: text(100, "A type"),
      path: z._default(z.string().check(z.maxLength(200)), ""),
      ...comparison,
    }),
    z.strictObject({ kind: z.literal("media"), playing: z.boolean() }),
    z.strictObject({
      kind: z.literal("visits"),
      count: whole(1, 1_000, "The count"),
      windowMs: whole(60_000, 30 * 86_400_000, "The window"),
    }),
    z.strictObject({
      kind: z.literal("schedule"),
      cron: readBy(parseCron),
      timeZone: z
        .string()
        .check(z.maxLength(64), z.refine(isTimeZone, "There is no such time zone. Use a name like Europe/Berlin.")),
    }),
  ],
  "There is no such condition.",
);
export type Condition = z.infer<typeof condition>;
export type ConditionKind = Condition["kind"];

/** Where a value is read. `name` of `group` is one of a url condition's `:name`s; `index` of `path` counts segments from 0, negative from the end. */
export const source = z.discriminatedUnion(
  "kind",
  [
    z.strictObject({ kind: z.literal("url"), part: z.enum(["address", "origin", "host", "path", "hash"]) }),
    z.strictObject({ kind: z.literal("query"), name: text(200, "A name") }),
    z.strictObject({ kind: z.literal("path"), index: whole(-50, 50, "The index") }),
    z.strictObject({ kind: z.literal("group"), name: variable }),
    z.strictObject({ kind: z.literal("menu"), part: z.enum(["link", "media"]) }),
    z.strictObject({ kind: z.literal("canonical") }),
    z.strictObject({ kind: z.literal("jsonld"), type: text(100, "A type"), path: text(200, "A path") }),
    z.strictObject({ kind: z.literal("meta"), name: text(100, "A name") }),
    z.strictObject({ kind: z.literal("app"), part: z.enum(["package", "address", "name"]) }),
    z.strictObject({ kind: z.literal("play") }),
    z.strictObject({ kind: z.literal("css"), css: cssSelector, attr: z.optional(text(100, "An attribute")) }),
    z.strictObject({ kind: z.literal("selection") }),
  ],
  "There is no such source.",
);
export type Source = z.infer<typeof source>;

const extraction = z.strictObject({
  var: variable,
  /** The most trusted of these that has a value wins, whatever their order. */
  from: z
    .array(source)
    .check(z.minLength(1, "Say where the value is read."), z.maxLength(8, "A value has at most 8 sources.")),
  regex: z.optional(regexSource),
  required: z._default(z.boolean(), true),
});
export type Extraction = z.infer<typeof extraction>;

const conditions = z
  .array(condition)
  .check(z.maxLength(MAX_CONDITIONS, `A rule has at most ${MAX_CONDITIONS} conditions.`));

/** What a flow's input gets: a read value as it is, or a fixed text. Never spliced into code or selectors. */
const inputValue = z.union([
  z.strictObject({ var: variable }),
  z.strictObject({ text: z.string().check(z.maxLength(2_048)) }),
]);

const action = z.strictObject({
  flowId,
  /** A tag: whichever of its phones is free first. */
  phone: z.union([phoneId, z.enum(["ask", "new"]), z.strictObject({ tag: phoneTag })]),
  inputs: z._default(
    z.record(variable, inputValue).check(z.refine((all) => Object.keys(all).length <= 32, "At most 32 inputs.")),
    {},
  ),
});

/** A rule by itself; `parseRule` also holds its parts against each other. */
export const ruleShape = z.strictObject({
  id: ruleId,
  name: z
    .string()
    .check(z.trim(), z.minLength(1, "Give the rule a name."), z.maxLength(80, "A name has at most 80 characters.")),
  enabled: z._default(z.boolean(), true),
  when: z.union(
    [
      z.strictObject({ all: conditions }),
      z.strictObject({ any: conditions.check(z.minLength(1, "Add a condition.")) }),
    ],
    "Conditions stand in either all or any.",
  ),
  extract: z._default(
    z.array(extraction).check(z.maxLength(MAX_VALUES, `A rule reads at most ${MAX_VALUES} values.`)),
    [],
  ),
  action,
  mode: z._default(
    z.union([
      z.enum(["single", "restart", "queued"]),
      z.strictObject({ parallel: whole(2, 10, "The number of runs") }),
    ]),
    "single",
  ),
  oncePer: z._default(
    z.union([z.enum(["navigation", "url", "url/day", "site/hour"]), z.strictObject({ value: variable })]),
    "navigation",
  ),
  debounceMs: z._default(whole(0, 60_000, "The quiet time"), 800),
  cooldownMs: z._default(whole(0, 7 * 86_400_000, "The cooldown"), 30_000),
  caps: z._default(z.strictObject({ hour: whole(1, 200, "The cap"), day: whole(1, 1_000, "The cap") }), {
    hour: 20,
    day: 100,
  }),
  confirm: z._default(z.enum(["always", "first", "never"]), "first"),
  /** Where the rule may act by itself. Empty: nowhere, it runs by a click, a menu or a schedule. */
  scope: z._default(
    z.array(matchPattern).check(z.maxLength(MAX_SCOPE, `A scope has at most ${MAX_SCOPE} patterns.`)),
    [],
  ),
  expiresAt: z.optional(z.iso.datetime("Write the time as 2026-12-31T23:59:59Z.")),
  dryRun: z._default(z.boolean(), false),
  /** Whether runs it starts may use the secrets granted to their flow. A page decides when they start. */
  secrets: z._default(z.boolean(), false),
});
export type Rule = z.infer<typeof ruleShape>;
/** A rule as it is written, defaults left out. */
export type RuleInput = z.input<typeof ruleShape>;
export type StartWay = (typeof START_WAYS)[number];
export type MenuTarget = (typeof MENU_TARGETS)[number];
export type Operator = (typeof OPERATORS)[number];

export interface Problem {
  /** Such as `when.all.0.css`. */
  readonly path: string;
  readonly message: string;
}
