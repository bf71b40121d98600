/** The dialogs of billing, loaded with the first one that is opened. */
import type { BillingSummary, BudgetView } from "../../../shared/billing/billing.ts";
import type { AddOnView } from "./add-ons-fold.tsx";
import { AddOnDialog } from "./dialogs/add-on-dialog.tsx";
import { BudgetDialog } from "./dialogs/budget-dialog.tsx";
import { OverageDialog, RefundDialog, TimeZoneDialog } from "./dialogs/money-dialogs.tsx";
import { TopUpDialog } from "./dialogs/top-up-dialog.tsx";
import type { Checkout } from "./use-checkout.ts";

export type OpenBilling =
  | { readonly kind: "top_up" | "refund" | "overage" | "time_zone" }
  /** Without a budget: a new one. */
  | { readonly kind: "budget"; readonly budget: BudgetView | undefined }
  | { readonly kind: "add_on"; readonly addOn: AddOnView };

export interface BillingDialogProps {
  readonly open: OpenBilling;
  readonly summary: BillingSummary;
  readonly checkout: Checkout;
  readonly onClose: () => void;
  readonly onChanged: () => void;
}

export function BillingDialog({ open, summary, checkout, onClose, onChanged }: BillingDialogProps) {
  const common = {
    summary,
    onClose,
    onDone: () => {
      onClose();
      onChanged();
    },
  };
  switch (open.kind) {
    case "top_up":
      return <TopUpDialog checkout={checkout} onClose={onClose} />;
    case "refund":
      return <RefundDialog {...common} />;
    case "overage":
      return <OverageDialog {...common} />;
    case "time_zone":
      return <TimeZoneDialog {...common} />;
    case "budget":
      return <BudgetDialog budget={open.budget} {...common} />;
    case "add_on":
      return <AddOnDialog addOn={open.addOn} {...common} />;
  }
}
