/** Phones as both sides see them: everything of `phone-model.ts`, and the schemas of what goes into `phones.*`. */
import { z } from "zod";
import { phoneId } from "./ids.ts";
import { DEVICE_PROFILES, type DeviceProfileId, DRIVER_KINDS, isTimeZone, parsePhoneUrl } from "./phone-model.ts";

export * from "./phone-model.ts";

const profileIds = DEVICE_PROFILES.map((profile) => profile.id);

export const deviceProfileId = z.enum(profileIds as [DeviceProfileId, ...DeviceProfileId[]], {
  error: `There is no such phone profile. Choose one of: ${profileIds.join(", ")}.`,
});

/** How the phone presents itself to pages, beside its size. All optional; the browser's own values by default. */
export const phoneSettings = z.strictObject({
  locale: z
    .string()
    .regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, "A locale looks like en-GB.")
    .max(35)
    .optional(),
  timeZone: z
    .string()
    .max(64)
    .refine(isTimeZone, "There is no such time zone. Use a name like Europe/Berlin.")
    .optional(),
  colorScheme: z.enum(["light", "dark"]).optional(),
  geolocation: z
    .strictObject({ latitude: z.number().min(-90).max(90), longitude: z.number().min(-180).max(180) })
    .optional(),
});
export type PhoneSettings = z.infer<typeof phoneSettings>;

/**
 * An address a phone may open: http or https, or about:blank. Anything else is refused here and again in the
 * driver and the egress proxy. Accepts what people type ("example.com") by assuming https.
 */
export const phoneUrl = z
  .string()
  .trim()
  .min(1, "Write an address to open.")
  .max(8192, "This address is longer than 8,192 characters.")
  .transform((text, context) => {
    const parsed = parsePhoneUrl(text);
    if (parsed === undefined) {
      context.addIssue({
        code: "custom",
        message: "This is not an address a phone can open. Use one that starts with https:// or http://.",
      });
      return z.NEVER;
    }
    return parsed;
  });

export const phoneName = z
  .string()
  .trim()
  .min(1, "Give the phone a name.")
  .max(60, "A name has at most 60 characters.");
export const idempotencyKey = z
  .string()
  .min(8)
  .max(64)
  .regex(/^[A-Za-z0-9_-]+$/);

export const launchInput = z.strictObject({
  name: phoneName.optional(),
  driver: z.enum(DRIVER_KINDS).optional(),
  profile: deviceProfileId.optional(),
  settings: phoneSettings.optional(),
  url: phoneUrl.optional(),
  idempotencyKey,
});
export const phoneRef = z.strictObject({ phoneId });
export const startInput = z.strictObject({ phoneId, url: phoneUrl.optional() });
export const openUrlInput = z.strictObject({ phoneId, url: phoneUrl });
export const renameInput = z.strictObject({ phoneId, name: phoneName });
export const settingsInput = z.strictObject({ phoneId, settings: phoneSettings });
export const removeInput = z.strictObject({ phoneId, idempotencyKey });
export const installWebAppInput = z.strictObject({ phoneId, url: phoneUrl });
