/** What budgets come to with the time that is not in the ledger yet, and whom they stop. */
import { localDay } from "../../../shared/billing/local-days.ts";
import type { RatedPiece } from "../../../shared/billing/rating.ts";
import type { PhoneId, UserId } from "../../../shared/ids.ts";
import type { BudgetRow } from "../budgets/budgets.repo.ts";
import { countUses, isOf, markOf } from "../budgets/counting.ts";

const HOUR_MS = 3_600_000;

/** Time that is rated and not posted. */
export interface Unposted {
  readonly rows: readonly { readonly id: string; readonly startedBy: UserId | null }[];
  readonly to: number;
  readonly rated: { readonly pieces: readonly RatedPiece[] };
  readonly entitlements: { readonly timeZone: string };
}

/** A budget as it will be once that is posted, of the month it is now. */
export interface WatchedBudget {
  readonly row: BudgetRow;
  readonly spent: number;
  /** It passes a mark that has to be told. */
  readonly passes: boolean;
}

export function watchBudgets(budgets: readonly BudgetRow[], unposted: Unposted): readonly WatchedBudget[] {
  if (budgets.length === 0) return [];
  const month = localDay(unposted.to, unposted.entitlements.timeZone).day.slice(0, 7);
  const people = new Map(unposted.rows.map(({ id, startedBy }) => [id, startedBy]));
  const uses = unposted.rated.pieces
    .filter(({ cover }) => cover !== "uncovered")
    .map(({ intervalId, phoneId, day, from, to, amount }) => ({
      ...{ month: day.slice(0, 7), phoneId, ms: to - from, amount },
      startedBy: people.get(intervalId) ?? null,
    }));
  return budgets.map((row) => {
    const counted = countUses(row, uses) ?? row;
    return {
      row,
      spent: counted.month === month ? counted.spent : 0,
      passes: "crossed" in counted && counted.crossed !== undefined,
    };
  });
}

/**
 * The budget that stops a phone, if one does. One of money stops only what costs money now: time that is paid for already
 * goes on.
 */
export function stoppedBy(
  budgets: readonly WatchedBudget[],
  phone: { readonly phoneId: PhoneId; readonly startedBy: UserId | null },
  costs: boolean,
): WatchedBudget | undefined {
  return budgets.find(
    ({ row, spent }) =>
      isOf(row, phone) && (costs || row.measure === "time") && markOf({ spent, limit: row.limit }) === 100,
  );
}

/** Whether a budget may be used up within so much time of so many phones. */
export function nearsEnd({ row, spent }: WatchedBudget, running: number, ms: number, perHour: number): boolean {
  return row.limit - spent <= running * (row.measure === "time" ? ms : 1 + (perHour * ms) / HOUR_MS);
}
