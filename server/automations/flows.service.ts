/** A team's flows. Every method takes the `TeamScope` of a caller who was checked. */
import type { z } from "zod";
import type { FlowDetail, FlowSummary, FlowValidation, saveFlowInput } from "../../shared/automations.ts";
import type { ParsedFlow } from "../../shared/flows/model.ts";
import { type FlowId, newId } from "../../shared/ids.ts";
import type { Audit } from "../audit/audit.repo.ts";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import type { FlowRow, FlowsRepo } from "./flows.repo.ts";

export interface FlowsService {
  /** What is wrong with a flow, line by line. Stores nothing. */
  validate(source: string): FlowValidation;
  /** Keeps a flow, also one with errors: what was written is never lost, it just does not run. */
  save(scope: TeamScope, input: z.output<typeof saveFlowInput>): Promise<FlowDetail>;
  /** A new flow in the caller's transaction. */
  add(tx: Writer, scope: TeamScope, flow: { readonly name: string; readonly source: string }): Promise<FlowId>;
  list(scope: TeamScope): Promise<FlowSummary[]>;
  get(scope: TeamScope, id: FlowId): Promise<FlowDetail>;
  remove(scope: TeamScope, id: FlowId): Promise<void>;
}

const MOST_FLOWS = 2_000;

/** The same words for a flow that never was, is gone, or is another team's. */
export function noSuchFlow(): PerchError {
  return new PerchError("not_found", "There is no such flow in this team.");
}

export function createFlowsService(options: {
  db: Database;
  repo: FlowsRepo;
  audit: Audit;
  clock: Clock;
  parse: (source: string) => ParsedFlow;
}): FlowsService {
  const { db, repo, audit, clock, parse } = options;
  const summary = (row: FlowRow, parsed: ParsedFlow): FlowSummary => ({
    id: row.id,
    name: row.name,
    runnable: parsed.flow !== undefined,
    portable: parsed.portable,
    commands: parsed.commands,
    tags: parsed.flow?.header.tags ?? [],
    updatedAt: row.updatedAt.toISOString(),
  });
  const detail = (row: FlowRow): FlowDetail => {
    const parsed = parse(row.source);
    const { flow, diagnostics } = parsed;
    return { ...summary(row, parsed), source: row.source, inputs: flow?.header.inputs ?? [], diagnostics };
  };
  async function insert(tx: Writer, scope: TeamScope, name: string, source: string): Promise<FlowRow> {
    if ((await repo.count(tx, scope)) >= MOST_FLOWS) {
      throw new PerchError("limit_reached", `A team keeps at most ${MOST_FLOWS} flows. Remove one first.`);
    }
    const { teamId, userId } = scope;
    const at = new Date(clock.now());
    return repo.insert(tx, {
      id: newId("flow"),
      teamId,
      createdBy: userId,
      name,
      source,
      createdAt: at,
      updatedAt: at,
    });
  }
  const recordSaved = (tx: Writer, scope: TeamScope, id: FlowId) =>
    audit.record(tx, { chain: scope.teamId, actor: scope.userId, action: "flow.saved", object: id });
  return {
    validate(source) {
      const { flow, commands, portable, diagnostics } = parse(source);
      return { ok: flow !== undefined, commands, portable, diagnostics };
    },
    async save(scope, { flowId, name, source }) {
      const now = new Date(clock.now());
      const row = await db.tx(async (tx) => {
        const saved =
          flowId === undefined
            ? await insert(tx, scope, name, source)
            : await repo.change(tx, scope, flowId, { name, source, updatedAt: now });
        if (saved === undefined) throw noSuchFlow();
        await recordSaved(tx, scope, saved.id);
        return saved;
      });
      return detail(row);
    },
    async add(tx, scope, { name, source }) {
      const { id } = await insert(tx, scope, name, source);
      await recordSaved(tx, scope, id);
      return id;
    },
    list: async (scope) => (await repo.list(scope)).map((row) => summary(row, parse(row.source))),
    async get(scope, id) {
      const row = await repo.find(scope, id);
      if (row === undefined) throw noSuchFlow();
      return detail(row);
    },
    async remove(scope, id) {
      await db.tx(async (tx) => {
        if (!(await repo.delete(tx, scope, id))) throw noSuchFlow();
        await audit.record(tx, { chain: scope.teamId, actor: scope.userId, action: "flow.removed", object: id });
      });
    },
  };
}
