/** How backups went; see `backups.tables.ts`. */
import { desc, isNotNull } from "drizzle-orm";
import type { Database } from "../db/database.ts";

export interface BackupRow {
  readonly name: string;
  readonly node: string;
  readonly startedAt: Date;
  readonly files: number | null;
  readonly bytes: number | null;
  readonly rows: number | null;
  readonly verifiedAt: Date | null;
  readonly failure: string | null;
}

export interface BackupsRepo {
  keep(row: BackupRow): Promise<void>;
  /** The newest first. */
  latest(limit: number): Promise<readonly BackupRow[]>;
  lastGood(): Promise<BackupRow | undefined>;
}

export function createBackupsRepo(db: Database): BackupsRepo {
  const { backups } = db.t;
  return {
    async keep(row) {
      await db.tx((tx) => tx.insert(backups).values(row).onConflictDoUpdate({ target: backups.name, set: row }));
    },
    latest: (limit) => db.read.select().from(backups).orderBy(desc(backups.startedAt)).limit(limit),
    async lastGood() {
      const [row] = await db.read
        .select()
        .from(backups)
        .where(isNotNull(backups.verifiedAt))
        .orderBy(desc(backups.startedAt))
        .limit(1);
      return row;
    },
  };
}
