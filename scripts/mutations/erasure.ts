/** What an erasure leaves behind when one part of it is missing. */
import type { Mutation } from "./mutation.ts";

const GATE = "server/privacy/canary-gate.test.ts";
const NO_BYTE = {
  file: GATE,
  title: "leaves no byte of her when the erasure is done, and her address opens in no older backup",
};

export const ERASURE: readonly Mutation[] = [
  {
    breaks: "An erasure forgets a table",
    file: "server/privacy/erasure/erasure-plan.repo.ts",
    find: "of parentsFirst(dataMap(tables))) {",
    replace: 'of parentsFirst(dataMap(tables)).filter(({ name }) => name !== "jobs")) {',
    test: NO_BYTE,
  },
  {
    breaks: "The bytes of deleted rows stay",
    file: "server/db/sqlite.ts",
    find: 'db.pragma("secure_delete = ON");',
    replace: 'db.pragma("secure_delete = OFF");',
    test: NO_BYTE,
  },
  {
    breaks: "The database's log is not written back after an erasure",
    file: "server/db/sqlite.ts",
    find: 'const [result] = writer.pragma("wal_checkpoint(TRUNCATE)") as { busy: number }[];',
    replace: "const [result] = [{ busy: 0 }];",
    test: NO_BYTE,
  },
  {
    breaks: "The key of who was erased stays",
    file: "server/privacy/erasure/purge.ts",
    find: "await db.keys.destroy(userId);",
    replace: "",
    test: NO_BYTE,
  },
  {
    breaks: "Late writers bring back who was erased",
    file: "server/privacy/erasure/purge.ts",
    find: "await repo.fence(tx, userId, now(), closed);",
    replace: "",
    test: {
      file: GATE,
      title: "lets nobody write about her any more, whatever the table, and goes on for all others",
    },
  },
  {
    breaks: "An old backup brings back who was erased",
    file: "server/compose-rights.ts",
    find: "await erasure.replay();",
    replace: "",
    test: { file: GATE, title: "does not come back with an old backup: it is gone again before anybody is served" },
  },
];
