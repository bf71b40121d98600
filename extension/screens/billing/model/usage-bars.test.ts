import { describe, expect, it } from "vitest";
import type { UsageDays } from "../../../../shared/billing/billing.ts";
import { nextBar, scaleTop, usageBars } from "./usage-bars.ts";

const HOUR = 3_600_000;
const november = { from: "2026-11-01", to: "2026-11-30" };
const days: UsageDays = {
  timeZone: "Europe/Berlin",
  currency: "usd",
  series: [
    {
      ...{ id: "a", name: "Pixel, tall", ms: 3 * HOUR, amount: 12 },
      days: [
        { day: "2026-11-02", ms: 2 * HOUR, amount: 12 },
        { day: "2026-11-03", ms: HOUR, amount: 0 },
      ],
    },
    { id: "b", name: "Work phone", ms: HOUR, amount: 7, days: [{ day: "2026-11-02", ms: HOUR, amount: 7 }] },
  ],
};

describe("bars of usage", () => {
  it("are there for every day, also the quiet ones, and sum to the whole", () => {
    const bars = usageBars(days, november);
    expect(bars).toHaveLength(30);
    expect(bars[1]).toMatchObject({ from: "2026-11-02", ms: 3 * HOUR, partMs: 3 * HOUR, amount: 19 });
    expect(bars[4]).toMatchObject({ ms: 0, amount: 0 });
    expect(bars.reduce((sum, { ms }) => sum + ms, 0)).toBe(4 * HOUR);
  });
  it("tell apart what one of them took, with its own cost", () => {
    expect(usageBars(days, november, "b")[1]).toMatchObject({ ms: 3 * HOUR, partMs: HOUR, amount: 7 });
    expect(usageBars(days, november, "b")[2]).toMatchObject({ ms: HOUR, partMs: 0, amount: 0 });
  });
  it("say no amount to who may not see money", () => {
    const series = days.series.map(({ amount: _, ...each }) => ({
      ...each,
      days: each.days.map(({ day, ms }) => ({ day, ms })),
    }));
    for (const bar of usageBars({ ...days, series }, november)) expect(bar).not.toHaveProperty("amount");
  });
  it("are weeks over a long range, and lose nothing", () => {
    const bars = usageBars(days, { from: "2026-01-01", to: "2026-12-31" });
    expect(bars).toHaveLength(53);
    expect(bars.at(-1)).toMatchObject({ from: "2026-12-31", to: "2026-12-31" });
    expect(bars.reduce((sum, { ms }) => sum + ms, 0)).toBe(4 * HOUR);
  });
  it("stand under a round top", () => {
    expect(scaleTop([])).toBe(HOUR / 6);
    expect(scaleTop(usageBars(days, november))).toBe(4 * HOUR);
    const long = { from: "", to: "", words: "", ms: 230 * HOUR, partMs: 0 };
    expect(scaleTop([long])).toBe(300 * HOUR);
  });
  it("are walked with the arrow keys, without leaving the chart", () => {
    expect(nextBar("ArrowRight", 29, 30)).toBe(29);
    expect(nextBar("ArrowLeft", 0, 30)).toBe(0);
    expect(nextBar("Home", 12, 30)).toBe(0);
    expect(nextBar("End", 12, 30)).toBe(29);
    expect(nextBar("Tab", 12, 30)).toBeUndefined();
  });
});
