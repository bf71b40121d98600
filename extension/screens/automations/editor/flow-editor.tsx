/** The text of an automation, and what is wrong in it, line by line. */
import { type Ref, useEffect, useId, useImperativeHandle, useRef } from "react";
import type { Diagnostic, Place } from "../../../../shared/flows/model.ts";
import type { CompletionWorld } from "../model/flow-completions.ts";
import { type CodeView, createCodeView } from "./code-view.ts";
import { Problems } from "./problems.tsx";
import "./editor.css";

export interface EditorHandle {
  /** Puts the cursor at a place and brings it into view. */
  goTo(place: Place): void;
  /** Puts another text in place, as one change that undo takes back. */
  replace(source: string): void;
  /** Puts a snippet into a line of its own after `line`, `indent` spaces in. */
  insertAfter(line: number, indent: number, snippet: string): void;
}

export interface FlowEditorProps {
  readonly source: string;
  readonly readOnly: boolean;
  readonly diagnostics: readonly Diagnostic[];
  readonly world: CompletionWorld;
  /** Lines of the step at the cursor, counting from 1. */
  readonly step: { readonly from: number; readonly to: number } | undefined;
  readonly onChange: (source: string) => void;
  readonly onCursor: (line: number) => void;
  /** Ctrl+Enter. */
  readonly onRunStep: () => void;
  readonly ref: Ref<EditorHandle>;
}

export function FlowEditor(props: FlowEditorProps) {
  const { source, readOnly, diagnostics, step, ref } = props;
  const id = useId();
  const parent = useRef<HTMLDivElement>(null);
  const view = useRef<CodeView>(undefined);
  /** Texts the view told of that have not come back as `source` yet: they must not be put over what was typed since. */
  const told = useRef<string[]>([]);
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    if (parent.current === null) return;
    const mine = createCodeView({
      parent: parent.current,
      source: latest.current.source,
      readOnly: latest.current.readOnly,
      label: "Steps",
      describedBy: `${id}-help`,
      world: () => latest.current.world,
      onChange: (text) => {
        told.current.push(text);
        latest.current.onChange(text);
      },
      onCursor: (line) => latest.current.onCursor(line),
      onRunStep: () => latest.current.onRunStep(),
    });
    view.current = mine;
    return () => {
      mine.destroy();
      view.current = undefined;
    };
  }, [id]);
  useEffect(() => {
    const echo = told.current.lastIndexOf(source);
    if (echo === -1) view.current?.show(source);
    else told.current.splice(0, echo + 1);
  }, [source]);
  useEffect(() => view.current?.setReadOnly(readOnly), [readOnly]);
  useEffect(() => {
    // What is wrong in a file that this one runs has no line here; it stands in the list below.
    view.current?.setProblems(diagnostics.filter(({ file }) => file === undefined));
  }, [diagnostics]);
  useEffect(() => view.current?.setStep(step), [step]);

  const goTo = ({ line, column }: Place) => view.current?.goTo(line, column);
  useImperativeHandle(ref, () => ({
    goTo,
    replace: (text) => view.current?.replace(text),
    insertAfter: (line, indent, snippet) => view.current?.insertAfter(line, indent, snippet),
  }));
  return (
    <div className="field">
      <span className="field-label" aria-hidden="true">
        Steps
      </span>
      <div className="editor" ref={parent} />
      <p className="field-hint" id={`${id}-help`}>
        {readOnly
          ? "Maestro flow, YAML."
          : "Maestro flow, YAML. Ctrl+Space offers what fits. Tab indents; press Escape, then Tab to leave the field."}
      </p>
      <Problems
        diagnostics={diagnostics}
        onGoTo={goTo}
        onNext={() => view.current?.nextProblem()}
        onPrevious={() => view.current?.previousProblem()}
      />
    </div>
  );
}
