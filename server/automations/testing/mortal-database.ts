/** A database whose server dies at a chosen transaction: nothing after it happens, as when the process is killed. */
import type { Database } from "../../db/database.ts";

export interface Death {
  /** Which transaction, counting from 1; `Infinity` lives on. */
  readonly at: number;
  /** Killed before the transaction, or right after it was committed. */
  readonly committed: boolean;
}

export function mortalDatabase(db: Database, death: Death): { db: Database; died: Promise<"died"> } {
  const { promise: died, resolve } = Promise.withResolvers<"died">();
  const never = new Promise<never>(() => {});
  let count = 0;
  return {
    died,
    db: {
      ...db,
      engine: db.engine,
      t: db.t,
      read: db.read,
      async tx(work) {
        count += 1;
        if (count < death.at) return db.tx(work);
        if (count === death.at && death.committed) await db.tx(work);
        resolve("died");
        return never;
      },
    },
  };
}
