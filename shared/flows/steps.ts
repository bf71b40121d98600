/** Reads a list of commands: each item is a name, or a name with a colon and what it needs. */
import type { CommandContext, CommandSpec } from "./command-spec.ts";
import { COMMAND_NAMES, commandFields, commandSpec } from "./commands.ts";
import type { Place, Step } from "./model.ts";
import { Fields, type FlowReader } from "./reader.ts";
import { isNothing, type MapNode, type SourceNode } from "./source.ts";
import { unknownCommand } from "./suggestions.ts";

export const MAX_STEPS = 2000;

/** `path` is that of the list; "" for the flow's own. */
export function readStepList(reader: FlowReader, node: SourceNode, path: string): readonly Step[] {
  if (node.kind !== "list") {
    reader.error(node.place, "Commands are a list: put `- ` before each, for example `- launchApp`.");
    return [];
  }
  const steps: Step[] = [];
  for (const [index, item] of node.items.entries()) {
    if (reader.full || reader.commands > MAX_STEPS) break;
    reader.commands += 1;
    if (reader.commands > MAX_STEPS) {
      reader.error(
        item.place,
        `A flow may have ${MAX_STEPS} commands at most; move some to another file and use \`runFlow\`.`,
      );
      break;
    }
    const step = readStep(reader, item, path === "" ? `${index}` : `${path}.${index}`);
    if (step !== undefined) steps.push(step);
  }
  return steps;
}

function readStep(reader: FlowReader, item: SourceNode, path: string): Step | undefined {
  const context: CommandContext = { path, steps: (node, below) => readStepList(reader, node, below) };
  if (isNothing(item)) return reader.error(item.place, "A command is missing after this `-`.");
  if (item.kind === "scalar") {
    const spec = commandSpec(item.text);
    if (spec === undefined) return reader.error(item.place, unknownCommand(item.text, COMMAND_NAMES));
    if (!spec.bare) return reader.error(item.place, `\`${item.text}\` needs more: \`- ${spec.example}\`.`);
    const command = spec.read(new Fields(reader, item.text, { kind: "map", entries: [], place: item.place }), context);
    return command && { command, place: item.place, optional: spec.optionalByDefault ?? false, path };
  }
  const [first, second] = item.kind === "map" ? item.entries : [];
  if (first === undefined) {
    return reader.error(
      item.place,
      "A command is a name, or a name with a colon and what it needs: `- tapOn: Log in`.",
    );
  }
  const spec = commandSpec(first.key);
  if (spec === undefined || first.key === "hide keyboard") {
    return reader.error(first.keyPlace, unknownCommand(first.key, COMMAND_NAMES));
  }
  if (second !== undefined) return reader.error(second.keyPlace, secondKey(first.key, second.key));
  const map = asMap(reader, first.key, spec, first.value, first.keyPlace);
  if (map === undefined) return undefined;
  const fields = new Fields(reader, first.key, map);
  if (spec.fields !== undefined) fields.only([...spec.fields, "label", "optional"], spec.mistakes);
  const command = spec.read(fields, context);
  const label = fields.text("label");
  const optional = fields.flag("optional") ?? spec.optionalByDefault ?? false;
  return command && { command, place: first.keyPlace, ...(label === undefined ? {} : { label }), optional, path };
}

/** The short form, as the map it stands for. */
function asMap(
  reader: FlowReader,
  name: string,
  spec: CommandSpec,
  value: SourceNode,
  place: Place,
): MapNode | undefined {
  if (isNothing(value)) {
    const help = spec.bare
      ? `Write \`- ${name}\` without the colon, or what it needs below it.`
      : `Write \`- ${spec.example}\`.`;
    return reader.error(place, `\`${name}:\` has nothing after its colon. ${help}`);
  }
  if (value.kind === "map") return value;
  const takes = spec.shortTakes === "list" ? "list" : "scalar";
  if (spec.short === undefined || value.kind !== takes) {
    return reader.error(
      value.place,
      `\`${name}\` does not take ${value.kind === "list" ? "a list" : "a text"} here; write \`- ${spec.example}\`.`,
    );
  }
  return { kind: "map", entries: [{ key: spec.short, keyPlace: value.place, value }], place: value.place };
}

function secondKey(first: string, second: string): string {
  const shown = second.slice(0, 60);
  if (COMMAND_NAMES.includes(second) && !commandFields(first).includes(second)) {
    return `\`${shown}\` is a second command in the same item; put \`- \` before it.`;
  }
  if (commandFields(first).includes(second)) {
    return `\`${shown}\` belongs to \`${first}\`: indent it by two more spaces, below the name \`${first}:\`.`;
  }
  return `\`${shown}\` stands beside \`${first}\` in one item. Indent it to make it part of \`${first}\`, or put \`- \` before it if it is a command.`;
}
