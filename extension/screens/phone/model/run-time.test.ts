import { describe, expect, it } from "vitest";
import { byteSize, runTime, timeAgo, timeLeft } from "./run-time.ts";

const start = "2026-01-01T00:00:00.000Z";
const startMs = Date.parse(start);

describe("times and sizes in words", () => {
  it.each([
    [0, "0:00"],
    [7_900, "0:07"],
    [724_000, "12:04"],
    [3_729_000, "1:02:09"],
    [-5_000, "0:00"],
  ])("%d ms of run time reads %s", (ms, words) => {
    expect(runTime(start, startMs + ms)).toBe(words);
  });

  it.each([
    [0, "now"],
    [45_000, "45 s"],
    [99_000, "99 s"],
    [100_000, "2 min"],
    [180_000, "3 min"],
  ])("%d ms left reads %s", (ms, words) => {
    expect(timeLeft(start, startMs - ms)).toBe(words);
  });

  it("counts minutes, then hours, then gives the date", () => {
    expect(timeAgo(start, startMs + 59_000)).toBe("just now");
    expect(timeAgo(start, startMs + 5 * 60_000)).toBe("5 min ago");
    expect(timeAgo(start, startMs + 3 * 3_600_000)).toBe("3 h ago");
    expect(timeAgo(start, startMs + 49 * 3_600_000)).toMatch(/1/);
    expect(timeAgo(start, startMs + 49 * 3_600_000)).not.toContain("2026");
    expect(timeAgo(start, startMs + 500 * 24 * 3_600_000)).toContain("2026");
  });

  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1400, "1.4 kB"],
    [999_600, "1.0 MB"],
    [23_000_000, "23 MB"],
    [5_000_000_000_000_000, "5000 TB"],
  ])("%d bytes read %s", (bytes, words) => {
    expect(byteSize(bytes)).toBe(words);
  });
});
