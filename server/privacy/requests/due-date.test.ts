import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { daysLeft, dueAt, REMINDER_DAYS, reminderDay } from "./due-date.ts";

const DAY_MS = 24 * 60 * 60_000;
const HOUR_MS = 60 * 60_000;
const anyArrival = fc.date({
  min: new Date("2020-01-01T00:00:00Z"),
  max: new Date("2105-12-31T23:59:59.999Z"),
  noInvalidDate: true,
});
const lengthOf = (year: number, month: number) => new Date(Date.UTC(year, month + 1, 0)).getUTCDate();

describe("the due date of a request", () => {
  it.each([
    ["2026-01-31T10:00:00Z", "2026-02-28T10:00:00Z"],
    ["2028-01-31T10:00:00Z", "2028-02-29T10:00:00Z"],
    ["2026-01-29T23:59:59Z", "2026-02-28T23:59:59Z"],
    ["2028-01-30T00:00:00Z", "2028-02-29T00:00:00Z"],
    ["2100-01-31T00:00:00Z", "2100-02-28T00:00:00Z"],
    ["2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"],
    ["2028-02-29T12:00:00Z", "2028-03-29T12:00:00Z"],
    ["2026-04-30T00:00:00Z", "2026-05-30T00:00:00Z"],
    ["2026-11-20T08:30:00Z", "2026-12-20T08:30:00Z"],
    ["2026-12-31T08:30:00Z", "2027-01-30T08:30:00Z"],
    // Clocks in Europe go forward on the 29th; the promise does not move with them.
    ["2026-03-28T23:30:00Z", "2026-04-27T23:30:00Z"],
  ])("of %s is %s", (received, due) => {
    expect(dueAt(new Date(received)).toISOString()).toBe(new Date(due).toISOString());
  });

  it("is the earlier of 30 days and one calendar month, for every day there is", () => {
    fc.assert(
      fc.property(anyArrival, (received) => {
        const due = dueAt(received);
        const [year, month, day] = [received.getUTCFullYear(), received.getUTCMonth(), received.getUTCDate()];
        const next = { year: month === 11 ? year + 1 : year, month: (month + 1) % 12 };
        const monthAfter =
          Date.UTC(next.year, next.month, Math.min(day, lengthOf(next.year, next.month))) +
          (received.getTime() - Date.UTC(year, month, day));
        const thirtyAfter = received.getTime() + 30 * DAY_MS;
        expect(due.getTime()).toBeLessThanOrEqual(monthAfter);
        expect(due.getTime()).toBeLessThanOrEqual(thirtyAfter);
        expect([monthAfter, thirtyAfter]).toContain(due.getTime());
        expect(due.getTime() - received.getTime()).toBeGreaterThanOrEqual(28 * DAY_MS);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("reminders", () => {
  const request = (received: string) => ({ receivedAt: new Date(received), dueAt: dueAt(new Date(received)) });

  it("come once on each day of the list, then daily when it is overdue, whenever one looks", () => {
    fc.assert(
      fc.property(anyArrival, fc.integer({ min: 1, max: 30 }), (receivedAt, everyHours) => {
        const asked = { receivedAt, dueAt: dueAt(receivedAt) };
        const seen: number[] = [];
        let newest = 0;
        for (let now = receivedAt.getTime(); now < asked.dueAt.getTime(); now += everyHours * HOUR_MS) {
          const day = reminderDay(asked, now);
          expect(day).toBeGreaterThanOrEqual(newest);
          if (day > newest) seen.push(day);
          newest = day;
        }
        const window = asked.dueAt.getTime() - receivedAt.getTime();
        // Who looks less often than the days lie apart sees only the newest of them.
        const expected = REMINDER_DAYS.filter((day) => day * DAY_MS < window);
        for (const day of seen) expect(expected).toContain(day);
        if (everyHours <= 24 && window > 28 * DAY_MS + everyHours * HOUR_MS) expect(seen).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  it("after forty days away there is one, and it says that it is overdue", () => {
    const asked = request("2026-01-31T00:00:00Z");
    const now = asked.receivedAt.getTime() + 40 * DAY_MS;
    expect(reminderDay(asked, now)).toBe(40);
    expect(daysLeft(asked.dueAt, now)).toBe(-12);
    expect(reminderDay(asked, asked.receivedAt.getTime() + 7 * DAY_MS - 1)).toBe(0);
    expect(daysLeft(asked.dueAt, asked.dueAt.getTime() - 1)).toBe(0);
    expect(daysLeft(asked.dueAt, asked.dueAt.getTime() + 1)).toBe(-1);
  });
});
