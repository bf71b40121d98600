/** A budget: whose, of what, and how much a month. */
import { useState } from "react";
import type { BudgetView } from "../../../../shared/billing/billing.ts";
import type { TeamView } from "../../../../shared/teams.ts";
import type { Api } from "../../../api/client.ts";
import { SelectField, TextField } from "../../../components/field.tsx";
import { FormDialog } from "../../../components/form-dialog.tsx";
import { refusalSentence } from "../../panel/refusal-sentence.ts";
import { useCall } from "../../panel/use-call.ts";
import { useRemote } from "../../panel/use-remote.ts";
import { usePhoneNames } from "../dedicated-fold.tsx";
import { moneyText, parseHours, parseMoney } from "../model/amounts.ts";
import { AMOUNT_HINT, type MoneyDialogProps } from "./money-dialogs.tsx";

const readTeam = (api: Api): Promise<TeamView> => api.teams.get.query();
const HOUR_MS = 3_600_000;

export interface BudgetDialogProps extends MoneyDialogProps {
  readonly budget: BudgetView | undefined;
}

export function BudgetDialog({ budget, summary, onClose, onDone }: BudgetDialogProps) {
  const { currency } = summary;
  const calls = useCall();
  const team = useRemote(readTeam);
  const phones = usePhoneNames();
  const [who, setWho] = useState(whoOf(budget));
  const [measure, setMeasure] = useState(budget?.measure ?? "money");
  const [text, setText] = useState(budget === undefined ? "" : textOf(budget, currency));
  const [error, setError] = useState<string>();
  const options = [
    { value: "team", label: "The whole team" },
    ...(team.value?.members ?? []).map(({ userId, name }) => ({ value: `member ${userId}`, label: name })),
    ...(phones.value ?? []).map(({ id, name }) => ({ value: `phone ${id}`, label: `${name} (phone)` })),
  ];
  const save = async () => {
    const limit = measure === "money" ? parseMoney(text, currency) : parseHours(text);
    const wrong = limit === undefined || limit === 0;
    setError(wrong ? (measure === "money" ? AMOUNT_HINT : "Write a whole number of hours.") : undefined);
    if (wrong) return;
    const [kind, id = ""] = who.split(" ");
    const scope =
      kind === "member"
        ? ({ kind, userId: id } as const)
        : kind === "phone"
          ? ({ kind, phoneId: id } as const)
          : ({ kind: "team" } as const);
    const result = await calls.run(
      "budget",
      (api) => api.billing.setBudget.mutate({ scope, measure, limit }),
      (failure) => {
        setError(refusalSentence(failure));
        return refusalSentence(failure) !== undefined;
      },
    );
    if (result?.ok === true) onDone();
  };
  return (
    <FormDialog
      title={budget === undefined ? "New budget" : `Budget of ${budget.name}`}
      verb="Save"
      busy={calls.busy("budget")}
      onSubmit={() => void save()}
      onClose={onClose}
    >
      {budget === undefined && (
        <>
          <SelectField label="For" options={options} value={who} onChange={(event) => setWho(event.target.value)} />
          <SelectField
            label="Counts"
            options={[
              { value: "money", label: "What it costs beyond the plan" },
              { value: "time", label: "Phone time, also what is included" },
            ]}
            value={measure}
            onChange={(event) => setMeasure(event.target.value === "time" ? "time" : "money")}
          />
        </>
      )}
      <TextField
        label={measure === "money" ? "At most, a month" : "Hours at most, a month"}
        inputMode={measure === "money" ? "decimal" : "numeric"}
        value={text}
        autoFocus
        {...(error !== undefined && { error })}
        onChange={(event) => setText(event.target.value)}
      />
      <p className="secondary">
        A mail goes out at 50 and 80 %. At 100 % its phones are parked until the month is over.
      </p>
    </FormDialog>
  );
}

function whoOf(budget: BudgetView | undefined): string {
  if (budget?.userId !== undefined) return `member ${budget.userId}`;
  return budget?.phoneId === undefined ? "team" : `phone ${budget.phoneId}`;
}

function textOf({ measure, limit }: BudgetView, currency: string): string {
  return measure === "money" ? moneyText(limit, currency) : String(Math.round(limit / HOUR_MS));
}
