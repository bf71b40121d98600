/**
 * The price of phone time: one pure function, used by the server to settle and by the extension to preview. It takes what
 * runs and what there is to pay with, and says what every millisecond is covered by: dedicated phone → parallel slots →
 * plan minutes → packs → promotional grants → prepaid balance, capped per phone and day → overage under its cap → nothing.
 * Times are Unix or plain milliseconds, money integer minor units.
 */

/** What covers a piece of time, in the order in which it is asked. */
export const COVERS = [
  "included",
  "dedicated",
  "slot",
  "plan",
  "pack",
  "promo",
  "wallet",
  "overage",
  "uncovered",
] as const;
/** `included`: this server sends no bills. `uncovered`: nothing covered it; it is never billed. */
export type Cover = (typeof COVERS)[number];
/** Covers that draw phone time, and money, from a grant. */
export const TIME_GRANTS = ["plan", "pack", "promo"] as const;
export type TimeGrantKind = (typeof TIME_GRANTS)[number];

/** A phone that ran without a break from `from` to `to`, or is taken to. */
export interface RunningPhone {
  /** The open interval: phones that started first are covered by slots first; equal starts go by id. */
  readonly intervalId: string;
  readonly phoneId: string;
  readonly startedAt: number;
}

/** Phone time that may be used until `expiresAt`, in milliseconds. */
export interface TimeGrant {
  readonly id: string;
  readonly kind: TimeGrantKind;
  readonly remainingMs: number;
  readonly startsAt: number;
  /** `undefined`: stays. */
  readonly expiresAt?: number | undefined;
}

/** What one phone had charged by the hour so far on one day. */
export interface DayCount {
  readonly phoneId: string;
  /** `2026-11-26`, in the team's time zone. */
  readonly day: string;
  readonly ms: number;
  readonly amount: number;
}

export interface Funds {
  /** True where the server sends no bills: everything is `included`. */
  readonly unbilled: boolean;
  readonly dedicated: ReadonlySet<string>;
  /** Phones that run at no cost by time at the same moment. */
  readonly slots: number;
  readonly grants: readonly TimeGrant[];
  /** Prepaid balance that may be used: 0 while it is frozen. */
  readonly wallet: number;
  /** What overage may still cost in this period: 0 unless the owner allowed it. */
  readonly overage: number;
  readonly rate: { readonly perHour: number; readonly dailyCap: number };
  /** IANA name; whose midnight the daily cap starts anew at. */
  readonly timeZone: string;
  readonly days: readonly DayCount[];
}

/** One piece of one phone's time under one cover. Pieces of a phone are adjacent, in order, and sum to the slice. */
export interface RatedPiece {
  readonly intervalId: string;
  readonly phoneId: string;
  readonly from: number;
  readonly to: number;
  readonly cover: Cover;
  /** The grant it was drawn from, for `plan`, `pack` and `promo`. */
  readonly grantId?: string;
  /** Day in the team's time zone; pieces never cross its midnight where money is charged. */
  readonly day: string;
  /** Minor units; above zero only for `wallet` and `overage`. */
  readonly amount: number;
}

export interface Rated {
  readonly pieces: readonly RatedPiece[];
  /** What is left to pay with. */
  readonly funds: Funds;
  /** The first moment at which something ran uncovered. */
  readonly uncoveredAt?: number;
}
