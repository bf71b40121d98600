/** When a request has to be answered, and when its operator is reminded. UTC: no clock change moves a promise. */
const DAY_MS = 24 * 60 * 60_000;
const PROMISED_DAYS = 30;

/** The earlier of 30 days (clause P5.6) and one calendar month (Art. 12(3) GDPR) after arrival. */
export function dueAt(receivedAt: Date): Date {
  const promised = receivedAt.getTime() + PROMISED_DAYS * DAY_MS;
  return new Date(Math.min(promised, oneMonthAfter(receivedAt).getTime()));
}

/** The same day of the next month, or its last: 31 January → 28 February (Regulation 1182/71, Art. 3). */
function oneMonthAfter(at: Date): Date {
  const month = at.getUTCMonth() + 1;
  const lastDay = new Date(Date.UTC(at.getUTCFullYear(), month + 1, 0)).getUTCDate();
  const moved = new Date(at);
  moved.setUTCMonth(month, Math.min(at.getUTCDate(), lastDay));
  return moved;
}

/** Days after arrival on which the operator is reminded. */
export const REMINDER_DAYS = [7, 14, 21, 25, 28] as const;

/** The newest reminder there should have been by now, in days after arrival; 0 for none. Overdue: one every day. */
export function reminderDay(request: { readonly receivedAt: Date; readonly dueAt: Date }, now: number): number {
  const days = Math.floor((now - request.receivedAt.getTime()) / DAY_MS);
  if (now >= request.dueAt.getTime()) return days;
  return REMINDER_DAYS.findLast((day) => day <= days) ?? 0;
}

/** Whole days left; 0 on the last day, negative when it is overdue. */
export function daysLeft(due: Date, now: number): number {
  return Math.floor((due.getTime() - now) / DAY_MS);
}
