/** Whose work a phone's time was: the run's that went on at the moment, the rest is by hand. */
import type { RunTime, TimedEntry } from "./usage-views.repo.ts";

export const BY_HAND = "by_hand";
export const UNSAVED = "unsaved";

export interface Share {
  /** A flow's id, `BY_HAND`, or `UNSAVED` for flows that are gone or were never saved. */
  readonly of: string;
  readonly day: string;
  readonly ms: number;
  readonly amount: number;
}

/** Splits entries by the runs of their phones. The shares of an entry sum to the entry, in time and in money. */
export function flowShares(entries: readonly TimedEntry[], runs: readonly RunTime[]): Share[] {
  const byPhone = Map.groupBy(runs, ({ phoneId }) => phoneId);
  return entries.flatMap((entry) => sharesOf(entry, byPhone.get(entry.phoneId) ?? []));
}

/** `runs`: of the phone, those that began first coming first; where two overlap, the first one counts. */
function sharesOf(entry: TimedEntry, runs: readonly RunTime[]): Share[] {
  const shares: Share[] = [];
  let at = entry.from;
  const until = (of: string, to: number) => {
    if (to <= at) return;
    const part = (whole: number) => upTo(whole, to, entry) - upTo(whole, at, entry);
    shares.push({ of, day: entry.day, ms: part(entry.ms), amount: part(entry.amount) });
    at = to;
  };
  for (const run of runs) {
    const end = Math.min(run.to ?? entry.to, entry.to);
    if (end <= at || run.from >= entry.to) continue;
    until(BY_HAND, Math.min(run.from, entry.to));
    until(run.flowId ?? UNSAVED, end);
  }
  until(BY_HAND, entry.to);
  // Nothing is lost of an entry without length.
  if (shares.length === 0) shares.push({ of: BY_HAND, day: entry.day, ms: entry.ms, amount: entry.amount });
  return shares;
}

/** What of `whole` lies before a moment of the entry, as a whole number. */
function upTo(whole: number, at: number, { from, to }: TimedEntry): number {
  return Number((BigInt(whole) * BigInt(at - from)) / BigInt(to - from));
}
