/** The phones as last seen, so that the popup has something true to show in its first frame. */
import * as z from "zod/mini";
import { DRIVER_KINDS, PHONE_REASONS, PHONE_STATES, type Phone } from "../../shared/phone-model.ts";
import { deviceProfileId, phoneId } from "./ids.ts";
import { type Stored, stored } from "./stored.ts";
import "./zod.ts";

/** As read back from storage; the server checked it before. */
const phoneSettings: z.ZodMiniType<Phone["settings"]> = z.object({
  locale: z.optional(z.string()),
  timeZone: z.optional(z.string()),
  colorScheme: z.optional(z.enum(["light", "dark"])),
  geolocation: z.optional(z.object({ latitude: z.number(), longitude: z.number() })),
});

const phoneSchema: z.ZodMiniType<Phone> = z.object({
  id: phoneId,
  name: z.string(),
  driver: z.enum(DRIVER_KINDS),
  profile: deviceProfileId,
  model: z.exactOptional(z.string()),
  state: z.enum(PHONE_STATES),
  reason: z.exactOptional(z.enum(PHONE_REASONS)),
  unreachableSince: z.exactOptional(z.string()),
  width: z.number(),
  height: z.number(),
  rotated: z.boolean(),
  settings: phoneSettings,
  tags: z.array(z.string()),
  createdAt: z.string(),
  startedAt: z.exactOptional(z.string()),
  lastUsedAt: z.exactOptional(z.string()),
  parksAt: z.exactOptional(z.string()),
  capabilities: z.object({
    android: z._default(z.boolean(), false),
    upload: z._default(z.boolean(), false),
    apps: z._default(z.boolean(), false),
    audio: z._default(z.boolean(), false),
    openUrl: z.boolean(),
    rotate: z.boolean(),
    clipboard: z.boolean(),
    installWebApp: z.boolean(),
    files: z.boolean(),
    recents: z.boolean(),
  }),
});

const cacheSchema = z.object({
  /** Origin the phones belong to; a cache of another server says nothing. */
  server: z.string(),
  /** `team` of the token they were read with. */
  team: z.optional(z.string()),
  /** How the session came to its end, for who finds its token gone: any part of the extension may be the one it is told. */
  why: z.optional(z.enum(["ended", "expired"])),
  signedIn: z.boolean(),
  phones: z.readonly(z.array(phoneSchema)),
  /** Unix milliseconds. */
  seenAtMs: z.number(),
});
export type PhonesCache = Readonly<z.infer<typeof cacheSchema>>;

export function phonesCache(): Stored<PhonesCache | undefined> {
  return stored<PhonesCache | undefined>({
    area: "local",
    key: "phones",
    version: 1,
    schema: z.optional(cacheSchema),
    initial: undefined,
  });
}
