/** Billing periods: whole intervals counted from the anchor, so that the 31st comes back after February. */
import { clampAddMonths } from "../../privacy/retention/calendar.ts";
import type { Price } from "./objects.ts";

const DAY = 24 * 3_600;
type Interval = Pick<NonNullable<Price["recurring"]>, "interval" | "interval_count">;

/** Seconds. */
export function addIntervals(anchor: number, { interval, interval_count }: Interval, count: number): number {
  const steps = interval_count * count;
  if (interval === "day") return anchor + steps * DAY;
  if (interval === "week") return anchor + steps * 7 * DAY;
  return clampAddMonths(anchor * 1_000, steps * (interval === "year" ? 12 : 1)) / 1_000;
}

/** The first end of a period after `at`. */
export function periodEnd(anchor: number, interval: Interval, at: number): number {
  let count = 0;
  while (addIntervals(anchor, interval, count) <= at) count += 1;
  return addIntervals(anchor, interval, count);
}
