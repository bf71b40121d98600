/** The audit log in words: what happened in a team, and what concerns one person. */
import type { z } from "zod";
import type { Activity, activityInput } from "../../shared/activity.ts";
import { PerchError } from "../errors.ts";
import type { Actor, TeamScope } from "../teams/team-scope.ts";

export interface ActivityLog {
  /** The team's chain. `bad_input` for a cursor this server did not give. */
  team(actor: Actor, scope: TeamScope, input: z.output<typeof activityInput>): Promise<Activity>;
  /** What the person did about their account and what others, the operator among them, did to it or read of it. */
  mine(actor: Actor, input: z.output<typeof activityInput>): Promise<Activity>;
}

export function createActivityLog(): ActivityLog {
  return { team: later, mine: later };
}

/** Not built yet. */
function later(): never {
  throw new PerchError("unavailable", "This part of the server is being built.");
}
