/** `audit.*`: the audit log as people may read it. */
import { activityInput } from "../../shared/activity.ts";
import { personProcedure, router, teamProcedure } from "../base.router.ts";
import type { ActivityLog } from "./activity.service.ts";

export function auditRouter(log: ActivityLog) {
  return router({
    team: teamProcedure({ permission: "team:activity", scope: "team", limit: "read", audit: false })
      .input(activityInput)
      .query(({ ctx, input }) => log.team(ctx.actor, ctx.scope, input)),
    mine: personProcedure({ scope: "account", limit: "read", audit: false })
      .input(activityInput)
      .query(({ ctx, input }) => log.mine(ctx.actor, input)),
  });
}
