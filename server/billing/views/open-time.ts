/** Time that is not in the ledger yet: what phones ran since they were last settled, rated as it would be now, not posted. */
import type { Funds, RatedPiece } from "../../../shared/billing/rating.ts";
import type { PhoneId, TeamId, UsageIntervalId, UserId } from "../../../shared/ids.ts";

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
