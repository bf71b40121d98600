/** Whole months of the calendar, in UTC. */

/** The same day and time so many months on; the last day of the month where it has no such day. */
export function clampAddMonths(at: number, months: number): number {
  const from = new Date(at);
  const month = from.getUTCMonth() + months;
  const last = new Date(Date.UTC(from.getUTCFullYear(), month + 1, 0)).getUTCDate();
  const to = new Date(at);
  to.setUTCFullYear(from.getUTCFullYear(), month, Math.min(from.getUTCDate(), last));
  return to.getTime();
}
