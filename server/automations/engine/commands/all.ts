/** Every leaf command with who does it; one that is missing does not compile. */
import type { Command } from "../../../../shared/flows/model.ts";
import type { ContainerName, Handler, Handlers, LeafName, StepContext } from "../context.ts";
import { apps } from "./apps.ts";
import { checking } from "./checking.ts";
import { comparing } from "./comparing.ts";
import { moving } from "./moving.ts";
import { pictures } from "./pictures.ts";
import { scripting } from "./scripting.ts";
import { settings } from "./settings.ts";
import { touching } from "./touching.ts";
import { typing } from "./typing.ts";

const HANDLERS: Handlers<LeafName> = {
  ...apps,
  ...checking,
  ...comparing,
  ...moving,
  ...pictures,
  ...scripting,
  ...settings,
  ...touching,
  ...typing,
};

export type LeafCommand = Exclude<Command, { readonly name: ContainerName }>;

/** Does a leaf command; gives a remark for the report. @throws StepFailure, RunStop */
export function doCommand(step: StepContext, command: LeafCommand): Promise<string | undefined> {
  return handlerOf(command.name)(step, command);
}

/** The table pairs each name with the handler of exactly that command, so the pair fits. */
function handlerOf(name: LeafName): (step: StepContext, command: LeafCommand) => Promise<string | undefined> {
  return HANDLERS[name] as Handler<LeafName> as (
    step: StepContext,
    command: LeafCommand,
  ) => Promise<string | undefined>;
}
