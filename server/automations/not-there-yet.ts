/**
 * What the flow language has and this version does not do. Said when a flow is checked, so that nothing begins that
 * cannot end; as a warning where the flow runs all the same.
 */
import type { Command, Diagnostic, FlowHeader, ParsedFlow, Step } from "../../shared/flows/model.ts";
import { allSteps } from "../../shared/flows/targets.ts";

/** Adds to what reading the flow found; a flow that cannot run to its end is left out. */
export function checkedFlow(parsed: ParsedFlow): ParsedFlow {
  const { flow, ...rest } = parsed;
  if (flow === undefined) return parsed;
  const found = [...headerWords(flow.header), ...allSteps(flow).flatMap(stepWords)];
  const diagnostics = [...parsed.diagnostics, ...found].sort((a, b) => a.line - b.line || a.column - b.column);
  const runs = found.every(({ severity }) => severity !== "error");
  return { ...rest, diagnostics, ...(runs ? { flow } : {}) };
}

function stepWords({ command, place, optional }: Step): Diagnostic[] {
  const message = commandWords(command);
  return message === undefined ? [] : [{ ...place, severity: optional ? "warning" : "error", message }];
}

function commandWords(command: Command): string | undefined {
  switch (command.name) {
    case "runFlow":
    case "retry":
      return "file" in command.steps
        ? `Files of flows are not there yet. Write the steps of ${command.name} in place, under \`commands\`.`
        : undefined;
    case "runScript":
      return "Files of scripts are not there yet. Write the script in place, with evalScript.";
    case "addMedia":
      return "Media files of flows are not there yet. Remove the step.";
    case "assertScreenshot":
      return "Comparing screenshots is not there yet. Take one with takeScreenshot.";
    case "startRecording":
    case "stopRecording":
      return "Recording the screen is not there yet. Take pictures with takeScreenshot.";
    default:
      return undefined;
  }
}

function headerWords({ secrets, limits }: FlowHeader): Diagnostic[] {
  const at = { line: 1, column: 1 } as const;
  const words: Diagnostic[] = [];
  if (secrets.length > 0) {
    const message = "Secrets are not there yet: their names have no value. Use an input, which reports show.";
    words.push({ ...at, severity: "error", message });
  }
  if (limits.cleanupOnCancelMs !== undefined) {
    words.push({ ...at, severity: "warning", message: "`limits.cleanupOnCancel` has no effect yet." });
  }
  return words;
}
