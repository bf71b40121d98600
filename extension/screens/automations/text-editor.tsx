/** A plain text field for scripts and settings: line numbers, and Tab that indents. */
import { type KeyboardEvent, useId, useRef } from "react";
import { type Edit, indent, newLine, outdent } from "./model/text-editing.ts";

export interface TextEditorProps {
  readonly label: string;
  readonly text: string;
  readonly readOnly: boolean;
  readonly onChange: (text: string) => void;
}

const LEAST_LINES = 10;

export function TextEditor({ label, text, readOnly, onChange }: TextEditorProps) {
  const id = useId();
  /** After Escape the next Tab leaves the field instead of indenting. */
  const leaving = useRef(false);
  const lines = Math.max(text.split("\n").length, LEAST_LINES);
  const apply = (element: HTMLTextAreaElement, edit: Edit) => {
    element.setSelectionRange(edit.from, edit.to);
    // The one way to change a text field that its own undo knows of.
    document.execCommand("insertText", false, edit.insert);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    const element = event.currentTarget;
    const { selectionStart: from, selectionEnd: to } = element;
    if (event.key === "Escape") leaving.current = true;
    if (event.key === "Escape" || event.key === "Shift") return;
    const tab = event.key === "Tab" && !leaving.current;
    leaving.current = false;
    if (readOnly || event.altKey || event.ctrlKey || event.metaKey || event.nativeEvent.isComposing) return;
    if (tab) {
      event.preventDefault();
      apply(element, event.shiftKey ? outdent(text, from, to) : indent(text, from, to));
    } else if (event.key === "Enter") {
      event.preventDefault();
      apply(element, newLine(text, from, to));
    }
  };
  return (
    <div className="field">
      <label className="field-label" htmlFor={id}>
        {label}
      </label>
      <div className="editor">
        <pre className="editor-gutter" aria-hidden="true">
          {Array.from({ length: lines }, (_, index) => `${index + 1}\n`).join("")}
        </pre>
        <textarea
          id={id}
          className="editor-text"
          rows={lines}
          value={text}
          readOnly={readOnly}
          spellCheck={false}
          autoCapitalize="off"
          autoCorrect="off"
          wrap="off"
          aria-describedby={`${id}-help`}
          onChange={(event) => onChange(event.target.value)}
          onKeyDown={onKeyDown}
        />
      </div>
      <p className="field-hint" id={`${id}-help`}>
        {readOnly ? "You can read it, not change it." : "Tab indents; press Escape, then Tab to leave the field."}
      </p>
    </div>
  );
}
