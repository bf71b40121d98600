/** The bar under the text, always in reach: is it right, is it saved, where does it run. */
import type { Diagnostic, Place } from "../../../shared/flows/model.ts";
import { Button } from "../../components/button.tsx";
import { Select } from "../../components/field.tsx";
import { Icon } from "../../components/icon.tsx";
import { commandWords } from "./model/run-words.ts";
import type { FlowCheck } from "./use-flow-check.ts";
import type { RunPhone } from "./use-run-phone.ts";

export interface RunBarProps {
  readonly check: FlowCheck;
  readonly diagnostics: readonly Diagnostic[];
  readonly changed: boolean;
  readonly mayRun: boolean;
  readonly saving: boolean;
  readonly starting: boolean;
  readonly phone: RunPhone;
  readonly onGoTo: (place: Place) => void;
  readonly onSave: () => void;
  readonly onRun: () => void;
  readonly onPhone: () => void;
}

export function RunBar(props: RunBarProps) {
  const { check, diagnostics, changed, mayRun, saving, starting, phone, onGoTo, onSave, onRun, onPhone } = props;
  return (
    <div className="run-bar">
      <div className="run-bar-row">
        <CheckLine check={check} diagnostics={diagnostics} onGoTo={onGoTo} />
        <Button
          size="small"
          busy={saving}
          disabled={!changed}
          onClick={onSave}
          title="Ctrl+S, on a Mac ⌘S"
          aria-keyshortcuts="Control+S Meta+S"
        >
          {changed || saving ? "Save" : "Saved"}
        </Button>
      </div>
      {phone.chosen === undefined ? (
        <div className="run-bar-row">
          <span className="secondary">It needs a phone to run on.</span>
          <Button icon="phone" onClick={onPhone}>
            Make a phone
          </Button>
        </div>
      ) : (
        <div className="run-bar-row">
          <Select
            aria-label="Phone to run on"
            value={phone.value}
            options={phone.options}
            onChange={(event) => phone.choose(event.target.value)}
          />
          <Button kind="primary" icon="start" busy={starting} disabled={!mayRun} onClick={onRun}>
            {changed ? "Save and run" : "Run"}
          </Button>
        </div>
      )}
    </div>
  );
}

function CheckLine(props: {
  readonly check: FlowCheck;
  readonly diagnostics: readonly Diagnostic[];
  readonly onGoTo: (place: Place) => void;
}) {
  const { check, diagnostics, onGoTo } = props;
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const [first] = errors.length > 0 ? errors : diagnostics;
  const line = () => {
    if (first !== undefined) {
      const tone = errors.length > 0 ? "bad" : "warn";
      return (
        <button type="button" className="check-line" onClick={() => onGoTo(first)}>
          <span className={`run-state tone-${tone}`}>
            <Icon name={errors.length > 0 ? "error" : "warning"} />
            {errors.length > 0 ? problemWords(errors.length, "mistake") : problemWords(diagnostics.length, "note")}
          </span>
          <span className="secondary tabular">Line {first.line}</span>
        </button>
      );
    }
    if (check.failed) return <span className="secondary">Not checked: the server does not answer.</span>;
    if (check.result === undefined) return <span className="secondary">Checking…</span>;
    return (
      <span className="run-state secondary tabular">
        <Icon name="check" />
        {commandWords(check.result.commands)}, no mistakes
      </span>
    );
  };
  return (
    <div className="check" role="status">
      {line()}
    </div>
  );
}

function problemWords(count: number, what: string): string {
  return count === 1 ? `1 ${what}` : `${count} ${what}s`;
}
