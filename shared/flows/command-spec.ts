/** How one command is read; every command of the language is a value of this shape. */
import type { Command, Condition, Step, Steps } from "./model.ts";
import { Fields, present } from "./reader.ts";
import { readSelector } from "./selectors.ts";
import type { SourceNode } from "./source.ts";

export interface CommandContext {
  /** The step's own path; nested lists hang below it. */
  readonly path: string;
  readonly steps: (node: SourceNode, path: string) => readonly Step[];
}

export interface CommandSpec {
  /** Names it may hold besides `label` and `optional`; absent: it checks them itself. */
  readonly fields?: readonly string[];
  /** For completion, where `fields` does not say. */
  readonly completes?: readonly string[];
  /** The field that a value right after the name fills: `inputText: hello` is `inputText: {text: hello}`. */
  readonly short?: string;
  /** What the short form takes. */
  readonly shortTakes?: "text" | "list";
  /** Whether the name alone is the whole command. */
  readonly bare: boolean;
  /** One line that is right. */
  readonly example: string;
  readonly mistakes?: Readonly<Record<string, string>>;
  /** AI assertions warn instead of failing unless told otherwise. */
  readonly optionalByDefault?: true;
  readonly read: (fields: Fields, context: CommandContext) => Command | undefined;
}

export type CommandTable = Readonly<Record<string, CommandSpec>>;

const CONDITION_FIELDS = ["visible", "notVisible", "true", "platform", "label", "optional"];
export const PLATFORMS = ["android", "ios", "web"] as const;

export function readCondition(fields: Fields, name: string): Condition | undefined {
  const node = fields.node(name);
  if (node === undefined) return undefined;
  if (node.kind !== "map") {
    return fields.reader.error(
      node.place,
      `${fields.what(name)} needs \`visible:\`, \`notVisible:\`, \`true:\` or \`platform:\` below it.`,
    );
  }
  const condition = new Fields(fields.reader, name, node);
  condition.only(CONDITION_FIELDS, {
    env: `\`env\` stands beside \`${name}\`, not in it: move it to the left.`,
    commands: `\`commands\` stands beside \`${name}\`, not in it: move it to the left.`,
    file: `\`file\` stands beside \`${name}\`, not in it: move it to the left.`,
    false: 'Write `true: "${!condition}"`.',
    text: "Put the element under `visible:`.",
    id: "Put the element under `visible:`.",
    timeout: `\`${name}\` looks for up to 7 s; use \`extendedWaitUntil\` before it to wait longer.`,
  });
  const read = present({
    visible: readSelectorOf(condition, "visible"),
    notVisible: readSelectorOf(condition, "notVisible"),
    true: condition.text("true")?.trim(),
    platform: condition.word("platform", PLATFORMS),
  });
  if (Object.keys(read).length === 0 && !fields.reader.failed) {
    fields.reader.warn(node.place, `${fields.what(name)} holds no condition, so it is always met.`);
  }
  return read;
}

export function readSelectorOf(fields: Fields, name: string) {
  const node = fields.node(name);
  return node && readSelector(fields.reader, node, name);
}

/** Steps of `file:` or `commands:`, one of the two. */
export function readSteps(fields: Fields, context: CommandContext): Steps | undefined {
  const file = fields.entry("file");
  const commands = fields.entry("commands");
  if (file !== undefined && commands !== undefined && fields.node("file") && fields.node("commands")) {
    return fields.reader.error(commands.keyPlace, `\`${fields.owner}\` takes \`file\` or \`commands\`, not both.`);
  }
  const list = fields.node("commands");
  if (list !== undefined) return { commands: context.steps(list, `${context.path}.commands`) };
  const name = fields.text("file");
  if (name !== undefined) return { file: name };
  return fields.reader.error(fields.place, `\`${fields.owner}\` needs \`file:\` or \`commands:\`.`);
}
