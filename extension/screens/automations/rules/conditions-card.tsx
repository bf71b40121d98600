/** When a rule fits: where, and under which conditions. */
import { useId } from "react";
import type { Problem, RuleInput } from "../../../../shared/rules/model.ts";
import { IconButton } from "../../../components/button.tsx";
import { Select, SelectField } from "../../../components/field.tsx";
import { Card } from "../../../components/surface.tsx";
import { CONDITION_SPECS, type ConditionInput, conditionSpec } from "./model/field-specs.ts";
import { problemAt } from "./model/rule-draft.ts";
import { NextTimes } from "./next-times.tsx";
import { PartFields } from "./part-fields.tsx";

export interface RulePartProps {
  readonly rule: RuleInput;
  /** Of the whole rule; empty before the person tried to save. */
  readonly problems: readonly Problem[];
  readonly onChange: (change: Partial<RuleInput>) => void;
}

export function WhereCard({ rule, problems, onChange }: RulePartProps) {
  const id = useId();
  const error = problemAt(problems, "scope");
  return (
    <Card title="Where">
      <div className="field">
        <label className="field-label" htmlFor={id}>
          Sites on which it may act by itself
        </label>
        <textarea
          id={id}
          className="control rule-scope"
          rows={2}
          spellCheck={false}
          value={(rule.scope ?? []).join("\n")}
          placeholder="https://shop.example/product/*"
          aria-describedby={`${id}-hint`}
          aria-invalid={error !== undefined || undefined}
          onChange={({ target }) => onChange({ scope: target.value === "" ? [] : target.value.split("\n") })}
        />
        <p className="field-hint" id={`${id}-hint`}>
          One a line. Leave it empty, and the rule runs by your click on any page, which asks for no access.
        </p>
        {error !== undefined && (
          <p className="field-error" role="alert">
            {error}
          </p>
        )}
      </div>
    </Card>
  );
}

export function ConditionsCard({ rule, problems, onChange }: RulePartProps) {
  const mode = "all" in rule.when ? "all" : "any";
  const list: readonly ConditionInput[] = "all" in rule.when ? rule.when.all : rule.when.any;
  const put = (next: readonly ConditionInput[], how: string = mode) =>
    onChange({ when: how === "any" && next.length > 0 ? { any: [...next] } : { all: [...next] } });
  return (
    <Card title="When">
      {list.length > 1 && (
        <Select
          aria-label="How many must hold"
          value={mode}
          options={[
            { value: "all", label: "All of these hold" },
            { value: "any", label: "One of these holds" },
          ]}
          onChange={({ target }) => put(list, target.value)}
        />
      )}
      {list.length === 0 && <p className="secondary">On every page there. Add conditions to be choosier.</p>}
      <ul className="rule-parts" aria-label="Conditions">
        {list.map((condition, index) => {
          const spec = conditionSpec(condition);
          const path = `when.${mode}.${index}`;
          const change = (next: ConditionInput) => put(list.map((one, at) => (at === index ? next : one)));
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: conditions have no identity but their place
            <li key={index} className="rule-part">
              <div className="rule-part-head">
                <SelectField
                  label={`Condition ${index + 1}`}
                  value={spec.id}
                  options={CONDITION_SPECS.map(({ id, label }) => ({ value: id, label }))}
                  onChange={({ target }) => change(fresh(target.value))}
                />
                <IconButton
                  icon="close"
                  label={`Remove condition ${index + 1}`}
                  tooltip="left"
                  onClick={() => put(list.filter((_, at) => at !== index))}
                />
              </div>
              <PartFields
                part={condition}
                spec={spec}
                problem={(key) =>
                  problemAt(problems, `${path}.${key}`) ??
                  (key === spec.fields[0]?.key ? problemAt(problems, `${path}.is`) : undefined)
                }
                onChange={change}
              />
              {condition.kind === "schedule" && <NextTimes cron={condition.cron} timeZone={condition.timeZone} />}
            </li>
          );
        })}
      </ul>
      <Select
        aria-label="Add a condition"
        value=""
        options={[
          { value: "", label: "+ Add a condition" },
          ...CONDITION_SPECS.map(({ id, label }) => ({ value: id, label })),
        ]}
        onChange={({ target }) => target.value !== "" && put([...list, fresh(target.value)])}
      />
      {problemAt(problems, "when") !== undefined && list.length === 0 && (
        <p className="field-error">{problemAt(problems, "when")}</p>
      )}
    </Card>
  );
}

function fresh(id: string): ConditionInput {
  const initial = CONDITION_SPECS.find((one) => one.id === id)?.initial ?? { kind: "url", is: "" };
  if (initial.kind !== "schedule") return initial;
  return { ...initial, timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone };
}
