/** The write-ahead journal of leased runs. Every write names the lease and is refused when that is lost. */
import { and, eq, sql } from "drizzle-orm";
import type { ArtifactKind, RunArtifact, RunEvent, RunStep, StepState } from "../../shared/automation-model.ts";
import type { RunId } from "../../shared/ids.ts";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";
import type { Tables } from "../db/tables.ts";
import type { StepResult } from "./automations.tables.ts";
import { LeaseLost } from "./engine/failures.ts";
import type { ArtifactRow, Lease, RunsRepo, StepRow } from "./runs.repo.ts";

export type NewStep = Pick<
  Tables["runSteps"]["$inferInsert"],
  "seq" | "path" | "file" | "line" | "depth" | "command" | "label" | "hash"
>;

export interface StepEnd {
  readonly state: Exclude<StepState, "started">;
  readonly durationMs: number;
  readonly message?: string | undefined;
  readonly result?: StepResult | undefined;
}

export interface JournalRepo {
  /** A new step, committed before anything of it is done. */
  begin(lease: Lease, step: NewStep): Promise<StepRow>;
  /** A query step that was open when the server stopped is done again. */
  again(lease: Lease, seq: number): Promise<StepRow>;
  /** From here on the step may have changed something outside. */
  effect(lease: Lease, seq: number): Promise<void>;
  /** Notes what a container decided, for a replay. */
  note(lease: Lease, seq: number, result: StepResult): Promise<void>;
  finish(lease: Lease, seq: number, end: StepEnd): Promise<StepRow>;
  log(lease: Lease, message: string, step: number | undefined): Promise<void>;
  artifact(lease: Lease, artifact: Omit<ArtifactRow, "runId" | "createdAt">): Promise<void>;
  /** A person says of an open step: it was done, or it may be done again. */
  settle(tx: Writer, id: RunId, as: "done" | "undone"): Promise<void>;
  /** The run starts anew. */
  forget(tx: Writer, id: RunId): Promise<void>;
}

export function createJournalRepo(options: {
  db: Database;
  runs: RunsRepo;
  clock: Clock;
  wake: (id: RunId) => void;
}): JournalRepo {
  const { db, runs, clock } = options;
  const { runSteps, runArtifacts } = db.t;
  const at = (runId: RunId, seq: number) => and(eq(runSteps.runId, runId), eq(runSteps.seq, seq));
  const now = () => new Date(clock.now());

  /** One fenced write with the event that tells of it. */
  async function write<T>(lease: Lease, work: (tx: Writer) => Promise<{ value: T; event?: RunEvent }>): Promise<T> {
    const written = await db.tx(async (tx) => {
      const { value, event } = await work(tx);
      const held =
        event === undefined
          ? (await runs.changeLeased(tx, lease, { holder: lease.holder })) !== undefined
          : await runs.append(tx, lease.runId, [event], now(), lease);
      if (!held) throw new LeaseLost();
      return value;
    });
    options.wake(lease.runId);
    return written;
  }
  const one = (rows: StepRow[]): StepRow => {
    const [row] = rows;
    if (row === undefined) throw new Error("A step of the journal is missing.");
    return row;
  };
  const told = (row: StepRow) => ({ value: row, event: { type: "step", step: stepView(row) } as const });

  return {
    begin: (lease, step) =>
      write(lease, async (tx) =>
        told(
          one(
            await tx
              .insert(runSteps)
              .values({
                ...step,
                runId: lease.runId,
                attempt: 1,
                kind: "query",
                state: "started",
                startedAt: now(),
              })
              .returning(),
          ),
        ),
      ),
    again: (lease, seq) =>
      write(lease, async (tx) =>
        told(
          one(
            await tx
              .update(runSteps)
              .set({ attempt: sql`${runSteps.attempt} + 1`, startedAt: now() })
              .where(at(lease.runId, seq))
              .returning(),
          ),
        ),
      ),
    effect: (lease, seq) =>
      write(lease, async (tx) => {
        await tx.update(runSteps).set({ kind: "effect" }).where(at(lease.runId, seq));
        return { value: undefined };
      }),
    note: (lease, seq, result) =>
      write(lease, async (tx) => {
        await tx.update(runSteps).set({ result }).where(at(lease.runId, seq));
        return { value: undefined };
      }),
    finish: (lease, seq, end) =>
      write(lease, async (tx) =>
        told(
          one(
            await tx
              .update(runSteps)
              .set({
                state: end.state,
                durationMs: end.durationMs,
                message: end.message ?? null,
                ...(end.result !== undefined && { result: end.result }),
              })
              .where(at(lease.runId, seq))
              .returning(),
          ),
        ),
      ),
    log: (lease, message, step) =>
      write(lease, async () => ({
        value: undefined,
        event: { type: "log", message, ...(step !== undefined && { step }) },
      })),
    artifact: (lease, artifact) =>
      write(lease, async (tx) => {
        const row = { ...artifact, runId: lease.runId, createdAt: now() };
        await tx.insert(runArtifacts).values(row);
        return { value: undefined, event: { type: "artifact", artifact: artifactView(row) } };
      }),
    async settle(tx, id, as) {
      const open = and(eq(runSteps.runId, id), eq(runSteps.state, "started"), eq(runSteps.kind, "effect"));
      const change =
        as === "done"
          ? { state: "passed" as const, message: "Counted as done by a person, after the server had stopped in it." }
          : { kind: "query" as const };
      await tx.update(runSteps).set(change).where(open);
    },
    async forget(tx, id) {
      await tx.delete(runSteps).where(eq(runSteps.runId, id));
    },
  };
}

/** A step as clients see it. */
export function stepView(row: StepRow): RunStep {
  return {
    seq: row.seq,
    attempt: row.attempt,
    path: row.path,
    line: row.line,
    ...(row.file !== null && { file: row.file }),
    depth: row.depth,
    command: row.command,
    label: row.label,
    kind: row.kind,
    state: row.state,
    startedAt: row.startedAt.toISOString(),
    ...(row.durationMs !== null && { durationMs: row.durationMs }),
    ...(row.message !== null && { message: row.message }),
    ...(row.result?.healing && { healing: row.result.healing }),
  };
}

const ARTIFACT_TYPES = {
  screenshot: "image/png",
  failure_screenshot: "image/png",
  failure_tree: "application/json",
  failure: "application/json",
  thumbnail: "image/jpeg",
  difference: "image/png",
  recording: "video/webm",
} as const satisfies Record<ArtifactKind, RunArtifact["mimeType"]>;

/** Androids send small pictures as PNG and their video as H.264. */
function typeOf({ kind, name }: Pick<ArtifactRow, "kind" | "name">): RunArtifact["mimeType"] {
  if (kind === "thumbnail" && name.endsWith(".png")) return "image/png";
  return kind === "recording" && name.endsWith(".mp4") ? "video/mp4" : ARTIFACT_TYPES[kind];
}

/** An artifact as clients see it. */
export function artifactView(row: ArtifactRow) {
  return {
    name: row.name,
    kind: row.kind,
    mimeType: typeOf(row),
    bytes: row.bytes,
    ...(row.step !== null && { step: row.step }),
    ...(row.baseline !== null && { baseline: row.baseline }),
    createdAt: row.createdAt.toISOString(),
  };
}
