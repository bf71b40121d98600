/** What every change of a phone's state is made of: one at a time for each phone, and everything it means in one transaction. */
import type { PhoneId } from "../../shared/ids.ts";
import type { PhoneState } from "../../shared/phones.ts";
import type { Audit, AuditEntry } from "../audit/audit.repo.ts";
import { NotSettled } from "../billing/usage/not-settled.ts";
import { createQueue, type Database, type Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { Events } from "../events/events.repo.ts";
import { errorFields, type Log } from "../log.ts";
import type { PhoneChange, PhoneRow, PhonesRepo } from "./phones.repo.ts";

/** What happens in the transaction of a transition, beside the row and its event. */
export interface MoveParts {
  readonly entry?: (row: PhoneRow) => Omit<AuditEntry, "chain">;
  readonly before?: (tx: Writer) => Promise<void>;
  readonly meter?: (tx: Writer) => Promise<void>;
}
/** Throws `conflict` when the phone is in none of `from`. */
export type Move = (
  id: PhoneId,
  from: readonly PhoneState[],
  change: PhoneChange,
  also?: MoveParts,
) => Promise<PhoneRow>;

export function createMove(options: {
  db: Database;
  repo: PhonesRepo;
  events: Events;
  audit: Audit;
  log: Log;
  publish: (tx: Writer, row: PhoneRow) => Promise<void>;
}): Move {
  const { db, repo, events, audit, log, publish } = options;
  return async (id, from, change, { entry, before, meter } = {}) => {
    const work = async (tx: Writer) => {
      await before?.(tx);
      const changed = await repo.change(tx, id, from, change);
      if (changed === undefined)
        throw new PerchError("conflict", "The phone is busy with something else. Try again in a moment.");
      await meter?.(tx);
      await publish(tx, changed);
      if (entry !== undefined) await audit.record(tx, { chain: changed.teamId, ...entry(changed) });
      return changed;
    };
    const row = await db.tx(work).catch((error: unknown) => {
      if (!(error instanceof NotSettled)) throw error;
      log.error("Phone time could not be settled while a phone stopped", { phoneId: id, ...errorFields(error) });
      return db.tx(work);
    });
    events.wake(row.teamId);
    return row;
  };
}

export interface Turns {
  /** Does the work when all that was asked of the phone before is done. */
  take<T>(id: PhoneId, work: () => Promise<T>): Promise<T>;
  isBusy(id: PhoneId): boolean;
}

export function createTurns(): Turns {
  const turns = new Map<PhoneId, { readonly queue: ReturnType<typeof createQueue>; waiting: number }>();
  return {
    async take(id, work) {
      const turn = turns.get(id) ?? { queue: createQueue(), waiting: 0 };
      turns.set(id, turn);
      turn.waiting += 1;
      try {
        return await turn.queue(work);
      } finally {
        turn.waiting -= 1;
        if (turn.waiting === 0) turns.delete(id);
      }
    },
    isBusy: (id) => turns.has(id),
  };
}
