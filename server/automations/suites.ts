/** Flows of one folder that run one after the other, and what the failure of one means for the next. */
import { hasEnded } from "../../shared/automation-model.ts";
import type { RunRow } from "./runs.repo.ts";
import type { WorkspacesRepo } from "./workspaces.repo.ts";

/** Why a run of a suite does not begin, in a sentence; undefined: it does. Asked when its turn has come. */
export function suiteStopped(repo: Pick<WorkspacesRepo, "findSuiteAnywhere" | "runsOf">) {
  return async (row: RunRow): Promise<string | undefined> => {
    const suite = row.suiteId === null ? undefined : await repo.findSuiteAnywhere(row.suiteId);
    if (suite === undefined || suite.stopsWithin === 0) return undefined;
    const inOrder = (await repo.runsOf(suite.id)).slice(0, suite.stopsWithin);
    const at = inOrder.findIndex(({ id }) => id === row.id);
    const failed = inOrder.slice(0, Math.max(0, at)).find(({ state }) => hasEnded(state) && !PASSES.has(state));
    if (failed === undefined) return undefined;
    return `${failed.name} did not pass before it, and config.yaml says \`continueOnFailure: false\`.`;
  };
}

const PASSES: ReadonlySet<RunRow["state"]> = new Set(["passed", "warned"]);
