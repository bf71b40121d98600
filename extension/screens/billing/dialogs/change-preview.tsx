/** What a change of the subscription costs, before it is made: due now, the next invoice, and each line of it. */
import { useEffect, useRef, useState } from "react";
import type { ChangePreview, changeInput } from "../../../../shared/billing/billing.ts";
import { moneyWords } from "../../../../shared/billing/words.ts";
import type { Failure } from "../../../api/errors.ts";
import { Skeleton } from "../../../components/notice.tsx";
import { usePage } from "../../../state/app-context.tsx";
import { FailureNotice } from "../../panel/failure-notice.tsx";
import { calendarDate } from "../../phone/model/run-time.ts";
import { priceWords } from "../model/billing-words.ts";

export type Change = (typeof changeInput)["_zod"]["input"];

export interface PreviewRead {
  /** Of the change as it is now; undefined while it is asked for. */
  readonly preview: ChangePreview | undefined;
  readonly failure: Failure | undefined;
  readonly again: () => void;
}

/** Clicking a number up asks once, not five times. */
const SETTLE_MS = 250;

/** `change` undefined: nothing is changed, nothing is asked. */
export function useChangePreview(change: Change | undefined): PreviewRead {
  const { phones } = usePage();
  const key = change === undefined ? "" : JSON.stringify(change);
  const [read, setRead] = useState<{ key: string; preview?: ChangePreview; failure?: Failure }>();
  const [turn, setTurn] = useState(0);
  const asked = useRef(change);
  asked.current = change;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `turn` asks once more
  useEffect(() => {
    if (key === "") return;
    let gone = false;
    const timer = setTimeout(async () => {
      const wanted = asked.current;
      if (wanted === undefined) return;
      const result = await phones.call((api) => api.billing.previewChange.query(wanted));
      if (!gone) setRead({ key, ...(result.ok ? { preview: result.value } : { failure: result.failure }) });
    }, SETTLE_MS);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [phones, key, turn]);
  const mine = read?.key === key ? read : undefined;
  return {
    preview: mine?.preview,
    failure: mine?.failure,
    again: () => {
      setRead(undefined);
      setTurn((before) => before + 1);
    },
  };
}

export function PreviewLines({ read, stale }: { readonly read: PreviewRead; readonly stale?: string | undefined }) {
  const { preview, failure, again } = read;
  if (failure !== undefined) return <FailureNotice failure={failure} onRetry={again} />;
  if (preview === undefined) return <Skeleton label="Asking what it costs" rows={3} />;
  const { due, next, nextAt, lines } = preview;
  const now = Date.now();
  return (
    <div className="preview" role="status">
      {stale !== undefined && <p className="field-error">{stale}</p>}
      <dl className="sums tabular">
        {lines.map(({ words, amount }) => (
          <div className="sums-row" key={words + amount}>
            <dt>{words}</dt>
            <dd>{moneyWords(amount, due.currency)}</dd>
          </div>
        ))}
        <div className="sums-row sums-total">
          <dt>{due.amount < 0 ? "Credited to the next invoice" : "Due now"}</dt>
          <dd>{moneyWords(Math.abs(due.amount), due.currency)}</dd>
        </div>
        <div className="sums-row">
          <dt>Next invoice, {calendarDate(nextAt, now)}</dt>
          <dd>{priceWords(next)}</dd>
        </div>
      </dl>
    </div>
  );
}
