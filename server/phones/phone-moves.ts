/** What every change of a phone's state is made of: one at a time for each phone, and everything it means in one transaction. */
import type { PhoneId } from "../../shared/ids.ts";
import type { PhoneState } from "../../shared/phones.ts";
import type { Audit, AuditEntry } from "../audit/audit.repo.ts";
import { NotSettled } from "../billing/usage/not-settled.ts";
import type { Clock } from "../clock.ts";
import { createQueue, type Database, type Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { Events } from "../events/events.repo.ts";
import { errorFields, type Log } from "../log.ts";
import type { PhoneChange, PhoneRow, PhonesRepo } from "./phones.repo.ts";
import { ownerOf, type PhonesNode } from "./phones-node.ts";

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
  node: Pick<PhonesNode, "id" | "alone" | "demandBoot">;
  publish: (tx: Writer, row: PhoneRow) => Promise<void>;
}): Move {
  const { db, repo, events, audit, log, node, publish } = options;
  const owner = ownerOf(node);
  return async (id, from, change, { entry, before, meter } = {}) => {
    const work = async (tx: Writer) => {
      await node.demandBoot(tx);
      await before?.(tx);
      const over = change.state !== undefined && change.state !== "running";
      const values = { ...change, ...(over && { unreachableSince: null }) };
      const changed = await repo.change(tx, id, from, values, owner);
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

/** Work that fails is tried again later and later, five seconds after the first time and ten minutes at most. */
export interface Retries {
  isDue(id: PhoneId): boolean;
  attempt<T>(id: PhoneId, work: () => Promise<T>): Promise<T>;
  done(id: PhoneId): void;
}
const FIRST_RETRY_MS = 5_000;
const LAST_RETRY_MS = 10 * 60_000;

export function createRetries(clock: Clock): Retries {
  const failed = new Map<PhoneId, { readonly dueAt: number; readonly waitMs: number }>();
  return {
    isDue: (id) => clock.now() >= (failed.get(id)?.dueAt ?? 0),
    async attempt(id, work) {
      try {
        return await work();
      } catch (error) {
        const waitMs = Math.min(LAST_RETRY_MS, (failed.get(id)?.waitMs ?? FIRST_RETRY_MS / 2) * 2);
        failed.set(id, { dueAt: clock.now() + waitMs, waitMs });
        throw error;
      }
    },
    done: (id) => void failed.delete(id),
  };
}
