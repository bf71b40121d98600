/** Usage in words: what covered a piece, why, and why an interval ended. */

import { COVER_NAMES } from "../../../shared/billing/cover-words.ts";
import type { Cover } from "../../../shared/billing/rating.ts";
import { moneyWords } from "../../../shared/billing/words.ts";
import type { IntervalEnd } from "../usage/usage.tables.ts";
import { exactDuration, timeOfDay } from "./zone-days.ts";

const ENDED = {
  parked: "Ended because the phone was parked.",
  removed: "Ended because the phone was removed.",
  failed: "Ended because the phone stopped by itself; the time after it is not billed.",
  lost: "Ended because the phone was out of reach; that time is not billed, and a new line begins where it was found.",
  server_crash:
    "Ended where the server last saw the phone before it stopped unexpectedly; the time after it is not billed.",
  clock_step:
    "Ended because the machine's clock jumped; only time that really passed is billed, and the next line goes on.",
  split: "Ended at a day's length; the next line goes on where this one ends.",
} as const satisfies Record<IntervalEnd, string>;

export function endedWords(reason: IntervalEnd | null): string {
  return reason === null ? "Still running; counted so far. It began when the phone was ready." : ENDED[reason];
}

/** `09:02:11–09:31:40, 29 min 29 s, plan minutes, $0.00`. */
export function lineWords(line: {
  readonly from: number;
  readonly to: number;
  readonly ms: number;
  readonly covers: readonly Cover[];
  readonly amount: number | undefined;
  readonly currency: string;
  readonly timeZone: string;
}): string {
  const { from, to, ms, covers, amount, currency, timeZone } = line;
  const names = covers.map((cover) => COVER_NAMES[cover].toLowerCase());
  return [
    `${timeOfDay(from, timeZone)}–${timeOfDay(to, timeZone)}`,
    exactDuration(ms),
    ...(names.length > 0 ? [names.join(" and ")] : []),
    ...(amount === undefined ? [] : [moneyWords(amount, currency)]),
  ].join(", ");
}

export interface PieceFacts {
  readonly cover: Cover;
  readonly ms: number;
  readonly day: string;
  /** What it was drawn from. */
  readonly grant: { readonly name: string; readonly total: number; readonly startsAt: Date } | undefined;
  /** What this phone's day had been charged before it; undefined for who may not see money. */
  readonly chargedBefore: number | undefined;
  readonly amount: number;
}

/** `Plan minutes: 29 min 29 s of the 6,000 of November.` */
export function whyWords(
  piece: PieceFacts,
  rules: { readonly perHour: number; readonly dailyCap: number; readonly currency: string; readonly timeZone: string },
): string {
  const took = exactDuration(piece.ms);
  const { grant } = piece;
  switch (piece.cover) {
    case "included":
      return "This server sends no bills.";
    case "dedicated":
      return "Dedicated phone: it runs at no cost by time.";
    case "slot":
      return "Parallel slot: one of the phones that run at no cost by time at the same moment.";
    case "plan": {
      if (grant === undefined) return `Plan minutes: ${took}.`;
      const month = new Intl.DateTimeFormat("en", { month: "long", timeZone: rules.timeZone }).format(grant.startsAt);
      return `Plan minutes: ${took} of the ${minutes(grant.total)} of ${month}.`;
    }
    case "pack":
      return grant === undefined ? `Minutes you bought: ${took}.` : `Minutes you bought: ${took} of ${grant.name}.`;
    case "promo":
      return grant === undefined ? `Free minutes: ${took}.` : `Free minutes: ${took} of ${grant.name}.`;
    case "wallet":
    case "overage":
      return chargedWords(piece, rules);
    case "uncovered":
      return "Nothing covered this time, so it is not billed.";
  }
}

function chargedWords(
  { cover, chargedBefore, amount }: PieceFacts,
  { perHour, dailyCap, currency }: Parameters<typeof whyWords>[1],
): string {
  const name = COVER_NAMES[cover];
  if (chargedBefore === undefined) return `${name}: by the hour, up to a cap a day.`;
  const day = `this phone's day had cost ${moneyWords(chargedBefore, currency)}, the cap is ${moneyWords(dailyCap, currency)}`;
  const isCapped = chargedBefore + amount >= dailyCap;
  return `${name}: ${perHourWords(perHour, currency)} an hour, ${day}${isCapped ? ", so the rest of the day costs nothing more" : ""}.`;
}

function perHourWords(perHour: number, currency: string): string {
  return currency === "usd" && perHour < 100 ? `${perHour} cents` : moneyWords(perHour, currency);
}

/** `6,000`. */
function minutes(ms: number): string {
  return new Intl.NumberFormat("en").format(Math.floor(ms / 60_000));
}
