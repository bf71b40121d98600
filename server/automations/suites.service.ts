/** Running a folder: its flows by its config.yaml, one after the other on one phone. */
import { createHash } from "node:crypto";
import type { z } from "zod";
import type { RunTrigger } from "../../shared/automation-model.ts";
import type { ParsedFlow } from "../../shared/flows/model.ts";
import type { SuiteId } from "../../shared/ids.ts";
import {
  DEFAULT_CONFIG,
  planSuite,
  readConfig,
  type WorkspaceConfig,
  yamlKind,
} from "../../shared/workspace-config.ts";
import type { runFolderInput } from "../../shared/workspaces.ts";
import { baseName, folderOf, isWithin, isYaml, type SuiteSummary } from "../../shared/workspaces.ts";
import type { Database } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import { canonicalJson } from "../limits/idempotency.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import type { FlowsRepo } from "./flows.repo.ts";
import { suiteJunit } from "./run-reports.ts";
import { type RunsService, sameRequest } from "./runs.service.ts";
import type { WorkspacesRepo } from "./workspaces.repo.ts";

export interface SuitesService {
  /** Asks for the runs of a folder. The same idempotency key gives the same suite. */
  start(scope: TeamScope, input: z.output<typeof runFolderInput>, trigger: RunTrigger): Promise<SuiteSummary>;
  get(scope: TeamScope, id: SuiteId): Promise<SuiteSummary>;
  /** Ends all of its runs that have not ended. */
  cancel(scope: TeamScope, id: SuiteId): Promise<void>;
  /** One JUnit report of all its runs. */
  junit(scope: TeamScope, id: SuiteId): Promise<string>;
}

export function createSuitesService(options: {
  db: Database;
  repo: WorkspacesRepo;
  flows: FlowsRepo;
  runs: RunsService;
  parse: (source: string) => ParsedFlow;
}): SuitesService {
  const { db, repo, flows, runs, parse } = options;

  async function configOf(scope: TeamScope, folder: string): Promise<WorkspaceConfig> {
    const beside = (await repo.list(scope)).filter(({ path }) => folderOf(path) === folder && isYaml(path));
    const inOrder = beside.sort((a, b) => Number(isNamedConfig(b.path)) - Number(isNamedConfig(a.path)));
    for (const { path } of inOrder) {
      const text = Buffer.from((await repo.find(scope, path))?.bytes ?? []).toString("utf8");
      if (yamlKind(text) !== "config") continue;
      const { config, diagnostics } = readConfig(text);
      if (config !== undefined) return config;
      const [first] = diagnostics;
      throw new PerchError(
        "bad_input",
        `${path} has errors: line ${first?.line ?? 1}, column ${first?.column ?? 1}: ${first?.message ?? ""}`,
      );
    }
    return DEFAULT_CONFIG;
  }

  async function summary(scope: TeamScope, id: SuiteId): Promise<SuiteSummary> {
    const row = await repo.findSuite(scope, id);
    if (row === undefined) throw noSuchSuite();
    const inOrder = await repo.runsOf(id);
    return {
      id,
      path: row.path,
      phoneId: row.phoneId,
      createdAt: row.createdAt.toISOString(),
      runs: inOrder.map((run) => ({
        runId: run.id,
        name: run.name,
        ...(run.flowId !== null && { flowId: run.flowId }),
      })),
    };
  }

  return {
    async start(scope, { path, phoneId, inputs = {}, idempotencyKey }, trigger) {
      const requestHash = createHash("sha256").update(canonicalJson({ path, phoneId, inputs })).digest("base64url");
      const earlier = await db.tx((tx) => repo.findSuiteByKey(tx, scope.teamId, idempotencyKey));
      if (earlier !== undefined) return summary(scope, sameRequest(earlier, requestHash));
      const inside = (await flows.list(scope)).flatMap((row) => {
        if (row.path === null || !isWithin(row.path, path)) return [];
        const header = parse(row.source).flow?.header;
        const relative = path === "" ? row.path : row.path.slice(path.length + 1);
        const name = header?.name ?? baseName(row.path).replace(/\.ya?ml$/i, "");
        return [{ row, path: relative, name, tags: header?.tags ?? [] }];
      });
      if (inside.length === 0) throw new PerchError("not_found", "There are no flows in such a folder of this team.");
      const plan = planSuite(await configOf(scope, path), inside);
      if (typeof plan === "string") throw new PerchError("bad_input", plan);
      const chosen = plan.flows.map(({ row }) => row);
      const { stopsWithin } = plan;
      const request = { path, phoneId, inputs, flows: chosen, stopsWithin, idempotencyKey, requestHash };
      return summary(scope, await runs.startSuite(scope, request, trigger));
    },
    get: summary,
    async cancel(scope, id) {
      // The last first, so that none begins because the one before it ended.
      for (const { runId } of (await summary(scope, id)).runs.toReversed()) await runs.cancel(scope, runId);
    },
    async junit(scope, id) {
      const { runs: parts, phoneId } = await summary(scope, id);
      const cases = [];
      for (const { runId } of parts) cases.push(await runs.reportSource(scope, runId));
      return suiteJunit(cases, cases[0]?.phone ?? phoneId);
    },
  };
}

function isNamedConfig(path: string): boolean {
  return /^config\.ya?ml$/i.test(baseName(path));
}

function noSuchSuite(): PerchError {
  return new PerchError("not_found", "There is no such suite in this team.");
}
