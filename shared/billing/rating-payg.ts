/** Time by the hour: what one phone has charged on one day, and what more of it costs. */
import type { Funds } from "./rating.ts";

const HOUR_MS = 3_600_000;

/** Counted so far for one phone on one day. */
export interface DayMeter {
  readonly phoneId: string;
  readonly day: string;
  ms: number;
  amount: number;
}

type Price = Funds["rate"];

/** What so much time of one phone costs on one day. A price of more than a minor unit a millisecond is none. */
function priceOf(ms: number, { perHour, dailyCap }: Price): number {
  const due = ms * perHour;
  return Math.min(dailyCap, (due - (due % HOUR_MS)) / HOUR_MS);
}

/**
 * What `ms` more cost. The difference of two prices, so that any split costs the same; less where something was charged
 * already for time that was given back since, never more.
 */
export function costOf(meter: DayMeter, ms: number, price: Price): number {
  return Math.max(0, priceOf(meter.ms + ms, price) - Math.max(meter.amount, priceOf(meter.ms, price)));
}

/** Whether the rest of the day costs nothing. */
export function isCapped(meter: DayMeter, price: Price): boolean {
  return Math.max(meter.amount, priceOf(meter.ms, price)) >= price.dailyCap;
}

/** How many of `most` milliseconds all of them can run so that less than `left` is spent: something is left throughout. */
export function affordable(meters: readonly DayMeter[], left: number, most: number, price: Price): number {
  const isTooMuch = (ms: number) => {
    let spent = 0;
    for (const meter of meters) spent += costOf(meter, ms, price);
    return spent >= left;
  };
  if (!isTooMuch(most)) return most;
  let enough = 0;
  let tooMany = most;
  while (tooMany - enough > 1) {
    const middle = Math.floor((enough + tooMany) / 2);
    if (isTooMuch(middle)) tooMany = middle;
    else enough = middle;
  }
  return enough;
}
