/** Keys of the popup: arrows walk, digits act. Pure, so that every path is testable. */

/** A place the focus can be: a line of the popup and a control in it. */
export interface Spot {
  readonly line: number;
  readonly control: number;
}

/**
 * Where an arrow leads. `lines` is the number of controls in each line. Up and down change the line and land on its
 * first control; left and right stay in the line; nothing wraps. From nowhere, down is the first line and up the last.
 */
export function moveFocus(lines: readonly number[], from: Spot | undefined, key: string): Spot | undefined {
  if (lines.length === 0) return undefined;
  if (from === undefined) {
    if (key === "ArrowDown") return { line: 0, control: 0 };
    return key === "ArrowUp" ? { line: lines.length - 1, control: 0 } : undefined;
  }
  const controls = lines[from.line] ?? 1;
  switch (key) {
    case "ArrowDown":
      return { line: Math.min(from.line + 1, lines.length - 1), control: 0 };
    case "ArrowUp":
      return { line: Math.max(from.line - 1, 0), control: 0 };
    case "ArrowRight":
      return { line: from.line, control: Math.min(from.control + 1, controls - 1) };
    case "ArrowLeft":
      return { line: from.line, control: Math.max(from.control - 1, 0) };
    case "Home":
      return { line: 0, control: 0 };
    case "End":
      return { line: lines.length - 1, control: 0 };
    default:
      return undefined;
  }
}

/** Which phone a digit means: 1 is the first. */
export function digitIndex(key: string, phones: number): number | undefined {
  if (!/^[1-9]$/.test(key)) return undefined;
  const index = Number(key) - 1;
  return index < phones ? index : undefined;
}
