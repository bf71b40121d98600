/**
 * Ends what goes on for a person whose data is only kept from now on, or whose account closes: streams and screens, runs,
 * and the phones of teams they are alone in. A job, so that it happens whoever asked for it and whatever dies meanwhile.
 * Phones of a team with others go on: the choice is the person's, not the team's.
 */
import { z } from "zod";
import { userId as userIdSchema } from "../../../shared/ids.ts";
import type { RunsService } from "../../automations/runs.service.ts";
import type { Database } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import type { JobHandler } from "../../jobs/jobs.service.ts";
import type { PhonesService } from "../../phones/phones.service.ts";
import type { AccessChanges } from "../../teams/access-changes.ts";
import { teamScope } from "../../teams/team-scope.ts";
import type { TeamsRepo } from "../../teams/teams.repo.ts";

/** Input: `{ userId }`. */
export const STOP_JOB = "privacy.stop_work";
const input = z.object({ userId: userIdSchema });

export function createStopWork(options: {
  db: Database;
  teams: Pick<TeamsRepo, "standingOf" | "listOf" | "members">;
  changes: AccessChanges;
  runs: Pick<RunsService, "cancelAllOf">;
  phones: Pick<PhonesService, "list" | "park">;
}): JobHandler {
  const { db, teams, changes, runs, phones } = options;
  return async (given) => {
    const { userId } = input.parse(given);
    if ((await teams.standingOf(userId)) === "active") return;
    const change = { kind: "stopped", userId } as const;
    await db.tx((tx) => changes.announce(tx, change));
    changes.tell(change);
    let left = 0;
    for (const { id: teamId, role } of await teams.listOf(userId)) {
      const scope = teamScope({ teamId, userId, role }, "phones:control");
      if (scope === undefined) continue;
      const ended = await db.tx((tx) => runs.cancelAllOf(tx, scope, userId));
      ended();
      if ((await teams.members(teamId)).length > 1) continue;
      for (const phone of await phones.list(scope)) {
        if (phone.state === "parked" || phone.state === "failed") continue;
        try {
          await phones.park(scope, phone.id);
        } catch (error) {
          if (!(error instanceof PerchError)) throw error;
          left += 1;
        }
      }
    }
    if (left > 0) throw new Error("Some phones could not be parked yet.");
  };
}
