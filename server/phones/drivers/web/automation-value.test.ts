import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pickerValue } from "./automation-value.ts";
import type { ValueKind } from "./views.ts";

describe("what is typed for a date, a time, a colour", () => {
  it.each<[ValueKind, string, string | undefined]>([
    ["date", "2026-03-04", "2026-03-04"],
    ["date", "2026-3-4", "2026-03-04"],
    ["date", "02111990", "1990-02-11"],
    ["date", "2/11/1990", "1990-02-11"],
    ["date", "11.2.1990", "1990-02-11"],
    ["date", "19900211", "1990-02-11"],
    ["date", "2026-02-30", undefined],
    ["date", "13/13/2026", undefined],
    ["date", "soon", undefined],
    ["time", "18:30", "18:30"],
    ["time", "0630", "06:30"],
    ["time", "6:30 pm", "18:30"],
    ["time", "12:05 a.m.", "00:05"],
    ["time", "18:30:15", "18:30:15"],
    ["time", "24:00", undefined],
    ["time", "13:00 PM", undefined],
    ["month", "2026-03", "2026-03"],
    ["month", "03/2026", "2026-03"],
    ["month", "13/2026", undefined],
    ["week", "2026-w09", "2026-W09"],
    ["week", "2026-W54", undefined],
    ["datetime-local", "2026-03-04 6:30 PM", "2026-03-04T18:30"],
    ["datetime-local", "03/04/2026, 18:30", "2026-03-04T18:30"],
    ["datetime-local", "2026-03-04", undefined],
    ["color", "369", "#336699"],
    ["color", "#AABBCC", "#aabbcc"],
    ["color", "red", undefined],
  ])("%s %j is %j", (kind, typed, value) => expect(pickerValue(kind, typed)).toBe(value));

  it("every day and minute as a field shows them", () => {
    const day = fc.date({ min: new Date("1000-01-01"), max: new Date("9999-12-31"), noInvalidDate: true });
    fc.assert(
      fc.property(day, (date) => {
        const iso = date.toISOString();
        expect(pickerValue("date", iso.slice(0, 10))).toBe(iso.slice(0, 10));
        expect(pickerValue("time", iso.slice(11, 16))).toBe(iso.slice(11, 16));
        expect(pickerValue("datetime-local", iso.slice(0, 16))).toBe(iso.slice(0, 16));
      }),
    );
  });
});
