/** The database with its transactions timed, traced, and their repetitions counted, whatever the engine. */
import type { Monotonic } from "../clock.ts";
import type { Database } from "../db/database.ts";
import type { Tracing } from "../tracing/tracing.ts";
import type { Meters } from "./meters.ts";

export interface ObservedDatabase {
  readonly db: Database;
  /** Transactions that run, and those that wait for their turn or a connection. */
  counts(): { readonly running: number; readonly waiting: number };
}

export function observeDatabase(
  db: Database,
  options: { readonly meters: Pick<Meters, "transaction">; readonly monotonic: Monotonic; readonly tracing: Tracing },
): ObservedDatabase {
  const { meters, monotonic, tracing } = options;
  let running = 0;
  let waiting = 0;
  return {
    counts: () => ({ running, waiting }),
    db: {
      ...db,
      async tx(work) {
        const since = monotonic.now();
        let tries = 0;
        let failed = true;
        waiting += 1;
        try {
          const result = await tracing.span("transaction", "client", { "db.system.name": db.engine }, async (span) => {
            const done = await db.tx(async (tx) => {
              tries += 1;
              if (tries === 1) {
                waiting -= 1;
                running += 1;
              }
              return work(tx);
            });
            span.set({ "perch.tries": tries });
            return done;
          });
          failed = false;
          return result;
        } finally {
          if (tries === 0) waiting -= 1;
          else running -= 1;
          meters.transaction(failed ? "failed" : "ok", tries, (monotonic.now() - since) / 1000);
        }
      },
    },
  };
}
