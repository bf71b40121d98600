/** The values a rule reads for its run. */
import { Button, IconButton } from "../../../components/button.tsx";
import { CheckField } from "../../../components/check-field.tsx";
import { SelectField, TextField } from "../../../components/field.tsx";
import { Card } from "../../../components/surface.tsx";
import type { RulePartProps } from "./conditions-card.tsx";
import { SOURCE_SPECS, type SourceInput, sourceSpec } from "./model/field-specs.ts";
import { problemAt } from "./model/rule-draft.ts";
import { PartFields } from "./part-fields.tsx";

type ExtractionInput = NonNullable<RulePartProps["rule"]["extract"]>[number];

export function ValuesCard({ rule, problems, onChange }: RulePartProps) {
  const list: readonly ExtractionInput[] = rule.extract ?? [];
  const put = (extract: readonly ExtractionInput[]) => onChange({ extract: [...extract] });
  return (
    <Card title="Values to read">
      {list.length === 0 && <p className="secondary">None: the automation gets nothing of the page.</p>}
      <ul className="rule-parts" aria-label="Values">
        {list.map((one, index) => (
          <ExtractionFields
            // biome-ignore lint/suspicious/noArrayIndexKey: values have no identity but their place
            key={index}
            value={one}
            number={index + 1}
            problem={(key) => problemAt(problems, `extract.${index}.${key}`)}
            onChange={(next) => put(list.map((other, at) => (at === index ? next : other)))}
            onRemove={() => put(list.filter((_, at) => at !== index))}
          />
        ))}
      </ul>
      <div>
        <Button
          size="small"
          icon="plus"
          onClick={() => put([...list, { var: freeName(list), from: [{ kind: "url", part: "address" }] }])}
        >
          Add a value
        </Button>
      </div>
    </Card>
  );
}

interface ExtractionFieldsProps {
  readonly value: ExtractionInput;
  readonly number: number;
  readonly problem: (key: string) => string | undefined;
  readonly onChange: (value: ExtractionInput) => void;
  readonly onRemove: () => void;
}

function ExtractionFields({ value, number, problem, onChange, onRemove }: ExtractionFieldsProps) {
  const error = problem("var");
  const from = (next: readonly SourceInput[]) => onChange({ ...value, from: [...next] });
  const regexError = problem("regex");
  return (
    <li className="rule-part">
      <div className="rule-part-head">
        <TextField
          label={`Name of value ${number}`}
          value={value.var}
          spellCheck={false}
          {...(error !== undefined && { error })}
          onChange={({ target }) => onChange({ ...value, var: target.value })}
        />
        <IconButton icon="close" label={`Remove value ${number}`} tooltip="left" onClick={onRemove} />
      </div>
      {value.from.map((source, index) => {
        const spec = sourceSpec(source);
        const change = (next: SourceInput) => from(value.from.map((one, at) => (at === index ? next : one)));
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: sources have no identity but their place
          <div key={index} className="rule-parts">
            <div className="rule-part-head">
              <SelectField
                label={index === 0 ? "Read from" : "Or, without that, from"}
                value={spec.id}
                options={SOURCE_SPECS.map(({ id, label }) => ({ value: id, label }))}
                onChange={({ target }) =>
                  change(SOURCE_SPECS.find(({ id }) => id === target.value)?.initial ?? spec.initial)
                }
              />
              {index > 0 && (
                <IconButton
                  icon="close"
                  label="Remove this source"
                  tooltip="left"
                  onClick={() => from(value.from.filter((_, at) => at !== index))}
                />
              )}
            </div>
            <PartFields
              part={source}
              spec={spec}
              problem={(key) =>
                problem(`from.${index}.${key}`) ??
                (key === spec.fields[0]?.key && index === 0 ? fromProblem(problem) : undefined)
              }
              onChange={change}
            />
          </div>
        );
      })}
      <details>
        <summary className="secondary">More</summary>
        <div className="rule-parts">
          <TextField
            label="Keep only what this expression finds"
            value={value.regex ?? ""}
            placeholder="\d+[.,]\d\d"
            spellCheck={false}
            {...(regexError !== undefined && { error: regexError })}
            onChange={({ target }) => {
              const { regex: _, ...others } = value;
              onChange(target.value === "" ? others : { ...others, regex: target.value });
            }}
          />
          <CheckField
            label="Without it the rule does not run"
            checked={value.required ?? true}
            onChange={(required) => onChange({ ...value, required })}
          />
          {value.from.length < 8 && (
            <div>
              <Button
                size="small"
                kind="quiet"
                icon="plus"
                onClick={() => from([...value.from, { kind: "meta", name: "og:title" }])}
              >
                Add another source
              </Button>
            </div>
          )}
        </div>
      </details>
    </li>
  );
}

/** A problem of the list itself, such as that a menu was not clicked. */
function fromProblem(problem: (key: string) => string | undefined): string | undefined {
  const all = problem("from");
  return all !== undefined && problem("from.0") === undefined ? all : undefined;
}

function freeName(list: readonly ExtractionInput[]): string {
  const taken = new Set(list.map((one) => one.var));
  for (let number = list.length + 1; ; number++) {
    const name = number === 1 ? "value" : `value${number}`;
    if (!taken.has(name)) return name;
  }
}
