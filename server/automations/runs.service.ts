/** What people do with runs. Every method takes the `TeamScope` of a caller who was checked. */
import { createHash } from "node:crypto";
import type { z } from "zod";
import {
  hasEnded,
  type listRunsInput,
  type RunDetail,
  type RunEvent,
  type RunLinks,
  type RunReport,
  type RunSummary,
  type RunTrigger,
  type resumeRunInput,
  type startAllInput,
  type startRunInput,
} from "../../shared/automations.ts";
import { newId, type PhoneId, type RunId, type SuiteId, type UserId } from "../../shared/ids.ts";
import type { AuditAction } from "../audit/audit.repo.ts";
import type { Database, Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { Feed } from "../events/feed.ts";
import type { SignedLinks } from "../files/signed-links.ts";
import { canonicalJson, type Idempotency } from "../limits/idempotency.ts";
import { noSuchPhone } from "../phones/phone-lifecycle.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import type { FlowRow } from "./flows.repo.ts";
import { artifactView, type JournalRepo, stepView } from "./journal.repo.ts";
import type { ArtifactStore } from "./run-artifacts.ts";
import { type ReportSource, renderReport } from "./run-reports.ts";
import { createRunRequests, type PreparedRun, type RunRequestOptions } from "./run-requests.ts";
import { createShares } from "./run-shares.ts";
import type { Runner } from "./runner.ts";
import { LEASED_STATES, type RunRow } from "./runs.repo.ts";

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
  /** Several flows, one after the other; all of them are checked before the first begins. */
  startSuite(scope: TeamScope, request: SuiteRequest, trigger: RunTrigger): Promise<SuiteId>;
  list(scope: TeamScope, filter: z.output<typeof listRunsInput>): Promise<RunSummary[]>;
  get(scope: TeamScope, id: RunId): Promise<RunDetail>;
  /** Ends a run; one that has ended stays as it is. */
  cancel(scope: TeamScope, id: RunId): Promise<RunSummary>;
  /** The same, in the transaction of a caller who knows the run to be the team's. Call what it gives after the commit. */
  cancelIn(tx: Writer, scope: TeamScope, id: RunId): Promise<() => void>;
  /** The same for every run in the scope's team that the person started or had started. */
  cancelAllOf(tx: Writer, scope: TeamScope, userId: UserId): Promise<() => void>;
  /** Lets an interrupted run go on. */
  resume(scope: TeamScope, input: z.output<typeof resumeRunInput>): Promise<RunSummary>;
  /** What comes after `after`, in order; ends after the event that ends the run. */
  events(
    scope: TeamScope,
    id: RunId,
    after: number,
    signal: AbortSignal,
  ): Promise<AsyncGenerator<{ seq: number; data: RunEvent }, void, undefined>>;
  /** An address for each file of the run, good for a minute and for whoever has it. */
  links(scope: TeamScope, id: RunId): Promise<RunLinks>;
  artifact(scope: TeamScope, id: RunId, name: string): Promise<{ bytes: Buffer; mimeType: string }>;
  reportSource(scope: TeamScope, id: RunId): Promise<ReportSource>;
  report(scope: TeamScope, id: RunId, kind: RunReport): Promise<{ body: string; mimeType: string }>;
}

export interface SuiteRequest {
  readonly path: string;
  readonly phoneId: PhoneId;
  readonly inputs: Readonly<Record<string, string>>;
  /** In their order. */
  readonly flows: readonly Pick<FlowRow, "id" | "name" | "path">[];
  /** How many of them, from the first, end when one of them fails. */
  readonly stopsWithin: number;
  readonly idempotencyKey: string;
  readonly requestHash: string;
}

/** What a rule or a webhook adds to asking for a run. */
export interface StartAlong {
  /** Name of the rule or webhook. */
  readonly triggerName?: string;
  /** Whether the run may use the secrets granted to its flow. Absent: when a person or a token asks. */
  readonly mayUseSecrets?: boolean;
  /** Whichever of these phones is free first takes the run; `phoneId` is one of them. */
  readonly anyOf?: readonly PhoneId[] | undefined;
  /** Of runs with the same lane only one at a time is worked on. */
  readonly lane?: string | undefined;
  /** First thing in the transaction: gives the run of an earlier call that was the same, or refuses by throwing. */
  readonly before?: (tx: Writer) => Promise<RunId | undefined>;
  /** Last thing in the transaction. */
  readonly after?: (tx: Writer, id: RunId) => Promise<void>;
}

