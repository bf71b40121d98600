/** Phones for tests: a parked web phone unless told otherwise. */
import { newId } from "../../../../shared/ids.ts";
import { WEB_PHONE } from "../../../../shared/phone-model.ts";
import type { Phone } from "../../../../shared/phones.ts";

export function aPhone(change: Partial<Phone> = {}): Phone {
  return {
    id: newId("phone"),
    name: "Pixel, tall",
    driver: "web",
    profile: "tall",
    state: "parked",
    width: 360,
    height: 800,
    rotated: false,
    settings: {},
    tags: [],
    createdAt: "2026-01-01T00:00:00.000Z",
    capabilities: WEB_PHONE,
    ...change,
  };
}
