/** The text of an automation: a plain text field with line numbers, and what is wrong in it, line by line. */
import { type KeyboardEvent, type Ref, useId, useImperativeHandle, useMemo, useRef } from "react";
import type { Diagnostic, Place } from "../../../shared/flows/model.ts";
import { Icon, type IconName } from "../../components/icon.tsx";
import { type Edit, indent, newLine, offsetOf, outdent } from "./model/text-editing.ts";

export interface EditorHandle {
  /** Puts the cursor at a place and brings it into view. */
  goTo(place: Place): void;
}

export interface FlowEditorProps {
  readonly source: string;
  readonly readOnly: boolean;
  readonly diagnostics: readonly Diagnostic[];
  readonly onChange: (source: string) => void;
  readonly ref: Ref<EditorHandle>;
}

const SEVERITY_ICONS = { error: "error", warning: "warning", info: "info" } as const satisfies Record<
  Diagnostic["severity"],
  IconName
>;
const SEVERITY_TONES = { error: "bad", warning: "warn", info: "neutral" } as const;
const LEAST_LINES = 10;
/** As `--line-height` in `automations.css`. */
const LINE_PX = 18;
/** More than these are noise: the first ones explain the rest. */
const MOST_SHOWN = 20;

export function FlowEditor({ source, readOnly, diagnostics, onChange, ref }: FlowEditorProps) {
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  /** After Escape the next Tab leaves the field instead of indenting. */
  const leaving = useRef(false);
  const lines = useMemo(() => source.split("\n").length, [source]);

  const goTo = (place: Place) => {
    const element = field.current;
    if (element === null) return;
    const offset = offsetOf(source, place);
    element.focus({ preventScroll: true });
    element.setSelectionRange(offset, offset);
    const scroller = element.closest(".tab-panel");
    if (scroller === null) return;
    const top = element.getBoundingClientRect().top - scroller.getBoundingClientRect().top + scroller.scrollTop;
    scroller.scrollTo({ top: top + (place.line - 1) * LINE_PX - scroller.clientHeight / 3 });
  };
  useImperativeHandle(ref, () => ({ goTo }));

  const apply = (element: HTMLTextAreaElement, edit: Edit) => {
    const whole = edit.insert.includes("\n") && edit.from !== edit.to;
    element.setSelectionRange(edit.from, edit.to);
    // The one way to change a text field that its own undo knows of.
    document.execCommand("insertText", false, edit.insert);
    if (whole) element.setSelectionRange(edit.from, edit.from + edit.insert.length);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    const element = event.currentTarget;
    const { selectionStart: from, selectionEnd: to } = element;
    if (event.key === "Escape") {
      leaving.current = true;
      return;
    }
    if (event.key === "Shift") return;
    const tab = event.key === "Tab" && !leaving.current && !readOnly;
    leaving.current = false;
    if (event.altKey || event.ctrlKey || event.metaKey || event.nativeEvent.isComposing) return;
    if (tab) {
      event.preventDefault();
      apply(element, event.shiftKey ? outdent(source, from, to) : indent(source, from, to));
    } else if (event.key === "Enter" && !readOnly) {
      event.preventDefault();
      apply(element, newLine(source, from, to));
    }
  };

  return (
    <div className="field">
      <label className="field-label" htmlFor={id}>
        Steps
      </label>
      <div className="editor">
        <Gutter
          lines={Math.max(lines, LEAST_LINES)}
          diagnostics={diagnostics.filter(({ file }) => file === undefined)}
        />
        <textarea
          id={id}
          ref={field}
          className="editor-text"
          rows={Math.max(lines, LEAST_LINES)}
          value={source}
          readOnly={readOnly}
          spellCheck={false}
          autoCapitalize="off"
          autoCorrect="off"
          wrap="off"
          aria-describedby={`${id}-help`}
          aria-invalid={diagnostics.some(({ severity }) => severity === "error") || undefined}
          onChange={(event) => onChange(event.target.value)}
          onKeyDown={onKeyDown}
          onBlur={() => {
            leaving.current = false;
          }}
        />
      </div>
      <p className="field-hint" id={`${id}-help`}>
        {readOnly
          ? "Maestro flow, YAML."
          : "Maestro flow, YAML. Tab indents; press Escape, then Tab to leave the field."}
      </p>
      {diagnostics.length > 0 && (
        <ul className="diagnostics" aria-label="Problems">
          {diagnostics.slice(0, MOST_SHOWN).map((diagnostic, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: two may say the same of the same place
            <li key={index}>
              <button
                type="button"
                className="diagnostic"
                disabled={diagnostic.file !== undefined}
                onClick={() => goTo(diagnostic)}
              >
                <span className={`tone-${SEVERITY_TONES[diagnostic.severity]}`}>
                  <Icon name={SEVERITY_ICONS[diagnostic.severity]} />
                </span>
                <span className="list-text">
                  <span>
                    <MarkedWords text={diagnostic.message} />
                  </span>
                  <span className="secondary tabular">
                    {diagnostic.file === undefined ? "Line" : `${diagnostic.file}, line`} {diagnostic.line}, column{" "}
                    {diagnostic.column}
                  </span>
                </span>
              </button>
            </li>
          ))}
          {diagnostics.length > MOST_SHOWN && (
            <li className="secondary row-note">And {diagnostics.length - MOST_SHOWN} more.</li>
          )}
        </ul>
      )}
    </div>
  );
}

/** What stands between backticks is what to write or what was written. */
function MarkedWords({ text }: { readonly text: string }) {
  return text.split("`").map((part, index) =>
    index % 2 === 1 ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: parts of one sentence never move
      <code key={index} className="mono">
        {part}
      </code>
    ) : (
      part
    ),
  );
}

/** Line numbers; those with a problem stand out. The list below says the same in words. */
function Gutter({ lines, diagnostics }: { readonly lines: number; readonly diagnostics: readonly Diagnostic[] }) {
  const marks = new Map(diagnostics.map(({ line, severity }) => [line, severity]));
  for (const { line, severity } of diagnostics) if (severity === "error") marks.set(line, severity);
  const marked = [...marks.keys()].filter((line) => line <= lines).sort((a, b) => a - b);
  const numbers = (from: number, to: number) =>
    Array.from({ length: Math.max(0, to - from) }, (_, index) => `${from + index}\n`).join("");
  let next = 1;
  const parts = marked.map((line) => {
    const before = numbers(next, line);
    next = line + 1;
    return (
      <span key={line}>
        {before}
        <b className={`mark-${marks.get(line) ?? "info"}`}>{line}</b>
        {"\n"}
      </span>
    );
  });
  return (
    <pre className="editor-gutter" aria-hidden="true">
      {parts}
      {numbers(next, lines + 1)}
    </pre>
  );
}
