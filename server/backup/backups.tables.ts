/** What became of each scheduled backup: the figures of the operator's page and of readiness. */
import type { Kit } from "../db/dialect.ts";
import { operational } from "../privacy/tags.ts";

export function backupTables(k: Kit) {
  const row = operational("month");
  const backups = k.table(
    "backups",
    { owner: "system", subject: { none: "Counts of what was backed up." }, clock: "startedAt" },
    {
      /** Of its folder. */
      name: k.text(row).primaryKey(),
      /** Of the node in whose BACKUP_DIR it lies. */
      node: k.text(row).notNull(),
      startedAt: k.instant(row).notNull(),
      files: k.int(row),
      bytes: k.int(row),
      rows: k.int(row),
      /** When it had been put back into a throw-away place and was found to be the same. */
      verifiedAt: k.instant(row),
      /** In a sentence. */
      failure: k.text(row),
    },
    (t) => [k.index("backups_started").on(t.startedAt)],
  );
  return { backups };
}
