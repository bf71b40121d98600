/** Recordings and their steps in the database, always within a team and of one person. */
import { and, asc, desc, eq, gt, inArray, isNotNull, isNull, max, or, sql } from "drizzle-orm";
import type { NodeId, PhoneId, RecordingId } from "../../shared/ids.ts";
import type { RecordingEvent, RecordingState } from "../../shared/recording-model.ts";
import type { Database, Writer } from "../db/database.ts";
import type { Tables } from "../db/tables.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import type { StepData } from "./recordings.tables.ts";

export type RecordingRow = Tables["recordings"]["$inferSelect"];
export type RecordedStepRow = Tables["recordingSteps"]["$inferSelect"];

/** Recordings on one phone, or on those of a node; of every phone without one. */
type Of = { readonly phone: PhoneId } | { readonly node: NodeId | undefined };

export interface RecordingsRepo {
  insert(tx: Writer, row: Tables["recordings"]["$inferInsert"]): Promise<RecordingRow>;
  list(scope: TeamScope, phoneId: PhoneId | undefined, limit: number): Promise<(RecordingRow & { steps: number })[]>;
  /** Which phone it is of, whoever's it is. */
  phoneOf(id: RecordingId): Promise<PhoneId | undefined>;
  find(scope: TeamScope, id: RecordingId): Promise<RecordingRow | undefined>;
  /** The recording that goes on on a phone, whoever's it is. */
  running(tx: Writer, phoneId: PhoneId): Promise<RecordingRow | undefined>;
  /** Without those that were taken out, in order. */
  steps(id: RecordingId): Promise<RecordedStepRow[]>;
  removed(id: RecordingId): Promise<number>;
  /** Changes a recording that is in one of the states and tells of it; undefined when it is in another. */
  change(
    tx: Writer,
    id: RecordingId,
    from: readonly RecordingState[],
    change: Partial<Pick<RecordingRow, "state" | "note" | "flowId">>,
    at: Date,
  ): Promise<RecordingRow | undefined>;
  addStep(tx: Writer, id: RecordingId, data: StepData, at: Date): Promise<RecordedStepRow>;
  /** False when there is no such step, or it was taken out. */
  changeStep(
    tx: Writer,
    id: RecordingId,
    seq: number,
    change: (before: StepData) => StepData,
    at: Date,
  ): Promise<boolean>;
  /** False when there is no such step. */
  removeStep(tx: Writer, id: RecordingId, seq: number, at: Date): Promise<boolean>;
  /** Brings back what was taken out last; undefined when nothing was. */
  restoreStep(tx: Writer, id: RecordingId, at: Date): Promise<RecordedStepRow | undefined>;
  /** What changed after an event, the newest state of each thing, in the order of their last change. */
  events(id: RecordingId, after: number, limit: number): Promise<{ seq: number; data: RecordingEvent }[]>;
  delete(tx: Writer, id: RecordingId): Promise<void>;
  /** Recordings that were going on when a server stopped; of its phones, or of one phone, where there are other nodes. */
  pauseAll(tx: Writer, of: Of, note: string, at: Date): Promise<number>;
}

