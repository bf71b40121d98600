/** What the operator tells everybody; who has read it is known to nobody but their own browser. */
import { ANNOUNCEMENT_LEVELS } from "../../shared/announcements.ts";
import type { AnnouncementId } from "../../shared/ids.ts";
import type { Kit } from "../db/dialect.ts";
import { operational } from "../privacy/tags.ts";

export function announcementTables(k: Kit) {
  const row = operational("month");
  const announcements = k.table(
    "announcements",
    { owner: "system", subject: { none: "Written by the operator for everybody." }, clock: "until" },
    {
      id: k.text(row).$type<AnnouncementId>().primaryKey(),
      level: k.oneOf(ANNOUNCEMENT_LEVELS, row).notNull(),
      /** Plain text, English. */
      text: k.text(row).notNull(),
      from: k.instant(row).notNull(),
      until: k.instant(row).notNull(),
      createdAt: k.instant(row).notNull(),
    },
    (t) => [k.index("announcements_until").on(t.until)],
  );
  return { announcements };
}
