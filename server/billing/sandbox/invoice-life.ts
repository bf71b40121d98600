/** An invoice's life: draft, open, paid, void or uncollectible, and what paying it does to its subscription. */
import { invalid } from "./errors.ts";
import { type InvoiceGiven, invoiceOf, lineOfItem, withLines } from "./invoice-build.ts";
import type { Invoice, InvoiceLine, Obj, Subscription } from "./objects.ts";
import { confirmIntent, createIntent, refuseConfirmation } from "./payments.ts";
import { settingsOf } from "./settings.ts";
import { afterPaid, afterUnpaid } from "./subscription-state.ts";
import type { View } from "./view.ts";

const DAY = 24 * 3_600;
/** How long a draft waits to be finalized by itself. */
export const DRAFT_SECONDS = 3_600;

export function subscriptionOf(invoice: Pick<Invoice, "parent">): string | undefined {
  return invoice.parent?.subscription_details?.subscription;
}

/** Items that wait for the next invoice of the customer, or of the subscription. */
export async function pendingItems(
  view: View,
  customer: string,
  currency: string,
  subscription: string | undefined,
): Promise<Obj<"invoiceitem">[]> {
  return (await view.list("invoiceitem", customer)).filter((item) => {
    const whose = item.parent?.subscription_details?.subscription;
    return item.invoice === null && item.currency === currency && (whose === undefined || whose === subscription);
  });
}

export async function draft(
  view: View,
  given: InvoiceGiven,
  lines: readonly InvoiceLine[],
  items: readonly Obj<"invoiceitem">[],
): Promise<Invoice> {
  const id = view.id("invoice");
  const empty = invoiceOf(id, given);
  const invoice = withLines(empty, [...items.map((item) => lineOfItem(view, item)), ...lines]);
  for (const item of items) await view.put({ ...item, invoice: id });
  const made: Invoice = {
    ...invoice,
    automatically_finalizes_at: given.autoAdvance ? given.now + DRAFT_SECONDS : null,
  };
  await view.put(made);
  await view.emit("invoice.created", made);
  return made;
}

/** After an item of a draft came, changed or went. */
export async function recount(view: View, id: string): Promise<void> {
  const invoice = await view.need("invoice", id);
  const items = (await view.list("invoiceitem", invoice.customer ?? undefined)).filter((item) => item.invoice === id);
  const fixed = invoice.lines.data.filter(
    (line) =>
      line.parent?.invoice_item_details?.invoice_item === undefined &&
      (line.parent?.subscription_item_details?.invoice_item ?? null) === null,
  );
  await view.save(withLines(invoice, [...items.map((item) => lineOfItem(view, item)), ...fixed]), "invoice.updated");
}

export function mustBeDraft(invoice: Invoice, doing: string): void {
  if (invoice.status !== "draft") {
    throw invalid(`This invoice is already finalized, you can't ${doing}.`, undefined, "invoice_not_editable");
  }
}

/** `pages`: where the hosted page is. `paidBy`: the intent that has paid it already, instead of one to come. */
export async function finalize(view: View, invoice: Invoice, pages: string, paidBy?: string): Promise<Invoice> {
  mustBeDraft(invoice, "finalize it again");
  const now = await view.timeOf(invoice.customer);
  const customer = await view.need("customer", invoice.customer ?? "", "customer");
  const sequence = customer.next_invoice_sequence ?? 1;
  const fresh = withLines({ ...invoice, starting_balance: customer.balance }, invoice.lines.data);
  const ending = Math.min(0, fresh.total + fresh.starting_balance);
  await view.put({ ...customer, balance: ending, next_invoice_sequence: sequence + 1 });
  const open: Invoice = {
    ...fresh,
    status: "open",
    number: `${customer.invoice_prefix ?? "SBX"}-${String(sequence).padStart(4, "0")}`,
    effective_at: now,
    ending_balance: ending,
    automatically_finalizes_at: null,
    hosted_invoice_url: `${pages}/invoices/${invoice.id}`,
    invoice_pdf: `${pages}/invoices/${invoice.id}`,
    next_payment_attempt: invoice.auto_advance && invoice.collection_method === "charge_automatically" ? now : null,
    status_transitions: { ...invoice.status_transitions, finalized_at: now },
  };
  if (open.amount_due > 0) {
    const intent =
      paidBy === undefined
        ? await createIntent(view, {
            amount: open.amount_due,
            currency: open.currency,
            customer: open.customer,
            description:
              open.billing_reason === "subscription_create"
                ? "Subscription creation"
                : `Payment for invoice ${open.number}`,
          })
        : await view.need("payment_intent", paidBy);
    open.confirmation_secret = { client_secret: intent.client_secret ?? "", type: "payment_intent" };
    await view.put(
      {
        id: view.id("invoice_payment"),
        object: "invoice_payment",
        amount_paid: null,
        amount_requested: open.amount_due,
        created: now,
        currency: open.currency,
        invoice: open.id,
        is_default: true,
        livemode: false,
        payment: { type: "payment_intent", payment_intent: intent.id },
        status: "open",
        status_transitions: { canceled_at: null, paid_at: null },
      },
      open.customer,
    );
  }
  await view.put(open);
  await view.emit("invoice.finalized", open);
  return open.amount_due === 0 ? markPaid(view, open, false) : open;
}

