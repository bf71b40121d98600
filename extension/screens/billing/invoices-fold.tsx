/** Invoices and receipts, the newest first; each opens in a tab. */
import type { InvoiceView } from "../../../shared/billing/billing.ts";
import { moneyWords } from "../../../shared/billing/words.ts";
import type { Api } from "../../api/client.ts";
import { IconButton } from "../../components/button.tsx";
import { Fold } from "../../components/fold.tsx";
import { Skeleton } from "../../components/notice.tsx";
import { Badge } from "../../components/state-dot.tsx";
import { openTab } from "../../platform/tabs.ts";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { useRemote } from "../panel/use-remote.ts";
import { calendarDate } from "../phone/model/run-time.ts";
import { priceWords, type Tone } from "./model/billing-words.ts";

const STATES: Readonly<Record<InvoiceView["status"], { readonly words: string; readonly tone: Tone } | undefined>> = {
  draft: { words: "Not final yet", tone: "neutral" },
  open: { words: "To pay", tone: "warn" },
  paid: undefined,
  void: { words: "Withdrawn", tone: "neutral" },
  uncollectible: { words: "Not paid", tone: "bad" },
};

const readInvoices = (api: Api): Promise<readonly InvoiceView[]> => api.billing.invoices.query();

export function InvoicesFold() {
  return (
    <Fold icon="file" title="Invoices and receipts" glance="">
      {() => <Invoices />}
    </Fold>
  );
}

function Invoices() {
  const { value, failure, reload } = useRemote(readInvoices);
  const now = Date.now();
  if (failure !== undefined && value === undefined) return <FailureNotice failure={failure} onRetry={reload} />;
  if (value === undefined) return <Skeleton label="Loading invoices" rows={3} />;
  if (value.length === 0)
    return <p className="secondary">Nothing was bought yet. Every payment is listed here with its receipt.</p>;
  return (
    <ul className="list" aria-label="Invoices">
      {value.map((invoice) => {
        const state = STATES[invoice.status];
        const { url, pdf, total, tax, number } = invoice;
        return (
          <li className="list-row" key={invoice.id}>
            <span className="list-text">
              <span className="list-title invoice-title">
                <span className="truncate">{invoice.words}</span>
                {state !== undefined && <Badge tone={state.tone}>{state.words}</Badge>}
              </span>
              <span className="secondary tabular">
                {calendarDate(invoice.issuedAt, now)} · {number}
                {tax > 0 && ` · ${moneyWords(tax, total.currency)} tax`}
              </span>
            </span>
            <span className="tabular">{priceWords(total)}</span>
            <span className="list-trail">
              {url !== undefined && (
                <IconButton
                  icon="open"
                  size="small"
                  tooltip="left"
                  label={invoice.status === "open" ? `Pay ${number}` : `Show ${number}`}
                  onClick={() => void openTab(url)}
                />
              )}
              {pdf !== undefined && (
                <IconButton
                  icon="download"
                  size="small"
                  tooltip="left"
                  label={`${number} as PDF`}
                  onClick={() => void openTab(pdf)}
                />
              )}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
