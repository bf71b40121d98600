/** Which phones of a team go on, which are warned, and which are parked because nothing pays for them any more. */
import { type Rated, type RatedPiece, rate } from "../../../shared/billing/rating.ts";
import type { PhoneId } from "../../../shared/ids.ts";
import type { BudgetRow } from "../budgets/budgets.repo.ts";
import { nearsEnd, stoppedBy, watchBudgets } from "./budget-watch.ts";
import type { NoCover } from "./not-covered.ts";
import type { Weighed } from "./settlement.ts";
import { runningOf } from "./slices.ts";

/** People are told so long before. */
export const COVER_WARNING_MS = 2 * 60_000;
/** As far as is looked ahead. */
const AHEAD_MS = 5 * 60_000;
/** What is not posted for so long is, whatever else. */
const POST_EVERY_MS = 10 * 60_000;
const HOUR_MS = 3_600_000;

export interface Verdict {
  /** Whether the time up to now belongs into the ledger now. */
  readonly post: boolean;
  readonly park: readonly { readonly phoneId: PhoneId; readonly reason: NoCover }[];
  readonly warn: readonly { readonly phoneId: PhoneId; readonly at: number }[];
  /** Phones that are paid for beyond that. */
  readonly goOn: readonly PhoneId[];
  /** Something may end within `calmMs`: look again at the next beat. */
  readonly near: boolean;
}

/** `graceMs`: what must be covered from where the time is known · `calmMs`: until the next look at the latest. */
export function judge(
  weighed: Weighed,
  budgets: readonly BudgetRow[],
  { graceMs, calmMs }: { readonly graceMs: number; readonly calmMs: number },
): Verdict {
  const { rows, from, to, rated, entitlements } = weighed;
  const open = rows.filter(({ endedAt }) => endedAt === null);
  const watched = rated.funds.unbilled ? [] : watchBudgets(budgets, weighed);
  const isLong = to - from >= POST_EVERY_MS || Math.floor(from / HOUR_MS) !== Math.floor((to - 1) / HOUR_MS);
  const post = from < to && (open.length < rows.length || isLong || watched.some(({ passes }) => passes));
  if (rated.funds.unbilled) return { post, park: [], warn: [], goOn: [], near: false };

  // The next month brings its own time; how much, is known when it begins.
  const until = Math.min(to + AHEAD_MS, Math.max(to, entitlements.month.to.getTime()));
  const ahead = rate(open.map(runningOf), to, until, rated.funds);
  const stopsAt = entitlements.standing === "good" ? undefined : entitlements.stopsAt?.getTime();
  const park: { phoneId: PhoneId; reason: NoCover }[] = [];
  const warn: { phoneId: PhoneId; at: number }[] = [];
  const goOn: PhoneId[] = [];
  for (const row of open) {
    const { phoneId } = row;
    const pieces = ahead.pieces.filter(({ intervalId }) => intervalId === row.id);
    const ends = Math.min(stopsAt ?? Number.POSITIVE_INFINITY, uncoveredFrom(pieces));
    const costs = pieces[0]?.cover === "wallet" || pieces[0]?.cover === "overage";
    if (entitlements.standing === "stopped") park.push({ phoneId, reason: "payment" });
    else if (uncoveredFrom(pieces) < to + graceMs) park.push({ phoneId, reason: "balance" });
    else if (stoppedBy(watched, row, costs) !== undefined) park.push({ phoneId, reason: "budget" });
    else if (ends < to + COVER_WARNING_MS) warn.push({ phoneId, at: ends });
    else goOn.push(phoneId);
  }
  const { perHour } = rated.funds.rate;
  const near =
    isUncovered(ahead) ||
    warn.length > 0 ||
    watched.some((one) => nearsEnd(one, open.length, calmMs + graceMs, perHour));
  return { post, park, warn, goOn, near };
}

function uncoveredFrom(pieces: readonly RatedPiece[]): number {
  return pieces.find(({ cover }) => cover === "uncovered")?.from ?? Number.POSITIVE_INFINITY;
}

function isUncovered({ uncoveredAt }: Rated): boolean {
  return uncoveredAt !== undefined;
}