/** The payment of an invoice and its intent. */
export async function paymentOf(view: View, invoice: Invoice) {
  const payments = await view.list("invoice_payment", invoice.customer ?? undefined);
  const payment = payments.find((one) => one.invoice === invoice.id && one.is_default);
  const id = payment?.payment.payment_intent;
  return { payment, intent: id === undefined ? undefined : await view.get("payment_intent", id) };
}

/** The method an open invoice is collected with. */
export async function methodFor(
  view: View,
  invoice: Pick<Invoice, "parent" | "default_payment_method" | "customer">,
): Promise<Obj<"payment_method"> | undefined> {
  const subscription = subscriptionOf(invoice);
  const id =
    invoice.default_payment_method ??
    (subscription && (await view.get("subscription", subscription))?.default_payment_method) ??
    (await view.get("customer", invoice.customer ?? ""))?.invoice_settings.default_payment_method;
  return id === null || id === undefined ? undefined : view.get("payment_method", id);
}

/** One try. `person`: somebody is there who can confirm, `yes` or `no`; else the bank's question stays open. */
export async function collect(
  view: View,
  invoice: Invoice,
  method: Obj<"payment_method"> | undefined,
  person?: "yes" | "no",
): Promise<Invoice> {
  const { intent } = await paymentOf(view, invoice);
  if (intent === undefined) return markPaid(view, invoice, false);
  if (method === undefined) return markFailed(view, invoice, false);
  const after =
    person === "no"
      ? await refuseConfirmation(view, intent, method)
      : await confirmIntent(view, intent, method, person === "yes");
  return after.status === "succeeded"
    ? markPaid(view, invoice, true)
    : markFailed(view, invoice, after.status === "requires_action");
}

export async function markPaid(view: View, invoice: Invoice, byPayment: boolean): Promise<Invoice> {
  const now = await view.timeOf(invoice.customer);
  const { payment } = await paymentOf(view, invoice);
  const paid: Invoice = {
    ...invoice,
    status: "paid",
    amount_paid: invoice.amount_due,
    amount_remaining: 0,
    attempted: true,
    attempt_count: invoice.attempt_count + (byPayment ? 1 : 0),
    auto_advance: false,
    next_payment_attempt: null,
    status_transitions: { ...invoice.status_transitions, paid_at: now },
  };
  await view.save(paid, "invoice.updated");
  if (payment !== undefined) {
    await view.save(
      {
        ...payment,
        status: "paid",
        amount_paid: invoice.amount_due,
        status_transitions: { canceled_at: null, paid_at: now },
      },
      "invoice_payment.paid",
      invoice.customer,
    );
  }
  await view.emit("invoice.paid", paid);
  await view.emit("invoice.payment_succeeded", paid);
  await afterPaid(view, paid, await subscriptionObject(view, paid));
  return paid;
}

async function markFailed(view: View, invoice: Invoice, needsAction: boolean): Promise<Invoice> {
  const now = await view.timeOf(invoice.customer);
  const { retryDays } = await settingsOf(view);
  const wait = invoice.auto_advance ? retryDays[invoice.attempt_count] : undefined;
  const failed: Invoice = {
    ...invoice,
    attempted: true,
    attempt_count: invoice.attempt_count + 1,
    next_payment_attempt: wait === undefined ? null : now + wait * DAY,
  };
  await view.save(failed, "invoice.updated");
  if (needsAction) await view.emit("invoice.payment_action_required", failed);
  await view.emit("invoice.payment_failed", failed);
  await afterUnpaid(view, failed, await subscriptionObject(view, failed), wait === undefined);
  return failed;
}

async function subscriptionObject(view: View, invoice: Invoice): Promise<Subscription | undefined> {
  const id = subscriptionOf(invoice);
  return id === undefined ? undefined : view.get("subscription", id);
}

export async function voidInvoice(view: View, invoice: Invoice): Promise<Invoice> {
  if (invoice.status !== "open" && invoice.status !== "uncollectible") {
    throw invalid(`You can only void open invoices. This one is ${invoice.status}.`);
  }
  const now = await view.timeOf(invoice.customer);
  return closed(view, invoice, "void", { ...invoice.status_transitions, voided_at: now }, "invoice.voided");
}

export async function markUncollectible(view: View, invoice: Invoice): Promise<Invoice> {
  if (invoice.status !== "open")
    throw invalid(`You can only mark open invoices as uncollectible. This one is ${invoice.status}.`);
  const now = await view.timeOf(invoice.customer);
  const transitions = { ...invoice.status_transitions, marked_uncollectible_at: now };
  return closed(view, invoice, "uncollectible", transitions, "invoice.marked_uncollectible");
}

async function closed(
  view: View,
  invoice: Invoice,
  status: "void" | "uncollectible",
  status_transitions: Invoice["status_transitions"],
  event: "invoice.voided" | "invoice.marked_uncollectible",
): Promise<Invoice> {
  const made: Invoice = { ...invoice, status, status_transitions, auto_advance: false, next_payment_attempt: null };
  await view.save(made, "invoice.updated");
  await view.emit(event, made);
  const subscription = await subscriptionObject(view, made);
  if (status === "void") await afterPaid(view, made, subscription);
  return made;
}
