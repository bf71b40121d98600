/** Phones as both sides see them: everything of `phone-model.ts`, and the schemas of what goes into `phones.*` (`zod/mini`: pages load them too). */
import * as z from "zod/mini";
import { phoneId } from "./ids.ts";
import { DEVICE_PROFILES, DRIVER_KINDS, isTimeZone, parsePhoneUrl } from "./phone-model.ts";

export * from "./phone-model.ts";
export * from "./phone-words.ts";

export const deviceProfileId = z.enum(
  DEVICE_PROFILES.map((profile) => profile.id),
  `There is no such phone profile. Choose one of: ${DEVICE_PROFILES.map((profile) => profile.id).join(", ")}.`,
);

/** How the phone presents itself to pages, beside its size. All optional; the browser's own values by default. */
export const phoneSettings = z.strictObject({
  locale: z.optional(
    z
      .string()
      .check(
        z.regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, "A locale looks like en-GB."),
        z.maxLength(35, "A locale has at most 35 characters."),
      ),
  ),
  timeZone: z.optional(
    z
      .string()
      .check(
        z.maxLength(64, "A time zone has at most 64 characters."),
        z.refine(isTimeZone, "There is no such time zone. Use a name like Europe/Berlin."),
      ),
  ),
  colorScheme: z.optional(z.enum(["light", "dark"])),
  geolocation: z.optional(
    z.strictObject({
      latitude: z
        .number()
        .check(z.gte(-90, "A latitude is between -90 and 90."), z.lte(90, "A latitude is between -90 and 90.")),
      longitude: z
        .number()
        .check(z.gte(-180, "A longitude is between -180 and 180."), z.lte(180, "A longitude is between -180 and 180.")),
    }),
  ),
});
export type PhoneSettings = z.infer<typeof phoneSettings>;

/**
 * An address a phone may open: http or https, or about:blank. Anything else is refused here and again in the
 * driver and the egress proxy. Accepts what people type ("example.com") by assuming https.
 */
export const phoneUrl = z.pipe(
  z
    .string()
    .check(
      z.trim(),
      z.minLength(1, "Write an address to open."),
      z.maxLength(8192, "This address is longer than 8,192 characters."),
    ),
  z.transform((text: string, context) => {
    const parsed = parsePhoneUrl(text);
    if (parsed === undefined) {
      context.issues.push({
        code: "custom",
        input: text,
        message: "This is not an address a phone can open. Use one that starts with https:// or http://.",
      });
      return z.NEVER;
    }
    return parsed;
  }),
);

export const phoneName = z
  .string()
  .check(z.trim(), z.minLength(1, "Give the phone a name."), z.maxLength(60, "A name has at most 60 characters."));
/** A word phones are grouped by. */
export const phoneTag = z
  .string()
  .check(
    z.trim(),
    z.toLowerCase(),
    z.regex(/^[\p{L}\p{N}][\p{L}\p{N}_-]{0,29}$/u, "A tag is one word of at most 30 letters, digits, - and _."),
  );
export const phoneModelId = z
  .string()
  .check(z.minLength(1), z.maxLength(100), z.regex(/^[\w.:@/-]+$/, "This is not a model of phones.launch."));
/** An Android package name: what `PackageManager` takes, so it can stand in no command as anything else. */
export const appId = z
  .string()
  .check(
    z.maxLength(255),
    z.regex(/^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+$/, "A package name looks like com.example.app."),
  );
export const idempotencyKey = z.string().check(z.minLength(8), z.maxLength(64), z.regex(/^[A-Za-z0-9_-]+$/));

export const launchInput = z.strictObject({
  name: z.optional(phoneName),
  driver: z.optional(z.enum(DRIVER_KINDS)),
  profile: z.optional(deviceProfileId),
  /** One of `phones.models`; the first available one of the kind when left out. */
  model: z.optional(phoneModelId),
  settings: z.optional(phoneSettings),
  url: z.optional(phoneUrl),
  idempotencyKey,
});
export const phoneRef = z.strictObject({ phoneId });
export const startInput = z.strictObject({ phoneId, url: z.optional(phoneUrl) });
export const openUrlInput = z.strictObject({ phoneId, url: phoneUrl });
export const renameInput = z.strictObject({ phoneId, name: phoneName });
export const settingsInput = z.strictObject({ phoneId, settings: phoneSettings });
export const tagInput = z.strictObject({
  phoneId,
  tags: z.array(phoneTag).check(z.maxLength(20, "A phone has at most 20 tags.")),
});
export const removeInput = z.strictObject({ phoneId, idempotencyKey });
export const installWebAppInput = z.strictObject({ phoneId, url: phoneUrl });
export const appInput = z.strictObject({ phoneId, appId });
