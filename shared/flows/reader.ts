/** Reads values out of source nodes and collects what is wrong with them, each with its place. */
import type { Diagnostic, Place, Template } from "./model.ts";
import { type Entry, isNothing, type MapNode, type SourceNode } from "./source.ts";
import { didYouMean } from "./suggestions.ts";

const MAX_DIAGNOSTICS = 200;

/** What one reading gathers. */
export class FlowReader {
  readonly diagnostics: Diagnostic[] = [];
  /** Commands read so far, nested ones and hooks included. */
  commands = 0;
  /** Becomes false at what the Maestro CLI would refuse or do differently. */
  portable = true;

  get full(): boolean {
    return this.diagnostics.length >= MAX_DIAGNOSTICS;
  }
  get failed(): boolean {
    return this.diagnostics.some(({ severity }) => severity === "error");
  }
  error(place: Place, message: string): undefined {
    this.add(place, "error", message);
  }
  warn(place: Place, message: string): undefined {
    this.add(place, "warning", message);
  }
  private add({ line, column }: Place, severity: Diagnostic["severity"], message: string): void {
    if (!this.full) this.diagnostics.push({ line, column, severity, message });
  }

  text(node: SourceNode, what: string): Template | undefined {
    if (node.kind === "scalar" && !isNothing(node)) return node.text;
    return this.error(
      node.place,
      `${what} must be text${node.kind === "scalar" ? "; nothing stands here" : `, not a ${node.kind}`}.`,
    );
  }

  flag(node: SourceNode, what: string): boolean | undefined {
    if (node.kind === "scalar" && /^(true|True|TRUE)$/.test(node.text)) return true;
    if (node.kind === "scalar" && /^(false|False|FALSE)$/.test(node.text)) return false;
    return this.error(node.place, `${what} must be \`true\` or \`false\`.`);
  }

  list(node: SourceNode, what: string): readonly SourceNode[] | undefined {
    if (node.kind === "list") return node.items;
    if (isNothing(node)) return [];
    return this.error(node.place, `${what} must be a list: one \`- \` line for each.`);
  }

  /** Names and texts, as in `env`. */
  texts(node: SourceNode, what: string): Readonly<Record<string, Template>> | undefined {
    if (isNothing(node)) return {};
    if (node.kind !== "map") return this.error(node.place, `${what} must be names with values: \`NAME: value\`.`);
    const values = node.entries.map(({ key, keyPlace, value }): [string, string] => {
      if (!isNothing(value)) return [key, this.text(value, `\`${key}\` in ${what}`) ?? ""];
      this.error(keyPlace, `\`${key}\` in ${what} has no value; write \`""\` for an empty one.`);
      return [key, ""];
    });
    return Object.fromEntries(values);
  }
}

export interface NumberRules {
  readonly min: number;
  readonly max: number;
  readonly whole: boolean;
}
/** Milliseconds, up to a day. */
export const MILLISECONDS: NumberRules = { min: 0, max: 86_400_000, whole: true };

/** A map's values by name. What is absent and what is nothing (`text:`) read the same. */
export class Fields {
  readonly reader: FlowReader;
  readonly owner: string;
  readonly map: MapNode;
  private readonly byName: ReadonlyMap<string, Entry>;

  constructor(reader: FlowReader, owner: string, map: MapNode) {
    this.reader = reader;
    this.owner = owner;
    this.map = map;
    this.byName = new Map(map.entries.map((entry) => [entry.key, entry]));
  }

  get place(): Place {
    return this.map.place;
  }

  /** Reports what is not among `known`; `mistakes` are sentences for names that people often write. */
  only(known: readonly string[], mistakes: Readonly<Record<string, string>> = {}): void {
    for (const { key, keyPlace } of this.map.entries) {
      if (this.reader.full) return;
      if (known.includes(key)) continue;
      const shown = key.slice(0, 60);
      const help = Object.hasOwn(mistakes, key) ? ` ${mistakes[key]}` : didYouMean(shown, known);
      this.reader.error(keyPlace, `\`${this.owner}\` has no field \`${shown}\`.${help}`);
    }
  }

  entry(name: string): Entry | undefined {
    return this.byName.get(name);
  }
  node(name: string): SourceNode | undefined {
    const value = this.byName.get(name)?.value;
    return value === undefined || isNothing(value) ? undefined : value;
  }
  text(name: string): Template | undefined {
    const node = this.node(name);
    return node && this.reader.text(node, this.what(name));
  }
  needed(name: string, example: string): Template | undefined {
    const node = this.node(name);
    if (node !== undefined) return this.reader.text(node, this.what(name));
    return this.missing(name, example);
  }
  missing(name: string, example: string): undefined {
    return this.reader.error(
      this.byName.get(name)?.keyPlace ?? this.place,
      `\`${this.owner}\` needs \`${name}\`, for example \`${example}\`.`,
    );
  }
  flag(name: string): boolean | undefined {
    const node = this.node(name);
    return node && this.reader.flag(node, this.what(name));
  }
  texts(name: string): Readonly<Record<string, Template>> | undefined {
    const node = this.node(name);
    return node && this.reader.texts(node, this.what(name));
  }

  /** A number as written; `10_000` is 10000. */
  number(name: string, rules: NumberRules): number | undefined {
    const node = this.node(name);
    if (node === undefined) return undefined;
    const value = node.kind === "scalar" ? literal(node.text) : undefined;
    if (value !== undefined && value >= rules.min && value <= rules.max && (!rules.whole || Number.isInteger(value)))
      return value;
    return this.reader.error(node.place, `${this.what(name)} must be ${numberWords(rules)}.`);
  }

  /** A number or an expression that gives one. Where Maestro takes only a number, an expression costs portability. */
  numberText(name: string, rules: NumberRules, maestroTakes: "expressions" | "numbers"): Template | undefined {
    const node = this.node(name);
    if (node?.kind === "scalar" && node.text.includes("${")) {
      if (maestroTakes === "numbers") this.reader.portable = false;
      return node.text;
    }
    const value = this.number(name, rules);
    return value === undefined ? undefined : String(value);
  }

  /** One of the words, in any case and with or without underscores; the word itself comes back. */
  word<Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    const node = this.node(name);
    if (node === undefined) return undefined;
    const found = node.kind === "scalar" ? wordOf(node.text, words) : undefined;
    return found ?? this.reader.error(node.place, `${this.what(name)} must be one of ${words.join(", ")}.`);
  }

  what(name: string): string {
    return `\`${name}\` of \`${this.owner}\``;
  }
}

export function wordOf<Word extends string>(text: string, words: readonly Word[]): Word | undefined {
  const plain = (word: string) => word.toLowerCase().replaceAll("_", "");
  return words.find((word) => plain(word) === plain(text));
}

function literal(text: string): number | undefined {
  if (!/^[+-]?[0-9][0-9_]*(\.[0-9]+)?$/.test(text)) return undefined;
  return Number(text.replaceAll("_", ""));
}

function numberWords({ min, max, whole }: NumberRules): string {
  const kind = whole ? "a whole number" : "a number";
  if (min === -Infinity && max === Infinity) return kind;
  return max === Infinity ? `${kind}, ${min} or more` : `${kind} from ${min} to ${max}`;
}

/** `T` with what may be undefined as optional: under exact optional types an absent field and an undefined one differ. */
export type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Leaves out undefined fields. The cast holds because exactly those are removed. */
export function present<const T extends object>(value: T): Present<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Present<T>;
}
