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

  function note(message: string, { procedure, code, requestId }: LogFields): void {
    const lastAt = new Date(clock.now());
    const hour = new Date(Math.floor(lastAt.getTime() / HOUR_MS) * HOUR_MS);
    const named = (procedure === undefined ? message : String(procedure)).slice(0, LONGEST_PLACE);
    const key = (place: string) => `${hour.getTime()} ${String(code)} ${place}`;
    const place = counted.has(key(named)) || counted.size < MOST_KINDS ? named : "others";
    counted.set(key(place), {
      ...{ hour, place, lastAt, code: code === undefined ? "internal" : String(code) },
      count: (counted.get(key(place))?.count ?? 0) + 1,
      reference: requestId === undefined ? null : String(requestId),
    });
  }

  async function flush(): Promise<void> {
    if (write === undefined || counted.size === 0) return;
    const taken = counted;
    counted = new Map();
    try {
      await write([...taken.values()]);
    } catch {
      // The database is what fails now: they are counted on, unless too many kinds came together.
      for (const [key, fault] of taken) {
        const since = counted.get(key);
        if (since !== undefined || counted.size < MOST_KINDS)
          counted.set(key, { ...(since ?? fault), count: fault.count + (since?.count ?? 0) });
      }
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
