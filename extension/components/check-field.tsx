/** A box to tick, and the same as a switch. */
import { useId } from "react";
import "./check-field.css";

export interface CheckFieldProps {
  readonly label: string;
  readonly hint?: string;
  readonly error?: string;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
}

export function CheckField({ label, hint, error, checked, onChange }: CheckFieldProps) {
  const id = useId();
  const words = error ?? hint;
  return (
    <div className="check-field">
      <input
        type="checkbox"
        id={id}
        checked={checked}
        aria-describedby={words === undefined ? undefined : `${id}-words`}
        onChange={({ target }) => onChange(target.checked)}
      />
      <label htmlFor={id}>{label}</label>
      {words !== undefined && (
        <p id={`${id}-words`} className={error === undefined ? "field-hint" : "field-error"}>
          {words}
        </p>
      )}
    </div>
  );
}

export interface SwitchProps {
  /** Accessible name. */
  readonly label: string;
  readonly on: boolean;
  readonly disabled?: boolean;
  readonly onChange: (on: boolean) => void;
}

export function Switch({ label, on, disabled = false, onChange }: SwitchProps) {
  return (
    <button
      type="button"
      role="switch"
      className="on-off"
      aria-label={label}
      aria-checked={on}
      disabled={disabled}
      onClick={() => onChange(!on)}
    />
  );
}
