/** How much goes into the balance. */
import { useState } from "react";
import type { PlansView } from "../../../../shared/billing/billing.ts";
import type { Api } from "../../../api/client.ts";
import { Button } from "../../../components/button.tsx";
import { Dialog } from "../../../components/dialog.tsx";
import { Skeleton } from "../../../components/notice.tsx";
import { FailureNotice } from "../../panel/failure-notice.tsx";
import { useRemote } from "../../panel/use-remote.ts";
import { priceWords } from "../model/billing-words.ts";
import type { Checkout } from "../use-checkout.ts";

const readPlans = (api: Api): Promise<PlansView> => api.billing.plans.query();

export interface TopUpDialogProps {
  readonly checkout: Checkout;
  readonly onClose: () => void;
}

export function TopUpDialog({ checkout, onClose }: TopUpDialogProps) {
  const { value, failure, reload } = useRemote(readPlans);
  const [chosen, setChosen] = useState("topup_1000");
  const [busy, setBusy] = useState(false);
  const topUp = value?.topUps.find(({ id }) => id === chosen);
  const buy = async () => {
    if (topUp === undefined) return;
    setBusy(true);
    const purchase = { buy: { kind: "top_up", topUp: topUp.id }, shown: topUp.price } as const;
    const opened = await checkout.buy(purchase, `${priceWords(topUp.price)} into the balance`);
    setBusy(false);
    if (opened) onClose();
    else reload();
  };
  return (
    <Dialog
      title="Top up the balance"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" icon="open" busy={busy} disabled={topUp === undefined} onClick={() => void buy()}>
            {topUp === undefined ? "Pay" : `Pay ${priceWords(topUp.price)}`}
          </Button>
        </>
      }
    >
      {failure !== undefined && <FailureNotice failure={failure} onRetry={reload} />}
      {value === undefined && failure === undefined && <Skeleton label="Loading amounts" rows={2} />}
      {value !== undefined && (
        <fieldset className="amounts">
          <legend className="sr-only">Amount</legend>
          {value.topUps.map(({ id, price }) => (
            <label className="amount" key={id}>
              <input type="radio" name="amount" value={id} checked={id === chosen} onChange={() => setChosen(id)} />
              <span className="tabular">{priceWords(price)}</span>
            </label>
          ))}
        </fieldset>
      )}
      <p className="secondary">
        The payment page opens in a tab; your card is never seen by Perch. What is not used can be refunded.
      </p>
    </Dialog>
  );
}
