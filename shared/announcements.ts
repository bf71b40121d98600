/** What the operator tells everybody, as pages and the panel show it. */
import * as z from "zod/mini";
import { idSchema } from "./ids.ts";

/** `info`: something is new or comes · `warning`: something does not work as it should. */
export const ANNOUNCEMENT_LEVELS = ["info", "warning"] as const;
export type AnnouncementLevel = (typeof ANNOUNCEMENT_LEVELS)[number];

export const ANNOUNCEMENT_LONGEST = 280;
export const announcementId = idSchema("announcement");

export const announcementView = z.strictObject({
  id: announcementId,
  level: z.enum(ANNOUNCEMENT_LEVELS),
  text: z.string(),
  /** ISO 8601. */
  until: z.string(),
});
export type AnnouncementView = z.infer<typeof announcementView>;
