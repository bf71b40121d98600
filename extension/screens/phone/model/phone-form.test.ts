import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { launchInput } from "../../../../shared/phones.ts";
import {
  checkAddress,
  checkNewPhone,
  checkSettings,
  emptyNewPhoneDraft,
  emptySettingsDraft,
  settingsDraft,
} from "./phone-form.ts";

const key = "12345678-abcd";

describe("the new phone form", () => {
  it("asks for nothing: an untouched form is a valid request", () => {
    const checked = checkNewPhone(emptyNewPhoneDraft, key);
    expect(checked).toEqual({ ok: true, value: { profile: "tall", idempotencyKey: key } });
  });

  it("asks for a model and its kind in place of a size", () => {
    const model = { id: "device:pixel-7", driver: "adb" } as const;
    expect(checkNewPhone({ ...emptyNewPhoneDraft, model }, key)).toEqual({
      ok: true,
      value: { driver: "adb", model: "device:pixel-7", idempotencyKey: key },
    });
  });

  it("says by field what is wrong", () => {
    const checked = checkNewPhone(
      {
        ...emptyNewPhoneDraft,
        name: "x".repeat(61),
        settings: { ...emptySettingsDraft, locale: "english", timeZone: "Berlin", latitude: "91", longitude: "" },
      },
      key,
    );
    expect(checked.ok).toBe(false);
    if (checked.ok) return;
    expect(Object.keys(checked.errors).sort()).toEqual(["latitude", "locale", "name", "timeZone"]);
    expect(checked.errors.timeZone).toContain("Europe/Berlin");
  });

  it("wants both coordinates or none, and takes a decimal comma", () => {
    expect(checkSettings({ ...emptySettingsDraft, latitude: "52,5" })).toMatchObject({
      ok: false,
      errors: { longitude: "Add the longitude too." },
    });
    expect(checkSettings({ ...emptySettingsDraft, latitude: "52,5", longitude: "13.4" })).toEqual({
      ok: true,
      value: { geolocation: { latitude: 52.5, longitude: 13.4 } },
    });
  });

  it("never lets through what the server would refuse, and keeps settings through a round trip", () => {
    const text = fc.oneof(fc.string({ maxLength: 70 }), fc.constantFrom("en-GB", "Europe/Berlin", "12.5", "-181", ""));
    fc.assert(
      fc.property(text, text, text, text, text, (name, locale, timeZone, latitude, longitude) => {
        const settings = { locale, timeZone, colorScheme: "dark" as const, latitude, longitude };
        const checked = checkNewPhone({ name, profile: "tablet", settings }, key);
        if (!checked.ok) {
          expect(Object.keys(checked.errors).length).toBeGreaterThan(0);
          return;
        }
        expect(launchInput.safeParse(checked.value).success).toBe(true);
        const again = checkSettings(settingsDraft(checked.value.settings ?? {}));
        expect(again).toEqual({ ok: true, value: checked.value.settings });
      }),
    );
  });
});

describe("an address to open", () => {
  it("is completed as typed, or refused with what to write", () => {
    expect(checkAddress(" example.com/shop ")).toEqual({ ok: true, value: "https://example.com/shop" });
    expect(checkAddress("")).toEqual({ ok: false, errors: "Write an address to open." });
    expect(checkAddress("javascript:alert(1)")).toMatchObject({ ok: false });
    expect(checkAddress("file:///etc/passwd")).toMatchObject({ ok: false });
  });
});
