/** From usage by day to the bars of the chart and the rows of its table. */
import type { UsageDays } from "../../../../shared/billing/billing.ts";
import { type DayRange, daysOf, dayWords } from "./usage-range.ts";

export interface UsageBar {
  /** The first day of it; a bar is a day, or a week of a long range. */
  readonly from: string;
  readonly to: string;
  readonly words: string;
  readonly ms: number;
  /** Of it, what the chosen phone, member or flow took. */
  readonly partMs: number;
  /** Minor units; left out for who may not see money. */
  readonly amount?: number;
}

/** More bars than this cannot be told apart at 320 px: weeks are drawn instead. */
export const MOST_BARS = 62;
const HOUR_MS = 3_600_000;

/** All days of the range, also those on which nothing ran. `only`: the series whose part is told apart. */
export function usageBars({ series }: UsageDays, range: DayRange, only?: string): readonly UsageBar[] {
  const days = daysOf(range);
  const width = days.length > MOST_BARS ? 7 : 1;
  const all = sums(series);
  const part = sums(series.filter(({ id }) => id === only));
  const money = series.some(({ amount }) => amount !== undefined);
  return Array.from({ length: Math.ceil(days.length / width) }, (_, index): UsageBar => {
    const group = days.slice(index * width, (index + 1) * width);
    const [from = "", to = from] = [group[0], group.at(-1)];
    const total = (of: ReadonlyMap<string, Sum>, what: keyof Sum) =>
      group.reduce((sum, day) => sum + (of.get(day)?.[what] ?? 0), 0);
    return {
      from,
      to,
      words: from === to ? dayWords(from) : `${dayWords(from, "short")} to ${dayWords(to, "short")}`,
      ms: total(all, "ms"),
      partMs: only === undefined ? total(all, "ms") : total(part, "ms"),
      ...(money && { amount: total(only === undefined ? all : part, "amount") }),
    };
  });
}

interface Sum {
  readonly ms: number;
  readonly amount: number;
}

function sums(series: UsageDays["series"]): ReadonlyMap<string, Sum> {
  const byDay = new Map<string, Sum>();
  for (const { days } of series) {
    for (const { day, ms, amount = 0 } of days) {
      const before = byDay.get(day) ?? { ms: 0, amount: 0 };
      byDay.set(day, { ms: before.ms + ms, amount: before.amount + amount });
    }
  }
  return byDay;
}

/** The top of the scale: the next round length of time. */
export function scaleTop(bars: readonly UsageBar[]): number {
  const highest = Math.max(0, ...bars.map(({ ms }) => ms));
  const steps = [HOUR_MS / 6, HOUR_MS / 2, ...[1, 2, 4, 6, 8, 12, 16, 24, 36, 48, 72, 96].map((h) => h * HOUR_MS)];
  return steps.find((step) => step >= highest) ?? Math.ceil(highest / (100 * HOUR_MS)) * 100 * HOUR_MS;
}

/** Where the arrow keys lead among bars. Undefined for any other key. */
export function nextBar(key: string, current: number, count: number): number | undefined {
  const last = count - 1;
  switch (key) {
    case "ArrowLeft":
      return Math.max(0, current - 1);
    case "ArrowRight":
      return Math.min(last, current + 1);
    case "Home":
      return 0;
    case "End":
      return last;
    default:
      return undefined;
  }
}
