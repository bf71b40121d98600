/** What budgets come to with the time that is not in the ledger yet, and whom they stop. */
import { localDay } from "../../../shared/billing/local-days.ts";
import type { RatedPiece } from "../../../shared/billing/rating.ts";
import type { PhoneId, UserId } from "../../../shared/ids.ts";
import type { BudgetRow } from "./usage.repo.ts";

/** Shares at which a budget tells of itself. */
const ALERTS = [100, 80, 50] as const;

interface Unposted {
  readonly rows: readonly { readonly id: string; readonly startedBy: UserId | null }[];
  readonly to: number;
  readonly rated: { readonly pieces: readonly RatedPiece[] };
  readonly entitlements: { readonly timeZone: string };
}
interface Start {
  readonly phoneId: PhoneId;
  readonly startedBy: UserId | null;
}

/** Used up so far, in per cent of the limit. */
export function usedOf(budget: BudgetRow, { rows, to, rated, entitlements }: Unposted): number {
  const month = monthOf(to, entitlements.timeZone);
  const people = new Map(rows.map(({ id, startedBy }) => [id, startedBy]));
  let used = budget.month === month ? budget.spent : 0;
  for (const { intervalId, phoneId, cover, day, from, to: end, amount } of rated.pieces) {
    if (cover === "uncovered" || !day.startsWith(month)) continue;
    const startedBy = people.get(intervalId) ?? null;
    if (concerns(budget, { phoneId, startedBy })) used += budget.measure === "money" ? amount : end - from;
  }
  return (used / budget.limit) * 100;
}

/** Whether a budget passed a share since it was last told of. */
export function passedAlert(budget: BudgetRow, unposted: Unposted): boolean {
  const used = usedOf(budget, unposted);
  const told = budget.month === monthOf(unposted.to, unposted.entitlements.timeZone) ? budget.alerted : 0;
  return ALERTS.some((share) => used >= share && told < share);
}

/**
 * Whose budget stops a phone, if one does: `team's`, `member's`, `phone's`. One of money stops only what costs money now:
 * time that is paid for already goes on.
 */
export function reachedBy(
  budgets: readonly BudgetRow[],
  unposted: Unposted,
  start: Start,
  costs: boolean,
): "team's" | "member's" | "phone's" | undefined {
  const reached = budgets.find(
    (budget) =>
      concerns(budget, start) && (costs || budget.measure === "time") && usedOf(budget, unposted) >= 100,
  );
  return reached && `${reached.scope}'s`;
}

/** Whether a budget may be used up within so much time, as things run. */
export function nearsEnd(budget: BudgetRow, unposted: Unposted, running: number, ms: number, perHour: number): boolean {
  const left = budget.limit * (1 - usedOf(budget, unposted) / 100);
  return left <= running * (budget.measure === "time" ? ms : 1 + (perHour * ms) / 3_600_000);
}

function concerns(budget: BudgetRow, { phoneId, startedBy }: { phoneId: string; startedBy: UserId | null }): boolean {
  if (budget.scope === "team") return true;
  return budget.scope === "phone" ? budget.phoneId === phoneId : budget.memberId !== null && budget.memberId === startedBy;
}

function monthOf(at: number, timeZone: string): string {
  return localDay(at, timeZone).day.slice(0, 7);
}
