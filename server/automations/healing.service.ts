/** Takes what a run proposed for a step whose selector found nothing over into the saved flow. */
import type { z } from "zod";
import type { healFlowInput } from "../../shared/automations.ts";
import { healedFlow } from "../../shared/flows/heal.ts";
import type { FlowId } from "../../shared/ids.ts";
import type { Audit } from "../audit/audit.repo.ts";
import type { Clock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import type { FlowsRepo } from "./flows.repo.ts";
import { noSuchFlow } from "./flows.service.ts";
import type { RunsRepo } from "./runs.repo.ts";
import { noSuchRun } from "./runs.service.ts";

export interface HealingService {
  /** Writes the proposal into the flow, if that still is what the run was made of. Again changes nothing. */
  heal(scope: TeamScope, input: z.output<typeof healFlowInput>): Promise<{ flowId: FlowId; line: number }>;
}

export function createHealingService(options: {
  db: Database;
  flows: FlowsRepo;
  runs: RunsRepo;
  audit: Audit;
  clock: Clock;
}): HealingService {
  const { db, flows, runs } = options;
  return {
    async heal(scope, { runId, step }) {
      const run = await runs.find(scope, runId);
      if (run === undefined) throw noSuchRun();
      const row = (await runs.steps(runId)).find(({ seq }) => seq === step);
      const healing = row?.result?.healing;
      const healed = row && healing && healedFlow(run.source, row.path, healing.fallback);
      if (healed === undefined) {
        throw new PerchError("conflict", "This step has no proposal that can be taken over. Change the flow yourself.");
      }
      const { flowId } = run;
      if (flowId === null) {
        throw new PerchError(
          "conflict",
          "This run was not of a saved automation, or that was removed, so there is nothing to change.",
        );
      }
      const flow = await flows.find(scope, flowId);
      if (flow === undefined) throw noSuchFlow();
      const { line } = healed;
      if (flow.source === healed.source) return { flowId, line };
      await db.tx(async (tx) => {
        const change = { name: flow.name, source: healed.source, updatedAt: new Date(options.clock.now()) };
        const changed = await flows.change(tx, scope, flowId, change, run.source);
        if (changed === undefined) {
          throw new PerchError(
            "conflict",
            `The automation was changed after this run. Open it and change line ${line} yourself.`,
          );
        }
        await options.audit.record(tx, {
          chain: scope.teamId,
          actor: scope.userId,
          action: "flow.saved",
          object: flowId,
        });
      });
      return { flowId, line };
    },
  };
}