export function createRecordingsRepo(db: Database): RecordingsRepo {
  const { recordings, recordingSteps, phones } = db.t;
  const mine = (scope: TeamScope) => and(eq(recordings.teamId, scope.teamId), eq(recordings.createdBy, scope.userId));
  const step = (id: RecordingId, seq: number) => and(eq(recordingSteps.recordingId, id), eq(recordingSteps.seq, seq));

  /** The number of a new event; the lock on the row makes their order that of the commits. */
  async function nextEvent(tx: Writer, id: RecordingId, at: Date): Promise<number> {
    const [row] = await tx
      .update(recordings)
      .set({ eventSeq: sql`${recordings.eventSeq} + 1`, updatedAt: at })
      .where(eq(recordings.id, id))
      .returning({ eventSeq: recordings.eventSeq });
    if (row === undefined) throw new Error("A recording is gone.");
    if (db.engine === "postgres") await db.announce(tx, id);
    return row.eventSeq;
  }

  return {
    async insert(tx, row) {
      const [inserted] = await tx.insert(recordings).values(row).returning();
      if (inserted === undefined) throw new Error("An inserted recording was not returned.");
      return inserted;
    },
    async list(scope, phoneId, limit) {
      const rows = await db.read
        .select()
        .from(recordings)
        .where(and(mine(scope), phoneId === undefined ? undefined : eq(recordings.phoneId, phoneId)))
        .orderBy(desc(recordings.updatedAt))
        .limit(limit);
      return Promise.all(rows.map(async (row) => ({ ...row, steps: await count(row.id) })));
    },
    async phoneOf(id) {
      const [row] = await db.read.select({ phoneId: recordings.phoneId }).from(recordings).where(eq(recordings.id, id));
      return row?.phoneId;
    },
    async find(scope, id) {
      const [row] = await db.read
        .select()
        .from(recordings)
        .where(and(eq(recordings.id, id), mine(scope)));
      return row;
    },
    async running(tx, phoneId) {
      const [row] = await tx
        .select()
        .from(recordings)
        .where(and(eq(recordings.phoneId, phoneId), eq(recordings.state, "recording")));
      return row;
    },
    steps: async (id) =>
      db.read
        .select()
        .from(recordingSteps)
        .where(and(eq(recordingSteps.recordingId, id), isNull(recordingSteps.removedAt)))
        .orderBy(asc(recordingSteps.seq)),
    removed: async (id) =>
      db.read.$count(recordingSteps, and(eq(recordingSteps.recordingId, id), isNotNull(recordingSteps.removedAt))),
    async change(tx, id, from, change, at) {
      const [row] = await tx.select().from(recordings).where(eq(recordings.id, id));
      if (row === undefined || !from.includes(row.state)) return undefined;
      const stateSeq = await nextEvent(tx, id, at);
      const [changed] = await tx
        .update(recordings)
        .set({ ...change, stateSeq })
        .where(eq(recordings.id, id))
        .returning();
      return changed;
    },
    async addStep(tx, id, data, at) {
      const changed = await nextEvent(tx, id, at);
      const [last] = await tx
        .select({ seq: max(recordingSteps.seq) })
        .from(recordingSteps)
        .where(eq(recordingSteps.recordingId, id));
      const row = { recordingId: id, seq: (last?.seq ?? 0) + 1, changed, data, at };
      const [inserted] = await tx.insert(recordingSteps).values(row).returning();
      if (inserted === undefined) throw new Error("A recorded step was not returned.");
      return inserted;
    },
    async changeStep(tx, id, seq, change, at) {
      const there = and(step(id, seq), isNull(recordingSteps.removedAt));
      const [before] = await tx.select({ data: recordingSteps.data }).from(recordingSteps).where(there);
      if (before === undefined) return false;
      const changed = await nextEvent(tx, id, at);
      await tx
        .update(recordingSteps)
        .set({ data: change(before.data), changed })
        .where(there);
      return true;
    },
    async removeStep(tx, id, seq, at) {
      const changed = await nextEvent(tx, id, at);
      const rows = await tx
        .update(recordingSteps)
        .set({ removedAt: at, changed })
        .where(and(step(id, seq), isNull(recordingSteps.removedAt)))
        .returning({ seq: recordingSteps.seq });
      return rows.length === 1;
    },
    async restoreStep(tx, id, at) {
      const [last] = await tx
        .select({ seq: recordingSteps.seq })
        .from(recordingSteps)
        .where(and(eq(recordingSteps.recordingId, id), isNotNull(recordingSteps.removedAt)))
        .orderBy(desc(recordingSteps.changed))
        .limit(1);
      if (last === undefined) return undefined;
      const changed = await nextEvent(tx, id, at);
      const [row] = await tx
        .update(recordingSteps)
        .set({ removedAt: null, changed })
        .where(step(id, last.seq))
        .returning();
      return row;
    },
    async events(id, after, limit) {
      const [row] = await db.read.select().from(recordings).where(eq(recordings.id, id));
      if (row === undefined) return [];
      const rows = await db.read
        .select()
        .from(recordingSteps)
        .where(and(eq(recordingSteps.recordingId, id), gt(recordingSteps.changed, after)))
        .orderBy(asc(recordingSteps.changed))
        .limit(limit);
      const events = rows.map((one): { seq: number; data: RecordingEvent } => ({
        seq: one.changed,
        data: one.removedAt === null ? { type: "step", step: recordedStep(one) } : { type: "removed", seq: one.seq },
      }));
      const told = rows.length === limit ? (rows.at(-1)?.changed ?? 0) : Number.POSITIVE_INFINITY;
      if (row.stateSeq > after && row.stateSeq <= told) {
        events.push({ seq: row.stateSeq, data: { type: "state", ...stateOf(row) } });
        events.sort((a, b) => a.seq - b.seq);
      }
      return events;
    },
    async delete(tx, id) {
      await tx.delete(recordings).where(eq(recordings.id, id));
      if (db.engine === "postgres") await db.announce(tx, id);
    },
    async pauseAll(tx, of, note, at) {
      const there =
        "phone" in of
          ? eq(recordings.phoneId, of.phone)
          : of.node &&
            inArray(
              recordings.phoneId,
              tx
                .select({ id: phones.id })
                .from(phones)
                .where(or(isNull(phones.nodeId), eq(phones.nodeId, of.node))),
            );
      const rows = await tx
        .update(recordings)
        .set({
          state: "paused",
          note,
          eventSeq: sql`${recordings.eventSeq} + 1`,
          stateSeq: sql`${recordings.eventSeq} + 1`,
          updatedAt: at,
        })
        .where(and(eq(recordings.state, "recording"), there))
        .returning({ id: recordings.id });
      return rows.length;
    },
  };

  async function count(id: RecordingId): Promise<number> {
    return db.read.$count(recordingSteps, and(eq(recordingSteps.recordingId, id), isNull(recordingSteps.removedAt)));
  }
}

export function stateOf({ state, note, flowId }: RecordingRow) {
  return { state, ...(note !== null && { note }), ...(flowId !== null && { flowId }) };
}

/** A step as clients see it. */
export function recordedStep({ seq, data, at }: RecordedStepRow) {
  return { ...data, seq, at: at.toISOString() };
}
