/** Writing what was rated: one entry for each interval, cover, grant and day of a call. */
import type { RatedPiece } from "../../../shared/billing/rating.ts";
import type { GrantId, PhoneId, TeamId } from "../../../shared/ids.ts";
import type { Writer } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import type { BudgetCounts } from "../budgets/budgets.service.ts";
import type { Use } from "../budgets/counting.ts";
import type { Ledger, LedgerSlice } from "../ports.ts";
import type { LedgerRepo, NewEntry } from "./ledger.repo.ts";

/** Pieces that differ in nothing but their time. */
interface Merged {
  readonly piece: RatedPiece;
  to: number;
  ms: number;
  amount: number;
}

export function createPosting({ repo, budgets }: { repo: LedgerRepo; budgets: BudgetCounts }): Pick<Ledger, "post"> {
  async function take(tx: Writer, grantId: GrantId, used: number): Promise<void> {
    if (used === 0 || (await repo.move(tx, grantId, 0 - used))) return;
    throw new PerchError("conflict", "What pays for phone time was used up meanwhile. Try again.");
  }

  async function countDays(tx: Writer, teamId: TeamId, merged: readonly Merged[], at: Date): Promise<void> {
    const days = new Map<string, { phoneId: string; day: string; ms: number; amount: number }>();
    for (const { piece, ms, amount } of merged.filter(
      ({ piece: { cover } }) => cover === "wallet" || cover === "overage",
    )) {
      const { phoneId, day } = piece;
      const sum = days.get(`${phoneId} ${day}`) ?? { phoneId, day, ms: 0, amount: 0 };
      days.set(`${phoneId} ${day}`, { ...sum, ms: sum.ms + ms, amount: sum.amount + amount });
    }
    for (const count of days.values()) await repo.countDay(tx, teamId, count, at);
  }

  return {
    async post(tx, teamId, slice, at) {
      const posted = await repo.postedUntil(tx, [...new Set(slice.rated.pieces.map(({ intervalId }) => intervalId))]);
      const merged = mergedPieces(slice, posted);
      if (merged.length === 0) return [];
      const paid = merged.some(({ piece }) => piece.cover === "wallet");
      const wallet = paid ? await repo.wallet(tx, teamId) : undefined;
      const entries = merged.map((one) => entryOf(one, teamId, wallet?.id, at));
      const drawn = new Map<GrantId, number>();
      for (const { grantId, delta = 0 } of entries) {
        if (grantId) drawn.set(grantId, (drawn.get(grantId) ?? 0) - delta);
        else if (delta !== 0) throw new PerchError("conflict", "There is no balance to pay with. Try again.");
      }
      for (const [grantId, used] of drawn) await take(tx, grantId, used);
      await repo.insertEntries(tx, entries);
      await countDays(tx, teamId, merged, at);
      return budgets.count(tx, teamId, usesOf(merged, slice));
    },
  };
}

function mergedPieces({ rated }: LedgerSlice, posted: ReadonlyMap<string, number>): Merged[] {
  const merged = new Map<string, Merged>();
  for (const piece of rated.pieces) {
    const { intervalId, cover, grantId, day, from, to, amount } = piece;
    if (from < (posted.get(intervalId) ?? Number.NEGATIVE_INFINITY)) continue;
    const key = `${intervalId} ${cover} ${grantId ?? ""} ${day}`;
    const known = merged.get(key);
    if (known === undefined) merged.set(key, { piece, to, ms: to - from, amount });
    else {
      known.to = to;
      known.ms += to - from;
      known.amount += amount;
    }
  }
  return [...merged.values()];
}

function entryOf({ piece, to, ms, amount }: Merged, teamId: TeamId, wallet: GrantId | undefined, at: Date): NewEntry {
  const { intervalId, cover, day, from } = piece;
  const time = piece.grantId;
  return {
    ...{ teamId, cover, source: "usage", sourceId: `${intervalId}:${from}`, day, createdAt: at, ms, amount },
    ...{ intervalId, phoneId: asPhoneId(piece.phoneId), fromAt: new Date(from), toAt: new Date(to) },
    ...(time !== undefined && { grantId: asGrantId(time), delta: 0 - ms }),
    ...(cover === "wallet" && { grantId: wallet ?? null, delta: 0 - amount }),
  };
}

function usesOf(merged: readonly Merged[], { startedBy }: LedgerSlice): Use[] {
  return merged
    .filter(({ piece: { cover } }) => cover !== "uncovered")
    .map(({ piece: { day, phoneId, intervalId }, ms, amount }) => ({
      ...{ month: day.slice(0, 7), phoneId, ms, amount },
      startedBy: startedBy.get(intervalId) ?? null,
    }));
}

/** Rating knows ids as text alone; these are the ones the funds and intervals it was given had. */
function asGrantId(id: string): GrantId {
  return id as GrantId;
}
function asPhoneId(id: string): PhoneId {
  return id as PhoneId;
}
