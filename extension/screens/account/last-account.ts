/** What parts of the Account screen showed last, so that going back and forth shows something at once. */
import { useRef } from "react";
import type { DecisionView, SecurityOverview } from "../../../shared/accounts.ts";
import type { BillingSummary } from "../../../shared/billing/billing.ts";
import type { ReceivedInvitation, TeamSummary, TeamView } from "../../../shared/teams.ts";
import type { LastRead } from "../panel/use-remote.ts";

export interface LastAccount {
  readonly security: LastRead<SecurityOverview>;
  readonly teams: LastRead<readonly TeamSummary[]>;
  readonly received: LastRead<readonly ReceivedInvitation[]>;
  readonly standing: LastRead<readonly DecisionView[]>;
  readonly team: LastRead<TeamView>;
  readonly billing: LastRead<BillingSummary>;
}

/** `billing` is kept by the panel: it is worth seeing without a server too. */
export function useLastAccount(billing: LastRead<BillingSummary>): LastAccount {
  return {
    security: useRef(undefined),
    teams: useRef(undefined),
    received: useRef(undefined),
    standing: useRef(undefined),
    team: useRef(undefined),
    billing,
  };
}
