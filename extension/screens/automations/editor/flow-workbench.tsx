/** Where a flow is written: its text and its steps in words, side by side where there is room, else one of them. */
import {
  type ReactNode,
  type Ref,
  useDeferredValue,
  useEffect,
  useImperativeHandle,
  useMemo,
  useRef,
  useState,
} from "react";
import { flushSync } from "react-dom";
import type { FlowPart, RunStep } from "../../../../shared/automation-model.ts";
import { formatFlow } from "../../../../shared/flows/format.ts";
import type { Diagnostic, Place } from "../../../../shared/flows/model.ts";
import { Button, IconButton } from "../../../components/button.tsx";
import { Menu } from "../../../components/menu.tsx";
import { useToast } from "../../../components/toast.tsx";
import type { CompletionWorld } from "../model/flow-completions.ts";
import { namesOf } from "../model/flow-names.ts";
import { marksOf, type Outline, outlineOf, pathAt } from "../model/flow-outline.ts";
import { editStep, pathAfter, type StepEdit } from "../model/step-edits.ts";
import { STEP_SNIPPETS, snippetPlace } from "./add-step.ts";
import { type EditorHandle, FlowEditor } from "./flow-editor.tsx";
import { StepList } from "./step-list.tsx";
import "./workbench.css";

export interface WorkbenchHandle {
  /** Puts the cursor at a place of the text. */
  goTo(place: Place): void;
}

export interface FlowWorkbenchProps {
  readonly source: string;
  /** The line to begin at, counting from 1. */
  readonly startLine: number | undefined;
  readonly readOnly: boolean;
  readonly mayRun: boolean;
  readonly diagnostics: readonly Diagnostic[];
  readonly world: Omit<CompletionWorld, "names">;
  /** A run of this flow to show at its steps: the text that ran, and its steps so far. */
  readonly ran: { readonly source: string; readonly steps: readonly RunStep[] } | undefined;
  /** How that run goes, above the steps. */
  readonly runLine: ReactNode;
  /** Below the steps, e.g. the phone's picture. */
  readonly side: ReactNode;
  readonly onChange: (source: string) => void;
  /** Line of the cursor, counting from 1. */
  readonly onCursor: (line: number) => void;
  readonly onRunPart: (part: FlowPart) => void;
  readonly ref: Ref<WorkbenchHandle>;
}

const NO_MARKS: ReadonlyMap<string, RunStep> = new Map();

export function FlowWorkbench(props: FlowWorkbenchProps) {
  const {
    source,
    startLine,
    readOnly,
    mayRun,
    diagnostics,
    world,
    ran,
    runLine,
    side,
    onChange,
    onCursor,
    onRunPart,
    ref,
  } = props;
  const [view, setView] = useState<"text" | "steps">("text");
  const [line, setLine] = useState(1);
  const editor = useRef<EditorHandle>(null);
  const toast = useToast();
  const { outline, stale } = useOutline(source);
  const current = outline && pathAt(outline, line);
  const currentStep = outline?.steps.find(({ path }) => path === current);
  const ranSource = ran?.source;
  const ranOutline = useMemo(() => (ranSource === undefined ? undefined : outlineOf(ranSource)), [ranSource]);
  const marks =
    outline === undefined || ranOutline === undefined ? NO_MARKS : marksOf(outline, ranOutline, ran?.steps ?? []);

  const goTo = (place: Place) => {
    // A field that is not shown takes no focus.
    flushSync(() => setView("text"));
    editor.current?.goTo(place);
  };
  useImperativeHandle(ref, () => ({ goTo }));
  useEffect(() => {
    if (startLine !== undefined) editor.current?.goTo({ line: startLine, column: 1 });
  }, [startLine]);
  const change = (path: string, edit: StepEdit) => {
    const next = editStep(source, path, edit);
    if (next === undefined) return toast({ text: "This step cannot be changed from here. Change it in the text." });
    editor.current?.replace(next);
    const moved =
      edit === "delete" ? undefined : outlineOf(next)?.steps.find((step) => step.path === pathAfter(path, edit));
    if (moved !== undefined) setLine(moved.line);
    if (edit === "delete") {
      toast({
        text: "The step is deleted.",
        action: { label: "Undo", onSelect: () => editor.current?.replace(source) },
      });
    }
  };
  const format = () => {
    if (diagnostics.some(({ severity }) => severity === "error"))
      return toast({ text: "Correct the mistakes first: a text with mistakes is not formatted." });
    const next = formatFlow(source);
    if (next === source) toast({ text: "The text is in its usual form already." });
    else editor.current?.replace(next);
  };
  const completion = useMemo<CompletionWorld>(() => ({ ...world, names: namesOf(source) }), [world, source]);
  const marked = useMemo(() => {
    const lines = stale ? undefined : currentStep?.lines;
    return lines && { from: lines.from + 1, to: lines.to };
  }, [stale, currentStep?.lines]);

  return (
    <div className="workbench" data-view={view}>
      <div className="workbench-bar">
        <fieldset className="switch" aria-label="Show">
          {(["text", "steps"] as const).map((one) => (
            <button
              key={one}
              type="button"
              className="switch-option"
              aria-pressed={view === one}
              onClick={() => setView(one)}
            >
              {one === "text" ? "Text" : "Steps in words"}
            </button>
          ))}
        </fieldset>
        {!readOnly && (
          <div className="workbench-tools">
            <Menu
              label="Steps to add"
              items={STEP_SNIPPETS.map(({ id, label, snippet }) => ({
                id,
                label,
                onSelect: () => {
                  flushSync(() => setView("text"));
                  const place = snippetPlace(source, stale ? undefined : currentStep);
                  editor.current?.insertAfter(place.line, place.indent, snippet);
                },
              }))}
              trigger={(trigger) => (
                <Button {...trigger} kind="quiet" size="small" icon="plus">
                  Step
                </Button>
              )}
            />
            <IconButton icon="format" size="small" label="Format the text" tooltip="left" onClick={format} />
          </div>
        )}
      </div>
      <div className="workbench-text">
        <FlowEditor
          ref={editor}
          source={source}
          readOnly={readOnly}
          diagnostics={diagnostics}
          world={completion}
          step={marked}
          onChange={onChange}
          onCursor={(next) => {
            setLine(next);
            onCursor(next);
          }}
          onRunStep={() => {
            const outer = currentStep?.outer;
            if (mayRun && !stale && outer !== undefined) onRunPart({ from: outer, to: outer });
          }}
        />
      </div>
      <div className="workbench-side">
        <section className="workbench-steps" aria-label="Steps in words">
          {runLine}
          {stale && outline !== undefined && (
            <p className="secondary">As before the last change: the text has mistakes now.</p>
          )}
          {outline === undefined ? (
            <p className="secondary">Steps appear here once the text has no mistakes.</p>
          ) : (
            <StepList
              outline={outline}
              stale={stale}
              current={current}
              marks={marks}
              mayEdit={!readOnly}
              mayRun={mayRun}
              onGoTo={({ line: to, column }) => goTo({ line: to, column })}
              onEdit={change}
              onRunPart={onRunPart}
            />
          )}
        </section>
        {side}
      </div>
    </div>
  );
}

/** The outline of the text, or of the last one that could be read. */
function useOutline(source: string): { readonly outline: Outline | undefined; readonly stale: boolean } {
  const settled = useDeferredValue(source);
  const known = useRef<Outline>(undefined);
  const outline = useMemo(() => outlineOf(settled), [settled]);
  if (outline !== undefined) known.current = outline;
  return { outline: outline ?? known.current, stale: outline === undefined };
}
