/** A person's recordings. Every method takes the `TeamScope` of a caller who was checked. */
import type { z } from "zod";
import { type NodeId, newId, type PhoneId, type RecordingId, type UserId } from "../../shared/ids.ts";
import { stepWords } from "../../shared/recorder/step-words.ts";
import { writeFlow } from "../../shared/recorder/write-flow.ts";
import type {
  assertVisibleInput,
  chooseSelectorInput,
  finishRecordingInput,
  RecordedTarget,
  RecordingDetail,
  RecordingEvent,
  RecordingSummary,
} from "../../shared/recordings.ts";
import type { Audit, AuditAction } from "../audit/audit.repo.ts";
import type { FlowsService } from "../automations/flows.service.ts";
import type { Clock } from "../clock.ts";
import { type Database, isUniqueViolation, type Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { Feed } from "../events/feed.ts";
import type { Log } from "../log.ts";
import type { PhoneDriver } from "../phones/driver.ts";
import type { ScreenTap } from "../screen/screen-tap.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import { createRecorder, type Recorder, type StepSink } from "./recorder.ts";
import { type RecordingRow, type RecordingsRepo, recordedStep, stateOf } from "./recordings.repo.ts";
import type { StepData } from "./recordings.tables.ts";

type Id = { readonly recordingId: RecordingId };

export interface RecordingsService {
  /** Begins to record on a running phone; one that the person already records there is given back. */
  start(scope: TeamScope, phoneId: PhoneId): Promise<RecordingDetail>;
  get(scope: TeamScope, id: RecordingId): Promise<RecordingDetail>;
  /** The person's own, the newest first. */
  list(scope: TeamScope, phoneId?: PhoneId): Promise<RecordingSummary[]>;
  /** What comes after `after`; ends when the recording is saved. */
  events(
    scope: TeamScope,
    id: RecordingId,
    after: number,
    signal: AbortSignal,
  ): Promise<AsyncGenerator<{ seq: number; data: RecordingEvent }, void, undefined>>;
  assertVisible(scope: TeamScope, input: z.output<typeof assertVisibleInput>): Promise<RecordingDetail>;
  removeStep(scope: TeamScope, input: Id & { readonly step: number }): Promise<RecordingDetail>;
  /** Brings back the step that was removed last. */
  undo(scope: TeamScope, id: RecordingId): Promise<RecordingDetail>;
  chooseSelector(scope: TeamScope, input: z.output<typeof chooseSelectorInput>): Promise<RecordingDetail>;
  pause(scope: TeamScope, id: RecordingId): Promise<RecordingDetail>;
  resume(scope: TeamScope, id: RecordingId): Promise<RecordingDetail>;
  /** Saves it as a flow. A saved one stays saved. */
  finish(scope: TeamScope, input: z.output<typeof finishRecordingInput>): Promise<RecordingDetail>;
  discard(scope: TeamScope, id: RecordingId): Promise<void>;
}

export interface Recordings extends RecordingsService {
  /** Hears what people do on phones. */
  readonly tap: ScreenTap;
  /** An address was opened on a phone by this person. */
  opened(userId: UserId, phoneId: PhoneId, url: string): void;
  /** Recording on it pauses, with these words. */
  phoneEnded(phoneId: PhoneId, words: string): Promise<void>;
  /** Settles what an earlier server left behind. */
  recover(): Promise<void>;
  /** The node that recorded on this phone is gone. */
  phoneLost(phone: PhoneId): Promise<void>;
  /** How many go on here. */
  active(): number;
  close(): Promise<void>;
}

const LISTED = 50;
const MOST_STEPS = 1_000;
const OPEN = ["recording", "paused"] as const;
const RESTARTED = "The server was restarted meanwhile. Nothing is lost: go on, or save it.";

function noSuchRecording(): PerchError {
  return new PerchError("not_found", "There is no such recording of yours.");
}

export interface RecordingsOptions {
  readonly db: Database;
  readonly repo: RecordingsRepo;
  readonly flows: Pick<FlowsService, "add">;
  readonly feed: Feed;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Log;
  /** Whose phones are recorded here; undefined where there is no other node. */
  readonly node: NodeId | undefined;
  /** The phone's driver. @throws PerchError when the team has no such phone, or it does not run */
  readonly running: (scope: TeamScope, id: PhoneId) => Promise<PhoneDriver>;
}

export function createRecordings(options: RecordingsOptions): Recordings {
  const { db, repo, feed, clock, log } = options;
  /** What is being recorded by this server now. */
  const active = new Map<PhoneId, Recorder>();
  const now = () => new Date(clock.now());
  const record = (tx: Writer, scope: TeamScope, action: AuditAction, id: RecordingId) =>
    options.audit.record(tx, { chain: scope.teamId, actor: scope.userId, action, object: id });

  async function find(scope: TeamScope, id: RecordingId): Promise<RecordingRow> {
    const row = await repo.find(scope, id);
    if (row === undefined) throw noSuchRecording();
    return row;
  }
  async function findOpen(scope: TeamScope, id: RecordingId): Promise<RecordingRow> {
    const row = await find(scope, id);
    if (row.state === "saved")
      throw new PerchError("conflict", "This recording is saved. Change the automation it became.");
    return row;
  }
  const recorderOf = (row: RecordingRow): Recorder | undefined => {
    const recorder = active.get(row.phoneId);
    return recorder?.id === row.id ? recorder : undefined;
  };
  async function detail(scope: TeamScope, id: RecordingId): Promise<RecordingDetail> {
    const row = await find(scope, id);
    const [rows, removed] = await Promise.all([repo.steps(id), repo.removed(id)]);
    const recorded = rows.map(recordedStep);
    return {
      ...summary(row, recorded.length),
      recorded,
      source: writeFlow({ startUrl: row.startUrl ?? undefined, steps: recorded }),
      canUndo: removed > 0,
      lastEvent: row.eventSeq,
    };
  }
  async function written<T>(id: RecordingId, work: (tx: Writer) => Promise<T>): Promise<T> {
    const result = await db.tx(work);
    feed.wake(id);
    return result;
  }

  function sinkOf(id: RecordingId): StepSink {
    return {
      add: (data) =>
        written(id, async (tx) => {
          const { seq } = await repo.addStep(tx, id, data, now());
          // The row's number is its place, so removed steps count too.
          if (seq >= MOST_STEPS) await repo.change(tx, id, ["recording"], { state: "paused", note: TOO_MANY }, now());
          return seq;
        }),
      change: (seq, data) =>
        written(id, (tx) =>
          // What a person chose meanwhile stays chosen.
          repo.changeStep(
            tx,
            id,
            seq,
            ({ chosen }) => ({ ...data, chosen: chosen < data.candidates.length ? chosen : 0 }),
            now(),
          ),
        ),
      remove: (seq) => written(id, async (tx) => void (await repo.removeStep(tx, id, seq, now()))),
      async secrets() {
        return (await repo.steps(id)).flatMap(({ data: { action, candidates } }) =>
          action.kind === "inputSecret"
            ? [{ secret: action.secret, field: candidates[0] && JSON.stringify(candidates[0].selector) }]
            : [],
        );
      },
      note: (note) => written(id, async (tx) => void (await repo.change(tx, id, ["recording"], { note }, now()))),
    };
  }

  /** Resolves when what is done is heard and its targets are found. */
  async function begin(row: RecordingRow, driver: PhoneDriver): Promise<void> {
    const { automation } = driver;
    if (automation === undefined) throw new PerchError("capability_missing", CANNOT);
    const recorder = createRecorder({
      id: row.id,
      phoneId: row.phoneId,
      userId: row.createdBy,
      automation,
      size: () => driver.screen(row.phoneId).size(),
      sink: sinkOf(row.id),
      clock,
      log,
    });
    active.set(row.phoneId, recorder);
    await recorder.ready;
  }
  async function end(row: Pick<RecordingRow, "id" | "phoneId">): Promise<void> {
    const recorder = active.get(row.phoneId);
    if (recorder?.id !== row.id) return;
    active.delete(row.phoneId);
    await recorder.close();
  }
  async function pauseRow(id: RecordingId, note: string | null): Promise<void> {
    await written(id, (tx) => repo.change(tx, id, ["recording"], { state: "paused", note }, now()));
  }

  async function targetToAssert(row: RecordingRow, input: z.output<typeof assertVisibleInput>) {
    if ("proposal" in input) {
      const step = (await repo.steps(row.id)).find(({ seq }) => seq === input.step);
      const offered = step?.data.proposals[input.proposal];
      if (offered === undefined)
        throw new PerchError("not_found", "This is not offered any more. Tap what you want to assert.");
      return { candidates: offered.candidates, chosen: 0, fingerprint: offered.fingerprint, name: offered.words };
    }
    const recorder = recorderOf(row);
    if (recorder === undefined)
      throw new PerchError("conflict", "Go on recording first, then tap what you want to assert.");
    const target = await recorder.named({ x: input.x, y: input.y, seq: input.frameSeq });
    if (target === undefined) {
      throw new PerchError("bad_input", "Nothing with a name of its own lies there. Tap a text or a button.");
    }
    return target;
  }

  return {
    async start(scope, phoneId) {
      const driver = await options.running(scope, phoneId);
      if (driver.automation === undefined) throw new PerchError("capability_missing", CANNOT);
      const startUrl = (await driver.automation.address?.(phoneId)) ?? null;
      const { row, fresh } = await db.tx(async (tx) => {
        const running = await repo.running(tx, phoneId);
        if (running !== undefined) {
          if (running.createdBy !== scope.userId || running.teamId !== scope.teamId) throw someoneElse();
          return { row: running, fresh: false };
        }
        const at = now();
        const row = await repo
          .insert(tx, {
            id: newId("recording"),
            teamId: scope.teamId,
            createdBy: scope.userId,
            phoneId,
            state: "recording",
            startUrl,
            eventSeq: 1,
            stateSeq: 1,
            createdAt: at,
            updatedAt: at,
          })
          .catch((error: unknown) => {
            throw isUniqueViolation(error) ? someoneElse() : error;
          });
        await record(tx, scope, "recording.started", row.id);
        return { row, fresh: true };
      });
      if (fresh || recorderOf(row) === undefined) await begin(row, driver);
      return detail(scope, row.id);
    },
    get: detail,
    list: async (scope, phoneId) => (await repo.list(scope, phoneId, LISTED)).map((row) => summary(row, row.steps)),
    async events(scope, id, after, signal) {
      await find(scope, id);
      const following = feed.follow(id, after, signal, (seen, limit) => repo.events(id, seen, limit));
      return (async function* () {
        for await (const event of following) {
          yield event;
          if (event.data.type === "state" && event.data.state === "saved") return;
        }
      })();
    },
    async assertVisible(scope, input) {
      const row = await findOpen(scope, input.recordingId);
      const target = await targetToAssert(row, input);
      const recorder = recorderOf(row);
      if (recorder !== undefined) await recorder.assert(target);
      else {
        const { name, ...found } = target satisfies RecordedTarget;
        const action = { kind: "assertVisible" } as const;
        const data: StepData = { ...found, action, words: stepWords(action, name), proposals: [] };
        await written(row.id, (tx) => repo.addStep(tx, row.id, data, now()));
      }
      return detail(scope, row.id);
    },
    async removeStep(scope, { recordingId, step }) {
      const row = await findOpen(scope, recordingId);
      const removed = await written(row.id, (tx) => repo.removeStep(tx, row.id, step, now()));
      if (!removed) throw new PerchError("not_found", "There is no such step any more.");
      recorderOf(row)?.forget();
      return detail(scope, row.id);
    },
    async undo(scope, id) {
      const row = await findOpen(scope, id);
      const restored = await written(row.id, (tx) => repo.restoreStep(tx, row.id, now()));
      if (restored === undefined) throw new PerchError("conflict", "No step was removed.");
      recorderOf(row)?.forget();
      return detail(scope, id);
    },
    async chooseSelector(scope, { recordingId, step, which }) {
      const row = await findOpen(scope, recordingId);
      const noSuch = () => new PerchError("not_found", "There is no such step, or no such way to find its target.");
      const changed = await written(row.id, (tx) =>
        repo.changeStep(
          tx,
          row.id,
          step,
          (data) => {
            if (data.candidates[which] === undefined) throw noSuch();
            return { ...data, chosen: which };
          },
          now(),
        ),
      );
      if (!changed) throw noSuch();
      recorderOf(row)?.forget();
      return detail(scope, row.id);
    },
    async pause(scope, id) {
      const row = await findOpen(scope, id);
      await end(row);
      await pauseRow(id, null);
      return detail(scope, id);
    },
    async resume(scope, id) {
      const row = await findOpen(scope, id);
      const driver = await options.running(scope, row.phoneId);
      if (driver.automation === undefined) throw new PerchError("capability_missing", CANNOT);
      const changed = await written(id, async (tx) => {
        const running = await repo.running(tx, row.phoneId);
        if (running !== undefined && running.id !== id) throw someoneElse();
        return repo.change(tx, id, ["paused"], { state: "recording", note: null }, now());
      });
      if (changed !== undefined || recorderOf(row) === undefined) await begin(row, driver);
      return detail(scope, id);
    },
    async finish(scope, { recordingId, name }) {
      const row = await find(scope, recordingId);
      if (row.state === "saved") return detail(scope, row.id);
      await end(row);
      const steps = (await repo.steps(row.id)).map(recordedStep);
      if (steps.length === 0) {
        await pauseRow(row.id, null);
        throw new PerchError(
          "bad_input",
          "Nothing was recorded yet. Do something on the phone first, or discard the recording.",
        );
      }
      const source = writeFlow({ name, startUrl: row.startUrl ?? undefined, steps });
      await written(row.id, async (tx) => {
        const flowId = await options.flows.add(tx, scope, { name, source });
        const saved = await repo.change(tx, row.id, OPEN, { state: "saved", note: null, flowId }, now());
        if (saved === undefined) throw new PerchError("conflict", "This recording was saved meanwhile.");
        await record(tx, scope, "recording.saved", row.id);
      });
      return detail(scope, row.id);
    },
    async discard(scope, id) {
      const row = await find(scope, id);
      await end(row);
      await written(id, async (tx) => {
        await repo.delete(tx, id);
        await record(tx, scope, "recording.discarded", id);
      });
    },

    tap: {
      frame: (phoneId, seq) => active.get(phoneId)?.frame(seq),
      input(phoneId, grant, message) {
        const recorder = active.get(phoneId);
        return recorder?.userId === grant.userId ? recorder.input(message) : undefined;
      },
    },
    opened(userId, phoneId, url) {
      const recorder = active.get(phoneId);
      if (recorder?.userId === userId) recorder.opened(url);
    },
    async phoneEnded(phoneId, words) {
      const recorder = active.get(phoneId);
      if (recorder === undefined) return;
      await end(recorder);
      await pauseRow(recorder.id, words);
    },
    async recover() {
      await db.tx((tx) => repo.pauseAll(tx, { node: options.node }, RESTARTED, now()));
    },
    async phoneLost(phone) {
      await db.tx((tx) => repo.pauseAll(tx, { phone }, RESTARTED, now()));
    },
    active: () => active.size,
    async close() {
      for (const recorder of [...active.values()]) await end(recorder);
    },
  };
}

const CANNOT = "Nothing can be recorded on a phone of this kind. Use a web phone.";
const TOO_MANY = `A recording has at most ${MOST_STEPS} steps. Save it and begin another.`;

function someoneElse(): PerchError {
  return new PerchError("conflict", "This phone is being recorded already. Let that recording end first.");
}

function summary(row: RecordingRow, steps: number): RecordingSummary {
  return {
    id: row.id,
    phoneId: row.phoneId,
    ...stateOf(row),
    steps,
    ...(row.startUrl !== null && { startUrl: row.startUrl }),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}
