/** User JavaScript. */
import { splitTemplate } from "../../../../shared/flows/template.ts";
import type { Handlers } from "../context.ts";
import { StepFailure } from "../failures.ts";
import { conditionHolds } from "../lookup.ts";

/** Maestro writes a script as `${…}`; one that is written without is taken as it stands. */
function scriptOf(text: string): string {
  const parts = splitTemplate(text);
  const wrapped = parts.every((part) => part.kind === "expression" || part.text.trim() === "");
  return wrapped ? parts.flatMap((part) => (part.kind === "expression" ? [part.source] : [])).join("\n") : text;
}

export const scripting: Handlers<"evalScript" | "runScript"> = {
  async evalScript(step, { script }) {
    await step.scripts.run(scriptOf(script), step.env, step.call);
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
