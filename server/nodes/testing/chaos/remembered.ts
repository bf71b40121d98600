/** What the clients of a storm know: what they asked for, what they were told, and what should never have been. */
import type { Outcome } from "./client.ts";

export interface Person {
  readonly email: string;
  readonly fullName: string;
  readonly password: string;
  readonly userId: string;
  /** Stands in everything the person names, and in nothing of others. */
  readonly marker: string;
  /** Where the person's calls come from. */
  readonly from: string;
  token: string | undefined;
  teamId: string | undefined;
  readonly phones: Set<string>;
  /** Asked to be removed. */
  readonly removed: Set<string>;
  flowId: string | undefined;
  ruleId: string | undefined;
  hook: { readonly id: string; readonly secret: string } | undefined;
  /** Others were in the team: what it keeps is not the person's alone. */
  shared: boolean;
  erased: boolean;
}

/** A call that has one effect however often it is made. */
export interface KeyedCall {
  readonly kind: "launch" | "run" | "rule" | "webhook" | "export";
  readonly by: Person;
  readonly key: string;
  /** Makes it again, at whichever node. */
  readonly again: () => Promise<Outcome>;
  /** Words its run types, in their order. */
  readonly words: readonly string[];
  readonly ids: Set<string>;
  /** What came last; `done` stays. */
  last: Outcome["is"];
  /** Somebody once did not hear the outcome: it may have been done, whatever was said later. */
  maybe: boolean;
  tries: number;
}

export interface Remembered {
  readonly people: Person[];
  readonly keyed: KeyedCall[];
  /** Acts by name, then outcomes by name. */
  readonly counts: Map<string, Map<string, number>>;
  readonly faults: Fault[];
  readonly violations: string[];
  /** Wrong passwords for the account that is only guessed at: when, and whether the guess was judged. */
  readonly guesses: { readonly at: number; readonly judged: boolean }[];
  count(act: string, outcome: string): void;
}

export interface Fault {
  readonly kind: string;
  readonly node: string | undefined;
  readonly from: number;
  to: number;
}

export function remember(): Remembered {
  const counts = new Map<string, Map<string, number>>();
  return {
    ...{ people: [], keyed: [], counts, faults: [], violations: [], guesses: [] },
    count(act, outcome) {
      const known = counts.get(act) ?? new Map<string, number>();
      counts.set(act, known);
      known.set(outcome, (known.get(outcome) ?? 0) + 1);
    },
  };
}