const LISTED = 50;

export function noSuchRun(): PerchError {
  return new PerchError("not_found", "There is no such run in this team.");
}

export interface RunsServiceOptions extends RunRequestOptions {
  readonly db: Database;
  readonly journal: JournalRepo;
  readonly runner: Pick<Runner, "wake" | "cancel">;
  readonly artifacts: ArtifactStore;
  readonly signed: Pick<SignedLinks, "make">;
  readonly feed: Feed;
  /** Phones of the team that carry a tag, the oldest first. */
  readonly tagged: (scope: TeamScope, tag: string) => Promise<readonly PhoneId[]>;
  readonly idempotency: Idempotency;
}

const LINK_SECONDS = 60;

export function createRunsService(options: RunsServiceOptions): RunsService {
  const { db, repo, clock, feed, runner } = options;
  const { prepare, enqueue } = createRunRequests(options);

  const find = async (scope: TeamScope, id: RunId): Promise<RunRow> => {
    const row = await repo.find(scope, id);
    if (row === undefined) throw noSuchRun();
    return row;
  };
  const record = (tx: Writer, scope: TeamScope, action: AuditAction, id: RunId) =>
    options.audit.record(tx, { chain: scope.teamId, actor: scope.userId, action, object: id });

  async function detail(row: RunRow): Promise<RunDetail> {
    const [steps, artifacts] = await Promise.all([repo.steps(row.id), repo.artifacts(row.id)]);
    return {
      ...runView(row),
      source: row.source,
      inputs: row.inputs,
      ...(row.source === "" && { detailsGone: true as const }),
      steps: steps.map(stepView),
      artifacts: artifacts.map(artifactView),
      lastEvent: row.eventSeq,
    };
  }

  async function cancelIn(tx: Writer, scope: TeamScope, id: RunId): Promise<() => void> {
    const now = new Date(clock.now());
    const error = { code: "cancelled", message: "The run was cancelled." } as const;
    const waiting = await repo.change(tx, id, ["queued"], { state: "cancelled", error, finishedAt: now });
    if (waiting !== undefined) await repo.append(tx, id, [{ type: "run", state: "cancelled", error }], now);
    const marked = waiting ?? (await repo.change(tx, id, LEASED_STATES, { cancelAskedAt: now }));
    if (marked !== undefined) {
      await record(tx, scope, "run.cancelled", id);
      if (db.engine === "postgres") await db.announce(tx, cancelTopic(id, now));
    }
    return () => {
      runner.cancel(id, now);
      feed.wake(id);
    };
  }

  return {
    async start(scope, input, trigger, along) {
      const { phoneId, idempotencyKey, ...what } = input;
      const requestHash = createHash("sha256")
        .update(canonicalJson({ ...what, phoneId, inputs: what.inputs ?? {} }))
        .digest("base64url");
      const sameBefore = async (tx: Writer) => {
        const same = await repo.findByKey(tx, scope.teamId, idempotencyKey);
        return same && sameRequest(same, requestHash);
      };
      const earlier = along === undefined ? await db.tx(sameBefore) : undefined;
      if (earlier !== undefined) return { runId: earlier };
      const wanted = { ...what, trigger, mayUseSecrets: along?.mayUseSecrets };
      const prepared = await prepare(scope, wanted, along?.anyOf ?? [phoneId], along?.anyOf === undefined);
      const home = prepared.phones.includes(phoneId) ? phoneId : prepared.phones[0];
      if (home === undefined) throw noSuchPhone();
      const runId = await db.tx(async (tx) => {
        const same = (await along?.before?.(tx)) ?? (await sameBefore(tx));
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
        await along?.after?.(tx, id);
        return id;
      });
      runner.wake();
      return { runId };
    },
    startAll: createShares({ ...options, prepare, enqueue }),
    async startSuite(scope, { path, phoneId, inputs, stopsWithin, flows, idempotencyKey, requestHash }, trigger) {
      const prepared: PreparedRun[] = [];
      for (const flow of flows) {
        const wanted = { flowId: flow.id, inputs, trigger };
        prepared.push(await prepare(scope, wanted, [phoneId], true).catch(naming(flow)));
      }
      const suiteId = await db.tx(async (tx) => {
        const same = await options.workspaces.findSuiteByKey(tx, scope.teamId, idempotencyKey);
        if (same !== undefined) return sameRequest(same, requestHash);
        const id = newId("suite");
        const { teamId, userId: createdBy } = scope;
        const createdAt = new Date(clock.now());
        const row = { id, teamId, createdBy, path, phoneId, stopsWithin, idempotencyKey, requestHash, createdAt };
        await options.workspaces.insertSuite(tx, row);
        for (const [index, run] of prepared.entries()) {
          const key = `${id}/${index}`;
          await enqueue(tx, scope, { prepared: run, phoneId, suiteId: id, trigger, idempotencyKey: key, requestHash });
        }
        return id;
      });
      runner.wake();
      return suiteId;
    },
    list: async (scope, filter) => (await repo.list(scope, { ...filter, limit: filter?.limit ?? LISTED })).map(runView),
    get: async (scope, id) => detail(await find(scope, id)),
    async cancel(scope, id) {
      await find(scope, id);
      const done = await db.tx((tx) => cancelIn(tx, scope, id));
      done();
      return runView(await find(scope, id));
    },
    cancelIn,
    async cancelAllOf(tx, scope, userId) {
      const done: (() => void)[] = [];
      for (const id of await repo.unfinishedOf(tx, scope.teamId, userId)) done.push(await cancelIn(tx, scope, id));
      return () => {
        for (const tell of done) tell();
      };
    },
    async resume(scope, { runId, from }) {
      const { source } = await find(scope, runId);
      if (source === "") {
        throw new PerchError("conflict", "The details of this run went after 30 days. Start a new one.");
      }
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
    async links(scope, id) {
      const run = await find(scope, id);
      const rows = await repo.artifacts(id);
      const expiresAt = new Date(clock.now() + LINK_SECONDS * 1000).toISOString();
      const files = rows.map((row) => {
        const { mimeType } = artifactView(row);
        const file = { key: options.artifacts.keyOf(run, row.file), fileName: row.name, mimeType };
        return { name: row.name, url: options.signed.make(file, LINK_SECONDS).href };
      });
      return { expiresAt, files };
    },
    async artifact(scope, id, name) {
      const run = await find(scope, id);
      const row = await repo.artifact(id, name);
      if (row === undefined) throw new PerchError("not_found", "There is no such file of this run.");
      return { bytes: await options.artifacts.read(run, row.file), mimeType: artifactView(row).mimeType };
    },
    reportSource: (scope, id) => reportSource(scope, id),
    report: async (scope, id, kind) => renderReport(kind, await reportSource(scope, id)),
  };

  async function reportSource(scope: TeamScope, id: RunId): Promise<ReportSource> {
    const row = await find(scope, id);
    const run = await detail(row);
    const phone = await options.phone(scope, run.phoneId);
    const header = options.parse(run.source).flow?.header;
    const files = new Map((await repo.artifacts(id)).map((one) => [one.name, one.file]));
    return {
      run,
      phone: phone?.name ?? run.phoneId,
      properties: header?.properties ?? {},
      picture: async (name) => {
        const file = files.get(name);
        return file === undefined ? undefined : options.artifacts.read(row, file).catch(() => undefined);
      },
    };
  }
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

export function sameRequest<Id>(row: { readonly id: Id; readonly requestHash: string }, requestHash: string): Id {
  if (row.requestHash === requestHash) return row.id;
  throw new PerchError("idempotency_mismatch", "This request key was already used for something else. Use a new key.");
}

/** Says which flow of several a refusal is about. */
function naming({ name, path }: { readonly name: string; readonly path: string | null }) {
  return (error: unknown): never => {
    if (!(error instanceof PerchError)) throw error;
    throw new PerchError(error.code, `${path ?? name}: ${error.message}`, error.fields && { fields: error.fields });
  };
}

export function runView(row: RunRow): RunSummary {
  return {
    id: row.id,
    ...(row.flowId !== null && { flowId: row.flowId }),
    name: row.name,
    ...(row.path !== null && { path: row.path }),
    ...(row.suiteId !== null && { suiteId: row.suiteId }),
    phoneId: row.phoneId,
    state: row.state,
    trigger: row.trigger,
    ...(row.part !== null && { part: row.part }),
    ...(row.triggerName !== null && { triggerName: row.triggerName }),
    ...(row.pooled && row.state === "queued" && { anyPhone: true as const }),
    createdAt: row.createdAt.toISOString(),
    ...(row.startedAt !== null && { startedAt: row.startedAt.toISOString() }),
    ...(row.finishedAt !== null && { finishedAt: row.finishedAt.toISOString() }),
    ...(row.error !== null && { error: row.error }),
  };
}
