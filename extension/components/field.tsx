import {
  type InputHTMLAttributes,
  type ReactNode,
  type Ref,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
  useId,
} from "react";
import "./field.css";

interface FieldFrame {
  readonly label: string;
  /** What to write, in one line. */
  readonly hint?: string;
  /** What is wrong and what to do. */
  readonly error?: string;
}

interface FieldIds {
  readonly id: string;
  readonly describedBy: string | undefined;
}

function Field(props: FieldFrame & { readonly children: (ids: FieldIds) => ReactNode }) {
  const id = useId();
  const hintId = `${id}-hint`;
  const errorId = `${id}-error`;
  const ids = [props.hint !== undefined && hintId, props.error !== undefined && errorId].filter(
    (each) => each !== false,
  );
  return (
    <div className="field">
      <label className="field-label" htmlFor={id}>
        {props.label}
      </label>
      {props.children({ id, describedBy: ids.length > 0 ? ids.join(" ") : undefined })}
      {props.hint !== undefined && (
        <p className="field-hint" id={hintId}>
          {props.hint}
        </p>
      )}
      {props.error !== undefined && (
        <p className="field-error" id={errorId} role="alert">
          {props.error}
        </p>
      )}
    </div>
  );
}

export interface TextFieldProps extends FieldFrame, InputHTMLAttributes<HTMLInputElement> {
  readonly ref?: Ref<HTMLInputElement>;
}

export function TextField({ label, hint, error, ...input }: TextFieldProps) {
  return (
    <Field label={label} {...(hint !== undefined && { hint })} {...(error !== undefined && { error })}>
      {({ id, describedBy }) => (
        <input
          type="text"
          autoComplete="off"
          {...input}
          id={id}
          className="control"
          aria-describedby={describedBy}
          aria-invalid={error !== undefined || undefined}
        />
      )}
    </Field>
  );
}

export interface TextAreaProps extends FieldFrame, TextareaHTMLAttributes<HTMLTextAreaElement> {}

export function TextArea({ label, hint, error, ...input }: TextAreaProps) {
  return (
    <Field label={label} {...(hint !== undefined && { hint })} {...(error !== undefined && { error })}>
      {({ id, describedBy }) => (
        <textarea
          {...input}
          id={id}
          className="control"
          aria-describedby={describedBy}
          aria-invalid={error !== undefined || undefined}
        />
      )}
    </Field>
  );
}

export interface SelectFieldProps extends FieldFrame, SelectHTMLAttributes<HTMLSelectElement> {
  readonly options: readonly { readonly value: string; readonly label: string }[];
}

export function SelectField({ label, hint, error, options, ...select }: SelectFieldProps) {
  return (
    <Field label={label} {...(hint !== undefined && { hint })} {...(error !== undefined && { error })}>
      {({ id, describedBy }) => (
        <Select
          {...select}
          id={id}
          aria-describedby={describedBy}
          aria-invalid={error !== undefined || undefined}
          options={options}
        />
      )}
    </Field>
  );
}

export interface SelectProps extends SelectHTMLAttributes<HTMLSelectElement> {
  readonly options: readonly { readonly value: string; readonly label: string }[];
}

/** A native select without a visible label; give it `aria-label`. */
export function Select({ options, ...select }: SelectProps) {
  return (
    <select {...select} className="control control-select">
      {options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.label}
        </option>
      ))}
    </select>
  );
}
