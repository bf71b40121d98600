/** The phones as last seen, so that the popup has something true to show in its first frame. */
import { phoneId } from "../../shared/ids.ts";
import {
  DRIVER_KINDS,
  deviceProfileId,
  PHONE_REASONS,
  PHONE_STATES,
  type Phone,
  phoneSettings,
} from "../../shared/phones.ts";
import { type Stored, stored } from "./stored.ts";
import { z } from "./zod.ts";

const phoneSchema: z.ZodType<Phone> = z.object({
  id: phoneId,
  name: z.string(),
  driver: z.enum(DRIVER_KINDS),
  profile: deviceProfileId,
  state: z.enum(PHONE_STATES),
  reason: z.enum(PHONE_REASONS).exactOptional(),
  width: z.number(),
  height: z.number(),
  rotated: z.boolean(),
  settings: phoneSettings,
  createdAt: z.string(),
  startedAt: z.string().exactOptional(),
  lastUsedAt: z.string().exactOptional(),
  parksAt: z.string().exactOptional(),
  capabilities: z.object({
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
  signedIn: z.boolean(),
  phones: z.array(phoneSchema).readonly(),
  /** Unix milliseconds. */
  seenAtMs: z.number(),
});
export type PhonesCache = Readonly<z.infer<typeof cacheSchema>>;

export function phonesCache(): Stored<PhonesCache | undefined> {
  return stored<PhonesCache | undefined>({
    area: "local",
    key: "phones",
    version: 1,
    schema: cacheSchema.optional(),
    initial: undefined,
  });
}
