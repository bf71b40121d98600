/** Brings what phones ran into the ledger: each month with what there was to pay with in it. */
import type { Funds, Rated } from "../../../shared/billing/rating.ts";
import type { TeamId } from "../../../shared/ids.ts";
import type { Writer } from "../../db/database.ts";
import type { BudgetCrossed, Entitlements, EntitlementsOf, Ledger } from "../ports.ts";
import { frontierOf, rateRows, unratedFrom } from "./slices.ts";
import type { IntervalRow, UsageRepo } from "./usage.repo.ts";

/** A team's time that is not in the ledger yet, and what covers it. */
export interface Weighed {
  readonly teamId: TeamId;
  readonly rows: readonly IntervalRow[];
  /** From where to where it is weighed, in Unix milliseconds. */
  readonly from: number;
  readonly to: number;
  readonly rated: Rated;
  readonly entitlements: Entitlements;
}

export interface Settlement {
  /** Up to `now` at most. What lies in an earlier month is written at once. */
  weigh(tx: Writer, teamId: TeamId, now: number): Promise<Weighed>;
  /** Writes what was weighed. */
  post(tx: Writer, weighed: Weighed): Promise<void>;
}

export function createSettlement(options: {
  repo: UsageRepo;
  ledger: Pick<Ledger, "funds" | "post">;
  entitlements: EntitlementsOf;
  /** Tells of budgets that passed a mark, in the same transaction. */
  alert: (tx: Writer, teamId: TeamId, crossed: readonly BudgetCrossed[]) => Promise<void>;
}): Settlement {
  const { repo, ledger, entitlements } = options;

  async function weighUpTo(tx: Writer, teamId: TeamId, rows: readonly IntervalRow[], to: number): Promise<Weighed> {
    const from = unratedFrom(rows, to);
    // The last millisecond decides: at an edge, time before it is of the month that ends.
    const at = new Date(from < to ? to - 1 : to);
    const rights = await entitlements.of(tx, teamId, at);
    const edge = rights.month.from.getTime();
    if (edge > from) {
      await post(tx, await weighUpTo(tx, teamId, rows, edge));
      return weighUpTo(tx, teamId, await repo.dueOf(tx, teamId), to);
    }
    const funds: Funds = await ledger.funds(tx, teamId, at, new Date(from));
    return { teamId, rows, from, to, rated: rateRows(rows, from, to, funds), entitlements: rights };
  }

  async function post(tx: Writer, { teamId, rows, from, to, rated }: Weighed): Promise<void> {
    if (from >= to) return;
    const startedBy = new Map(rows.map((row) => [row.id as string, row.startedBy]));
    const crossed = await ledger.post(tx, teamId, { rated, startedBy }, new Date(to - 1));
    await repo.rated(
      tx,
      rows.map(({ id }) => id),
      new Date(to),
    );
    await options.alert(tx, teamId, crossed);
  }

  return {
    async weigh(tx, teamId, now) {
      const rows = await repo.dueOf(tx, teamId);
      return weighUpTo(tx, teamId, rows, rows.length === 0 ? now : frontierOf(rows));
    },
    post,
  };
}
