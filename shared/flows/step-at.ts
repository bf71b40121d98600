/** The step at a line of a flow, also of one that has mistakes elsewhere: a text being written is seldom right. */
import { targetOf } from "./heal.ts";
import type { Flow, FlowHeader, Selector, Step } from "./model.ts";
import { parseFlow } from "./parse.ts";
import { allSteps } from "./targets.ts";

export interface StepAt {
  readonly step: Step;
  readonly header: FlowHeader;
}

/** `line` counts from 1. Undefined where no step is, or where it cannot be read. */
export function stepAt(source: string, line: number): StepAt | undefined {
  for (const text of readings(source, line)) {
    const { flow } = parseFlow(text);
    const step = flow && stepOfLine(flow, source, line);
    if (flow !== undefined && step !== undefined) return { step, header: flow.header };
  }
  return undefined;
}

/** The innermost step whose lines hold `line`. */
export function stepOfLine(flow: Flow, source: string, line: number): Step | undefined {
  const lines = source.split("\n");
  const column = ({ place }: Step) => (lines[place.line - 1] ?? "").search(/\S/);
  const before = allSteps(flow)
    .filter(({ place }) => place.line <= line)
    .sort((a, b) => a.place.line - b.place.line || a.place.column - b.place.column);
  const step = before.at(-1);
  if (step === undefined) return undefined;
  // A line further out, such as the header's end or a field of the outer step, is not the inner one's.
  const holds = (one: Step) =>
    lines
      .slice(one.place.line, line)
      .every((text) => /^\s*(#|$)/.test(text) || (text.search(/\S/) > column(one) && !/^---/.test(text)));
  return before.toReversed().find((one) => (one === step || step.path.startsWith(`${one.path}.`)) && holds(one));
}

/** The text itself, then only the outermost step at the line, in its place, below the header and below any header. */
function* readings(source: string, line: number): Generator<string> {
  yield source;
  const lines = source.split("\n");
  const start = lines.findIndex((text) => /^---(\s|$)/.test(text));
  const dash = /^(\s*)-(\s|$)/;
  const margin = dash.exec(lines.slice(start + 1).find((text) => dash.test(text)) ?? "")?.[1];
  if (start === -1 || margin === undefined || line <= start + 1) return;
  const begins = (text: string) => text.startsWith(`${margin}-`);
  const first = lines.findLastIndex((text, index) => index > start && index < line && begins(text));
  if (first === -1) return;
  const next = lines.findIndex((text, index) => index > first && begins(text));
  const own = lines.map((text, index) => (index >= first && (next === -1 || index < next) ? text : ""));
  yield [...lines.slice(0, start + 1), ...own.slice(start + 1)].join("\n");
  const blank = Array.from({ length: Math.max(0, start - 1) }, () => "");
  yield ["url: https://example.com", ...blank, "---", ...own.slice(Math.max(2, start + 1))].join("\n");
}

/** The element a step is about, or the first of those it asks for. */
export function selectorOf({ command }: Step): Selector | undefined {
  const target = targetOf(command);
  if (target !== undefined) return target.selector;
  switch (command.name) {
    case "assertNotVisible":
      return command.selector;
    case "extendedWaitUntil":
      return command.condition.notVisible;
    case "runFlow":
    case "runScript":
      return command.when?.visible ?? command.when?.notVisible;
    case "repeat":
      return command.while?.visible ?? command.while?.notVisible;
    case "takeScreenshot":
    case "assertScreenshot":
      return command.cropOn;
    default:
      return undefined;
  }
}
