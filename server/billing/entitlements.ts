/** What a team may, as a pure function of its account, its subscription and a moment. */
import { PLANS, STORAGE_ADD_ON_MB } from "../../shared/billing/catalogue.ts";
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
  const since = paid?.status === "past_due" ? account.pastDueSince : null;
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
  const shown = new Date(wallClock(at.getTime(), timeZone));
  const year = shown.getUTCFullYear();
  let month = shown.getUTCMonth();
  // Clocks that are put back over midnight show the month before once more.
  if (monthStart(year, month + 1, timeZone) <= at.getTime()) month += 1;
  return { from: new Date(monthStart(year, month, timeZone)), to: new Date(monthStart(year, month + 1, timeZone)) };
}

const formats = new Map<string, Intl.DateTimeFormat>();
function formatIn(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const numbers = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric" } as const;
  const made = new Intl.DateTimeFormat("en", {
    ...numbers,
    second: "numeric",
    hourCycle: "h23",
    era: "short",
    timeZone,
  });
  formats.set(timeZone, made);
  return made;
}

/** What the clocks of a zone show, as if it were UTC. */
function wallClock(at: number, timeZone: string): number {
  const parts = formatIn(timeZone).formatToParts(at);
  const of = (type: Intl.DateTimeFormatPartTypes) => Number(parts.find((part) => part.type === type)?.value ?? 0);
  return Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second"));
}

const months = new Map<string, number>();
const MOST_MONTHS = 5_000;
const DAY_MS = 24 * 3_600_000;

/** The first moment of a month in a zone: that at which its clocks show, or first have passed, midnight of the first. */
function monthStart(year: number, month: number, timeZone: string): number {
  const midnight = Date.UTC(year, month, 1);
  const key = `${midnight} ${timeZone}`;
  const known = months.get(key);
  if (known !== undefined) return known;
  // No zone is further from UTC than this, and clocks that are put forward pass over midnight at most once.
  let before = midnight - DAY_MS;
  let after = midnight + DAY_MS;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (wallClock(middle, timeZone) >= midnight) after = middle;
    else before = middle;
  }
  if (months.size >= MOST_MONTHS) months.clear();
  months.set(key, after);
  return after;
}
