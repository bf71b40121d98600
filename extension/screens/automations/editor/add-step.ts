/** Steps to put in from a menu, for who does not know their names. */
import type { OutlineStep } from "../model/flow-outline.ts";

export interface StepSnippet {
  readonly id: string;
  readonly label: string;
  /** With `#{…}` as places to fill. */
  readonly snippet: string;
}

export const STEP_SNIPPETS: readonly StepSnippet[] = [
  { id: "tap", label: "Tap something", snippet: "- tapOn: #{text}" },
  { id: "type", label: "Type a text", snippet: "- inputText: #{text}" },
  { id: "check", label: "Check that something is there", snippet: "- assertVisible: #{text}" },
  {
    id: "wait",
    label: "Wait for something",
    snippet: "- extendedWaitUntil:\n    visible: #{text}\n    timeout: #{30000}",
  },
  { id: "scroll", label: "Scroll until something is there", snippet: "- scrollUntilVisible:\n    element: #{text}" },
  { id: "open", label: "Open an address", snippet: "- openLink: #{https://}" },
  { id: "picture", label: "Take a picture", snippet: "- takeScreenshot: #{name}" },
  { id: "back", label: "Go back", snippet: "- back#{}" },
  { id: "repeat", label: "Repeat steps", snippet: "- repeat:\n    times: #{3}\n    commands:\n      - #{scroll}" },
  {
    id: "if",
    label: "Do steps only if something is there",
    snippet: "- runFlow:\n    when:\n      visible: #{text}\n    commands:\n      - #{back}",
  },
];

export interface SnippetPlace {
  /** After this line, counting from 1. */
  readonly line: number;
  readonly indent: number;
}

/** After the step at the cursor, in its list; else at the end of the text. */
export function snippetPlace(source: string, current: OutlineStep | undefined): SnippetPlace {
  const lines = source.split("\n");
  if (current?.lines !== undefined) {
    const first = lines.slice(current.lines.from, current.lines.to).find((line) => !/^\s*#/.test(line)) ?? "";
    const filled = lines.slice(0, current.lines.to).findLastIndex((line) => line.trim() !== "");
    return { line: filled + 1, indent: first.search(/\S|$/) };
  }
  return { line: Math.max(1, lines.findLastIndex((line) => line.trim() !== "") + 1), indent: 0 };
}
