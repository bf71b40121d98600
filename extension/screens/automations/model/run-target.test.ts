import { describe, expect, it } from "vitest";
import { aPhone } from "../../phone/model/testing.ts";
import { readTarget, tagsOf, targetOptions, targetValue } from "./run-target.ts";

describe("where a run may go", () => {
  const phones = [
    aPhone({ name: "One", tags: ["shop", "tests"] }),
    aPhone({ name: "Two", tags: ["shop"], state: "running" }),
    aPhone({ name: "Three", tags: [] }),
  ];
  it("is a phone, any or every phone of a tag that more than one carries", () => {
    expect([...tagsOf(phones)]).toEqual([
      ["shop", 2],
      ["tests", 1],
    ]);
    expect(targetOptions(phones).map(({ label }) => label)).toEqual([
      "One (parked)",
      "Two (running)",
      "Three (parked)",
      "Any free phone of “shop”",
      "Every phone of “shop” (2)",
    ]);
  });
  it("is read back as it was written, and a phone's id is none of a tag", () => {
    for (const share of ["each", "any"] as const) {
      expect(readTarget(targetValue({ share, tag: "größe-2" }))).toEqual({ share, tag: "größe-2" });
    }
    for (const { id } of phones) expect(readTarget(id)).toBeUndefined();
    expect(readTarget("some shop")).toBeUndefined();
  });
});
