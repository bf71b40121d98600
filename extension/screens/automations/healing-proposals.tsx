/** What would make steps find their targets again, as changes of the automation's text, and the click that makes them. */
import { useState } from "react";
import { hasEnded, type RunDetail, type RunStep } from "../../../shared/automation-model.ts";
import { Button } from "../../components/button.tsx";
import { Card } from "../../components/surface.tsx";
import { useToast } from "../../components/toast.tsx";
import { useCall } from "../panel/use-call.ts";

export function HealingProposals({ run, mayControl }: { readonly run: RunDetail; readonly mayControl: boolean }) {
  const steps = firstOfEachPlace(run.steps);
  const [left, setLeft] = useState<ReadonlySet<number>>(new Set());
  const [taken, setTaken] = useState(false);
  const calls = useCall();
  const toast = useToast();
  if (steps.length === 0 || !hasEnded(run.state)) return null;
  const chosen = steps
    .filter(({ seq, healing }) => healing?.diff !== undefined && !left.has(seq))
    .map(({ seq }) => seq);
  const take = async () => {
    const result = await calls.run("heal", (api) => api.flows.heal.mutate({ runId: run.id, steps: chosen }));
    if (result?.ok !== true) return;
    setTaken(true);
    toast({ text: "The automation is changed. Run it again." });
  };
  const choose = (seq: number, on: boolean) =>
    setLeft((before) => new Set(on ? [...before].filter((one) => one !== seq) : [...before, seq]));
  return (
    <Card title={steps.length === 1 ? "Proposed change" : "Proposed changes"}>
      <ul className="proposals">
        {steps.map((step) => (
          <Proposal
            key={step.seq}
            step={step}
            {...(steps.length > 1 && { chosen: !left.has(step.seq), onChoose: (on: boolean) => choose(step.seq, on) })}
          />
        ))}
      </ul>
      {mayControl && run.flowId !== undefined && (
        <div>
          {taken ? (
            <p className="secondary" role="status">
              Taken over.
            </p>
          ) : (
            <Button icon="check" busy={calls.busy("heal")} disabled={chosen.length === 0} onClick={() => void take()}>
              {steps.length === 1 ? "Take it over" : `Take ${chosen.length} over`}
            </Button>
          )}
        </div>
      )}
    </Card>
  );
}

interface ProposalProps {
  readonly step: RunStep;
  /** Absent: there is nothing to choose from. */
  readonly chosen?: boolean;
  readonly onChoose?: (on: boolean) => void;
}

function Proposal({ step, chosen, onChoose }: ProposalProps) {
  const { healing } = step;
  if (healing === undefined) return null;
  const alike = healing.similarity === undefined ? "" : `, ${Math.floor(healing.similarity * 100)} % like it was`;
  const words = healing.applied
    ? `Step ${step.seq} went on with ${healing.selector}${alike}.`
    : `Step ${step.seq} could look for ${healing.selector}${alike}.`;
  return (
    <li className="proposal">
      {onChoose === undefined ? (
        <p>{words}</p>
      ) : (
        <label className="proposal-choice">
          <input
            type="checkbox"
            checked={chosen ?? false}
            onChange={(event) => onChoose(event.currentTarget.checked)}
          />
          {words}
        </label>
      )}
      {healing.diff === undefined ? (
        <p className="secondary">Change line {healing.line} yourself: its form cannot be kept.</p>
      ) : (
        <Diff text={healing.diff} />
      )}
    </li>
  );
}

/** A unified diff without its file names; long lines wrap. */
function Diff({ text }: { readonly text: string }) {
  const lines = text.trimEnd().split("\n").slice(2);
  return (
    <pre className="diff mono">
      {lines.map((line, at) => {
        const key = `${at} ${line}`;
        if (line.startsWith("@@")) {
          const from = /-(\d+)/.exec(line)?.[1];
          return (
            <span key={key} className="diff-place">
              line {from}
            </span>
          );
        }
        const words = `${line.slice(0, 1)} ${line.slice(1)}`;
        if (line.startsWith("+")) return <ins key={key}>{words}</ins>;
        return line.startsWith("-") ? <del key={key}>{words}</del> : <span key={key}>{words}</span>;
      })}
    </pre>
  );
}

/** A step in a loop has one place in the text. */
function firstOfEachPlace(steps: readonly RunStep[]): readonly RunStep[] {
  const seen = new Set<string>();
  return steps.filter(({ path, healing }) => {
    if (healing === undefined || seen.has(path)) return false;
    seen.add(path);
    return true;
  });
}
