/** What people do with runs. Every method takes the `TeamScope` of a caller who was checked. */
import { createHash } from "node:crypto";
import type { z } from "zod";
import {
  hasEnded,
  type listRunsInput,
  type RunDetail,
  type RunEvent,
  type RunReport,
  type RunSummary,
  type RunTrigger,
  type resumeRunInput,
  type startAllInput,
  type startRunInput,
} from "../../shared/automations.ts";
import { type AutomationCapabilities, validateFor } from "../../shared/flows/capabilities.ts";
import type { Diagnostic, Flow, ParsedFlow } from "../../shared/flows/model.ts";
import { type FlowId, newId, type PhoneId, type RunId } from "../../shared/ids.ts";
import type { Audit, AuditAction } from "../audit/audit.repo.ts";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { Feed } from "../events/feed.ts";
import { canonicalJson, type Idempotency } from "../limits/idempotency.ts";
import { noSuchPhone } from "../phones/phone-lifecycle.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import type { FlowsRepo } from "./flows.repo.ts";
import { noSuchFlow } from "./flows.service.ts";
import { artifactView, type JournalRepo, stepView } from "./journal.repo.ts";
import type { ArtifactStore } from "./run-artifacts.ts";
import { renderReport } from "./run-reports.ts";
import { createShares } from "./run-shares.ts";
import type { Runner } from "./runner.ts";
import { LEASED_STATES, type RunRow, type RunsRepo } from "./runs.repo.ts";

