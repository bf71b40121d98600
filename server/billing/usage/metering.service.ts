/**
 * Counts phones' time in the transactions that change phones, and lets none start that nothing would pay for. Time is
 * counted from ready to the beginning of parking; of a phone that failed, to when it was last known to live.
 */
import { rate } from "../../../shared/billing/rating.ts";
import type { PhoneId } from "../../../shared/ids.ts";
import type { Clock } from "../../clock.ts";
import type { Writer } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import type { BudgetsRepo } from "../budgets/budgets.repo.ts";
import type { Entitlements, Metering, PhoneStart } from "../ports.ts";
import { stoppedBy, watchBudgets } from "./budget-watch.ts";
import { NotCovered } from "./not-covered.ts";
import { NotSettled } from "./not-settled.ts";
import type { Settlement } from "./settlement.ts";
import { runningOf } from "./slices.ts";
import type { TimeGuard } from "./time-guard.ts";
import type { Beater, HoldRow, UsageRepo } from "./usage.repo.ts";

/** A start must be covered for so long, together with all that runs. */
export const START_COVER_MS = 5 * 60_000;

export function createMetering(options: {
  repo: UsageRepo;
  budgets: Pick<BudgetsRepo, "ofTeam">;
  settlement: Settlement;
  guard: TimeGuard;
  clock: Clock;
  by: Beater;
  /** Phones of this process that live. */
  alive: () => ReadonlySet<PhoneId>;
  /** What a phone may take of the disk. */
  phoneDiskMb: number;
}): Metering {
  const { repo, budgets, settlement, guard, clock, by, alive, phoneDiskMb } = options;

  /** Phones whose stop is not to fail again with the ledger. */
  const unsettled = new Set<PhoneId>();

  /** Brings a team's time up to now, where the time can be believed. */
  async function upToNow(tx: Writer, teamId: PhoneStart["teamId"]): Promise<void> {
    if (guard.doubt() === undefined) await repo.beat(tx, by, new Date(clock.now()), alive(), teamId);
  }

  async function refuseUnpaid(
    tx: Writer,
    start: PhoneStart & { readonly isNew: boolean },
    held: readonly HoldRow[],
  ): Promise<void> {
    const { teamId } = start;
    const now = clock.now();
    await upToNow(tx, teamId);
    const weighed = await settlement.weigh(tx, teamId, now);
    const { rated, entitlements, rows } = weighed;
    if (rated.funds.unbilled) return;
    refuseByPlan(entitlements, held.length);
    if (start.isNew) {
      const kept = await repo.keptPhones(tx, teamId);
      if (kept * phoneDiskMb > entitlements.storageMb) {
        const room = Math.floor(entitlements.storageMb / phoneDiskMb);
        throw new PerchError(
          "limit_reached",
          `Your plan has room for ${phones(room)}. Remove one, or add storage under Billing.`,
        );
      }
    }
    const open = rows.filter(({ endedAt }) => endedAt === null);
    const others = held.map((hold) => {
      const interval = open.find(({ phoneId }) => phoneId === hold.phoneId);
      const waiting = { id: hold.phoneId, phoneId: hold.phoneId, startedAt: new Date(now) };
      return runningOf(interval ?? waiting);
    });
    const mine = runningOf({ id: start.phoneId, phoneId: start.phoneId, startedAt: new Date(now) });
    // The next month brings its own time; how much, is known when it begins.
    const until = Math.min(now + START_COVER_MS, Math.max(now, entitlements.month.to.getTime()));
    const before = rate(others, now, until, rated.funds);
    const after = rate([...others, mine], now, until, rated.funds);
    const uncovered = (pieces: typeof after.pieces) =>
      pieces.reduce((sum, piece) => sum + (piece.cover === "uncovered" ? piece.to - piece.from : 0), 0);
    if (uncovered(after.pieces) > uncovered(before.pieces)) {
      throw new NotCovered(
        "balance",
        held.length === 0
          ? "No phone time and no balance is left to run a phone. Add phone time under Billing, or ask an owner."
          : "Too little phone time and balance is left to run one more phone. Park one, add phone time under Billing, or ask an owner.",
      );
    }
    const costs = after.pieces.some(
      ({ phoneId, cover }) => phoneId === start.phoneId && (cover === "wallet" || cover === "overage"),
    );
    const budget = stoppedBy(watchBudgets(await budgets.ofTeam(tx, teamId), weighed), start, costs);
    if (budget !== undefined) {
      throw new NotCovered(
        "budget",
        `The ${budget.row.scope}'s budget for this month is used up. Raise it under Billing, or ask an owner.`,
      );
    }
  }

  async function opened(tx: Writer, start: PhoneStart): Promise<void> {
    unsettled.delete(start.phoneId);
    const left = await repo.openOf(tx, start.phoneId);
    if (left !== undefined) await repo.closeAsSeen(tx, [left.id], "server_crash");
    // A clock that was set back must not count a moment twice.
    const end = await repo.lastEndOf(tx, start.phoneId);
    const at = new Date(Math.max(clock.now(), end?.getTime() ?? 0));
    await repo.open(tx, by, [{ ...start, at }]);
  }

  return {
    async admit(tx, start) {
      const held = (await repo.holdsOf(tx, start.teamId)).filter(({ phoneId }) => phoneId !== start.phoneId);
      await refuseUnpaid(tx, start, held);
      await repo.hold(tx, start, new Date(clock.now()));
    },
    opened,
    async resumed(tx, phone) {
      await opened(tx, { ...phone, startedBy: await repo.lastStarterOf(tx, phone.phoneId) });
    },
    async closed(tx, phoneId, end, at) {
      if (end !== "lost") await repo.release(tx, phoneId);
      const interval = await repo.openOf(tx, phoneId);
      if (interval === undefined) return;
      const lived = end === "parked" || end === "removed" || end === "lost";
      const seen = interval.lastSeenAt.getTime();
      const known = lived && interval.boot === by.boot && guard.doubt() === undefined;
      await repo.close(tx, interval.id, new Date(known ? Math.max(seen, at?.getTime() ?? clock.now()) : seen), end);
      await upToNow(tx, interval.teamId);
      if (unsettled.has(phoneId)) return;
      try {
        await settlement.post(tx, await settlement.weigh(tx, interval.teamId, clock.now()));
      } catch (error) {
        unsettled.add(phoneId);
        throw new NotSettled(error);
      }
    },
  };
}

function refuseByPlan({ standing, phonesAtOnce }: Entitlements, running: number): void {
  if (standing !== "good") {
    throw new NotCovered(
      "payment",
      "A payment for your team failed, so no phone can start. Pay under Billing, or ask an owner.",
    );
  }
  if (running >= phonesAtOnce) {
    throw new PerchError(
      "limit_reached",
      `Your plan runs ${phones(phonesAtOnce)} at once. Park one, or add a slot under Billing.`,
    );
  }
}

function phones(count: number): string {
  return count === 1 ? "one phone" : `${count} phones`;
}
