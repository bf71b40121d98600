/** The steps of a flow in words, with the way to their lines, what can be done with each, and how they went. */
import { useEffect, useRef } from "react";
import type { FlowPart, RunStep } from "../../../../shared/automation-model.ts";
import { IconButton } from "../../../components/button.tsx";
import { Icon } from "../../../components/icon.tsx";
import { Menu, type MenuItem } from "../../../components/menu.tsx";
import { isOnly, type Outline, type OutlinePart, type OutlineStep } from "../model/flow-outline.ts";
import { STEP_STATE_LOOK } from "../model/run-words.ts";
import type { StepEdit } from "../model/step-edits.ts";

export interface StepListProps {
  readonly outline: Outline;
  /** The text has changed since and cannot be read now. */
  readonly stale: boolean;
  /** Path of the step at the cursor. */
  readonly current: string | undefined;
  readonly marks: ReadonlyMap<string, RunStep>;
  readonly mayEdit: boolean;
  readonly mayRun: boolean;
  readonly onGoTo: (step: OutlineStep) => void;
  readonly onEdit: (path: string, edit: StepEdit) => void;
  readonly onRunPart: (part: FlowPart) => void;
}

const PART_WORDS: Readonly<Record<OutlinePart, string>> = {
  onFlowStart: "Before",
  steps: "Steps",
  onFlowComplete: "Afterwards",
  onFlowFailure: "When it failed",
};
const PARTS = ["onFlowStart", "steps", "onFlowComplete", "onFlowFailure"] as const;
/** Deeper nesting is not drawn deeper: the words need the room. */
const MOST_DEPTH = 4;

export function StepList(props: StepListProps) {
  const { outline, stale } = props;
  const parts = PARTS.map((part) => ({ part, steps: outline.steps.filter((step) => step.part === part) })).filter(
    ({ steps }) => steps.length > 0,
  );
  if (parts.length === 0) return <p className="secondary">No steps yet.</p>;
  return (
    <div className={stale ? "step-lists step-lists-stale" : "step-lists"}>
      {parts.map(({ part, steps }) => (
        <section key={part}>
          {parts.length > 1 && <h3 className="step-part">{PART_WORDS[part]}</h3>}
          <ol className="step-list" aria-label={part === "steps" ? "Step list" : PART_WORDS[part]}>
            {steps.map((step) => (
              <StepRow key={step.path} {...props} step={step} />
            ))}
          </ol>
        </section>
      ))}
    </div>
  );
}

function StepRow(props: StepListProps & { readonly step: OutlineStep }) {
  const { outline, stale, step, current, marks, mayEdit, onGoTo } = props;
  const here = step.path === current;
  const mark = marks.get(step.path);
  const look = mark && STEP_STATE_LOOK[mark.state];
  const row = useRef<HTMLLIElement>(null);
  const state = mark?.state;
  useEffect(() => {
    if (row.current !== null && (here || state === "started"))
      showIn(row.current, row.current.closest(".workbench-side"));
  }, [here, state]);
  return (
    <li
      ref={row}
      className={`step-row step-depth-${Math.min(step.depth, MOST_DEPTH)}${here ? " step-row-here" : ""}`}
      aria-current={here ? "step" : undefined}
    >
      <button type="button" className="step-words" onClick={() => onGoTo(step)}>
        <span className={`step-icon${look === undefined ? " secondary tabular" : ` tone-${look.tone}`}`}>
          {look === undefined ? (
            step.depth === 0 && step.outer !== undefined && step.outer + 1
          ) : state === "started" ? (
            <span className="spinner" aria-hidden="true" />
          ) : (
            <Icon name={look.icon} />
          )}
        </span>
        <span className="list-text">
          <span>
            {look !== undefined && <span className="sr-only">{look.words}: </span>}
            {step.words}
          </span>
          {mark?.message !== undefined && (
            <span className={mark.state === "failed" ? "tone-bad step-message" : "secondary"}>{mark.message}</span>
          )}
        </span>
      </button>
      {mayEdit && !stale && (
        <Menu
          label={`Step: ${step.words}`}
          items={menuOf(outline, props)}
          trigger={(trigger) => (
            <IconButton {...trigger} icon="more" size="small" label={`More about: ${step.words}`} tooltip="left" />
          )}
        />
      )}
    </li>
  );
}

/** Scrolls the list alone: the text beside it stays where it is. */
function showIn(row: Element, scroller: Element | null): void {
  if (scroller === null) return;
  const [box, own] = [scroller.getBoundingClientRect(), row.getBoundingClientRect()];
  if (own.top < box.top) scroller.scrollTop -= box.top - own.top;
  else if (own.bottom > box.bottom) scroller.scrollTop += own.bottom - box.bottom;
}

function menuOf(
  outline: Outline,
  { step, mayRun, onRunPart, onEdit }: StepListProps & { readonly step: OutlineStep },
): readonly (MenuItem | "separator")[] {
  const { path, outer, depth, lines } = step;
  const last = outline.flow.steps.length - 1;
  const disabled = lines === undefined;
  const edit = (id: StepEdit, label: string, icon: NonNullable<MenuItem["icon"]>, not: boolean): MenuItem => ({
    id,
    label,
    icon,
    disabled: disabled || not,
    onSelect: () => onEdit(path, id),
  });
  const runs: readonly MenuItem[] =
    outer === undefined || depth > 0
      ? []
      : [
          { id: "this", label: "Run this step", icon: "start", from: outer, to: outer },
          { id: "from", label: "Run from here", icon: "start", from: outer, to: last },
          { id: "to", label: "Run to here", icon: "start", from: 0, to: outer },
        ].map(({ from, to, ...item }) => ({
          ...item,
          icon: "start" as const,
          disabled: !mayRun,
          onSelect: () => onRunPart({ from, to }),
        }));
  return [
    ...runs,
    ...(runs.length > 0 ? ["separator" as const] : []),
    edit("up", "Move up", "chevronUp", step.first),
    edit("down", "Move down", "chevronDown", step.last),
    edit("duplicate", "Duplicate", "copy", false),
    { ...edit("delete", "Delete", "trash", isOnly(outline, path)), danger: true },
  ];
}
