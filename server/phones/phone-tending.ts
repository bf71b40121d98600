/** What the server does to its phones by itself, every few seconds: parks what is idle, warns before, ends what was left half-way. */
import type { PhoneId } from "../../shared/ids.ts";
import type { PhoneEvent, PhoneReason, WipeReceipt } from "../../shared/phones.ts";
import type { Database } from "../db/database.ts";
import type { Events } from "../events/events.repo.ts";
import { errorFields } from "../log.ts";
import type { LifeParts } from "./phone-life-parts.ts";
import type { LifecycleLimits } from "./phone-lifecycle.ts";
import type { Loss } from "./phone-loss.ts";
import type { Retries, Turns } from "./phone-moves.ts";
import type { PhoneRow } from "./phones.repo.ts";
import { isHere, ownerOf, type PhonesNode } from "./phones-node.ts";

export interface TendingParts extends LifeParts {
  readonly db: Database;
  readonly events: Events;
  readonly loss: Loss;
  readonly node: PhonesNode;
  readonly turns: Turns;
  readonly wipes: Retries;
  /** For which end of its time each was warned. */
  readonly warned: Map<PhoneId, number>;
  readonly limits: LifecycleLimits;
  readonly parksAt: (row: PhoneRow) => Date | undefined;
  /** Work on one phone in its turn; a failure is logged and stops nothing else. */
  readonly alone: (id: PhoneId, what: string, work: () => Promise<unknown>) => Promise<void>;
  readonly park: (id: PhoneId, reason: PhoneReason, actor: string) => Promise<PhoneRow>;
  readonly wipe: (row: PhoneRow) => Promise<WipeReceipt>;
}

const WARNING_MS = 2 * 60_000;
const SERVER = "server";

export function createTending(parts: TendingParts): { tend(id: PhoneId): Promise<void>; tick(): Promise<void> } {
  const { db, repo, events, clock, log, metering, move, loss, lastUse, warned, wipes, turns, limits, node } = parts;
  const { driverOf, parksAt, park } = parts;

  async function warn(row: PhoneRow, at: Date): Promise<void> {
    if (warned.get(row.id) === at.getTime()) return;
    warned.set(row.id, at.getTime());
    const event: PhoneEvent = { type: "idle_warning", phoneId: row.id, parksAt: at.toISOString() };
    await db.tx((tx) => events.publish(tx, row.teamId, event));
    events.wake(row.teamId);
    parts.listener().idleWarning(row.id, at);
  }

  /** Looks after one phone; runs in its turn, so the row is read again. */
  async function tend(id: PhoneId): Promise<void> {
    const row = await repo.findAnywhere(id);
    if (row === undefined || (row.nodeId !== null && !isHere(node, row))) return;
    if (row.state === "removed") await wipes.attempt(id, () => parts.wipe(row));
    if (row.state === "parking") await park(id, "asked", SERVER);
    if (row.state === "starting") {
      await driverOf(row)
        .park(id)
        .catch((error: unknown) =>
          log.warn("A phone that did not start was not parked", { phoneId: id, ...errorFields(error) }),
        );
      const meter = { meter: (tx: Parameters<typeof metering.closed>[0]) => metering.closed(tx, id, "failed") };
      await move(id, ["starting"], { state: "failed", reason: "start_failed" }, meter);
    }
    if (row.state === "running" && row.unreachableSince !== null) return loss.tend(row);
    const at = parksAt(row);
    if (row.state !== "running" || row.startedAt === null || at === undefined) return;
    const now = clock.now();
    if (now >= at.getTime()) {
      const tooLong = now >= row.startedAt.getTime() + limits.longestSessionMs;
      await park(id, tooLong ? "longest_session" : "idle", SERVER);
    } else if (now >= at.getTime() - WARNING_MS) await warn(row, at);
  }

  return {
    tend,
    async tick() {
      if (!node.mayAct()) return;
      const rows = await repo.inStatesAnywhere(["starting", "running", "parking", "removed"], ownerOf(node));
      const used = new Map<PhoneId, Date>();
      for (const row of rows) {
        const at = lastUse.get(row.id);
        if (at !== undefined && at > (row.lastUsedAt?.getTime() ?? 0) + 15_000) used.set(row.id, new Date(at));
      }
      if (used.size > 0) await db.tx((tx) => repo.touch(tx, used));
      const due = rows.filter((row) => {
        if (turns.isBusy(row.id) || !wipes.isDue(row.id)) return false;
        return (
          row.unreachableSince !== null ||
          row.state !== "running" ||
          clock.now() >= (parksAt(row)?.getTime() ?? Infinity) - WARNING_MS
        );
      });
      await Promise.all(due.map((row) => parts.alone(row.id, "Looking after a phone failed", () => tend(row.id))));
    },
  };
}
