import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cronMatches, localMinute, nextCron, parseCron } from "./cron.ts";

const cron = (text: string) => {
  const parsed = parseCron(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
};
const next = (text: string, zone: string, after: string) => {
  const found = nextCron(cron(text), zone, Date.parse(after));
  return found === undefined ? undefined : new Date(found).toISOString();
};

describe("schedules", () => {
  it("come on the clock of their time zone, across clock changes", () => {
    expect(next("0 9 * * 1-5", "Europe/Berlin", "2026-03-27T08:00:00Z")).toBe("2026-03-30T07:00:00.000Z");
    expect(next("0 9 * * MON-FRI", "Asia/Tokyo", "2026-03-27T00:00:00Z")).toBe("2026-03-30T00:00:00.000Z");
    expect(next("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z")).toBe("2026-03-30T00:30:00.000Z");
    expect(next("0 0 29 2 *", "UTC", "2026-11-26T00:00:00Z")).toBe("2028-02-29T00:00:00.000Z");
    expect(next("*/20 * * * *", "Asia/Kathmandu", "2026-11-26T00:00:00Z")).toBe("2026-11-26T00:15:00.000Z");
    expect(next("0 12 13 * FRI", "UTC", "2026-11-26T12:00:00Z")).toBe("2026-11-27T12:00:00.000Z");
    expect(next("0 0 * * 7", "UTC", "2026-11-26T00:00:00Z")).toBe("2026-11-29T00:00:00.000Z");
    const twice = ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"].map((at) =>
      localMinute(Date.parse(at), "Europe/Berlin"),
    );
    expect(twice).toEqual(["2026-10-25T02:30", "2026-10-25T02:30"]);
  });
  it.each([
    ["0 9 * *", "5 fields"],
    ["61 9 * * *", "The minute field"],
    ["0 24 * * *", "The hour field"],
    ["0 9 0 * *", "The day of month field"],
    ["0 9 * 13 *", "The month field"],
    ["0 9 * * 8", "The day of week field"],
    ["*/0 * * * *", "The minute field"],
    ["5-1 * * * *", "The minute field"],
    ["1-2-3 * * * *", "The minute field"],
    ["0 0 31 2 *", "would never run"],
  ])("refuse %s with a sentence", (text, part) => {
    const parsed = parseCron(text);
    expect(parsed.ok ? "accepted" : parsed.message).toContain(part);
  });
  it("never skip a minute of theirs", () => {
    const field = (low: number, high: number) =>
      fc.oneof(fc.constant("*"), fc.integer({ min: low, max: high }).map(String), fc.constant("*/7"));
    const zone = fc.constantFrom("UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia");
    fc.assert(
      fc.property(
        field(0, 59),
        field(0, 23),
        field(0, 6),
        zone,
        fc.integer({ min: 0, max: 365 * 24 }),
        (m, h, w, z, hours) => {
          const schedule = cron(`${m} ${h} * * ${w}`);
          const start = Date.UTC(2026, 0, 1) + hours * 3_600_000;
          const found = nextCron(schedule, z, start) ?? Number.NaN;
          expect(cronMatches(schedule, z, found)).toBe(true);
          for (let at = start + 60_000; at < Math.min(found, start + 26 * 3_600_000); at += 60_000) {
            if (cronMatches(schedule, z, at)) throw new Error(`skipped ${new Date(at).toISOString()}`);
          }
        },
      ),
      { numRuns: 40 },
    );
  });
  it("never throw", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(fc.constantFrom("*", "1", "-", "/", ",", " ", "MON")).map((all) => all.join("")),
        ),
        (text) => {
          parseCron(text);
        },
      ),
    );
  });
});
