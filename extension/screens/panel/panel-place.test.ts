import { describe, expect, it } from "vitest";
import { newId } from "../../../shared/ids.ts";
import { fullSizePath, panelPlace } from "./panel-place.ts";

describe("the place of the panel", () => {
  it("reads back the full-size address of a phone", () => {
    const id = newId("phone");
    expect(panelPlace(new URL(fullSizePath(id), "https://x.example").search)).toEqual({ full: true, phoneId: id });
  });
  it("is the side panel without a phone for any other address", () => {
    for (const search of ["", "?phone=../../etc", "?full=yes", "?phone=ses_1234567890123456789012"]) {
      expect(panelPlace(search)).toEqual({ full: false, phoneId: undefined });
    }
  });
});
