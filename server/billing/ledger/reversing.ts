/** Taking an entry back: an opposite one beside it, and what it moved moved back. */
import type { Writer } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import type { BudgetCounts } from "../budgets/budgets.service.ts";
import type { Ledger } from "../ports.ts";
import type { EntryRow, LedgerRepo } from "./ledger.repo.ts";

export function createReversing(options: {
  repo: LedgerRepo;
  budgets: BudgetCounts;
  now: () => Date;
}): Pick<Ledger, "reverse"> {
  const { repo, budgets, now } = options;

  /** What the entry counted is counted no more: for the cap of the day, and for budgets. */
  async function uncount(tx: Writer, entry: EntryRow, at: Date): Promise<void> {
    const { teamId, phoneId, intervalId, cover, day } = entry;
    if (teamId === null || phoneId === null) return;
    const [ms, amount] = [0 - entry.ms, 0 - entry.amount];
    if (cover === "wallet" || cover === "overage") await repo.countDay(tx, teamId, { phoneId, day, ms, amount }, at);
    if (cover === "uncovered") return;
    const startedBy = intervalId === null ? null : await budgets.starterOf(tx, intervalId);
    await budgets.count(tx, teamId, [{ month: day.slice(0, 7), phoneId, startedBy, ms, amount }]);
  }

  return {
    async reverse(tx, entryId, reason) {
      const entry = await repo.entry(tx, entryId);
      if (entry === undefined) throw new PerchError("not_found", "There is no such entry. Look it up in the ledger.");
      const { teamId, cover, grantId, day, phoneId, intervalId, fromAt } = entry;
      if (teamId === null)
        throw new PerchError("conflict", "The team of this entry is gone, so nothing can go back to it.");
      if (entry.source === "reversal") {
        throw new PerchError("conflict", "This entry takes another one back. Give a credit instead.");
      }
      const at = now();
      // Overage is charged by when it was written: what an invoice has asked for goes back with the next one.
      const when = fromAt === null ? {} : { fromAt: at, toAt: at };
      const id = await repo.insertEntry(tx, {
        ...{ teamId, cover, source: "reversal", sourceId: entryId, reversesId: entryId, grantId, day, reason },
        ...{
          ms: 0 - entry.ms,
          amount: 0 - entry.amount,
          delta: 0 - entry.delta,
          phoneId,
          intervalId,
          createdAt: at,
          ...when,
        },
      });
      if (id === undefined) throw new PerchError("conflict", "This entry was taken back before.");
      if (grantId !== null && entry.delta !== 0 && !(await repo.move(tx, grantId, 0 - entry.delta))) {
        throw new PerchError("conflict", "What this entry gave was used since, so it cannot be taken back.");
      }
      await uncount(tx, entry, at);
      return id;
    },
  };
}
