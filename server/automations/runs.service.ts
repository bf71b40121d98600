/** What people do with runs. Every method takes the `TeamScope` of a caller who was checked. */
import { createHash } from "node:crypto";
import type { z } from "zod";
import {
  type FlowPart,
  hasEnded,
  type listRunsInput,
  type RunDetail,
  type RunEvent,
  type RunReport,
  type RunSummary,
  type RunTrigger,
  type resumeRunInput,
  type startRunInput,
} from "../../shared/automations.ts";
import { type AutomationCapabilities, validateFor } from "../../shared/flows/capabilities.ts";
import type { Diagnostic, Flow, FlowHeader, ParsedFlow } from "../../shared/flows/model.ts";
import { partOfFlow, partWords } from "../../shared/flows/part.ts";
import { newId, type PhoneId, type RunId } from "../../shared/ids.ts";
import type { Audit, AuditAction } from "../audit/audit.repo.ts";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { Feed } from "../events/feed.ts";
import { canonicalJson } from "../limits/idempotency.ts";
import { noSuchPhone } from "../phones/phone-lifecycle.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import type { FlowsRepo } from "./flows.repo.ts";
import { noSuchFlow } from "./flows.service.ts";
import { artifactView, type JournalRepo, stepView } from "./journal.repo.ts";
import type { ArtifactStore } from "./run-artifacts.ts";
import { renderReport } from "./run-reports.ts";
import type { Runner } from "./runner.ts";
import { LEASED_STATES, type RunRow, type RunsRepo } from "./runs.repo.ts";
import type { RunSecrets } from "./secrets/run-secrets.ts";

export interface RunsService {
  /** Asks for a run. The same idempotency key gives the same run. */
  start(
    scope: TeamScope,
    input: z.output<typeof startRunInput>,
    trigger: RunTrigger,
    options?: {
      /** Whether it may have the secrets granted to its flow. Absent: when a person or a token asks. */
      readonly mayUseSecrets?: boolean;
    },
  ): Promise<{ runId: RunId }>;
  list(scope: TeamScope, filter: z.output<typeof listRunsInput>): Promise<RunSummary[]>;
  get(scope: TeamScope, id: RunId): Promise<RunDetail>;
  /** Ends a run; one that has ended stays as it is. */
  cancel(scope: TeamScope, id: RunId): Promise<RunSummary>;
  /** Lets an interrupted run go on. */
  resume(scope: TeamScope, input: z.output<typeof resumeRunInput>): Promise<RunSummary>;
  /** What comes after `after`, in order; ends after the event that ends the run. */
  events(
    scope: TeamScope,
    id: RunId,
    after: number,
    signal: AbortSignal,
  ): Promise<AsyncGenerator<{ seq: number; data: RunEvent }, void, undefined>>;
  artifact(scope: TeamScope, id: RunId, name: string): Promise<{ bytes: Buffer; mimeType: string }>;
  report(scope: TeamScope, id: RunId, kind: RunReport): Promise<{ body: string; mimeType: string }>;
}

const MOST_WAITING = 500;
const LISTED = 50;

export function noSuchRun(): PerchError {
  return new PerchError("not_found", "There is no such run in this team.");
}

