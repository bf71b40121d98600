/**
 * What an invoice changes once it is mirrored: the record the law asks for and the receipt when it is paid, mail when it is
 * not, and since when a team owes something. Worked out from what the mirror holds, never from which event came, so that any
 * order of events ends the same.
 */
import type Stripe from "stripe";
import type { TeamId } from "../../../shared/ids.ts";
import type { Writer } from "../../db/database.ts";
import type { Billing } from "../billing.service.ts";
import { GRACE_MS } from "../entitlements.ts";
import type { Letters } from "./letters.ts";
import type { MirrorRepo } from "./mirror.repo.ts";
import { type InvoiceRow, lineWords, taxOf } from "./stripe-objects.ts";

/** Where a country is not known: ISO's own letters for that. The longest term of the law counts. */
const UNKNOWN_COUNTRY = "ZZ";
/** Owed while a subscription is one of these. */
const OWING: ReadonlySet<string> = new Set(["past_due", "unpaid"]);

export interface InvoiceEffects {
  /** In the transaction that mirrored it. */
  mirrored(tx: Writer, invoice: Stripe.Invoice, row: InvoiceRow): Promise<void>;
  /** Since when the team owes something, after an invoice or subscription of it was mirrored. */
  settle(tx: Writer, teamId: TeamId): Promise<void>;
}

export function createInvoiceEffects(options: {
  repo: MirrorRepo;
  billing: Pick<Billing, "record">;
  /** Whether an invoice has its record already. */
  isRecorded: (tx: Writer, number: string) => Promise<boolean>;
  letters: Letters;
}): InvoiceEffects {
  const { repo, billing, letters } = options;

  async function record(tx: Writer, invoice: Stripe.Invoice, row: InvoiceRow): Promise<void> {
    const { number } = invoice;
    if (number === null || row.total === 0 || (await options.isRecorded(tx, number))) return;
    const tax = taxOf(invoice);
    await billing.record(tx, {
      ...{ teamId: row.teamId, number, tax, net: invoice.total - tax },
      country: invoice.customer_address?.country ?? UNKNOWN_COUNTRY,
      issuedAt: new Date((invoice.effective_at ?? invoice.created) * 1_000),
      currency: invoice.currency.toUpperCase(),
      lines: invoice.lines.data.map((line) => ({ words: lineWords(line), amount: line.amount })),
      billTo: billToOf(invoice),
    });
  }

  return {
    async mirrored(tx, invoice, row) {
      if (row.status === "paid") {
        await record(tx, invoice, row);
        if (row.amountPaid > 0) await letters.receipt(tx, row);
        return;
      }
      if (row.status !== "open" || row.attempts === 0) return;
      // Whoever is on Stripe's page and pays for the first time sees there what is wrong.
      if (row.billingReason === "subscription_create") return;
      if (row.needsConfirmation) await letters.paymentConfirmation(tx, row);
      else await letters.paymentFailed(tx, row, new Date(row.createdAt.getTime() + GRACE_MS));
    },
    async settle(tx, teamId) {
      const owing = (await repo.subscriptionsOf(tx, teamId)).filter(({ status }) => OWING.has(status));
      // An invoice without a subscription is one for use beyond the plan.
      const unpaid = (await repo.openInvoices(tx, teamId)).filter(
        ({ subscriptionId: of, attempts }) => attempts > 0 && (of === null || owing.some(({ id }) => id === of)),
      );
      const invoiced = unpaid.map(({ createdAt }) => createdAt.getTime());
      const since = invoiced.length > 0 ? invoiced : owing.map(({ periodStart }) => periodStart.getTime());
      const pastDueSince = since.length === 0 ? null : new Date(Math.min(...since));
      const account = await repo.account(tx, teamId);
      if (account?.pastDueSince?.getTime() === pastDueSince?.getTime()) return;
      await repo.setAccount(tx, teamId, { pastDueSince });
    },
  };
}

/** Whom it is made out to, as it stands on it. */
function billToOf(invoice: Stripe.Invoice) {
  const { line1, line2, postal_code, city, state, country } = invoice.customer_address ?? {};
  const lines = [line1, line2, [postal_code, city].filter(Boolean).join(" "), state, country];
  const taxId = invoice.customer_tax_ids?.find(({ value }) => value !== null)?.value ?? undefined;
  return {
    name: invoice.customer_name ?? invoice.customer_email ?? "",
    address: lines.filter((line) => typeof line === "string" && line !== "").join("\n"),
    ...(typeof taxId === "string" && { taxId }),
  };
}
