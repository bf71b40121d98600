/**
 * Counts what failed on the server from what its log says, so that the operator's overview can say it: where, with which
 * code, how often, and the reference of the last one. Nothing about whose it was is in a line of the log, and less is here.
 */
import type { Clock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import type { Log, LogFields } from "../log.ts";
import { type Fault, type FaultsRepo, HOUR_MS } from "./faults.repo.ts";

/** Kinds that are told apart between two writes; what comes on top is counted together. */
const MOST_KINDS = 100;
const OTHERS = "others";
const LONGEST_PLACE = 80;
const WRITE_EVERY_MS = 5_000;
/** A line that says what could not be done for somebody who may do it. */
const AWAY = "Could not be done now";

export interface FaultCounter {
  /** The log, heard. */
  readonly log: Log;
  /** Writes from now on, every few seconds. */
  start(db: Database, repo: FaultsRepo): void;
  /** What was counted and is not written yet. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

export function countFaults(log: Log, clock: Clock): FaultCounter {
  let counted = new Map<string, Fault>();
  let write: ((faults: readonly Fault[]) => Promise<void>) | undefined;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  /** Adds to what was counted; `newer`: it happened after that. */
  function add(fault: Fault, newer: boolean): void {
    const key = (place: string) => `${fault.hour.getTime()} ${fault.code} ${place}`;
    const place = counted.has(key(fault.place)) || counted.size < MOST_KINDS ? fault.place : OTHERS;
    const before = counted.get(key(place));
    const count = fault.count + (before?.count ?? 0);
    counted.set(key(place), { ...(newer ? fault : (before ?? fault)), place, count });
  }

  function note(message: string, { procedure, code = "internal", requestId }: LogFields): void {
    const lastAt = new Date(clock.now());
    const fault = {
      hour: new Date(Math.floor(lastAt.getTime() / HOUR_MS) * HOUR_MS),
      place: String(procedure ?? message).slice(0, LONGEST_PLACE),
      code: String(code),
      count: 1,
      reference: requestId === undefined ? null : String(requestId),
      lastAt,
    };
    add(fault, true);
  }

  async function flush(): Promise<void> {
    if (write === undefined || counted.size === 0) return;
    const taken = counted;
    counted = new Map();
    try {
      await write([...taken.values()]);
    } catch {
      // The database is what fails now: they wait for the next time.
      for (const fault of taken.values()) add(fault, false);
    }
  }

  return {
    log: {
      info: log.info,
      warn(message, fields) {
        log.warn(message, fields);
        if (message === AWAY) note(message, fields ?? {});
      },
      error(message, fields) {
        log.error(message, fields);
        note(message, fields ?? {});
      },
    },
    start(db, repo) {
      write = (faults) =>
        db.tx(async (tx) => {
          for (const fault of faults) await repo.add(tx, fault);
        });
      timer = setInterval(() => {
        writing = flush();
      }, WRITE_EVERY_MS);
      timer.unref();
    },
    flush,
    async stop() {
      clearInterval(timer);
      await writing;
      await flush();
      write = undefined;
    },
  };
}
