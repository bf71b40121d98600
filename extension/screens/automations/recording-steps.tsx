/** The steps of a recording: what each does, how its target is found, and what may be asserted after it. */
import { useEffect, useRef } from "react";
import { candidateWords } from "../../../shared/recorder/step-words.ts";
import type { RecordedStep, RecordingDetail } from "../../../shared/recording-model.ts";
import { Button, IconButton } from "../../components/button.tsx";
import { Select } from "../../components/field.tsx";
import { Icon } from "../../components/icon.tsx";
import type { WatchedRecording } from "./use-recording.ts";

export interface RecordingStepsProps {
  readonly recording: RecordingDetail;
  readonly act: WatchedRecording["act"];
  readonly busy: (key: string) => boolean;
}

export function RecordingSteps({ recording, act, busy }: RecordingStepsProps) {
  const { id: recordingId, recorded, canUndo } = recording;
  const list = useRef<HTMLOListElement>(null);
  const last = recorded.at(-1)?.seq;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new step is what makes it scroll
  useEffect(() => {
    list.current?.lastElementChild?.scrollIntoView({ block: "nearest" });
  }, [last]);
  return (
    <div className="recording-steps">
      {recorded.length === 0 ? (
        <p className="secondary">No step yet. Use the phone as usual: each tap, swipe and text becomes a step.</p>
      ) : (
        <ol ref={list} aria-label="Recorded steps">
          {recorded.map((step, index) => (
            <Step
              key={step.seq}
              step={step}
              number={index + 1}
              busy={busy}
              onChoose={(which) =>
                void act(`choose ${step.seq}`, (api) =>
                  api.recordings.chooseSelector.mutate({ recordingId, step: step.seq, which }),
                )
              }
              onRemove={() =>
                void act(`remove ${step.seq}`, (api) =>
                  api.recordings.removeStep.mutate({ recordingId, step: step.seq }),
                )
              }
              onAssert={(proposal) =>
                void act(`assert ${step.seq}`, (api) =>
                  api.recordings.assertVisible.mutate({ recordingId, step: step.seq, proposal }),
                )
              }
            />
          ))}
        </ol>
      )}
      {canUndo && (
        <Button
          kind="quiet"
          size="small"
          icon="refresh"
          busy={busy("undo")}
          onClick={() => void act("undo", (api) => api.recordings.undo.mutate({ recordingId }))}
        >
          Bring back the last removed step
        </Button>
      )}
    </div>
  );
}

interface StepProps {
  readonly step: RecordedStep;
  readonly number: number;
  readonly busy: (key: string) => boolean;
  readonly onChoose: (which: number) => void;
  readonly onRemove: () => void;
  readonly onAssert: (proposal: number) => void;
}

/** Steps whose target is looked up again when the flow runs. */
const FINDS: readonly string[] = ["tap", "doubleTap", "longPress", "assertVisible", "swipe"];

function Step({ step, number, busy, onChoose, onRemove, onAssert }: StepProps) {
  const { candidates, chosen, words, proposals } = step;
  const finds = FINDS.includes(step.action.kind) && candidates.length > 0;
  const options = candidates.map((candidate, index) => ({ value: String(index), label: candidateWords(candidate) }));
  return (
    <li className="recorded-step">
      <div className="recorded-step-head">
        <span className="recorded-step-words">{words}</span>
        <IconButton
          icon="trash"
          size="small"
          label={`Remove step ${number}: ${words}`}
          tooltip="left"
          busy={busy(`remove ${step.seq}`)}
          onClick={onRemove}
        />
      </div>
      {step.waitMs !== undefined && <p className="secondary">Waits for it, {step.waitMs / 1000} s at most</p>}
      {finds &&
        (options.length === 1 ? (
          <p className="secondary">{options[0]?.label}</p>
        ) : (
          <Select
            aria-label={`How step ${number} finds its target`}
            options={options}
            value={String(chosen)}
            disabled={busy(`choose ${step.seq}`)}
            onChange={(event) => onChoose(Number(event.target.value))}
          />
        ))}
      {step.note !== undefined && (
        <p className="recorded-note tone-warn">
          <Icon name="warning" />
          {step.note}
        </p>
      )}
      {proposals.length > 0 && (
        <div className="recorded-proposals">
          {proposals.map((proposal, index) => (
            <Button
              // biome-ignore lint/suspicious/noArrayIndexKey: they never move
              key={index}
              kind="quiet"
              size="small"
              icon="check"
              onClick={() => onAssert(index)}
            >
              Assert “{proposal.words}”
            </Button>
          ))}
        </div>
      )}
    </li>
  );
}
