/** What runs costs now, what the next start would, and the way to Billing. Comes after the first paint. */
import { useEffect, useState } from "react";
import { rateWords } from "../../../shared/billing/words.ts";
import type { Api } from "../../api/client.ts";
import { Button } from "../../components/button.tsx";
import { usePage } from "../../state/app-context.tsx";

/** Reads again when `moment` is another one; the last answer stays meanwhile. */
function useRead<T>(read: (api: Api) => Promise<T>, moment: number): T | undefined {
  const { phones } = usePage();
  const [value, setValue] = useState<T>();
  // biome-ignore lint/correctness/useExhaustiveDependencies: `moment` says when to read again
  useEffect(() => {
    let gone = false;
    void phones.call(read).then((result) => {
      if (!gone && result.ok) setValue(result.value);
    });
    return () => {
      gone = true;
    };
  }, [phones, read, moment]);
  return value;
}

const readBurn = (api: Api) => api.billing.burn.query();
const readPreview = (api: Api) => api.billing.previewStart.query({});

export interface CostProps {
  /** How many phones run. */
  readonly running: number;
  readonly onBilling: () => void;
}

export function Cost({ running, onBilling }: CostProps) {
  const burn = useRead(readBurn, running);
  if (burn === undefined || burn.mode === "off") return null;
  const { perHour, currency } = burn;
  const rate = perHour === undefined || running === 0 ? undefined : rateWords(perHour, currency);
  return (
    <span className="popup-cost">
      <Button kind="quiet" size="small" aria-label={rate && `${rate} now, open Billing`} onClick={onBilling}>
        <span className="tabular">{rate ?? "Billing"}</span>
      </Button>
    </span>
  );
}

export function NextStart({ running, onBilling }: CostProps) {
  const preview = useRead(readPreview, running);
  if (preview === undefined || preview.mode === "off") return null;
  return (
    <div className="popup-next" data-line>
      <p className={preview.covered ? "secondary tabular" : "popup-next-none tabular"}>
        <b>Next start:</b> {preview.words}
      </p>
      {!preview.covered && (
        <Button size="small" icon="card" onClick={onBilling}>
          Add phone time
        </Button>
      )}
    </div>
  );
}
