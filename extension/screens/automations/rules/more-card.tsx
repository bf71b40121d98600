/** What few rules change: how often, how many at once, until when. */
import type { RuleInput } from "../../../../shared/rules/model.ts";
import { CheckField } from "../../../components/check-field.tsx";
import { SelectField, TextField } from "../../../components/field.tsx";
import { Icon } from "../../../components/icon.tsx";
import type { RulePartProps } from "./conditions-card.tsx";
import { problemAt } from "./model/rule-draft.ts";
import { numberOf } from "./part-fields.tsx";

const ONCE = [
  { value: "navigation", label: "every visit of a page" },
  { value: "url", label: "every page, ever" },
  { value: "url/day", label: "every page and day" },
  { value: "site/hour", label: "every site and hour" },
] as const;

export function MoreFields({ rule, problems, onChange }: RulePartProps) {
  const mode = typeof rule.mode === "object" ? "parallel" : (rule.mode ?? "single");
  const once = typeof rule.oncePer === "object" ? `value:${rule.oncePer.value}` : (rule.oncePer ?? "navigation");
  const caps = rule.caps ?? { hour: 20, day: 100 };
  /** What is no number is kept as it was typed, and named as a mistake. */
  const typed = (text: string, scale = 1) => (numberOf(text, scale) ?? "") as number;
  const shown = (value: unknown, scale = 1) =>
    typeof value === "number" ? String(value / scale) : String(value ?? "");
  const error = (path: string) => {
    const found = problemAt(problems, path);
    return found === undefined ? {} : { error: found };
  };
  const hidden = ["mode", "oncePer", "cooldownMs", "debounceMs", "caps", "expiresAt"].some(
    (path) => problemAt(problems, path) !== undefined,
  );
  return (
    <details className="disclosure" {...(hidden && { open: true })}>
      <summary>
        <Icon name="chevronRight" />
        More: how often, how many, until when
      </summary>
      <div className="rule-parts">
        <SelectField
          label="At most once for"
          value={once}
          options={[
            ...ONCE,
            ...(rule.extract ?? []).map((one) => ({ value: `value:${one.var}`, label: `every ${one.var}` })),
          ]}
          {...error("oncePer")}
          onChange={({ target }) => onChange({ oncePer: onceOf(target.value) })}
        />
        <SelectField
          label="When it is still running"
          value={mode}
          options={[
            { value: "single", label: "leave it alone" },
            { value: "restart", label: "end it and start anew" },
            { value: "queued", label: "run after it" },
            { value: "parallel", label: "run beside it" },
          ]}
          onChange={({ target }) =>
            onChange({ mode: target.value === "parallel" ? { parallel: 2 } : (target.value as "single") })
          }
        />
        {typeof rule.mode === "object" && (
          <TextField
            label="Runs at once"
            inputMode="numeric"
            value={shown(rule.mode.parallel)}
            {...error("mode")}
            onChange={({ target }) => onChange({ mode: { parallel: typed(target.value) } })}
          />
        )}
        <div className="rule-row-fields">
          <TextField
            label="Rest, seconds"
            inputMode="numeric"
            value={shown(rule.cooldownMs ?? 30_000, 1_000)}
            {...error("cooldownMs")}
            onChange={({ target }) => onChange({ cooldownMs: typed(target.value, 1_000) })}
          />
          <TextField
            label="Quiet time, ms"
            inputMode="numeric"
            value={shown(rule.debounceMs ?? 800)}
            {...error("debounceMs")}
            onChange={({ target }) => onChange({ debounceMs: typed(target.value) })}
          />
          <TextField
            label="Most in an hour"
            inputMode="numeric"
            value={shown(caps.hour)}
            {...error("caps.hour")}
            onChange={({ target }) => onChange({ caps: { ...caps, hour: typed(target.value) } })}
          />
          <TextField
            label="Most in a day"
            inputMode="numeric"
            value={shown(caps.day)}
            {...error("caps.day")}
            onChange={({ target }) => onChange({ caps: { ...caps, day: typed(target.value) } })}
          />
        </div>
        <TextField
          label="Ends on"
          type="datetime-local"
          value={rule.expiresAt === undefined ? "" : localTime(rule.expiresAt)}
          {...error("expiresAt")}
          onChange={({ target }) => {
            const at = target.value === "" ? undefined : new Date(target.value);
            onChange({ expiresAt: at === undefined || Number.isNaN(at.getTime()) ? undefined : at.toISOString() });
          }}
        />
        <CheckField
          label="Dry run"
          hint="Judges pages and says what it would do, and starts nothing."
          checked={rule.dryRun ?? false}
          onChange={(dryRun) => onChange({ dryRun })}
        />
        <CheckField
          label="Its runs may use secrets"
          hint="Those granted to the automation. Remember that a page decides when it runs."
          checked={rule.secrets ?? false}
          onChange={(secrets) => onChange({ secrets })}
        />
      </div>
    </details>
  );
}

function onceOf(key: string): NonNullable<RuleInput["oncePer"]> {
  if (key.startsWith("value:")) return { value: key.slice("value:".length) };
  return ONCE.find(({ value }) => value === key)?.value ?? "navigation";
}

/** As `<input type="datetime-local">` writes it, in this computer's time. */
function localTime(iso: string): string {
  const at = new Date(iso);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
