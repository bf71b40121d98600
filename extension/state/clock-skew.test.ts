import { describe, expect, it, vi } from "vitest";
import { createClockSkew } from "./clock-skew.ts";

const NOW = Date.UTC(2026, 10, 26, 9);
const answer = (aheadMs: number) => new Response("", { headers: { date: new Date(NOW - aheadMs).toUTCString() } });

describe("the clock's skew", () => {
  it.each([
    ["two minutes apart, which an answer may take", 120_000, 0],
    ["ahead", 5 * 60_000, 5],
    ["behind", -90 * 60_000, -90],
  ])("is %s", (_, aheadMs, minutes) => {
    const skew = createClockSkew(() => NOW);
    skew.heard(answer(aheadMs));
    expect(skew.minutes()).toBe(minutes);
  });

  it("tells of changes alone, and goes once the clock is set", () => {
    const skew = createClockSkew(() => NOW);
    const told = vi.fn();
    const stop = skew.subscribe(told);
    skew.heard(new Response("", { headers: { date: "yesterday" } }));
    skew.heard(new Response(""));
    expect(told).not.toHaveBeenCalled();
    skew.heard(answer(600_000));
    skew.heard(answer(601_000));
    expect(told).toHaveBeenCalledTimes(1);
    skew.heard(answer(0));
    expect([told.mock.calls.length, skew.minutes()]).toEqual([2, 0]);
    stop();
    skew.heard(answer(600_000));
    expect(told).toHaveBeenCalledTimes(2);
  });
});
