/** The master key, sealed with the key of the key file (`docs/decisions/keys-rotate.md`), and what is sealed. */
import { operational } from "../privacy/tags.ts";
import type { Kit } from "./dialect.ts";

export function keyTables(k: Kit) {
  const serverKeys = k.table(
    "server_keys",
    { owner: "system", subject: { none: "A key of the server." }, clock: "name" },
    {
      name: k.oneOf(["master", "sealed columns", "move"], operational("service")).primaryKey(),
      /**
       * AES-256-GCM, base64; of `sealed columns` the names of columns whose earlier rows are sealed; of `move` what
       * `move/move-mark.repo.ts` says, in plain JSON.
       */
      sealed: k.text(operational("service")).notNull(),
    },
  );
  return { serverKeys };
}
