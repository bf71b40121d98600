/** User JavaScript. */
import { splitTemplate } from "../../../../shared/flows/template.ts";
import type { Handlers } from "../context.ts";
import { StepFailure } from "../failures.ts";
import { conditionHolds } from "../lookup.ts";

export const scripting: Handlers<"evalScript" | "runScript"> = {
  async evalScript(step, { script }) {
    // `${…}` around all of it is how Maestro's flows write a script; the braces are not part of it.
    const [only, ...others] = splitTemplate(script.trim());
    const source = only?.kind === "expression" && others.length === 0 ? only.source : script;
    await step.scripts.run(source, step.env, step.call);
    return undefined;
  },
  async runScript(step, { file, when }) {
    if (when !== undefined && !(await conditionHolds(step, when, step.limits.optionalMs))) {
      return "Skipped: its condition did not hold.";
    }
    throw new StepFailure(
      "phone_cannot",
      `There is no file ${(await step.expand(file)).slice(0, 80)} beside this flow. Put the script into evalScript.`,
    );
  },
};
