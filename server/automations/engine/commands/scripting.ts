/** User JavaScript. */
import type { Handlers } from "../context.ts";
import { conditionHolds } from "../lookup.ts";
import { fileNamed } from "../words.ts";

export const scripting: Handlers<"evalScript" | "runScript"> = {
  async evalScript(step, { script }) {
    await step.scripts.run(script, step.env, step.call);
    return undefined;
  },
  async runScript(step, { file, env, when }) {
    if (when !== undefined && !(await conditionHolds(step, when, step.limits.optionalMs))) {
      return "Skipped: its condition did not hold.";
    }
    const script = step.files.text(fileNamed(step.file, await step.expand(file)));
    const own: Record<string, string> = {};
    for (const [name, template] of Object.entries(env)) own[name] = await step.expand(template);
    await step.scripts.run(script, { ...step.env, ...own }, step.call);
    return undefined;
  },
};
