/** A backup that was put back brings people back who were erased since; they are erased again before anybody is served. */
import type { Log } from "../../log.ts";
import type { ErasureLedger } from "./ledger.ts";
import type { Purge } from "./purge.ts";

export function createReplay(options: {
  ledger: Pick<ErasureLedger, "entries">;
  purge: Pick<Purge, "again" | "isThere">;
  log: Log;
  /** Ends what an earlier process left running, so that phones can be wiped. */
  recover: () => Promise<void>;
}): () => Promise<void> {
  const { ledger, purge, log } = options;
  return async () => {
    const back = [];
    for (const entry of ledger.entries()) if (await purge.isThere(entry.userId, entry.teams)) back.push(entry);
    if (back.length === 0) return;
    log.warn("A backup brought back people who were erased; they are erased again", { count: back.length });
    await options.recover();
    for (const { userId, teams } of back) await purge.again(userId, teams);
    log.info("Everybody who was erased is gone again", { count: back.length });
  };
}
