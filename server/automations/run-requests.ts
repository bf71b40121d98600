/** What a run that is asked for needs: checked as a whole, before it waits for a phone; then put into the queue. */
import type { FlowPart, RunTrigger } from "../../shared/automations.ts";
import { type AutomationCapabilities, validateFor } from "../../shared/flows/capabilities.ts";
import { linkFlow } from "../../shared/flows/files.ts";
import type { Diagnostic, Flow, FlowHeader, ParsedFlow } from "../../shared/flows/model.ts";
import { partOfFlow, partWords } from "../../shared/flows/part.ts";
import { type FlowId, newId, type PhoneId, type RunId, type SuiteId } from "../../shared/ids.ts";
import { baseName } from "../../shared/workspace-model.ts";
import type { Audit } from "../audit/audit.repo.ts";
import type { Clock } from "../clock.ts";
import type { Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import { noSuchPhone } from "../phones/phone-lifecycle.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import type { FlowsRepo } from "./flows.repo.ts";
import { noSuchFlow } from "./flows.service.ts";
import { broughtTree, teamTree } from "./run-files.ts";
import type { RunRow, RunsRepo } from "./runs.repo.ts";
import type { RunSecrets } from "./secrets/run-secrets.ts";
import type { FileBytes, WorkspacesRepo } from "./workspaces.repo.ts";

export interface WantedRun {
  /** A saved flow, or `source`. */
  readonly flowId?: FlowId | undefined;
  readonly source?: string | undefined;
  /** Where the source stands among its files. */
  readonly path?: string | undefined;
  /** What the source brings along instead of the team's files. */
  readonly files?: readonly { readonly path: string; readonly base64: string }[] | undefined;
  readonly inputs?: Readonly<Record<string, string>> | undefined;
  readonly part?: FlowPart | undefined;
  readonly trigger: RunTrigger;
  /** Whether it may have the secrets granted to its flow. Absent: when a person or a token asks. */
  readonly mayUseSecrets?: boolean | undefined;
}

/** A flow that can run on these phones with these inputs. */
export interface PreparedRun
  extends Pick<RunRow, "flowId" | "name" | "source" | "path" | "inputs" | "ownFiles" | "part"> {
  readonly phones: readonly PhoneId[];
  readonly reached: readonly FileBytes[];
}

/** A run as it goes into the queue. */
export interface QueuedRun {
  readonly prepared: PreparedRun;
  readonly phoneId: PhoneId;
  readonly pool?: readonly PhoneId[];
  readonly shard?: number;
  readonly lane?: string | undefined;
  readonly suiteId?: SuiteId;
  readonly trigger: RunTrigger;
  readonly triggerName?: string | undefined;
  readonly idempotencyKey: string;
  readonly requestHash: string;
}

export interface RunRequests {
  /** @throws PerchError what the flow lacks, or why a phone cannot run it: any of them for `all`, else only when none can. */
  prepare(scope: TeamScope, wanted: WantedRun, phones: readonly PhoneId[], all: boolean): Promise<PreparedRun>;
  /** Puts a run into the queue, with its files, the record and the event that tell of it. */
  enqueue(tx: Writer, scope: TeamScope, run: QueuedRun): Promise<RunId>;
}

export interface RunRequestOptions {
  readonly repo: RunsRepo;
  readonly flows: FlowsRepo;
  readonly workspaces: WorkspacesRepo;
  readonly secrets: Pick<RunSecrets, "refusal">;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly parse: (source: string) => ParsedFlow;
  /** The phone's name and abilities; undefined when the team has no such phone. `can` is absent where none run. */
  readonly phone: (
    scope: TeamScope,
    id: PhoneId,
  ) => Promise<{ readonly name: string; readonly can: AutomationCapabilities | undefined } | undefined>;
}

const MOST_WAITING = 500;

export function createRunRequests(options: RunRequestOptions): RunRequests {
  const { repo, clock } = options;

  async function textOf(scope: TeamScope, { flowId, source = "", path, files }: WantedRun) {
    if (flowId === undefined) return { source, path: path ?? null, name: undefined };
    if (files !== undefined || path !== undefined) {
      throw new PerchError("bad_input", "Files and a path go with a source; a saved flow has its own.");
    }
    const saved = await options.flows.find(scope, flowId);
    if (saved === undefined) throw noSuchFlow();
    return saved;
  }

  /** @throws PerchError when the flow asks for secrets that this run may not have */
  async function refuseWithoutSecrets(
    { teamId, userId }: TeamScope,
    { flowId, inputs = {}, part, trigger, mayUseSecrets }: WantedRun,
    header: FlowHeader,
    text: { readonly source: string; readonly files: readonly FileBytes[] },
  ): Promise<void> {
    const names = header.secrets;
    if (names.length === 0) return;
    const given = names.find((name) => inputs[name] !== undefined);
    if (given !== undefined) {
      throw new PerchError("bad_input", `${given} is a secret of this flow and cannot be given as an input.`);
    }
    // A value of the header looks fixed to whoever grants a secret to the text, such as the address it is typed at.
    const undeclared = Object.keys(inputs).find((name) => header.inputs.every((one) => one.name !== name));
    if (undeclared !== undefined) {
      throw new PerchError(
        "bad_input",
        `A flow with secrets takes only the inputs it declares, and ${undeclared} is none of them.`,
      );
    }
    if (!(mayUseSecrets ?? (trigger === "person" || trigger === "token"))) {
      throw new PerchError(
        "forbidden",
        `This flow needs the secret ${names[0]}. What a ${trigger} starts gets secrets only where that is switched on for it.`,
      );
    }
    if (part !== undefined && trigger !== "person") {
      throw new PerchError("forbidden", "Single steps of a flow get secrets only when a person starts them.");
    }
    const words = await options.secrets.refusal({ teamId, flowId, names, ...text }, part && { by: userId });
    if (words !== undefined) throw new PerchError("bad_input", words);
  }

  return {
    async prepare(scope, wanted, phones, all) {
      const { files, inputs = {}, part } = wanted;
      const { source, path, name: savedName } = await textOf(scope, wanted);
      const known = await Promise.all(
        phones.map(async (id) => {
          const phone = await options.phone(scope, id);
          if (phone === undefined) throw noSuchPhone();
          return { id, ...phone };
        }),
      );
      const open = once(async () =>
        files === undefined
          ? teamTree(scope, { flows: options.flows, workspaces: options.workspaces })
          : broughtTree(files),
      );
      const linked = await linkFlow({ source, path: path ?? "" }, open, options.parse);
      const whole = refuseIfUnfit(linked, inputs);
      const flow = part === undefined ? whole : existingPart(whole, part);
      const judged = known.map(({ id, name, can }) => ({ id, problem: problemOn(flow, linked.flows, name, can) }));
      const first = judged.find(({ problem }) => problem !== undefined)?.problem;
      const fit = judged.flatMap(({ id, problem }) => (problem === undefined ? [id] : []));
      if (first !== undefined && (all || fit.length === 0)) throw first;
      const reached: FileBytes[] = [];
      for (const one of linked.reached) reached.push({ path: one, bytes: await (await open()).bytes(one) });
      await refuseWithoutSecrets(scope, wanted, whole.header, { source, files: reached });
      return {
        flowId: wanted.flowId ?? null,
        name: savedName ?? flow.header.name ?? (path === null ? "Unsaved flow" : baseName(path)),
        source,
        path,
        inputs,
        ownFiles: files !== undefined,
        part: part ?? null,
        phones: fit,
        reached,
      };
    },
    async enqueue(tx, scope, { prepared, pool, ...run }) {
      const now = new Date(clock.now());
      if ((await repo.waiting(tx, scope.teamId)) >= MOST_WAITING) {
        throw new PerchError("limit_reached", `Your team has ${MOST_WAITING} runs waiting. Let some end first.`);
      }
      const { reached, phones: _, ...text } = prepared;
      const row = await repo.insert(
        tx,
        {
          id: newId("run"),
          teamId: scope.teamId,
          createdBy: scope.userId,
          ...text,
          ...run,
          state: "queued",
          turn: await repo.nextTurn(tx, scope.teamId),
          fence: 0,
          starts: 0,
          eventSeq: 0,
          createdAt: now,
        },
        pool,
      );
      await options.workspaces.keepForRun(tx, scope.teamId, row.id, reached, now);
      await repo.append(tx, row.id, [{ type: "run", state: "queued" }], now);
      await options.audit.record(tx, {
        chain: scope.teamId,
        actor: scope.userId,
        action: "run.started",
        object: row.id,
      });
      return row.id;
    },
  };
}

function refuseIfUnfit(parsed: ParsedFlow, inputs: Readonly<Record<string, string>>): Flow {
  const { flow, diagnostics } = parsed;
  if (flow === undefined) throw refusal("This flow has errors", diagnostics);
  const missing = flow.header.inputs.find(
    ({ name, required, default: fallback }) => required && fallback === undefined && inputs[name] === undefined,
  );
  if (missing !== undefined) {
    throw new PerchError("bad_input", `The flow needs a value for ${missing.name}.`, {
      fields: { [`inputs.${missing.name}`]: "Give a value." },
    });
  }
  return flow;
}

function existingPart(flow: Flow, part: FlowPart): Flow {
  const found = partOfFlow(flow, part);
  if (found !== undefined) return found;
  const there = flow.steps.length === 1 ? "1 step" : `${flow.steps.length} steps`;
  throw new PerchError("bad_input", `This flow has ${there}, so ${partWords(part).toLowerCase()} cannot be run.`);
}

/** Why a phone cannot run a flow and the flows it calls; undefined when it can. */
function problemOn(
  flow: Flow,
  called: ReadonlyMap<string, Flow>,
  name: string,
  can: AutomationCapabilities | undefined,
): PerchError | undefined {
  if (can === undefined) {
    return new PerchError("capability_missing", `${name} runs no automations. Use a web phone.`);
  }
  const problems = [
    ...validateFor(flow, can),
    ...[...called].flatMap(([file, other]) => validateFor(other, can).map((diagnostic) => ({ ...diagnostic, file }))),
  ].filter(({ severity }) => severity === "error");
  return problems.length > 0 ? refusal(`${name} cannot run this flow`, problems) : undefined;
}

function refusal(what: string, diagnostics: readonly Diagnostic[]): PerchError {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const [first] = errors;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  const file = first?.file === undefined ? "" : `${first.file}, `;
  const words =
    first === undefined ? "." : `: ${file}line ${first.line}, column ${first.column}: ${first.message}${more}`;
  return new PerchError("bad_input", `${what}${words}`);
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
