import { describe, expect, it } from "vitest";
import { sortedPhones } from "./phone-list.ts";
import { aPhone } from "./testing.ts";

describe("the phone switcher", () => {
  it("has running phones first, then the last used, then names", () => {
    const b = aPhone({ name: "B" });
    const a = aPhone({ name: "A" });
    const old = aPhone({ name: "Old", lastUsedAt: "2026-01-02T00:00:00Z" });
    const recent = aPhone({ name: "Recent", lastUsedAt: "2026-01-05T00:00:00Z" });
    const starting = aPhone({ name: "Starting", state: "starting" });
    expect(sortedPhones([b, old, a, recent, starting]).map((phone) => phone.name)).toEqual([
      "Starting",
      "Recent",
      "Old",
      "A",
      "B",
    ]);
  });
});
