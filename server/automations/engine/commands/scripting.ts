/** User JavaScript. */
import type { Handlers } from "../context.ts";
import { StepFailure } from "../failures.ts";
import { conditionHolds } from "../lookup.ts";

export const scripting: Handlers<"evalScript" | "runScript"> = {
  async evalScript(step, { script }) {
    // Maestro evaluates what stands in ${…}; a script without is taken as a whole.
    if (script.includes("${")) await step.expand(script);
    else await step.scripts.run(script, step.env, step.call);
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
