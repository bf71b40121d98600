/** A flow as a list of steps in words, with the lines each stands in and how it went in a run. */

import type { RunStep } from "../../../../shared/automation-model.ts";
import { innerSteps } from "../../../../shared/flows/capabilities.ts";
import type { Flow, Step } from "../../../../shared/flows/model.ts";
import { parseFlow } from "../../../../shared/flows/parse.ts";
import { stepOfLine } from "../../../../shared/flows/step-at.ts";
import { allSteps, stepKey } from "../../../../shared/flows/targets.ts";
import { linesOf, type StepLines, siblingsOf } from "./step-edits.ts";
import { stepWords } from "./step-words.ts";

export type OutlinePart = "onFlowStart" | "steps" | "onFlowComplete" | "onFlowFailure";

export interface OutlineStep {
  readonly path: string;
  readonly words: string;
  readonly depth: number;
  readonly part: OutlinePart;
  readonly line: number;
  readonly column: number;
  /** Undefined for one that shares its lines with others. */
  readonly lines: StepLines | undefined;
  /** Its place among the flow's outermost steps, or that of the one it stands in; undefined in hooks. */
  readonly outer: number | undefined;
  readonly first: boolean;
  readonly last: boolean;
}

export interface Outline {
  readonly source: string;
  readonly flow: Flow;
  readonly steps: readonly OutlineStep[];
}

/** Undefined for a text that cannot be read. */
export function outlineOf(source: string): Outline | undefined {
  const { flow } = parseFlow(source);
  if (flow === undefined) return undefined;
  const lines = source.split("\n");
  const list = (steps: readonly Step[], part: OutlinePart, depth: number): readonly OutlineStep[] =>
    steps.flatMap((step, index) => [
      {
        path: step.path,
        words: stepWords(step),
        depth,
        part,
        line: step.place.line,
        column: step.place.column,
        lines: linesOf(lines, step),
        outer: part === "steps" ? Number.parseInt(step.path, 10) : undefined,
        first: index === 0,
        last: index === steps.length - 1,
      },
      ...list(innerSteps(step.command), part, depth + 1),
    ]);
  const { onFlowStart, onFlowComplete, onFlowFailure } = flow.header;
  return {
    source,
    flow,
    steps: [
      ...list(onFlowStart, "onFlowStart", 0),
      ...list(flow.steps, "steps", 0),
      ...list(onFlowComplete, "onFlowComplete", 0),
      ...list(onFlowFailure, "onFlowFailure", 0),
    ],
  };
}

/** The path of the step at a line, counting from 1. */
export function pathAt({ flow, source }: Outline, line: number): string | undefined {
  return stepOfLine(flow, source, line)?.path;
}

/** Whether it is the only one in its list. */
export function isOnly({ flow }: Outline, path: string): boolean {
  return siblingsOf(flow, path)?.length === 1;
}

/**
 * How the steps of a flow went in a run of `ran`, an earlier text of it: by path, the newest of each. A step that was
 * changed or moved since has no mark.
 */
export function marksOf(outline: Outline, ran: Outline, steps: readonly RunStep[]): ReadonlyMap<string, RunStep> {
  const keys = new Map(allSteps(ran.flow).map((step) => [step.path, stepKey(step)]));
  const newest = new Map(steps.map((step) => [step.path, step]));
  const marks = new Map<string, RunStep>();
  for (const step of allSteps(outline.flow)) {
    const mark = newest.get(step.path);
    if (mark !== undefined && keys.get(step.path) === stepKey(step)) marks.set(step.path, mark);
  }
  return marks;
}
