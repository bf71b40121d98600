/** All programs of the phone by name. */
import { InstallSessions } from "../installer.ts";
import { TestProviders } from "../location.ts";
import type { CommandIo } from "../shell-stub.ts";
import { activityPrograms } from "./activity.ts";
import type { ProgramContext, Programs } from "./context.ts";
import { dumpsysPrograms } from "./dumpsys.ts";
import { filePrograms } from "./files.ts";
import { packagePrograms } from "./package-manager.ts";
import { screenPrograms } from "./screen.ts";
import { systemPrograms } from "./system.ts";

/** `cmd package …` is `pm …`, and so on. */
const SERVICES: Readonly<Record<string, string>> = { package: "pm", activity: "am", window: "wm", appops: "appops" };

export function phonePrograms(context: ProgramContext, more: Programs): Programs {
  const { phone } = context;
  const providers = new TestProviders((place) => {
    phone.location = place;
    phone.changed();
  });
  return {
    ...filePrograms(context),
    ...screenPrograms(context),
    ...activityPrograms(context),
    ...packagePrograms(context, new InstallSessions(phone)),
    ...dumpsysPrograms(context),
    ...systemPrograms(context, providers),
    ...more,
    toybox: () => 0,
  };
}

export function runProgram(programs: Programs, io: CommandIo): Promise<number> {
  const [first = "", ...rest] = io.args;
  const service = io.name === "cmd" ? SERVICES[first] : undefined;
  const name = io.name === "toybox" && first !== "toybox" ? first : (service ?? io.name);
  const program = Object.hasOwn(programs, name) ? programs[name] : undefined;
  if (program === undefined) {
    io.err(`${io.name}: Unknown command ${first} (see "toybox --help")\n`);
    return Promise.resolve(127);
  }
  return Promise.resolve(program(name === io.name ? io : { ...io, name, args: rest }));
}
