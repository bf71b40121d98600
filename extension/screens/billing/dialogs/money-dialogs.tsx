/** Smaller decisions about money: what may be charged by invoice, what is paid back, and whose days count. */
import { useMemo, useState } from "react";
import type { BillingSummary } from "../../../../shared/billing/billing.ts";
import { moneyWords, rateWords } from "../../../../shared/billing/words.ts";
import { CheckField } from "../../../components/check-field.tsx";
import { SelectField, TextField } from "../../../components/field.tsx";
import { FormDialog } from "../../../components/form-dialog.tsx";
import { useToast } from "../../../components/toast.tsx";
import { refusalSentence } from "../../panel/refusal-sentence.ts";
import { useCall } from "../../panel/use-call.ts";
import { moneyText, parseMoney } from "../model/amounts.ts";

export interface MoneyDialogProps {
  readonly summary: BillingSummary;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

export const AMOUNT_HINT = "Write an amount like 20 or 12.50.";

export function OverageDialog({ summary, onClose, onDone }: MoneyDialogProps) {
  const { overage, currency, payAsYouGo } = summary;
  const calls = useCall();
  const [allowed, setAllowed] = useState(true);
  const [cap, setCap] = useState(moneyText(overage.cap === 0 ? 2_000 : overage.cap, currency));
  const [error, setError] = useState<string>();
  const save = async () => {
    const amount = allowed ? parseMoney(cap, currency) : overage.cap;
    setError(amount === undefined ? AMOUNT_HINT : undefined);
    if (amount === undefined) return;
    const result = await calls.run(
      "overage",
      (api) => api.billing.setOverage.mutate({ allowed, cap: amount }),
      (failure) => {
        setError(refusalSentence(failure));
        return refusalSentence(failure) !== undefined;
      },
    );
    if (result?.ok === true) onDone();
  };
  return (
    <FormDialog
      title="After the balance"
      verb="Save"
      busy={calls.busy("overage")}
      onSubmit={() => void save()}
      onClose={onClose}
    >
      <p>
        When minutes and balance are used up, phones can go on for {rateWords(payAsYouGo.perHour, currency)} each,
        charged with the next invoice. Without it they are parked.
      </p>
      <CheckField label="Go on by invoice" checked={allowed} onChange={setAllowed} />
      {allowed && (
        <TextField
          label="At most, a month"
          inputMode="decimal"
          value={cap}
          hint={`Phones are parked when it is reached. So far this month: ${moneyWords(overage.spent, currency)}.`}
          {...(error !== undefined && { error })}
          onChange={(event) => setCap(event.target.value)}
        />
      )}
    </FormDialog>
  );
}

export function RefundDialog({ summary, onClose, onDone }: MoneyDialogProps) {
  const { wallet, currency } = summary;
  const calls = useCall();
  const toast = useToast();
  const [text, setText] = useState(moneyText(wallet.refundable, currency));
  const [error, setError] = useState<string>();
  const [key] = useState(() => crypto.randomUUID());
  const refund = async () => {
    const amount = parseMoney(text, currency);
    const problem =
      amount === undefined || amount === 0
        ? AMOUNT_HINT
        : amount > wallet.refundable
          ? `At most ${moneyWords(wallet.refundable, currency)} can be refunded.`
          : undefined;
    setError(problem);
    if (problem !== undefined || amount === undefined) return;
    const result = await calls.run(
      "refund",
      (api) => api.billing.refundBalance.mutate({ amount, idempotencyKey: key }),
      (failure) => {
        setError(refusalSentence(failure));
        return refusalSentence(failure) !== undefined;
      },
    );
    if (result?.ok !== true) return;
    toast({ text: `${moneyWords(result.value.refunded, currency)} is on its way back.` });
    onDone();
  };
  return (
    <FormDialog
      title="Refund from the balance"
      verb="Refund"
      busy={calls.busy("refund")}
      onSubmit={() => void refund()}
      onClose={onClose}
    >
      <p>It goes back to where it came from, which takes the bank some days. What was used is not refunded.</p>
      <TextField
        label="Amount"
        inputMode="decimal"
        value={text}
        hint={`Up to ${moneyWords(wallet.refundable, currency)}.`}
        {...(error !== undefined && { error })}
        onChange={(event) => setText(event.target.value)}
      />
    </FormDialog>
  );
}

export function TimeZoneDialog({ summary, onClose, onDone }: MoneyDialogProps) {
  const calls = useCall();
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const zones = useMemo(() => {
    const all = new Set([summary.timeZone, here, ...Intl.supportedValuesOf("timeZone")]);
    return [...all].sort().map((value) => ({ value, label: value === here ? `${value} (this computer's)` : value }));
  }, [summary.timeZone, here]);
  const [timeZone, setTimeZone] = useState(summary.timeZone);
  const save = async () => {
    const result = await calls.run("zone", (api) => api.billing.setTimeZone.mutate({ timeZone }));
    if (result?.ok === true) onDone();
  };
  return (
    <FormDialog
      title="Whose days count"
      verb="Save"
      busy={calls.busy("zone")}
      onSubmit={() => void save()}
      onClose={onClose}
    >
      <p>Usage by day and the most one phone costs a day go by midnight in this time zone.</p>
      <SelectField
        label="Time zone"
        options={zones}
        value={timeZone}
        onChange={(event) => setTimeZone(event.target.value)}
      />
    </FormDialog>
  );
}
