/** Which archive in the file storage holds what a parked phone keeps. A phone that ran since has none. */
import type { PhoneId } from "../../shared/ids.ts";
import type { Kit } from "../db/dialect.ts";
import { operational } from "../privacy/tags.ts";
import type { phoneTables } from "./phones.tables.ts";

export function phoneArchiveTables(k: Kit, { phones }: ReturnType<typeof phoneTables>) {
  const phoneArchives = k.table(
    "phone_archives",
    { owner: "system", subject: { none: "Names of archives." }, clock: "archivedAt" },
    {
      phoneId: k
        .text(operational("phone"))
        .$type<PhoneId>()
        .primaryKey()
        .references(() => phones.id, { onDelete: "cascade" }),
      /** Its name in the storage, below the phone's. */
      archive: k.text(operational("phone")).notNull(),
      archivedAt: k.instant(operational("phone")).notNull(),
    },
  );
  return { phoneArchives };
}
