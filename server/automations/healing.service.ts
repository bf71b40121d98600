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
import type { Keeper, SecretsService } from "./secrets/secrets.service.ts";

export interface HealingService {
  /**
   * Writes proposals into the flow, if that still is what the run was made of. Again changes nothing. Secrets stay with
   * the flow as when it is saved.
   */
  heal(
    scope: TeamScope,
    input: z.output<typeof healFlowInput>,
    keeper?: Keeper,
  ): Promise<{ flowId: FlowId; lines: readonly number[] }>;
}

export function createHealingService(options: {
  db: Database;
  flows: FlowsRepo;
  runs: RunsRepo;
  audit: Audit;
  clock: Clock;
  secrets: Pick<SecretsService, "follow">;
}): HealingService {
  const { db, flows, runs } = options;
  return {
    async heal(scope, { runId, steps }, keeper) {
      const run = await runs.find(scope, runId);
      if (run === undefined) throw noSuchRun();
      const wanted = (await runs.steps(runId)).filter(({ seq }) => steps.includes(seq));
      const lines = wanted.map(({ line }) => line);
      let { source } = run;
      const done = new Set<string>();
      for (const { path, result } of wanted) {
        // A step in a loop has one place in the text, however often it ran.
        if (done.has(path)) continue;
        done.add(path);
        const healed = result?.healing && healedFlow(source, path, result.healing.fallback);
        if (healed === undefined) throw noProposal();
        ({ source } = healed);
      }
      if (wanted.length === 0) throw noProposal();
      const { flowId } = run;
      if (flowId === null) {
        throw new PerchError(
          "conflict",
          "This run was not of a saved automation, or that was removed, so there is nothing to change.",
        );
      }
      const flow = await flows.find(scope, flowId);
      if (flow === undefined) throw noSuchFlow();
      if (flow.source === source) return { flowId, lines };
      await db.tx(async (tx) => {
        const change = { name: flow.name, source, updatedAt: new Date(options.clock.now()) };
        if (keeper !== undefined) await options.secrets.follow(tx, keeper, flowId, source);
        const changed = await flows.change(tx, scope, flowId, change, run.source);
        if (changed === undefined) {
          throw new PerchError(
            "conflict",
            `The automation was changed after this run. Open it and change line ${lines.join(", ")} yourself.`,
          );
        }
        await options.audit.record(tx, {
          chain: scope.teamId,
          actor: scope.userId,
          action: "flow.saved",
          object: flowId,
        });
      });
      return { flowId, lines };
    },
  };
}

function noProposal(): PerchError {
  return new PerchError("conflict", "This step has no proposal that can be taken over. Change the flow yourself.");
}
