/** How a budget counts: what was used in its month, and which of its marks that passes. */
import type { PhoneId, UserId } from "../../../shared/ids.ts";
import type { BudgetCrossed } from "../ports.ts";
import type { BudgetRow } from "./budgets.repo.ts";

/** Phone time that was covered, or given back, as budgets see it. */
export interface Use {
  /** `2026-11`, in the team's time zone. */
  readonly month: string;
  readonly phoneId: string | null;
  readonly startedBy: UserId | null;
  readonly ms: number;
  readonly amount: number;
}
type Counted = Pick<BudgetRow, "month" | "spent" | "alerted"> & { readonly crossed?: BudgetCrossed["percent"] };

const MARKS = [100, 80, 50] as const satisfies readonly BudgetCrossed["percent"][];

/** The highest mark that is reached. */
export function markOf({ spent, limit }: Pick<BudgetRow, "spent" | "limit">): BudgetCrossed["percent"] | 0 {
  return MARKS.find((mark) => spent * 100 >= limit * mark) ?? 0;
}

/** The budget after the uses; `undefined` when none is its own. A later month begins at nothing; an earlier one is over. */
export function countUses(budget: BudgetRow, uses: readonly Use[]): Counted | undefined {
  const own = uses.filter((use) => isOf(budget, use) && use.month >= budget.month);
  if (own.length === 0) return undefined;
  const month = [budget.month, ...own.map((use) => use.month)].sort().at(-1) ?? budget.month;
  const begun = month === budget.month ? budget : { spent: 0, alerted: 0 };
  const added = own
    .filter((use) => use.month === month)
    .reduce((sum, use) => sum + (budget.measure === "money" ? use.amount : use.ms), 0);
  const spent = Math.max(0, begun.spent + added);
  const mark = markOf({ spent, limit: budget.limit });
  if (mark === 0 || mark <= begun.alerted) return { month, spent, alerted: begun.alerted };
  return { month, spent, alerted: mark, crossed: mark };
}

/** Whether the budget counts phones like this. */
export function isOf(
  { scope, memberId, phoneId }: Pick<BudgetRow, "scope" | "memberId" | "phoneId">,
  use: { readonly phoneId: PhoneId | string | null; readonly startedBy: UserId | null },
): boolean {
  if (scope === "team") return true;
  return scope === "phone" ? use.phoneId === phoneId : memberId !== null && use.startedBy === memberId;
}
