/** The hosted invoice: what it is for, and the way to pay it while it is open. */
import type { Hono } from "hono";
import { html } from "hono/html";
import { PerchError } from "../../../errors.ts";
import { type Html, hidden, problem } from "../../../http/pages/layout.ts";
import { formFields, type PagesEnv } from "../../../http/pages/page-context.ts";
import { collect, paymentOf, subscriptionOf } from "../invoice-life.ts";
import type { Invoice } from "../objects.ts";
import type { View } from "../view.ts";
import { attach, isWay, methodOf, type Way } from "../ways.ts";
import { answerOf } from "./checkout-page.ts";
import { bankCard, day, money, sandboxPage, stamp, wayChoice } from "./frame.ts";
import type { PageParts } from "./pages.ts";

export function invoicePage(pages: Hono<PagesEnv>, { acts }: PageParts): void {
  const invoiceOf = (id: string) => acts.look((view) => view.need("invoice", id));

  pages.get("/invoices/:id", async (c) => sandboxPage(c, "Invoice", content(await invoiceOf(c.req.param("id")))));

  pages.post("/invoices/:id", async (c) => {
    const id = c.req.param("id");
    const { way = "pays", answer } = await formFields(c);
    if (!isWay(way)) throw new PerchError("bad_input", "Pick how the payment goes.");
    const outcome = await acts.act((view) => payInvoice(view, id, way, answerOf(answer)));
    const invoice = await invoiceOf(id);
    if (outcome === "paid") return c.redirect(`/sandbox/invoices/${id}`, 303);
    if (outcome === "asks") {
      const amount = money(invoice.amount_remaining, invoice.currency);
      return sandboxPage(c, "Invoice", bankCard(`/sandbox/invoices/${id}`, amount, hidden({ way })));
    }
    return sandboxPage(
      c,
      "Invoice",
      content(invoice, way, "The payment was declined. The invoice is still open."),
      402,
    );
  });
}

/** Pays an open invoice in another way, as its hosted page lets a person do. The way is kept for the subscription. */
export async function payInvoice(
  view: View,
  id: string,
  way: Way,
  answer: "yes" | "no" | undefined,
): Promise<"paid" | "declined" | "asks"> {
  const invoice = await view.need("invoice", id);
  if (invoice.status !== "open") return invoice.status === "paid" ? "paid" : "declined";
  const now = await view.timeOf(invoice.customer);
  const method = methodOf(view, way, now);
  const kept = invoice.customer === null ? method : await attach(view, method, invoice.customer);
  const after = await collect(view, invoice, kept, answer);
  if (after.status !== "paid") {
    return (await paymentOf(view, after)).intent?.status === "requires_action" ? "asks" : "declined";
  }
  const subscription = subscriptionOf(invoice);
  const paidFor = subscription === undefined ? undefined : await view.get("subscription", subscription);
  if (paidFor !== undefined && paidFor.status !== "canceled") {
    await view.save({ ...paidFor, default_payment_method: kept.id }, "customer.subscription.updated");
  }
  return "paid";
}

const STATUS_WORDS: Readonly<Record<string, string>> = {
  draft: "Draft: not final yet",
  open: "Open: waits to be paid",
  paid: "Paid",
  void: "Void: need not be paid",
  uncollectible: "Given up: not collected",
};

function content(invoice: Invoice, chosen: Way = "pays", wrong?: string): Html {
  const { currency } = invoice;
  const lines = invoice.lines.data.map(
    ({ description, amount, period }) =>
      html`<li><span>${description ?? "Item"}</span><span>${money(amount, currency)}</span>${
        period.end > period.start ? html`<span class="secondary">${day(period.start)} to ${day(period.end)}</span>` : ""
      }</li>`,
  );
  const credit = invoice.total - invoice.amount_due;
  return html`${problem(wrong)}<section class="card"><div class="row"><h1>Invoice ${invoice.number ?? ""}</h1>${stamp()}</div>
<dl class="facts"><dt>Status</dt><dd>${STATUS_WORDS[invoice.status ?? ""] ?? invoice.status}</dd><dt>Date</dt><dd>${day(invoice.effective_at ?? invoice.created)}</dd>
${invoice.customer_name === null ? "" : html`<dt>For</dt><dd>${invoice.customer_name}</dd>`}</dl>
<ul class="rows">${lines}<li><strong>Total</strong><strong>${money(invoice.total, currency)}</strong></li>
${credit > 0 ? html`<li><span>Paid from credit</span><span>${money(-credit, currency)}</span></li>` : ""}
<li><strong>${invoice.status === "paid" ? "Paid" : "Due"}</strong><strong>${money(invoice.status === "paid" ? invoice.amount_paid : invoice.amount_remaining, currency)}</strong></li></ul>
<p class="hint">A sandbox invoice: no tax is worked out, and it is no document for anybody's books.</p></section>
${
  invoice.status === "open"
    ? html`<section class="card"><h2>Pay it</h2><form method="post" action="/sandbox/invoices/${invoice.id}">${wayChoice(chosen)}<button>Pay ${money(invoice.amount_remaining, currency)}</button></form></section>`
    : ""
}`;
}
