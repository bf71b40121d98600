/** What failed on the server, counted an hour: where and how often, and nothing about whose it was. */
import type { Kit } from "../db/dialect.ts";
import { operational } from "../privacy/tags.ts";

export function faultTables(k: Kit) {
  const row = operational("week");
  const faults = k.table(
    "faults",
    { owner: "system", subject: { none: "Counts of what failed, of everybody together." }, clock: "hour" },
    {
      /** The hour it failed in. */
      hour: k.instant(row).notNull(),
      /** The procedure, or what the server was about, in the words of its log. */
      place: k.text(row).notNull(),
      /** The code people were told. */
      code: k.text(row).notNull(),
      count: k.int(row).notNull(),
      /** Of the last one: people read it under their error, and it finds the lines of the log. */
      reference: k.text(row),
      lastAt: k.instant(row).notNull(),
    },
    (t) => [k.primaryKey({ columns: [t.hour, t.place, t.code] })],
  );
  return { faults };
}
