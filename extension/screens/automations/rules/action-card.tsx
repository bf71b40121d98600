/** What a rule does: which automation on which phone with which values, and whether it asks first. */
import { useEffect, useState } from "react";
import type { FlowSummary } from "../../../../shared/automation-model.ts";
import type { FlowInput } from "../../../../shared/flows/model.ts";
import type { RuleInput } from "../../../../shared/rules/model.ts";
import { SelectField, TextField } from "../../../components/field.tsx";
import { Card } from "../../../components/surface.tsx";
import { usePage, usePhones } from "../../../state/app-context.tsx";
import type { RulePartProps } from "./conditions-card.tsx";
import { NO_FLOW, problemAt } from "./model/rule-draft.ts";

export interface ActionCardProps extends RulePartProps {
  readonly flows: readonly FlowSummary[];
}

export function ActionCard({ rule, problems, onChange, flows }: ActionCardProps) {
  const { phones } = usePhones();
  const inputs = useFlowInputs(rule.action.flowId);
  const tags = [...new Set(phones.flatMap((phone) => phone.tags))].sort();
  const flowError = problemAt(problems, "action.flowId");
  const phoneError = problemAt(problems, "action.phone");
  const act = (change: Partial<RuleInput["action"]>) => onChange({ action: { ...rule.action, ...change } });
  const values = (rule.extract ?? []).map((one) => one.var);
  const names = [...new Set([...inputs.map(({ name }) => name), ...Object.keys(rule.action.inputs ?? {})])];
  return (
    <Card title="Then">
      <SelectField
        label="Run this automation"
        value={rule.action.flowId}
        options={[
          { value: "", label: "Choose one" },
          ...flows.map(({ id, name, runnable }) => ({ value: id, label: runnable ? name : `${name} (has mistakes)` })),
        ]}
        {...(flowError !== undefined && { error: flowError })}
        onChange={({ target }) => act({ flowId: flows.find(({ id }) => id === target.value)?.id ?? NO_FLOW })}
      />
      <SelectField
        label="On"
        value={phoneKey(rule.action.phone)}
        options={[
          { value: "ask", label: "a phone I choose each time" },
          { value: "new", label: "a new phone" },
          ...phones.map(({ id, name }) => ({ value: id, label: name })),
          ...tags.map((tag) => ({ value: `tag:${tag}`, label: `whichever phone tagged ${tag} is free` })),
        ]}
        {...(phoneError !== undefined && { error: phoneError })}
        onChange={({ target }) => act({ phone: phoneOf(target.value) })}
      />
      {names.map((name) => (
        <InputField
          key={name}
          name={name}
          description={inputs.find((input) => input.name === name)?.description}
          values={values}
          value={rule.action.inputs?.[name]}
          error={problemAt(problems, `action.inputs.${name}`)}
          onChange={(value) => {
            const { [name]: _, ...others } = rule.action.inputs ?? {};
            act({ inputs: value === undefined ? others : { ...others, [name]: value } });
          }}
        />
      ))}
      <SelectField
        label="Before it runs"
        value={rule.confirm ?? "first"}
        options={[
          { value: "first", label: "ask me, until I say always on a site" },
          { value: "always", label: "ask me every time" },
          { value: "never", label: "do not ask" },
        ]}
        hint={
          rule.confirm === "never"
            ? "A page decides when it runs, and may lie about what it is. Ask first where it spends money or writes to people."
            : "The question shows exactly what would be sent."
        }
        onChange={({ target }) => onChange({ confirm: target.value as "first" | "always" | "never" })}
      />
    </Card>
  );
}

type InputValue = NonNullable<RuleInput["action"]["inputs"]>[string];

interface InputFieldProps {
  readonly name: string;
  readonly description: string | undefined;
  /** Names of the values the rule reads. */
  readonly values: readonly string[];
  readonly value: InputValue | undefined;
  readonly error: string | undefined;
  readonly onChange: (value: InputValue | undefined) => void;
}

function InputField({ name, description, values, value, error, onChange }: InputFieldProps) {
  const chosen = value === undefined ? "" : "var" in value ? `var:${value.var}` : "text";
  const known = value !== undefined && "var" in value && !values.includes(value.var) ? [...values, value.var] : values;
  return (
    <div className="rule-part">
      <SelectField
        label={description ?? name}
        value={chosen}
        options={[
          { value: "", label: "nothing" },
          ...known.map((one) => ({ value: `var:${one}`, label: `the value ${one}` })),
          { value: "text", label: "a fixed text" },
        ]}
        {...(description !== undefined && { hint: name })}
        {...(error !== undefined && { error })}
        onChange={({ target }) => {
          if (target.value === "") onChange(undefined);
          else if (target.value === "text") onChange({ text: "" });
          else onChange({ var: target.value.slice("var:".length) });
        }}
      />
      {value !== undefined && "text" in value && (
        <TextField label="Text" value={value.text} onChange={({ target }) => onChange({ text: target.value })} />
      )}
    </div>
  );
}

function phoneKey(phone: RuleInput["action"]["phone"]): string {
  return typeof phone === "object" ? `tag:${phone.tag}` : phone;
}

/** Every option's value is a phone's id, a word of the model, or a tag. */
function phoneOf(key: string): RuleInput["action"]["phone"] {
  return key.startsWith("tag:") ? { tag: key.slice("tag:".length) } : (key as "ask" | "new");
}

/** What the chosen automation asks for; nothing while it is not known. */
function useFlowInputs(flowId: string): readonly FlowInput[] {
  const { phones } = usePage();
  const [inputs, setInputs] = useState<readonly FlowInput[]>([]);
  useEffect(() => {
    setInputs([]);
    if (flowId === NO_FLOW) return;
    let left = false;
    void phones
      .call((api) => api.flows.get.query({ flowId }))
      .then((read) => {
        if (!left && read.ok) setInputs(read.value.inputs);
      });
    return () => {
      left = true;
    };
  }, [phones, flowId]);
  return inputs;
}