export interface RunsService {
  /** Asks for a run. The same idempotency key gives the same run. */
  start(
    scope: TeamScope,
    input: z.output<typeof startRunInput>,
    trigger: RunTrigger,
    along?: StartAlong,
  ): Promise<{ runId: RunId }>;
  /** Asks for runs of one or more flows on several phones; the same idempotency key gives the same runs. */
  startAll(
    scope: TeamScope,
    input: z.output<typeof startAllInput>,
    trigger: RunTrigger,
  ): Promise<{ runIds: readonly RunId[] }>;
  list(scope: TeamScope, filter: z.output<typeof listRunsInput>): Promise<RunSummary[]>;
  get(scope: TeamScope, id: RunId): Promise<RunDetail>;
  /** Ends a run; one that has ended stays as it is. */
  cancel(scope: TeamScope, id: RunId): Promise<RunSummary>;
  /** The same, in the transaction of a caller who knows the run to be the team's. Call what it gives after the commit. */
  cancelIn(tx: Writer, scope: TeamScope, id: RunId): Promise<() => void>;
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

/** What a rule or a webhook adds to asking for a run. */
export interface StartAlong {
  /** Name of the rule or webhook. */
  readonly triggerName: string;
  /** Whether the run may use the secrets granted to its flow. */
  readonly mayUseSecrets: boolean;
  /** Whichever of these phones is free first takes the run; `phoneId` is one of them. */
  readonly anyOf?: readonly PhoneId[] | undefined;
  /** Of runs with the same lane only one at a time is worked on. */
  readonly lane?: string | undefined;
  /** First thing in the transaction: gives the run of an earlier call that was the same, or refuses by throwing. */
  readonly before: (tx: Writer) => Promise<RunId | undefined>;
  /** Last thing in the transaction. */
  readonly after: (tx: Writer, id: RunId) => Promise<void>;
}

/** A flow that can run on these phones with these inputs. */
export interface PreparedRun {
  readonly flowId: FlowId | undefined;
  readonly name: string;
  readonly source: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly phones: readonly PhoneId[];
}

const MOST_WAITING = 500;
const LISTED = 50;

/** A run as it goes into the queue. */
export interface QueuedRun {
  readonly prepared: PreparedRun;
  readonly phoneId: PhoneId;
  readonly pool?: readonly PhoneId[];
  readonly shard?: number;
  readonly lane?: string | undefined;
  readonly trigger: RunTrigger;
  readonly triggerName?: string | undefined;
  readonly idempotencyKey: string;
  readonly requestHash: string;
}

function noSuchRun(): PerchError {
  return new PerchError("not_found", "There is no such run in this team.");
}

export function createRunsService(options: {
  db: Database;
  repo: RunsRepo;
  flows: FlowsRepo;
  journal: JournalRepo;
  runner: Pick<Runner, "wake" | "cancel">;
  artifacts: ArtifactStore;
  feed: Feed;
  audit: Audit;
  clock: Clock;
  parse: (source: string) => ParsedFlow;
  /** The phone's name and abilities; undefined when the team has no such phone. `can` is absent where none run. */
  phone: (
    scope: TeamScope,
    id: PhoneId,
  ) => Promise<{ readonly name: string; readonly can: AutomationCapabilities | undefined } | undefined>;
  /** Phones of the team that carry a tag, the oldest first. */
  tagged: (scope: TeamScope, tag: string) => Promise<readonly PhoneId[]>;
  idempotency: Idempotency;
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

  /** @throws PerchError what the flow lacks, or why a phone cannot run it: any of them for `all`, else only when none can. */
  async function prepare(
    scope: TeamScope,
    { flowId, source: given, inputs = {} }: Pick<z.output<typeof startRunInput>, "flowId" | "source" | "inputs">,
    phones: readonly PhoneId[],
    all: boolean,
  ): Promise<PreparedRun> {
    const saved = flowId === undefined ? undefined : await options.flows.find(scope, flowId);
    if (flowId !== undefined && saved === undefined) throw noSuchFlow();
    const source = saved?.source ?? given ?? "";
    const known = await Promise.all(
      phones.map(async (id) => {
        const phone = await options.phone(scope, id);
        if (phone === undefined) throw noSuchPhone();
        return { id, ...phone };
      }),
    );
    const flow = refuseIfUnfit(options.parse(source), inputs);
    const judged = known.map(({ id, name, can }) => ({ id, problem: problemOn(flow, name, can) }));
    const first = judged.find(({ problem }) => problem !== undefined)?.problem;
    const fit = judged.flatMap(({ id, problem }) => (problem === undefined ? [id] : []));
    if (first !== undefined && (all || fit.length === 0)) throw first;
    return { flowId, name: saved?.name ?? flow.header.name ?? "Unsaved flow", source, inputs, phones: fit };
  }

  /** Puts a run into the queue, with the record and the event that tell of it. */
  async function enqueue(tx: Writer, scope: TeamScope, run: QueuedRun): Promise<RunId> {
    const now = new Date(clock.now());
    if ((await repo.waiting(tx, scope.teamId)) >= MOST_WAITING) {
      throw new PerchError("limit_reached", `Your team has ${MOST_WAITING} runs waiting. Let some end first.`);
    }
    const { prepared } = run;
    const row = await repo.insert(
      tx,
      {
        id: newId("run"),
        teamId: scope.teamId,
        flowId: prepared.flowId ?? null,
        createdBy: scope.userId,
        name: prepared.name,
        source: prepared.source,
        inputs: prepared.inputs,
        phoneId: run.phoneId,
        shard: run.shard ?? null,
        lane: run.lane ?? null,
        state: "queued",
        trigger: run.trigger,
        triggerName: run.triggerName ?? null,
        idempotencyKey: run.idempotencyKey,
        requestHash: run.requestHash,
        turn: await repo.nextTurn(tx, scope.teamId),
        fence: 0,
        starts: 0,
        eventSeq: 0,
        createdAt: now,
      },
      run.pool,
    );
    await repo.append(tx, row.id, [{ type: "run", state: "queued" }], now);
    await record(tx, scope, "run.started", row.id);
    return row.id;
  }

  async function cancelIn(tx: Writer, scope: TeamScope, id: RunId): Promise<() => void> {
    const now = new Date(clock.now());
    const error = { code: "cancelled", message: "The run was cancelled." } as const;
    const waiting = await repo.change(tx, id, ["queued"], { state: "cancelled", error, finishedAt: now });
    if (waiting !== undefined) await repo.append(tx, id, [{ type: "run", state: "cancelled", error }], now);
    const marked = waiting ?? (await repo.change(tx, id, LEASED_STATES, { cancelAskedAt: now }));
    if (marked !== undefined) {
      await record(tx, scope, "run.cancelled", id);
      if (db.engine === "postgres") await db.announce(tx, cancelTopic(id));
    }
    return () => {
      runner.cancel(id);
      feed.wake(id);
    };
  }

  return {
    async start(scope, input, trigger, along) {
      const { phoneId, idempotencyKey, inputs = {} } = input;
      const requestHash = createHash("sha256")
        .update(canonicalJson({ flowId: input.flowId, source: input.source, phoneId, inputs }))
        .digest("base64url");
      const sameBefore = async (tx: Writer) => {
        const same = await repo.findByKey(tx, scope.teamId, idempotencyKey);
        return same && sameRequest(same, requestHash);
      };
      const earlier = along === undefined ? await db.tx(sameBefore) : undefined;
      if (earlier !== undefined) return { runId: earlier };
      const prepared = await prepare(scope, input, along?.anyOf ?? [phoneId], along?.anyOf === undefined);
      const home = prepared.phones.includes(phoneId) ? phoneId : prepared.phones[0];
      if (home === undefined) throw noSuchPhone();
      const runId = await db.tx(async (tx) => {
        const same = (await along?.before(tx)) ?? (await sameBefore(tx));
        if (same !== undefined) return same;
        const id = await enqueue(tx, scope, {
          prepared,
          phoneId: home,
          ...(along?.anyOf !== undefined && { pool: prepared.phones }),
          trigger,
          triggerName: along?.triggerName,
          lane: along?.lane,
          idempotencyKey,
          requestHash,
        });
        await along?.after(tx, id);
        return id;
      });
      runner.wake();
      return { runId };
    },
    startAll: createShares({ ...options, prepare, enqueue }),
    list: async (scope, filter) => (await repo.list(scope, { ...filter, limit: filter?.limit ?? LISTED })).map(runView),
    get: async (scope, id) => detail(await find(scope, id)),
    async cancel(scope, id) {
      await find(scope, id);
      const done = await db.tx((tx) => cancelIn(tx, scope, id));
      done();
      return runView(await find(scope, id));
    },
    cancelIn,
    async resume(scope, { runId, from }) {
      await find(scope, runId);
      const now = new Date(clock.now());
      await db.tx(async (tx) => {
        const row = await repo.change(tx, runId, ["interrupted"], {
          state: "queued",
          error: null,
          finishedAt: null,
          starts: 0,
          // What it did so far is on this phone.
          pooled: false,
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

/** Why a phone cannot run a flow; undefined when it can. */
function problemOn(flow: Flow, name: string, can: AutomationCapabilities | undefined): PerchError | undefined {
  if (can === undefined) {
    return new PerchError("capability_missing", `${name} runs no automations. Use a web phone.`);
  }
  const problems = validateFor(flow, can).filter(({ severity }) => severity === "error");
  return problems.length > 0 ? refusal(`${name} cannot run this flow`, problems) : undefined;
}

/** Topic under which other nodes hear that a run of theirs is to end. */
export function cancelTopic(id: RunId): string {
  return `cancel:${id}`;
}

function sameRequest(row: RunRow, requestHash: string): RunId {
  if (row.requestHash === requestHash) return row.id;
  throw new PerchError("idempotency_mismatch", "This request key was already used for something else. Use a new key.");
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
    ...(row.triggerName !== null && { triggerName: row.triggerName }),
    ...(row.pooled && row.state === "queued" && { anyPhone: true as const }),
    createdAt: row.createdAt.toISOString(),
    ...(row.startedAt !== null && { startedAt: row.startedAt.toISOString() }),
    ...(row.finishedAt !== null && { finishedAt: row.finishedAt.toISOString() }),
    ...(row.error !== null && { error: row.error }),
  };
}
