/** What a person fills in for a new phone or its settings, and how that becomes a checked request. */
import type * as z from "zod/mini";
import {
  DEFAULT_PROFILE,
  type DeviceProfileId,
  launchInput,
  type PhoneModel,
  type PhoneSettings,
  phoneSettings,
  phoneTag,
  phoneUrl,
} from "../../../../shared/phones.ts";

/** Every field as text, as inputs hold it; empty means the browser's own value. */
export interface SettingsDraft {
  readonly locale: string;
  readonly timeZone: string;
  readonly colorScheme: "" | "light" | "dark";
  readonly latitude: string;
  readonly longitude: string;
}

export interface NewPhoneDraft {
  readonly name: string;
  readonly profile: DeviceProfileId;
  /** What an Android is made of, in place of a profile. */
  readonly model?: Pick<PhoneModel, "id" | "driver"> | undefined;
  readonly settings: SettingsDraft;
}

export type SettingsErrors = Partial<Record<keyof SettingsDraft, string>>;
export type Checked<T, E> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly errors: E };

export const emptySettingsDraft: SettingsDraft = {
  locale: "",
  timeZone: "",
  colorScheme: "",
  latitude: "",
  longitude: "",
};
export const emptyNewPhoneDraft: NewPhoneDraft = { name: "", profile: DEFAULT_PROFILE, settings: emptySettingsDraft };

export function settingsDraft(settings: PhoneSettings): SettingsDraft {
  return {
    locale: settings.locale ?? "",
    timeZone: settings.timeZone ?? "",
    colorScheme: settings.colorScheme ?? "",
    latitude: settings.geolocation === undefined ? "" : String(settings.geolocation.latitude),
    longitude: settings.geolocation === undefined ? "" : String(settings.geolocation.longitude),
  };
}

/** Checks the draft against the contract; errors are sentences, keyed by field. */
export function checkSettings(draft: SettingsDraft): Checked<PhoneSettings, SettingsErrors> {
  const errors: SettingsErrors = {};
  const latitude = degrees(draft.latitude, 90);
  const longitude = degrees(draft.longitude, 180);
  if (latitude === "bad") errors.latitude = "Latitude is a number from -90 to 90, like 52.52.";
  if (longitude === "bad") errors.longitude = "Longitude is a number from -180 to 180, like 13.40.";
  if (latitude === undefined && typeof longitude === "number") errors.latitude = "Add the latitude too.";
  if (longitude === undefined && typeof latitude === "number") errors.longitude = "Add the longitude too.";
  const parsed = phoneSettings.safeParse({
    ...(draft.locale.trim() === "" ? {} : { locale: draft.locale.trim() }),
    ...(draft.timeZone.trim() === "" ? {} : { timeZone: draft.timeZone.trim() }),
    ...(draft.colorScheme === "" ? {} : { colorScheme: draft.colorScheme }),
    ...(typeof latitude === "number" && typeof longitude === "number" ? { geolocation: { latitude, longitude } } : {}),
  });
  if (!parsed.success) {
    const byField = firstIssues(parsed.error);
    if (byField["locale"] !== undefined) errors.locale = byField["locale"];
    if (byField["timeZone"] !== undefined) errors.timeZone = byField["timeZone"];
  }
  if (!parsed.success || Object.keys(errors).length > 0) return { ok: false, errors };
  return { ok: true, value: parsed.data };
}

export interface NewPhoneErrors extends SettingsErrors {
  name?: string;
}
export type LaunchRequest = z.input<typeof launchInput>;

/** The request for `phones.launch`. The key is the caller's, made once per intent, so two clicks are one phone. */
export function checkNewPhone(
  draft: NewPhoneDraft,
  idempotencyKey: string,
  url?: string,
): Checked<LaunchRequest, NewPhoneErrors> {
  const settings = checkSettings(draft.settings);
  const errors: NewPhoneErrors = settings.ok ? {} : { ...settings.errors };
  const request: LaunchRequest = {
    ...(draft.model === undefined ? { profile: draft.profile } : { driver: draft.model.driver, model: draft.model.id }),
    idempotencyKey,
    ...(draft.name.trim() === "" ? {} : { name: draft.name }),
    ...(settings.ok && Object.keys(settings.value).length > 0 ? { settings: settings.value } : {}),
    ...(url === undefined ? {} : { url }),
  };
  const parsed = launchInput.safeParse(request);
  if (!parsed.success) {
    const byField = firstIssues(parsed.error);
    if (byField["name"] !== undefined) errors.name = byField["name"];
  }
  if (!settings.ok || !parsed.success) return { ok: false, errors };
  return { ok: true, value: request };
}

/** Tags as typed, with commas or spaces between them. */
export function checkTags(text: string): Checked<readonly string[], string> {
  const tags: string[] = [];
  for (const word of text.split(/[\s,]+/).filter((part) => part !== "")) {
    const parsed = phoneTag.safeParse(word);
    if (!parsed.success) return { ok: false, errors: `${word}: ${parsed.error.issues[0]?.message ?? "is no tag."}` };
    tags.push(parsed.data);
  }
  const value = [...new Set(tags)];
  return value.length > 20 ? { ok: false, errors: "A phone has at most 20 tags." } : { ok: true, value };
}

/** An address as typed, made whole; or the sentence that says what to write. */
export function checkAddress(text: string): Checked<string, string> {
  const parsed = phoneUrl.safeParse(text);
  if (parsed.success) return { ok: true, value: parsed.data };
  return { ok: false, errors: parsed.error.issues[0]?.message ?? "Write an address to open." };
}

function degrees(text: string, limit: number): number | "bad" | undefined {
  const trimmed = text.trim().replace(",", ".");
  if (trimmed === "") return undefined;
  const value = Number(trimmed);
  return Number.isFinite(value) && Math.abs(value) <= limit ? value : "bad";
}

function firstIssues(error: z.core.$ZodError): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const issue of error.issues) {
    const field = String(issue.path[0] ?? "");
    found[field] ??= issue.message;
  }
  return found;
}
