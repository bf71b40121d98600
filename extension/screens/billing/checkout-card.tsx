/** What became of the payment page that was opened. */
import type { ReactNode } from "react";
import { Button } from "../../components/button.tsx";
import { Notice, type NoticeTone } from "../../components/notice.tsx";
import type { Checkout } from "./use-checkout.ts";

const TITLES = {
  open: "Waiting for the payment",
  processing: "The payment is on its way",
  paid: "Paid",
  expired: "The payment page expired",
} as const;
export function CheckoutCard({ checkout }: { readonly checkout: Checkout }) {
  const { pending, state, reopen, forget } = checkout;
  if (pending === undefined) return null;
  const stage = state?.state ?? "open";
  const tone: NoticeTone = stage === "expired" ? "warn" : "info";
  const close = (label: string): ReactNode => (
    <Button size="small" onClick={forget}>
      {label}
    </Button>
  );
  return (
    <Notice
      tone={tone}
      title={`${TITLES[stage]}: ${pending.what}`}
      action={
        stage === "open" ? (
          <>
            <Button size="small" icon="open" onClick={reopen}>
              Show the page
            </Button>
            {close("Not now")}
          </>
        ) : (
          close("Close")
        )
      }
    >
      {stage === "open" && "The payment page is open in a tab. Pay there, and this page knows at once."}
      {stage !== "open" && state?.words}
      {stage === "paid" && " The receipt is under Invoices and receipts."}
    </Notice>
  );
}
