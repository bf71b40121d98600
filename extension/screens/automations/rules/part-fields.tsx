/** The fields of one condition or source, drawn from its specs. */

import { CheckField } from "../../../components/check-field.tsx";
import { SelectField, TextField } from "../../../components/field.tsx";
import { type FieldSpec, fieldValue, type PartSpec, withField } from "./model/field-specs.ts";

export interface PartFieldsProps<T extends object> {
  readonly part: T;
  readonly spec: PartSpec<T>;
  /** The problem of a field, by its key. */
  readonly problem: (key: string) => string | undefined;
  readonly onChange: (part: T) => void;
}

export function PartFields<T extends object>({ part, spec, problem, onChange }: PartFieldsProps<T>) {
  const compares = fieldValue(part, { key: "op", label: "", type: "choice" }) !== "exists";
  return spec.fields
    .filter(({ comparedWith }) => comparedWith === undefined || compares)
    .map((field) => (
      <PartField
        key={field.key}
        field={field}
        value={fieldValue(part, field)}
        error={problem(field.key)}
        onChange={(value) => onChange(withField(part, field, value))}
      />
    ));
}

interface PartFieldProps {
  readonly field: FieldSpec;
  readonly value: unknown;
  readonly error: string | undefined;
  readonly onChange: (value: unknown) => void;
}

function PartField({ field, value, error, onChange }: PartFieldProps) {
  const { label, hint, placeholder, scale = 1, optional = false } = field;
  const frame = { label, ...(hint !== undefined && { hint }), ...(error !== undefined && { error }) };
  switch (field.type) {
    case "check":
      return <CheckField {...frame} checked={value === true} onChange={onChange} />;
    case "choice":
      return (
        <SelectField
          {...frame}
          value={String(value ?? "")}
          options={field.options ?? []}
          onChange={({ target }) => onChange(target.value)}
        />
      );
    case "number":
      return (
        <TextField
          {...frame}
          inputMode="numeric"
          value={typeof value === "number" ? String(value / scale) : String(value ?? "")}
          placeholder={placeholder}
          onChange={({ target }) => onChange(numberOf(target.value, scale))}
        />
      );
    case "text":
      return (
        <TextField
          {...frame}
          value={String(value ?? "")}
          placeholder={placeholder}
          spellCheck={false}
          onChange={({ target }) => onChange(optional && target.value === "" ? undefined : target.value)}
        />
      );
  }
}

/** What is no number stays a text, which the rule's own check then names. */
export function numberOf(text: string, scale = 1): number | string | undefined {
  if (text.trim() === "") return undefined;
  const number = Number(text);
  return Number.isFinite(number) && !text.endsWith(".") ? number * scale : text;
}
