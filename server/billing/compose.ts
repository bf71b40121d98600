/** Puts billing together. */
import { PerchError } from "../errors.ts";
import type { BillingServices } from "./billing.router.ts";
import type { UsageViews } from "./usage.router.ts";

const notYet = async (): Promise<never> => {
  throw new PerchError("unavailable", "This part of billing is not there yet.");
};

export function createBillingParts(): { readonly billing: BillingServices; readonly usage: UsageViews } {
  return {
    billing: {
      views: { summary: notYet, plans: notYet, invoices: notYet, burn: notYet, previewStart: notYet },
      purchases: {
        checkout: notYet,
        checkoutState: notYet,
        portal: notYet,
        previewChange: notYet,
        applyChange: notYet,
        act: notYet,
        refundBalance: notYet,
      },
      settings: { setOverage: notYet, setTimeZone: notYet, dedicate: notYet, setBudget: notYet, removeBudget: notYet },
      stopAll: notYet,
    },
    usage: { summary: notYet, days: notYet, lines: notYet, explain: notYet, csv: notYet },
  };
}
