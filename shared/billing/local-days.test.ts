import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { localDay, startOfDay } from "./local-days.ts";
import { ZONES } from "./rating.fixture.ts";

const HOUR = 3_600_000;

describe("days of a time zone", () => {
  it("begin at the zone's midnight and follow each other without a gap", () => {
    const moment = fc.date({ min: new Date("2024-01-01"), max: new Date("2032-01-01"), noInvalidDate: true });
    fc.assert(
      fc.property(
        moment,
        fc.constantFrom(...ZONES, "Asia/Kathmandu", "America/Santiago", "Africa/Cairo"),
        (date, zone) => {
          const at = date.getTime();
          const { day, from, to } = localDay(at, zone);
          expect(from <= at && at < to).toBe(true);
          const written = new Intl.DateTimeFormat("sv-SE", { timeZone: zone });
          expect([written.format(at), written.format(from), written.format(to - 1)]).toEqual([day, day, day]);
          expect(written.format(from - 1) < day && written.format(to) > day).toBe(true);
          expect(localDay(to, zone).from).toBe(to);
          expect([23, 23.5, 24, 24.5, 25]).toContain((to - from) / HOUR);
          expect(startOfDay(day, zone)).toBe(from);
        },
      ),
    );
  });
  it.each([
    ["Europe/Berlin", "2026-03-29", 23],
    ["Europe/Berlin", "2026-10-25", 25],
    ["America/New_York", "2026-03-08", 23],
    ["Australia/Lord_Howe", "2026-04-05", 24.5],
    ["Africa/Cairo", "2026-04-24", 23],
    ["Europe/Berlin", "2028-02-29", 24],
  ])("in %s %s has %d hours", (zone, day, hours) => {
    const { from, to } = localDay(startOfDay(day, zone), zone);
    expect((to - from) / HOUR).toBe(hours);
  });
  it("may be skipped by a zone", () => {
    const { to } = localDay(startOfDay("2011-12-29", "Pacific/Apia"), "Pacific/Apia");
    expect(localDay(to, "Pacific/Apia").day).toBe("2011-12-31");
    expect(startOfDay("2011-12-30", "Pacific/Apia")).toBe(to);
  });
  it("are none in a zone there is not", () => {
    expect(() => localDay(0, "Mars/Olympus")).toThrow(RangeError);
  });
});
