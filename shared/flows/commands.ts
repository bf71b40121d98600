/** Every command of the language by name, and what completion offers. */

import type { CommandSpec } from "./command-spec.ts";
import { FLOW_COMMANDS } from "./commands-flow.ts";
import { PHONE_COMMANDS } from "./commands-phone.ts";
import { SCREEN_COMMANDS } from "./commands-screen.ts";
import { TEXT_COMMANDS } from "./commands-text.ts";

const COMMANDS: ReadonlyMap<string, CommandSpec> = new Map(
  Object.entries({ ...SCREEN_COMMANDS, ...TEXT_COMMANDS, ...PHONE_COMMANDS, ...FLOW_COMMANDS }),
);

export const COMMAND_NAMES: readonly string[] = [...COMMANDS.keys()];

export function commandSpec(name: string): CommandSpec | undefined {
  return COMMANDS.get(name === "hide keyboard" ? "hideKeyboard" : name);
}

/** What may stand below a command, for completion; empty for names that are no command. */
export function commandFields(name: string): readonly string[] {
  const spec = COMMANDS.get(name);
  if (spec === undefined || name === "action") return [];
  return [...(spec.fields ?? spec.completes ?? []), "label", "optional"];
}

/** One line that is right, for completion and messages; undefined for names that are no command. */
export function commandExample(name: string): string | undefined {
  return COMMANDS.get(name)?.example;
}
