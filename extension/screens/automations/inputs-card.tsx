/** The values an automation asks for before it runs. They go with this run and are not kept in the automation. */
import type { FlowInput } from "../../../shared/flows/model.ts";
import { TextField } from "../../components/field.tsx";
import { Card } from "../../components/surface.tsx";

export interface InputsCardProps {
  readonly inputs: readonly FlowInput[];
  readonly values: Readonly<Record<string, string>>;
  /** Name of the input whose value is missing. */
  readonly missing: string | undefined;
  readonly onChange: (values: Readonly<Record<string, string>>) => void;
}

/** The first input that must have a value and has none. */
export function missingInput(
  inputs: readonly FlowInput[],
  values: Readonly<Record<string, string>>,
): string | undefined {
  return inputs.find(
    ({ name, required, default: standard }) => required && standard === undefined && (values[name] ?? "") === "",
  )?.name;
}

export function InputsCard({ inputs, values, missing, onChange }: InputsCardProps) {
  return (
    <Card title="Values for the run">
      {inputs.map(({ name, description, required, default: standard }) => (
        <TextField
          // Coming to be asked for moves the cursor there.
          key={`${name} ${missing === name}`}
          autoFocus={missing === name}
          label={description ?? name}
          value={values[name] ?? ""}
          maxLength={8192}
          placeholder={standard ?? (required ? "" : "May stay empty")}
          {...(description !== undefined && { hint: name })}
          {...(missing === name && { error: "The automation needs this value. Write it, then run." })}
          onChange={(event) => onChange({ ...values, [name]: event.target.value })}
        />
      ))}
    </Card>
  );
}
