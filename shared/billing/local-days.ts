/** Days as people of a time zone have them: 23 to 25 hours long where clocks change, gone where a zone skipped one. */

export interface LocalDay {
  /** `2026-11-26`. */
  readonly day: string;
  /** Its first millisecond. */
  readonly from: number;
  /** The first one of the next day. */
  readonly to: number;
}

const DAY_MS = 86_400_000;
/** No zone is further from UTC. */
const FURTHEST_MS = 16 * 3_600_000;
/** Days of ten years, of more zones than a server has teams in: what is kept stays small whatever is asked for. */
const MOST_KEPT = 4_000;
const zones = new Map<string, (at: number) => LocalDay>();

/** The day a moment is in. Finds each day's midnights once. @throws RangeError for an unknown zone. */
export function localDay(at: number, timeZone: string): LocalDay {
  let days = zones.get(timeZone);
  if (days === undefined) {
    days = daysOf(timeZone);
    if (zones.size >= MOST_KEPT) zones.clear();
    zones.set(timeZone, days);
  }
  return days(at);
}

/** The first millisecond of a day written as `2026-11-26`. */
export function startOfDay(day: string, timeZone: string): number {
  // The middle of the day by UTC is the day before, the same or the next one in every zone.
  let found = localDay(Date.parse(day) + DAY_MS / 2, timeZone);
  if (found.day > day) found = localDay(found.from - 1, timeZone);
  return found.day < day ? found.to : found.from;
}

function daysOf(timeZone: string): (at: number) => LocalDay {
  const clock = new Intl.DateTimeFormat("en-US", {
    ...{ timeZone, calendar: "gregory", numberingSystem: "latn" },
    ...{ year: "numeric", month: "numeric", day: "numeric" },
  });
  /** Days since 1970 on the calendar of the zone. */
  const dateAt = (at: number): number => {
    const parts = clock.formatToParts(at);
    const part = (type: string) => Number(parts.find((one) => one.type === type)?.value);
    return Date.UTC(part("year"), part("month") - 1, part("day")) / DAY_MS;
  };
  const starts = new Map<number, number>();
  /** Where a date begins: looked for between the same moments whatever was asked before, so that every answer fits the others. */
  const startOf = (date: number): number => {
    const known = starts.get(date);
    if (known !== undefined) return known;
    let before = date * DAY_MS - FURTHEST_MS;
    let after = date * DAY_MS + FURTHEST_MS;
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (dateAt(middle) < date) before = middle;
      else after = middle;
    }
    if (starts.size >= MOST_KEPT) starts.clear();
    starts.set(date, after);
    return after;
  };
  const made = new Map<number, LocalDay>();
  let last: LocalDay = { day: "", from: 0, to: 0 };
  return (at) => {
    if (at >= last.from && at < last.to) return last;
    let date = Math.floor(at / DAY_MS);
    if (at < startOf(date)) date -= 1;
    else while (at >= startOf(date + 1)) date += 1;
    let day = made.get(date);
    if (day === undefined) {
      day = { day: new Date(date * DAY_MS).toISOString().slice(0, 10), from: startOf(date), to: startOf(date + 1) };
      if (made.size >= MOST_KEPT) made.clear();
      made.set(date, day);
    }
    last = day;
    return day;
  };
}
