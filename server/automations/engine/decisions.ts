/** What conditions said, noted with their step so that a replay takes the same way. */
import type { OpenStep } from "./journal.ts";

export type Decide = (look: () => Promise<boolean>) => Promise<boolean>;

/** Looks only where an earlier life of the run has not. */
export function notedDecisions(open: OpenStep): Decide {
  const noted = Array.isArray(open.result["decisions"]) ? open.result["decisions"].map(Boolean) : [];
  let at = 0;
  return async (look) => {
    const before = noted[at];
    at += 1;
    if (before !== undefined) return before;
    const decision = await look();
    noted.push(decision);
    await open.note({ decisions: noted });
    return decision;
  };
}
