/** The steps of a run in the order they began, with what scripts wrote in them. */
import type { ReactNode } from "react";
import { hasEnded, type RunStep } from "../../../shared/automation-model.ts";
import { Icon } from "../../components/icon.tsx";
import type { LogLine, RunLog } from "./model/run-log.ts";
import { HEALED_STEP_LOOK, STEP_STATE_LOOK, type StateLook, stepTime, UNKNOWN_STEP_LOOK } from "./model/run-words.ts";
import { StepThumbnail } from "./step-thumbnail.tsx";

/** Deeper nesting is not drawn deeper: the words need the room. */
const MOST_DEPTH = 4;

export function RunSteps({ log }: { readonly log: RunLog }) {
  const { steps } = log.run;
  if (steps.length === 0) return <p className="secondary">No step has begun yet.</p>;
  const lines = Map.groupBy(log.lines, ({ step }) => step);
  const general = lines.get(undefined) ?? [];
  const ended = hasEnded(log.run.state);
  const pictures = new Map(
    log.run.artifacts.filter(({ kind }) => kind === "thumbnail").map((picture) => [picture.step, picture]),
  );
  // Kept free from the start, so that nothing moves when a picture comes.
  const withPictures = !ended || pictures.size > 0;
  return (
    <>
      <ol className="steps" aria-label="Steps">
        {steps.map((step) => (
          <Step key={step.seq} step={step} ended={ended} lines={lines.get(step.seq) ?? []}>
            {withPictures && <StepThumbnail runId={log.run.id} picture={pictures.get(step.seq)} label={step.label} />}
          </Step>
        ))}
      </ol>
      {general.length > 0 && <Lines lines={general} />}
    </>
  );
}

interface StepProps {
  readonly step: RunStep;
  readonly lines: readonly LogLine[];
  /** The run is over: a step still under way has an outcome nobody knows. */
  readonly ended: boolean;
  /** Its picture. */
  readonly children: ReactNode;
}

function Step({ step, lines, ended, children }: StepProps) {
  const running = step.state === "started" && !ended;
  const look = stepLook(step, ended);
  return (
    <li className={`step step-depth-${Math.min(step.depth, MOST_DEPTH)}`}>
      <span className={`step-icon tone-${look.tone}`}>
        {running ? <span className="spinner" aria-hidden="true" /> : <Icon name={look.icon} />}
        <span className="sr-only">{look.words}:</span>
      </span>
      {children}
      <span className="list-text">
        <span>
          {step.label}
          {step.attempt > 1 && <span className="secondary"> (attempt {step.attempt})</span>}
        </span>
        {step.message !== undefined && (
          <span className={step.state === "failed" ? "tone-bad step-message" : "secondary"}>{step.message}</span>
        )}
        {lines.length > 0 && <Lines lines={lines} />}
      </span>
      <span className="secondary tabular step-facts">
        {step.durationMs === undefined ? "" : stepTime(step.durationMs)}
        <span>line {step.line}</span>
      </span>
    </li>
  );
}

function stepLook(step: RunStep, ended: boolean): StateLook {
  if (step.state === "started" && ended) return UNKNOWN_STEP_LOOK;
  return step.state === "passed" && step.healing?.applied === true ? HEALED_STEP_LOOK : STEP_STATE_LOOK[step.state];
}

function Lines({ lines }: { readonly lines: readonly LogLine[] }) {
  return (
    <span className="log-lines mono">
      {lines.map((line) => (
        <span key={line.seq}>{line.message}</span>
      ))}
    </span>
  );
}
