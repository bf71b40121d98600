/** Names a flow's expressions may use, read from its header even while the rest of the text is not right. */
import type { CompletionWorld } from "./flow-completions.ts";

const WORDS = {
  env: "A value of the header's env.",
  inputs: "Asked for before a run.",
  secrets: "A secret; it is never shown.",
} as const;

export function namesOf(source: string): CompletionWorld["names"] {
  const found = new Map<string, string>();
  let part: keyof typeof WORDS | undefined;
  for (const line of source.split("\n", 2_000)) {
    if (/^---(\s|$)/.test(line)) break;
    const top = /^(\w[\w-]*):/.exec(line)?.[1];
    if (top !== undefined) {
      part = top === "env" || top === "inputs" || top === "secrets" ? top : undefined;
      continue;
    }
    if (part === undefined) continue;
    const name =
      /^\s*-\s+name:\s*["']?([A-Za-z_$][\w$]*)/.exec(line)?.[1] ??
      (part === "env" || /^ {2}\w/.test(line) ? /^ {1,2}([A-Za-z_$][\w$]*):/.exec(line)?.[1] : undefined) ??
      (part === "env" ? undefined : /^\s*-\s+["']?([A-Za-z_$][\w$]*)["']?\s*(#|$)/.exec(line)?.[1]);
    if (name !== undefined) found.set(name, WORDS[part]);
  }
  return [...found].map(([name, about]) => ({ name, about }));
}
