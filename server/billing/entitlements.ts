/** What a team may, as a pure function of its account, its subscription and a moment. */
import { PLANS, STORAGE_ADD_ON_MB } from "../../shared/billing/catalogue.ts";
import { localDay, startOfDay } from "../../shared/billing/local-days.ts";
import { clampAddMonths } from "../privacy/retention/calendar.ts";
import type { Entitlements } from "./ports.ts";
import { boughtWith } from "./stripe/stripe-prices.ts";

/** From a failed payment to phones being parked. Until then nothing new starts. */
export const GRACE_MS = 7 * 24 * 3_600_000;

/** What counts of `billing_accounts`. */
export interface AccountTerms {
  readonly timeZone: string;
  readonly overageAllowed: boolean;
  readonly overageCap: number;
  readonly frozen: string | null;
  readonly pastDueSince: Date | null;
}
/** What counts of the subscription's mirror. */
export interface SubscriptionTerms {
  readonly status: string;
  readonly items: readonly { readonly lookupKey: string | null; readonly quantity: number }[];
  /** Whose day of the month begins each month of plan minutes. */
  readonly anchor: Date;
  readonly pausedAt: Date | null;
  readonly endedAt: Date | null;
  readonly startedAt: Date;
}

/** Of who never bought anything. */
export const NO_ACCOUNT: AccountTerms = {
  timeZone: "UTC",
  overageAllowed: false,
  overageCap: 0,
  frozen: null,
  pastDueSince: null,
};

/** Statuses that carry a plan; with any other, and while paused, it is Free. */
const CARRIES: ReadonlySet<string> = new Set(["active", "trialing", "past_due"]);

export function carriesPlan({ status, pausedAt, endedAt }: SubscriptionTerms): boolean {
  return CARRIES.has(status) && pausedAt === null && endedAt === null;
}

/** The one that counts: the latest that carries a plan. */
export function countingSubscription<S extends SubscriptionTerms>(all: readonly S[]): S | undefined {
  return all
    .filter(carriesPlan)
    .reduce<S | undefined>(
      (best, one) => (best === undefined || one.startedAt >= best.startedAt ? one : best),
      undefined,
    );
}

export function entitlementsOf(
  account: AccountTerms,
  subscription: SubscriptionTerms | undefined,
  at: Date,
): Entitlements {
  const paid = subscription !== undefined && carriesPlan(subscription) ? subscription : undefined;
  const { plan = "free", cycle, addOns } = boughtWith(paid?.items ?? []);
  const { phonesAtOnce, seats, storageMb, includedMs } = PLANS[plan];
  const since = paid === undefined ? null : account.pastDueSince;
  const stopsAt = since === null ? undefined : new Date(since.getTime() + GRACE_MS);
  const standing = stopsAt === undefined ? "good" : at < stopsAt ? "grace" : "stopped";
  return {
    ...{ plan, cycle, addOns, includedMs, standing, stopsAt },
    phonesAtOnce: phonesAtOnce + addOns.slot,
    seats: seats + addOns.seat,
    storageMb: storageMb + addOns.storage * STORAGE_ADD_ON_MB,
    month: paid === undefined ? calendarMonth(at, account.timeZone) : anchoredMonth(at, paid.anchor),
    walletFrozen: account.frozen !== null,
    overageCap: plan !== "free" && account.overageAllowed && standing === "good" ? account.overageCap : 0,
    timeZone: account.timeZone,
  };
}

export interface Month {
  readonly from: Date;
  readonly to: Date;
}

/**
 * The month of the subscription that a moment is in: it begins at the anchor's day and time, or on the last day of a month
 * that has no such day. A plan paid by the year has these months, too.
 */
export function anchoredMonth(at: Date, anchor: Date): Month {
  const start = anchor.getTime();
  let months = (at.getUTCFullYear() - anchor.getUTCFullYear()) * 12 + at.getUTCMonth() - anchor.getUTCMonth();
  if (clampAddMonths(start, months) > at.getTime()) months -= 1;
  return { from: new Date(clampAddMonths(start, months)), to: new Date(clampAddMonths(start, months + 1)) };
}

/** The calendar month of the zone that a moment is in. */
export function calendarMonth(at: Date, timeZone: string): Month {
  const [year = 0, month = 0] = localDay(at.getTime(), timeZone).day.split("-").map(Number);
  const first = (inYear: number, inMonth: number) =>
    new Date(Date.UTC(inYear, inMonth - 1, 1)).toISOString().slice(0, 10);
  const start = (day: string) => new Date(startOfDay(day, timeZone));
  return { from: start(first(year, month)), to: start(first(year, month + 1)) };
}
