/**
 * Starts rules whose schedule has come. A slot's name is the key of its start, so of several servers one starts it; slots
 * that passed while no server ran count as one.
 */
import type { RuleId } from "../../shared/ids.ts";
import { dedupeKey } from "../../shared/rules/dedupe.ts";
import type { RuleRefusal } from "../../shared/rules-api.ts";
import type { Clock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import { errorFields, type Log } from "../log.ts";
import type { StandingScope } from "../teams/team-scope.ts";
import type { RuleRow, RulesRepo } from "./rules.repo.ts";
import type { RulesService } from "./rules.service.ts";
import { nextSlot, type Slot } from "./schedule.ts";

export interface Scheduler {
  start(): void;
  /** Starts what is due. Called every `TICK_MS`. */
  tick(): Promise<void>;
  close(): Promise<void>;
}

const TICK_MS = 5_000;

export function createScheduler(options: {
  db: Database;
  repo: RulesRepo;
  rules: Pick<RulesService, "startScheduled">;
  standing: StandingScope;
  clock: Clock;
  log: Log;
  /** Makes keys of starts. */
  key: Buffer;
}): Scheduler {
  const { db, repo, clock, log } = options;
  const working = new Set<RuleId>();
  let timer: NodeJS.Timeout | undefined;
  let ticking: Promise<void> = Promise.resolve();

  /** @throws whatever is no refusal; the slot is then tried again at the next tick. */
  async function run(row: RuleRow, from: Date): Promise<void> {
    const slot = nextSlot(row.rule, from.getTime() - 1);
    const after = nextSlot(row.rule, clock.now());
    const nextAt = after === undefined ? null : new Date(after.at);
    const refusal = slot?.at === from.getTime() ? await startAt(row, slot, nextAt) : undefined;
    // Finds nothing to change when the start moved it on, or another server did.
    await db.tx((tx) => repo.moveOn(tx, row.id, from, { nextAt, refusal: refusal ?? row.refusal }));
  }

  async function startAt(row: RuleRow, slot: Slot, nextAt: Date | null): Promise<RuleRefusal | undefined> {
    const { rule } = row;
    try {
      const scope = await options.standing(row.teamId, row.savedBy);
      if (scope === undefined) {
        throw new PerchError("forbidden", "Whoever saved this rule last may not run it any more. Save it again.");
      }
      const key = await dedupeKey({
        rule,
        occasion: { start: "schedule", timeZone: slot.timeZone },
        values: [],
        at: slot.at,
        timeZone: slot.timeZone,
        secret: new Uint8Array(options.key),
      });
      await options.rules.startScheduled(scope, { ruleId: row.id, dedupeKey: key }, async (tx) => {
        await repo.moveOn(tx, row.id, new Date(slot.at), { nextAt, refusal: null });
      });
      return undefined;
    } catch (error) {
      if (!(error instanceof PerchError)) throw error;
      return { at: new Date(clock.now()).toISOString(), message: error.message };
    }
  }

  async function look(): Promise<void> {
    const due = (await repo.due(new Date(clock.now()))).filter(({ id }) => !working.has(id));
    await Promise.all(
      due.map(async (row) => {
        if (row.nextAt === null) return;
        working.add(row.id);
        try {
          await run(row, row.nextAt);
        } catch (error) {
          log.error("A schedule could not be started", { ruleId: row.id, ...errorFields(error) });
        } finally {
          working.delete(row.id);
        }
      }),
    );
  }

  const tick = () => {
    ticking = look().catch((error: unknown) => log.error("Looking for schedules failed", errorFields(error)));
    return ticking;
  };
  return {
    start() {
      timer = setInterval(() => void tick(), TICK_MS);
      void tick();
    },
    tick,
    async close() {
      clearInterval(timer);
      await ticking;
    },
  };
}
