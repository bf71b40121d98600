/**
 * A run as the panel watches it: what the server had when it was asked, and every event since, in order and once.
 * The stream is read from its beginning, because lines a script wrote are in the events alone.
 */
import {
  hasEnded,
  type RunArtifact,
  type RunDetail,
  type RunEvent,
  type RunStep,
} from "../../../../shared/automation-model.ts";

export interface LogLine {
  readonly seq: number;
  readonly message: string;
  /** The step it was written in. */
  readonly step?: number;
}

export interface RunLog {
  readonly run: RunDetail;
  readonly lines: readonly LogLine[];
  /** Number of the last event heard: where the stream goes on after a break. */
  readonly heard: number;
}

/** Begins to watch a run; with an `earlier` log of it goes on where that one was. */
export function runLog(run: RunDetail, earlier?: RunLog): RunLog {
  if (earlier === undefined || earlier.run.id !== run.id) return { run, lines: [], heard: 0 };
  // An answer that was overtaken by events would take steps back.
  return run.lastEvent < earlier.run.lastEvent ? earlier : { ...earlier, run };
}

/** Takes in event number `seq`. One heard before changes nothing; one older than the answer only gives its lines. */
export function hear(log: RunLog, seq: number, event: RunEvent): RunLog {
  if (seq <= log.heard) return log;
  const heard = { ...log, heard: seq };
  if (event.type === "log") {
    const line = { seq, message: event.message, ...(event.step !== undefined && { step: event.step }) };
    return { ...heard, lines: [...log.lines, line] };
  }
  if (seq <= log.run.lastEvent) return heard;
  return { ...heard, run: { ...changed(log.run, event), lastEvent: seq } };
}

/** Whether nothing more will come: the run has ended and everything up to there was heard. */
export function isComplete({ run, heard }: RunLog): boolean {
  return hasEnded(run.state) && heard >= run.lastEvent;
}

function changed(run: RunDetail, event: Exclude<RunEvent, { type: "log" }>): RunDetail {
  switch (event.type) {
    case "run": {
      const { error: _, ...rest } = run;
      return { ...rest, state: event.state, ...(event.error !== undefined && { error: event.error }) };
    }
    case "step":
      return { ...run, steps: withStep(run.steps, event.step) };
    case "artifact":
      return { ...run, artifacts: withArtifact(run.artifacts, event.artifact) };
  }
}

function withStep(steps: readonly RunStep[], step: RunStep): readonly RunStep[] {
  const others = steps.filter(({ seq }) => seq !== step.seq);
  return [...others, step].sort((a, b) => a.seq - b.seq);
}

function withArtifact(artifacts: readonly RunArtifact[], artifact: RunArtifact): readonly RunArtifact[] {
  return [...artifacts.filter(({ name }) => name !== artifact.name), artifact];
}
