/** What people read of the elements that a step means. */
import type { FlowMatches } from "../../../../shared/automation-model.ts";

export interface MatchWords {
  readonly words: string;
  readonly tone: "neutral" | "good" | "warn";
}

export function matchWords(matches: FlowMatches | undefined, phoneName: string): MatchWords {
  if (matches === undefined) return { words: `Looking at ${phoneName}…`, tone: "neutral" };
  const { step, count, note } = matches;
  if (step === undefined || !step.selects) return { words: `The live picture of ${phoneName}`, tone: "neutral" };
  const [first] = matches.matches;
  if (count === 0 || first === undefined) {
    return note === undefined
      ? { words: `Nothing on ${phoneName} fits now.`, tone: "warn" }
      : { words: note, tone: "neutral" };
  }
  if (count === 1) return { words: `1 fits: “${first.words}”.`, tone: "good" };
  return { words: `${count} fit; the first is taken: “${first.words}”.`, tone: "warn" };
}
