/** A plain text field for scripts and settings. Tab leaves it, as it leaves any field. */
import { useId } from "react";

export interface TextEditorProps {
  readonly label: string;
  readonly text: string;
  readonly readOnly: boolean;
  readonly onChange: (text: string) => void;
}

const LEAST_LINES = 10;

export function TextEditor({ label, text, readOnly, onChange }: TextEditorProps) {
  const id = useId();
  return (
    <div className="field">
      <label className="field-label" htmlFor={id}>
        {label}
      </label>
      <textarea
        id={id}
        className="file-text"
        rows={Math.max(text.split("\n").length, LEAST_LINES)}
        value={text}
        readOnly={readOnly}
        spellCheck={false}
        autoCapitalize="off"
        autoCorrect="off"
        wrap="off"
        onChange={(event) => onChange(event.target.value)}
      />
    </div>
  );
}
