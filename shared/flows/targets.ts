/** Names a step so that what was recorded for it is found again, and no longer once it is edited or moved. */
import { innerSteps } from "./capabilities.ts";
import type { Command, Flow, Step } from "./model.ts";

/** `<path>#<hash of the command>`: the key of a step in `x-targets`. */
export function stepKey({ path, command }: Pick<Step, "path" | "command">): string {
  return `${path}#${hash(canonical(command))}`;
}

/** Every step of a flow, hooks first and last, nested ones after the step that holds them. */
export function allSteps({ header, steps }: Flow): readonly Step[] {
  const walk = (step: Step): readonly Step[] => [step, ...innerSteps(step.command).flatMap(walk)];
  return [...header.onFlowStart, ...steps, ...header.onFlowComplete, ...header.onFlowFailure].flatMap(walk);
}

/** The order of fields and the places of inner steps do not count. */
function canonical(command: Command): string {
  return JSON.stringify(command, (key, value: unknown) => {
    if (key === "place") return undefined;
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** FNV-1a, 32 bits: short enough to read, and nobody gains by a collision. */
function hash(text: string): string {
  let state = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) state = Math.imul(state ^ text.charCodeAt(at), 0x01000193);
  return (state >>> 0).toString(16).padStart(8, "0");
}