export function createRunsService(options: {
  db: Database;
  repo: RunsRepo;
  flows: FlowsRepo;
  journal: JournalRepo;
  runner: Pick<Runner, "wake" | "cancel">;
  artifacts: ArtifactStore;
  secrets: Pick<RunSecrets, "refusal">;
  feed: Feed;
  audit: Audit;
  clock: Clock;
  parse: (source: string) => ParsedFlow;
  /** The phone's name and abilities; undefined when the team has no such phone. `can` is absent where none run. */
  phone: (
    scope: TeamScope,
    id: PhoneId,
  ) => Promise<{ readonly name: string; readonly can: AutomationCapabilities | undefined } | undefined>;
}): RunsService {
  const { db, repo, clock, feed, runner } = options;

  const find = async (scope: TeamScope, id: RunId): Promise<RunRow> => {
    const row = await repo.find(scope, id);
    if (row === undefined) throw noSuchRun();
    return row;
  };
  const record = (tx: Writer, scope: TeamScope, action: AuditAction, id: RunId) =>
    options.audit.record(tx, { chain: scope.teamId, actor: scope.userId, action, object: id });

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

  /** What a run will need when it begins, said before it waits for a phone. */
  async function refuseWithoutSecrets(asked: {
    readonly scope: TeamScope;
    readonly input: z.output<typeof startRunInput>;
    readonly source: string;
    readonly trigger: RunTrigger;
    readonly may: boolean;
    readonly header: FlowHeader;
  }): Promise<void> {
    const { scope, input, source, trigger, may, header } = asked;
    const names = header.secrets;
    if (names.length === 0) return;
    const given = names.find((name) => input.inputs?.[name] !== undefined);
    if (given !== undefined) {
      throw new PerchError("bad_input", `${given} is a secret of this flow and cannot be given as an input.`);
    }
    // A value of the header looks fixed to whoever grants a secret to the text, such as the address it is typed at.
    const undeclared = Object.keys(input.inputs ?? {}).find((name) => header.inputs.every((one) => one.name !== name));
    if (undeclared !== undefined) {
      throw new PerchError(
        "bad_input",
        `A flow with secrets takes only the inputs it declares, and ${undeclared} is none of them.`,
      );
    }
    if (!may) {
      throw new PerchError(
        "forbidden",
        `This flow needs the secret ${names[0]}. What a ${trigger} starts gets secrets only where that is switched on for it.`,
      );
    }
    const { teamId, userId } = scope;
    if (input.part !== undefined && trigger !== "person") {
      throw new PerchError("forbidden", "Single steps of a flow get secrets only when a person starts them.");
    }
    const words = await options.secrets.refusal(
      { teamId, flowId: input.flowId, source, names },
      input.part && { by: userId },
    );
    if (words !== undefined) throw new PerchError("bad_input", words);
  }

  async function detail(row: RunRow): Promise<RunDetail> {
    const [steps, artifacts] = await Promise.all([repo.steps(row.id), repo.artifacts(row.id)]);
    return {
      ...runView(row),
      source: row.source,
      inputs: row.inputs,
      steps: steps.map(stepView),
      artifacts: artifacts.map(artifactView),
      lastEvent: row.eventSeq,
    };
  }

  return {
    async start(scope, input, trigger, how) {
      const { flowId, phoneId, idempotencyKey, inputs = {}, part } = input;
      const requestHash = createHash("sha256")
        .update(canonicalJson({ flowId, source: input.source, phoneId, inputs, ...(part && { part }) }))
        .digest("base64url");
      const earlier = await db.tx((tx) => repo.findByKey(tx, scope.teamId, idempotencyKey));
      if (earlier !== undefined) return { runId: sameRequest(earlier, requestHash) };
      const saved = flowId === undefined ? undefined : await options.flows.find(scope, flowId);
      if (flowId !== undefined && saved === undefined) throw noSuchFlow();
      const source = saved?.source ?? input.source ?? "";
      const phone = await options.phone(scope, phoneId);
      if (phone === undefined) throw noSuchPhone();
      const flow = refuseIfUnfit(options.parse(source), inputs);
      const asked = part === undefined ? flow : existingPart(flow, part);
      if (phone.can === undefined) {
        throw new PerchError("capability_missing", `${phone.name} runs no automations. Use a web phone.`);
      }
      const problems = validateFor(asked, phone.can).filter(({ severity }) => severity === "error");
      if (problems.length > 0) throw refusal(`${phone.name} cannot run this flow`, problems);
      const may = how?.mayUseSecrets ?? (trigger === "person" || trigger === "token");
      await refuseWithoutSecrets({ scope, input, source, trigger, may, header: flow.header });
      const now = new Date(clock.now());
      const runId = await db.tx(async (tx) => {
        const same = await repo.findByKey(tx, scope.teamId, idempotencyKey);
        if (same !== undefined) return sameRequest(same, requestHash);
        if ((await repo.waiting(tx, scope.teamId)) >= MOST_WAITING) {
          throw new PerchError("limit_reached", `Your team has ${MOST_WAITING} runs waiting. Let some end first.`);
        }
        const row = await repo.insert(tx, {
          id: newId("run"),
          teamId: scope.teamId,
          flowId: flowId ?? null,
          createdBy: scope.userId,
          name: saved?.name ?? flow.header.name ?? "Unsaved flow",
          source,
          inputs,
          part: part ?? null,
          phoneId,
          state: "queued",
          trigger,
          idempotencyKey,
          requestHash,
          turn: await repo.nextTurn(tx, phoneId),
          fence: 0,
          starts: 0,
          eventSeq: 0,
          createdAt: now,
        });
        await repo.append(tx, row.id, [{ type: "run", state: "queued" }], now);
        await record(tx, scope, "run.started", row.id);
        return row.id;
      });
      runner.wake();
      return { runId };
    },
    list: async (scope, filter) => (await repo.list(scope, { ...filter, limit: filter?.limit ?? LISTED })).map(runView),
    get: async (scope, id) => detail(await find(scope, id)),
    async cancel(scope, id) {
      await find(scope, id);
      const now = new Date(clock.now());
      const error = { code: "cancelled", message: "The run was cancelled." } as const;
      await db.tx(async (tx) => {
        const waiting = await repo.change(tx, id, ["queued"], { state: "cancelled", error, finishedAt: now });
        if (waiting !== undefined) await repo.append(tx, id, [{ type: "run", state: "cancelled", error }], now);
        const marked = waiting ?? (await repo.change(tx, id, LEASED_STATES, { cancelAskedAt: now }));
        if (marked === undefined) return;
        await record(tx, scope, "run.cancelled", id);
        if (db.engine === "postgres") await db.announce(tx, cancelTopic(id, now));
      });
      runner.cancel(id, now);
      feed.wake(id);
      return runView(await find(scope, id));
    },
    async resume(scope, { runId, from }) {
      await find(scope, runId);
      const now = new Date(clock.now());
      await db.tx(async (tx) => {
        const row = await repo.change(tx, runId, ["interrupted"], {
          state: "queued",
          error: null,
          finishedAt: null,
          starts: 0,
        });
        if (row === undefined) throw new PerchError("conflict", "Only an interrupted run can go on. Start a new one.");
        await options.journal.settle(tx, runId, from === "after" ? "done" : "undone");
        await repo.append(tx, runId, [{ type: "run", state: "queued" }], now);
        await record(tx, scope, "run.resumed", runId);
      });
      feed.wake(runId);
      runner.wake();
      return runView(await find(scope, runId));
    },
    async events(scope, id, after, signal) {
      await find(scope, id);
      const following = feed.follow(id, after, signal, (seen, limit) => repo.events(id, seen, limit));
      return (async function* () {
        // An ended run has nothing more to tell to one who knows its last event.
        const row = await repo.findAnywhere(id);
        if (row !== undefined && hasEnded(row.state) && after >= row.eventSeq) return;
        for await (const event of following) {
          yield event;
          if (event.data.type !== "run" || !hasEnded(event.data.state)) continue;
          const now = await repo.findAnywhere(id);
          if (now === undefined || (hasEnded(now.state) && now.eventSeq <= event.seq)) return;
        }
      })();
    },
    async artifact(scope, id, name) {
      await find(scope, id);
      const row = await repo.artifact(id, name);
      if (row === undefined) throw new PerchError("not_found", "There is no such file of this run.");
      return { bytes: await options.artifacts.read(id, row.file), mimeType: artifactView(row).mimeType };
    },
    async report(scope, id, kind) {
      const run = await detail(await find(scope, id));
      const phone = await options.phone(scope, run.phoneId);
      const header = options.parse(run.source).flow?.header;
      const files = new Map((await repo.artifacts(id)).map((row) => [row.name, row.file]));
      return renderReport(kind, {
        run,
        phone: phone?.name ?? run.phoneId,
        properties: header?.properties ?? {},
        picture: async (name) => {
          const file = files.get(name);
          return file === undefined ? undefined : options.artifacts.read(id, file).catch(() => undefined);
        },
      });
    },
  };
}

