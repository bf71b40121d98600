/** Time that is not in the ledger yet: what phones ran since they were last settled, rated as it would be now, not posted. */
import type { Funds, RatedPiece } from "../../../shared/billing/rating.ts";
import type { PhoneId, TeamId, UsageIntervalId, UserId } from "../../../shared/ids.ts";
import type { Clock } from "../../clock.ts";
import type { Database } from "../../db/database.ts";
import type { Settlement } from "../usage/settlement.ts";

export interface RunningInterval {
  readonly id: UsageIntervalId;
  readonly phoneId: PhoneId;
  readonly startedBy: UserId | null;
  readonly startedAt: number;
}
export interface Unsettled {
  readonly at: number;
  readonly running: readonly RunningInterval[];
  readonly pieces: readonly RatedPiece[];
  /** What is left to pay with after them. */
  readonly funds: Funds;
}
export interface OpenTime {
  of(teamId: TeamId): Promise<Unsettled>;
}

export function createOpenTime(options: {
  db: Database;
  settlement: Pick<Settlement, "weigh">;
  clock: Clock;
}): OpenTime {
  const { db, settlement, clock } = options;
  return {
    of: (teamId) =>
      db.tx(async (tx) => {
        const at = clock.now();
        const { rows, rated } = await settlement.weigh(tx, teamId, at);
        const running = rows
          .filter(({ endedAt }) => endedAt === null)
          .map(({ id, phoneId, startedBy, startedAt }) => ({ id, phoneId, startedBy, startedAt: startedAt.getTime() }));
        return { at, running, pieces: rated.pieces, funds: rated.funds };
      }),
  };
}
