import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ALARM_HOURS, HOUR_MS, INCIDENT_HOURS, incidentClock } from "./incident-clock.ts";

const moments = fc.date({ min: new Date("2024-01-01"), max: new Date("2032-12-31"), noInvalidDate: true });
const open = { alarmedHour: 0, closed: false, unsettled: true, authorityToldAt: null };

describe("the 72 hours", () => {
  it("end 72 hours after awareness, on leap days and when clocks change", () => {
    fc.assert(
      fc.property(moments, (awareAt) => {
        const due = awareAt.getTime() + 72 * 60 * 60 * 1000;
        expect(incidentClock({ ...open, awareAt }, due - 1)).toMatchObject({ red: false, authorityLate: false });
        expect(incidentClock({ ...open, awareAt }, due)).toMatchObject({
          red: true,
          authorityLate: true,
          hoursLeft: 0,
        });
        expect(incidentClock({ ...open, awareAt, unsettled: false }, due).red).toBe(false);
      }),
    );
  });

  it("are never over without a red sign while somebody waits", () => {
    fc.assert(
      fc.property(moments, fc.integer({ min: 0, max: 40 * 24 * 60 }), fc.boolean(), (awareAt, minutes, unsettled) => {
        const clock = incidentClock({ ...open, awareAt, unsettled }, awareAt.getTime() + minutes * 60_000);
        expect(clock.red).toBe(unsettled && minutes >= INCIDENT_HOURS * 60);
      }),
    );
  });

  it("give each alarm once, in order, whenever somebody looks, and after a long stop the newest alone", () => {
    const looks = fc.array(fc.integer({ min: 1, max: 30 * 60 }), { maxLength: 60 });
    fc.assert(
      fc.property(moments, looks, (awareAt, minutes) => {
        let at = awareAt.getTime();
        let alarmedHour = 0;
        const given: number[] = [];
        for (const step of minutes) {
          at += step * 60_000;
          const { alarm } = incidentClock({ ...open, awareAt, alarmedHour }, at);
          if (alarm === undefined) continue;
          expect(at - awareAt.getTime()).toBeGreaterThanOrEqual(alarm * HOUR_MS);
          given.push(alarm);
          alarmedHour = alarm;
        }
        expect(given).toEqual([...new Set(given)].sort((a, b) => a - b));
        const passed = ALARM_HOURS.filter((hours) => at - awareAt.getTime() >= hours * HOUR_MS);
        expect(alarmedHour).toBe(passed.at(-1) ?? 0);
      }),
    );
  });

  it("give no alarm for what is closed, or told to everybody and the authority", () => {
    const awareAt = new Date("2026-03-28T12:00:00Z");
    const late = awareAt.getTime() + 71 * HOUR_MS;
    const done = { ...open, awareAt, unsettled: false, authorityToldAt: awareAt };
    expect(incidentClock(done, late).alarm).toBeUndefined();
    expect(incidentClock({ ...open, awareAt, closed: true }, late).alarm).toBeUndefined();
    expect(incidentClock({ ...done, authorityToldAt: null }, late).alarm).toBe(70);
    expect(incidentClock({ ...done, unsettled: true }, late).alarm).toBe(70);
  });
});
