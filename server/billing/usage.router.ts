/** `usage.*`: how long phones ran, and, for roles that may see it, what it cost. */
import type { z } from "zod";
import {
  type UsageDays,
  type UsageExplanation,
  type UsageLinesPage,
  type UsageSummary,
  usageDaysInput,
  usageLineRef,
  usageLinesInput,
  usageRangeInput,
} from "../../shared/billing/billing.ts";
import { router, teamProcedure } from "../base.router.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import { seesMoney } from "./billing.router.ts";

/** Ranges are days of the team's time zone, both ends in; without one, the month so far. `money`: whether to show it. */
export interface UsageViews {
  summary(scope: TeamScope, input: z.output<typeof usageRangeInput>, money: boolean): Promise<UsageSummary>;
  days(scope: TeamScope, input: z.output<typeof usageDaysInput>, money: boolean): Promise<UsageDays>;
  lines(scope: TeamScope, input: z.output<typeof usageLinesInput>, money: boolean): Promise<UsageLinesPage>;
  explain(scope: TeamScope, input: z.output<typeof usageLineRef>, money: boolean): Promise<UsageExplanation>;
  /** All lines of the range as CSV, safe against formulas. */
  csv(
    scope: TeamScope,
    input: z.output<typeof usageRangeInput>,
    money: boolean,
  ): Promise<{ readonly name: string; readonly csv: string }>;
}

const seen = { permission: "usage:view", scope: "billing", limit: "read", audit: false } as const;

export function usageRouter(usage: UsageViews) {
  return router({
    summary: teamProcedure(seen)
      .input(usageRangeInput)
      .query(({ ctx, input }) => usage.summary(ctx.scope, input, seesMoney(ctx.actor.role))),
    days: teamProcedure(seen)
      .input(usageDaysInput)
      .query(({ ctx, input }) => usage.days(ctx.scope, input, seesMoney(ctx.actor.role))),
    lines: teamProcedure(seen)
      .input(usageLinesInput)
      .query(({ ctx, input }) => usage.lines(ctx.scope, input, seesMoney(ctx.actor.role))),
    explain: teamProcedure(seen)
      .input(usageLineRef)
      .query(({ ctx, input }) => usage.explain(ctx.scope, input, seesMoney(ctx.actor.role))),
    csv: teamProcedure(seen)
      .input(usageRangeInput)
      .query(({ ctx, input }) => usage.csv(ctx.scope, input, seesMoney(ctx.actor.role))),
  });
}
