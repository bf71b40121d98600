/** `teams.*`: the teams a person belongs to. */
import { personProcedure, router } from "../base.router.ts";
import type { TeamsRepo } from "./teams.repo.ts";

export function teamsRouter(teams: TeamsRepo) {
  return router({
    list: personProcedure({ scope: "account", limit: "read", audit: false }).query(({ ctx }) =>
      teams.listOf(ctx.actor.userId),
    ),
  });
}
