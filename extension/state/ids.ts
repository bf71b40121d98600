/** Schemas of stored ids and profiles; the full ones, with words for people, are the server's (`shared/ids.ts`). */
import * as z from "zod/mini";
import { idPattern, type PhoneId } from "../../shared/id-values.ts";
import { DEVICE_PROFILES } from "../../shared/phone-model.ts";
import "./zod.ts";

/** The cast is safe: the pattern is what the brand stands for. */
export const phoneId = z.string().check(z.regex(idPattern("phone"))) as unknown as z.ZodMiniType<PhoneId, string>;

export const deviceProfileId = z.enum(DEVICE_PROFILES.map((profile) => profile.id));
