/** A backup that was put back brings people back who were erased since; they are erased again before anybody is served. */
import { setTimeout as sleep } from "node:timers/promises";
import type { UserId } from "../../../shared/ids.ts";
import { errorFields, type Log } from "../../log.ts";
import type { ErasureLedger } from "./ledger.ts";
import type { LedgerSpread } from "./ledger-spread.ts";
import type { Purge } from "./purge.ts";

/** Another node may be at it, too: what it does half-way through gets in the way of this one for a moment. */
const TRIES = 10;
const PAUSE_MS = 1_000;

export function createReplay(options: {
  ledger: Pick<ErasureLedger, "entries">;
  spread: Pick<LedgerSpread, "gather">;
  purge: Pick<Purge, "again" | "isThere">;
  log: Log;
  /** Whether another node lives; undefined where the server is one process. */
  others: (() => boolean) | undefined;
  /** Whether their purge has begun: then nobody serves them, and a job ends it. */
  isBegun: (userId: UserId) => Promise<boolean>;
  /** Ends what an earlier process left running, so that phones can be wiped. */
  recover: () => Promise<void>;
}): () => Promise<void> {
  const { ledger, purge, others, isBegun, log } = options;
  return async () => {
    await options.spread.gather();
    const back = [];
    for (const entry of ledger.entries()) {
      if (!(await purge.isThere(entry.userId, entry.teams))) continue;
      if (others?.() === true && (await isBegun(entry.userId))) continue;
      back.push(entry);
    }
    if (back.length === 0) return;
    log.warn("A backup brought back people who were erased; they are erased again", { count: back.length });
    await options.recover();
    let left = 0;
    for (const { userId, teams } of back) {
      for (let tries = 1; await purge.isThere(userId, teams); tries += 1) {
        try {
          await purge.again(userId, teams);
        } catch (error) {
          if (others === undefined) throw error;
          const what = errorFields(error);
          log.warn("Somebody who came back with a backup could not be erased yet", { attempt: tries, ...what });
          if (tries >= TRIES) {
            if (!(await isBegun(userId))) throw error;
            left += 1;
            break;
          }
          await sleep(PAUSE_MS);
        }
      }
    }
    if (left > 0)
      log.error("Some who came back with a backup are locked out, and erased when all nodes are there", {
        count: left,
      });
    else log.info("Everybody who was erased is gone again", { count: back.length });
  };
}
