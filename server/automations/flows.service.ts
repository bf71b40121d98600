/** A team's flows. Every method takes the `TeamScope` of a caller who was checked. */
import type { z } from "zod";
import type {
  FlowDetail,
  FlowSummary,
  FlowValidation,
  saveFlowInput,
  validateInput,
} from "../../shared/automations.ts";
import { linkFlow } from "../../shared/flows/files.ts";
import type { ParsedFlow } from "../../shared/flows/model.ts";
import { type FlowId, newId } from "../../shared/ids.ts";
import { type ExportedRecording, exportRecording } from "../../shared/recorder-json/export.ts";
import { isYaml } from "../../shared/workspace-model.ts";
import type { Audit } from "../audit/audit.repo.ts";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import type { FlowRow, FlowsRepo } from "./flows.repo.ts";
import { teamTree } from "./run-files.ts";
import type { Keeper, SecretsService } from "./secrets/secrets.service.ts";
import { isPathFree } from "./workspace-tree.ts";
import type { WorkspacesRepo } from "./workspaces.repo.ts";

export interface FlowsService {
  /** What is wrong with a flow and the files it names, line by line. Stores nothing. */
  validate(scope: TeamScope, input: z.output<typeof validateInput>): Promise<FlowValidation>;
  /**
   * Keeps a flow, also one with errors: what was written is never lost, it just does not run. Secrets granted to the text
   * before go over to the new one only where `keeper` may pass them on.
   */
  save(scope: TeamScope, input: z.output<typeof saveFlowInput>, keeper?: Keeper): Promise<FlowDetail>;
  /** A new flow in the caller's transaction. */
  add(tx: Writer, scope: TeamScope, flow: { readonly name: string; readonly source: string }): Promise<FlowId>;
  list(scope: TeamScope): Promise<FlowSummary[]>;
  get(scope: TeamScope, id: FlowId): Promise<FlowDetail>;
  /** As a recording of Chrome DevTools. @throws PerchError `bad_input` for a flow with errors */
  recording(scope: TeamScope, id: FlowId): Promise<ExportedRecording>;
  remove(scope: TeamScope, id: FlowId): Promise<void>;
}

export const MOST_FLOWS = 2_000;

/** The same words for a flow that never was, is gone, or is another team's. */
export function noSuchFlow(): PerchError {
  return new PerchError("not_found", "There is no such flow in this team.");
}

function savedSince(): PerchError {
  return new PerchError("conflict", "Someone saved this automation after you began. Look at their version first.");
}

export function createFlowsService(options: {
  db: Database;
  repo: FlowsRepo;
  workspaces: WorkspacesRepo;
  audit: Audit;
  clock: Clock;
  parse: (source: string) => ParsedFlow;
  secrets: Pick<SecretsService, "follow" | "textChange">;
}): FlowsService {
  const { db, repo, workspaces, audit, clock, parse } = options;
  const summary = (row: FlowRow, parsed: ParsedFlow): FlowSummary => ({
    id: row.id,
    name: row.name,
    ...(row.path !== null && { path: row.path }),
    runnable: parsed.flow !== undefined,
    portable: parsed.portable,
    commands: parsed.commands,
    tags: parsed.flow?.header.tags ?? [],
    updatedAt: row.updatedAt.toISOString(),
  });
  const link = (scope: TeamScope, source: string, path: string) =>
    linkFlow({ source, path }, () => teamTree(scope, { flows: repo, workspaces }), parse);
  const detail = async (scope: TeamScope, row: FlowRow): Promise<FlowDetail> => {
    const parsed = await link(scope, row.source, row.path ?? "");
    const { flow, diagnostics } = parsed;
    const { inputs = [], secrets = [] } = flow?.header ?? {};
    return { ...summary(row, parsed), source: row.source, inputs, secrets, diagnostics };
  };
  async function insert(
    tx: Writer,
    scope: TeamScope,
    flow: Pick<FlowRow, "name" | "source" | "path">,
  ): Promise<FlowRow> {
    if ((await repo.count(tx, scope)) >= MOST_FLOWS) {
      throw new PerchError("limit_reached", `A team keeps at most ${MOST_FLOWS} flows. Remove one first.`);
    }
    const { teamId, userId } = scope;
    const at = new Date(clock.now());
    return repo.insert(tx, {
      id: newId("flow"),
      teamId,
      createdBy: userId,
      ...flow,
      createdAt: at,
      updatedAt: at,
    });
  }
  const recordSaved = (tx: Writer, scope: TeamScope, id: FlowId) =>
    audit.record(tx, { chain: scope.teamId, actor: scope.userId, action: "flow.saved", object: id });
  return {
    async validate(scope, { source, flowId, path }) {
      const saved = flowId === undefined ? undefined : await repo.find(scope, flowId);
      const { flow, commands, portable, diagnostics } = await link(scope, source, path ?? saved?.path ?? "");
      return { ok: flow !== undefined, commands, portable, diagnostics };
    },
    async save(scope, { flowId, name, source, path, base }, keeper) {
      const before = flowId === undefined ? undefined : await repo.find(scope, flowId);
      const known = base === undefined ? undefined : before;
      if (known !== undefined && known.updatedAt.getTime() !== Date.parse(base ?? "")) throw savedSince();
      const now = new Date(clock.now());
      const change =
        keeper && before && (await options.secrets.textChange(scope, before, { source, path: path ?? before.path }));
      const row = await db.tx(async (tx) => {
        if (path !== undefined) {
          if (!isYaml(path)) throw new PerchError("bad_input", "The path of a flow ends with .yaml.");
          const tree = { flows: await repo.paths(scope, tx), files: await workspaces.list(scope, tx) };
          if (!isPathFree(path, tree, flowId)) {
            throw new PerchError("conflict", `There is something at ${path} already. Choose another name.`);
          }
        }
        if (keeper && flowId && change) await options.secrets.follow(tx, keeper, flowId, change);
        const saved =
          flowId === undefined
            ? await insert(tx, scope, { name, source, path: path ?? null })
            : await repo.change(
                tx,
                scope,
                flowId,
                { name, source, updatedAt: now, ...(path !== undefined && { path }) },
                known?.source,
              );
        if (saved === undefined) throw known === undefined ? noSuchFlow() : savedSince();
        await recordSaved(tx, scope, saved.id);
        return saved;
      });
      return detail(scope, row);
    },
    async add(tx, scope, { name, source }) {
      const { id } = await insert(tx, scope, { name, source, path: null });
      await recordSaved(tx, scope, id);
      return id;
    },
    list: async (scope) => (await repo.list(scope)).map((row) => summary(row, parse(row.source))),
    async get(scope, id) {
      const row = await repo.find(scope, id);
      if (row === undefined) throw noSuchFlow();
      return detail(scope, row);
    },
    async recording(scope, id) {
      const row = await repo.find(scope, id);
      if (row === undefined) throw noSuchFlow();
      const { flow } = parse(row.source);
      if (flow !== undefined) return exportRecording(flow, row.name);
      throw new PerchError("bad_input", "This flow has errors. Correct them, then save it as a recording.");
    },
    async remove(scope, id) {
      await db.tx(async (tx) => {
        if (!(await repo.delete(tx, scope, id))) throw noSuchFlow();
        await audit.record(tx, { chain: scope.teamId, actor: scope.userId, action: "flow.removed", object: id });
      });
    },
  };
}
