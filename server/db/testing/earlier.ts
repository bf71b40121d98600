/** The migrations an earlier version shipped: the first of those there are now, which are never edited. */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MIGRATIONS } from "../testing.ts";

interface Journal {
  entries: { tag: string }[];
}

function journalOf(dialect: "sqlite" | "postgres"): Journal {
  return JSON.parse(readFileSync(join(MIGRATIONS, dialect, "meta/_journal.json"), "utf8"));
}

/** How many there are now. */
export function migrationCount(): number {
  return journalOf("sqlite").entries.length;
}

/** A folder with the first `count`; the caller removes it. */
export function earlierMigrations(dialect: "sqlite" | "postgres", count: number): string {
  const folder = mkdtempSync(join(tmpdir(), "perch-earlier-"));
  const journal = journalOf(dialect);
  journal.entries = journal.entries.slice(0, count);
  mkdirSync(join(folder, "meta"));
  writeFileSync(join(folder, "meta/_journal.json"), JSON.stringify(journal));
  for (const { tag } of journal.entries)
    writeFileSync(join(folder, `${tag}.sql`), readFileSync(join(MIGRATIONS, dialect, `${tag}.sql`)));
  return folder;
}
