/** What starting a phone would cost, before it is started. It never holds up a start: until it is known nothing is said. */
import { useEffect, useState } from "react";
import type { StartPreview } from "../../../shared/billing/billing.ts";
import type { PhoneId } from "../../../shared/ids.ts";
import { Button } from "../../components/button.tsx";
import { usePage } from "../../state/app-context.tsx";
import { usePanelWays } from "../panel/panel-ways.ts";

/** What was said last, by phone; `undefined` is a new one. Kept by the screen, so that coming back says it at once. */
export type StartCosts = Map<PhoneId | undefined, StartPreview>;

export interface StartCostProps {
  /** Without it: a new phone. */
  readonly phoneId?: PhoneId;
  readonly known: StartCosts;
}

export function StartCost({ phoneId, known }: StartCostProps) {
  const { phones } = usePage();
  const ways = usePanelWays();
  const [preview, setPreview] = useState(known.get(phoneId));
  useEffect(() => {
    let gone = false;
    void phones
      .call((api) => api.billing.previewStart.query({ ...(phoneId !== undefined && { phoneId }) }))
      .then((result) => {
        if (!result.ok) return;
        known.set(phoneId, result.value);
        if (!gone) setPreview(result.value);
      });
    return () => {
      gone = true;
    };
  }, [phones, phoneId, known]);
  if (preview === undefined || preview.mode === "off") return null;
  return (
    <div className={`start-cost${preview.covered ? "" : " start-cost-none"}`}>
      <p className="tabular">{preview.words}</p>
      {!preview.covered && (
        <Button size="small" icon="card" onClick={() => ways.toAccount("billing")}>
          Add phone time
        </Button>
      )}
    </div>
  );
}
