/** User JavaScript. */
import { splitTemplate } from "../../../../shared/flows/template.ts";
import type { Handlers } from "../context.ts";
import { conditionHolds } from "../lookup.ts";
import { fileNamed } from "../words.ts";

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
