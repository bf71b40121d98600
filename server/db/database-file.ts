import { join } from "node:path";

/** Where the embedded database of a configuration is. */
export function databaseFile(config: { readonly DATA_DIR: string }): string {
  return join(config.DATA_DIR, "perch.db");
}
