/**
 * What the parts of billing ask of each other. Usage says when phones ran; the ledger says what covered it; the entitlements
 * say what a team may; Stripe brings the money. Everything that writes does so in the caller's transaction.
 */
import type { AddOnId, Cycle, PlanId } from "../../shared/billing/catalogue.ts";
import type { Funds, Rated } from "../../shared/billing/rating.ts";
import type { BudgetId, GrantId, LedgerEntryId, PhoneId, TeamId, UsageIntervalId, UserId } from "../../shared/ids.ts";
import type { Reader, Writer } from "../db/database.ts";
import type { GrantKind, LedgerSource } from "./ledger/ledger.tables.ts";
import type { IntervalEnd } from "./usage/usage.tables.ts";

/** What a team may, from its plan, its add-ons and how it pays. A pure function of stored rows and a moment makes it. */
export interface Entitlements {
  readonly plan: PlanId;
  readonly cycle: Cycle | undefined;
  readonly addOns: Readonly<Record<AddOnId, number>>;
  readonly phonesAtOnce: number;
  readonly seats: number;
  readonly storageMb: number;
  readonly includedMs: number;
  /** Month of the plan's phone time that the moment is in. */
  readonly month: { readonly from: Date; readonly to: Date };
  /** A failed payment: within the grace nothing new starts; after it phones are parked. */
  readonly standing: "good" | "grace" | "stopped";
  /** The end of the grace. */
  readonly stopsAt: Date | undefined;
  readonly walletFrozen: boolean;
  /** Minor units that overage may cost in the month in all; 0 unless allowed and the plan is paid. */
  readonly overageCap: number;
  readonly timeZone: string;
}
export interface EntitlementsOf {
  of(reader: Reader, teamId: TeamId, at: Date): Promise<Entitlements>;
}

export interface NewGrant {
  readonly teamId: TeamId;
  readonly kind: Exclude<GrantKind, "wallet">;
  readonly name: string;
  readonly ms: number;
  readonly source: LedgerSource;
  readonly sourceId: string;
  readonly startsAt: Date;
  readonly expiresAt: Date | undefined;
  /** Of a credit by the operator. */
  readonly reason?: string;
}
export interface BudgetCrossed {
  readonly budgetId: BudgetId;
  readonly percent: 50 | 80 | 100;
}
export interface LedgerSlice {
  readonly rated: Rated;
  /** Whose budget counts a piece. */
  readonly startedBy: ReadonlyMap<string, UserId | null>;
}

export interface BalanceDifference {
  readonly grantId: GrantId;
  readonly teamId: TeamId;
  readonly cached: number;
  readonly counted: number;
}

export interface Ledger {
  /**
   * What there is to pay with at a moment; gives the month's plan time and the trial first, where they are due. `since`:
   * the moment from which phones are to be rated, where that is earlier: what ended in between is among it.
   */
  funds(tx: Writer, teamId: TeamId, at: Date, since?: Date): Promise<Funds>;
  /**
   * Writes what was rated: entries, what is left of grants, day counts, budgets. What is there already is left: time of an
   * interval before the end of its last entry. @throws PerchError `conflict` when it was rated with more than there is.
   */
  post(tx: Writer, teamId: TeamId, slice: LedgerSlice, at: Date): Promise<readonly BudgetCrossed[]>;
  /** False when the source has given before. */
  grant(tx: Writer, grant: NewGrant): Promise<boolean>;
  /** Into the balance. False when the source has given before. */
  credit(
    tx: Writer,
    credit: { teamId: TeamId; amount: number; source: LedgerSource; sourceId: string; reason?: string },
  ): Promise<boolean>;
  /**
   * Out of the balance, which never goes below zero: gives what was taken, at most `amount`.
   * @throws PerchError `conflict` when `whole` and the balance is smaller.
   */
  debit(
    tx: Writer,
    debit: { teamId: TeamId; amount: number; whole: boolean; source: LedgerSource; sourceId: string; reason?: string },
  ): Promise<number>;
  /**
   * Takes an entry back by an opposite one. @throws PerchError `not_found`, or `conflict` when it was taken back before, or
   * what it gave was used since.
   */
  reverse(tx: Writer, entryId: LedgerEntryId, reason: string): Promise<LedgerEntryId>;
  balance(reader: Reader, teamId: TeamId): Promise<number>;
  /** Overage charged between two moments, in minor units. */
  overage(reader: Reader, teamId: TeamId, from: Date, to: Date): Promise<number>;
  /** Compares every cached sum with its entries; gives what differs. */
  verify(reader: Reader): Promise<readonly BalanceDifference[]>;
}

export interface PhoneStart {
  readonly teamId: TeamId;
  readonly phoneId: PhoneId;
  /** Nobody when the server itself starts it. */
  readonly startedBy: UserId | null;
}
/** What phones tell billing, in the transactions that change them. */
export interface Metering {
  /**
   * A phone is about to start: refuses what nothing would cover, or holds its place. `isNew`: it is made now, so there must
   * be room to keep it. @throws PerchError, `NotCovered` for `payment_required`
   */
  admit(tx: Writer, start: PhoneStart & { readonly isNew: boolean }): Promise<void>;
  /** The phone is ready: from here it counts. */
  opened(tx: Writer, start: PhoneStart): Promise<void>;
  /** It can be reached again: from here it counts, for who started it last. */
  resumed(tx: Writer, phone: Omit<PhoneStart, "startedBy">): Promise<void>;
  /**
   * The phone stopped, or never became ready: the end of its time, `at` where that is known, and of its place, which one
   * that is only `lost` keeps. Settles up to now. @throws NotSettled when that failed; called again, it leaves that to the
   * next heartbeat.
   */
  closed(tx: Writer, phoneId: PhoneId, end: IntervalEnd, at?: Date): Promise<void>;
}
export interface OpenInterval {
  readonly id: UsageIntervalId;
  readonly teamId: TeamId;
  readonly phoneId: PhoneId;
  readonly startedBy: UserId | null;
  readonly startedAt: Date;
  readonly lastSeenAt: Date;
  readonly ratedAt: Date;
}
