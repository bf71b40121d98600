/** Places in a text and the few edits a plain text field lacks. Offsets count UTF-16 units, as the DOM does. */
import type { Place } from "../../../../shared/flows/model.ts";

/** Where a line and column are; past the end of a line or the text it is the nearest place there is. */
export function offsetOf(text: string, { line, column }: Place): number {
  let start = 0;
  for (let current = 1; current < line; current++) {
    const end = text.indexOf("\n", start);
    if (end === -1) return text.length;
    start = end + 1;
  }
  const end = text.indexOf("\n", start);
  return Math.min(start + column - 1, end === -1 ? text.length : end);
}

export interface Edit {
  /** What to replace. */
  readonly from: number;
  readonly to: number;
  readonly insert: string;
}

const INDENT = "  ";

/** Enter: a new line as far in as this one; two spaces further after a line that opens a list or map. */
export function newLine(text: string, from: number, to: number): Edit {
  const line = text.slice(lineStart(text, from), from);
  const spaces = /^ */.exec(line)?.[0] ?? "";
  // What belongs to a list's entry stands under its text, not under its dash.
  const dash = /^ *- /.test(line) ? INDENT : "";
  const opens = /:\s*$/.test(line) ? INDENT + dash : "";
  return { from, to, insert: `\n${spaces}${opens}` };
}

function lineStart(text: string, at: number): number {
  return text.slice(0, at).lastIndexOf("\n") + 1;
}
