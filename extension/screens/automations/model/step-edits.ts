/**
 * Changes of whole steps in a flow's text: everything else stays as it is written, and what was recorded for a step
 * (`x-targets`) stays with it. All of them give the new text, or undefined where the text cannot be changed so.
 */
import { innerSteps } from "../../../../shared/flows/capabilities.ts";
import type { Flow, Step } from "../../../../shared/flows/model.ts";
import { parseFlow } from "../../../../shared/flows/parse.ts";
import { allSteps, stepKey } from "../../../../shared/flows/targets.ts";

export type StepEdit = "duplicate" | "delete" | "up" | "down";

/** The lines of a step, counting from 0, with the comments right above it; `to` is the first line after it. */
export interface StepLines {
  readonly from: number;
  readonly to: number;
}

export function editStep(source: string, path: string, edit: StepEdit): string | undefined {
  const { flow } = parseFlow(source);
  const siblings = flow && siblingsOf(flow, path);
  const at = siblings?.findIndex((step) => step.path === path) ?? -1;
  const step = siblings?.[at];
  if (flow === undefined || siblings === undefined || step === undefined) return undefined;
  const lines = source.split("\n");
  const other = edit === "up" ? siblings[at - 1] : edit === "down" ? siblings[at + 1] : undefined;
  const own = linesOf(lines, step);
  if (own === undefined) return undefined;
  const list = path.slice(0, path.lastIndexOf(".") + 1);
  switch (edit) {
    case "duplicate": {
      const copy = lines.slice(own.from, own.to);
      const next = [...lines.slice(0, own.to), ...copy, ...lines.slice(own.to)].join("\n");
      return verified(next, flow, (index) => (index > at ? index + 1 : index), list);
    }
    case "delete":
      // A list of steps that is empty is none.
      if (siblings.length === 1) return undefined;
      return verified(
        [...lines.slice(0, own.from), ...lines.slice(own.to)].join("\n"),
        flow,
        (index) => (index === at ? undefined : index > at ? index - 1 : index),
        list,
      );
    case "up":
    case "down": {
      const place = other && linesOf(lines, other);
      if (place === undefined) return undefined;
      const [first, second] = edit === "up" ? [place, own] : [own, place];
      // Something between them belongs to neither.
      if (first.to !== second.from) return undefined;
      const next = [
        ...lines.slice(0, first.from),
        ...lines.slice(second.from, second.to),
        ...lines.slice(first.from, first.to),
        ...lines.slice(second.to),
      ].join("\n");
      const upper = edit === "up" ? at - 1 : at;
      return verified(next, flow, (index) => (index === upper ? upper + 1 : index === upper + 1 ? upper : index), list);
    }
  }
}

/** The path of a step after an edit of it. */
export function pathAfter(path: string, edit: StepEdit): string {
  const cut = path.lastIndexOf(".") + 1;
  const index = Number(path.slice(cut)) + (edit === "up" ? -1 : edit === "down" || edit === "duplicate" ? 1 : 0);
  return `${path.slice(0, cut)}${index}`;
}

/** The list a step stands in. */
export function siblingsOf({ header, steps }: Flow, path: string): readonly Step[] | undefined {
  const lists = [steps, header.onFlowStart, header.onFlowComplete, header.onFlowFailure];
  const search = (list: readonly Step[]): readonly Step[] | undefined => {
    if (list.some((step) => step.path === path)) return list;
    const holder = list.find((step) => path.startsWith(`${step.path}.`));
    return holder && search(innerSteps(holder.command));
  };
  for (const list of lists) {
    const found = search(list);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Undefined for steps that share their lines with others, as in `[back, scroll]`. */
export function linesOf(lines: readonly string[], { place }: Pick<Step, "place">): StepLines | undefined {
  let first = place.line - 1;
  const before = (lines[first] ?? "").slice(0, place.column - 1);
  let column = before.search(/-\s+$/);
  if (column === -1 && /^\s*$/.test(before)) {
    // The dash may stand alone on a line above.
    for (first -= 1; first >= 0 && /^\s*(#|$)/.test(lines[first] ?? ""); first -= 1);
    column = (lines[first] ?? "").search(/-\s*(#.*)?$/);
  }
  if (column === -1 || !/^\s*$/.test((lines[first] ?? "").slice(0, column))) return undefined;
  let to = first + 1;
  let end = to;
  for (; end < lines.length; end += 1) {
    const line = lines[end] ?? "";
    if (/^\s*(#|$)/.test(line)) continue;
    if (/^(---|\.\.\.)(\s|$)/.test(line) || line.search(/\S/) <= column) break;
    to = end + 1;
  }
  let from = first;
  while (from > 0 && /^\s*#/.test(lines[from - 1] ?? "") && (lines[from - 1] ?? "").search(/#/) === column) from -= 1;
  // What follows up to the next step's own comments is this one's: blank lines and comments further in.
  if (end < lines.length) {
    let next = end;
    while (next > to && /^\s*#/.test(lines[next - 1] ?? "") && (lines[next - 1] ?? "").search(/#/) === column)
      next -= 1;
    if ((lines[end] ?? "").startsWith(`${" ".repeat(column)}-`)) to = Math.max(to, next);
  }
  return { from, to };
}

/**
 * `next`, if every step is where `move` says (undefined: it is gone) and means what it meant, with the recorded targets
 * moved along. `list` is what the paths of the moved steps begin with.
 */
function verified(
  next: string,
  before: Flow,
  move: (index: number) => number | undefined,
  list: string,
): string | undefined {
  const after = parseFlow(next).flow;
  if (after === undefined) return undefined;
  const moved = (path: string): string | undefined => {
    if (!path.startsWith(list)) return path;
    const [index = "", ...rest] = path.slice(list.length).split(".");
    if (!/^\d+$/.test(index)) return path;
    const to = move(Number(index));
    return to === undefined ? undefined : [`${list}${to}`, ...rest].join(".");
  };
  const found = new Map(allSteps(after).map((step) => [step.path, step]));
  const keys = new Map<string, string | undefined>();
  for (const step of allSteps(before)) {
    const path = moved(step.path);
    const same = path === undefined ? undefined : found.get(path);
    if (path !== undefined && (same === undefined || same.command.name !== step.command.name)) return undefined;
    keys.set(stepKey(step), same && stepKey(same));
  }
  return withTargets(next, keys);
}

const TARGET = /^( +)(["']?)([\w.]+#[0-9a-f]{8})\2:/;

/** Those of steps that are gone stay where they are; formatting removes them. */
function withTargets(source: string, keys: ReadonlyMap<string, string | undefined>): string {
  const lines = source.split("\n");
  const start = lines.indexOf("x-targets:");
  if (start === -1) return source;
  for (let index = start + 1; index < lines.length && !/^\S/.test(lines[index] ?? ""); index += 1) {
    lines[index] = (lines[index] ?? "").replace(TARGET, (whole, indent: string, quote: string, key: string) => {
      const next = keys.get(key);
      return next === undefined ? whole : `${indent}${quote}${next}${quote}:`;
    });
  }
  return lines.join("\n");
}