/** Topic under which other nodes hear that a run of theirs is to end, and when that was asked. */
export function cancelTopic(id: RunId, askedAt: Date): string {
  return `cancel:${id}:${askedAt.getTime()}`;
}

/** What such a topic says; undefined for any other. */
export function cancelOf(topic: string): { id: RunId; askedAt: Date } | undefined {
  const [word, id, ms] = topic.split(":");
  return word === "cancel" && ms !== undefined ? { id: id as RunId, askedAt: new Date(Number(ms)) } : undefined;
}

function sameRequest(row: RunRow, requestHash: string): RunId {
  if (row.requestHash === requestHash) return row.id;
  throw new PerchError("idempotency_mismatch", "This request key was already used for something else. Use a new key.");
}

function existingPart(flow: Flow, part: FlowPart): Flow {
  const found = partOfFlow(flow, part);
  if (found !== undefined) return found;
  const there = flow.steps.length === 1 ? "1 step" : `${flow.steps.length} steps`;
  throw new PerchError("bad_input", `This flow has ${there}, so ${partWords(part).toLowerCase()} cannot be run.`);
}

function refusal(what: string, diagnostics: readonly Diagnostic[]): PerchError {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const [first] = errors;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  const words = first === undefined ? "." : `: line ${first.line}, column ${first.column}: ${first.message}${more}`;
  return new PerchError("bad_input", `${what}${words}`);
}

export function runView(row: RunRow): RunSummary {
  return {
    id: row.id,
    ...(row.flowId !== null && { flowId: row.flowId }),
    name: row.name,
    phoneId: row.phoneId,
    state: row.state,
    trigger: row.trigger,
    ...(row.part !== null && { part: row.part }),
    createdAt: row.createdAt.toISOString(),
    ...(row.startedAt !== null && { startedAt: row.startedAt.toISOString() }),
    ...(row.finishedAt !== null && { finishedAt: row.finishedAt.toISOString() }),
    ...(row.error !== null && { error: row.error }),
  };
}
