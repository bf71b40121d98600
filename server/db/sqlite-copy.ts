import Sqlite from "better-sqlite3";

/** Writes what the database is at one moment to a new file, under the same key. May run beside writers. */
export function copyDatabase(from: string, key: Buffer, to: string): void {
  const db = new Sqlite(from, { readonly: true, timeout: 10_000 });
  try {
    db.pragma(`key = "x'${key.toString("hex")}'"`);
    // Keeps the cipher and the key; `backup()` refuses encrypted databases (research/privacy.md, finding 3).
    db.prepare("vacuum into ?").run(to);
  } finally {
    db.close();
  }
}
