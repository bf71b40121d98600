/** Where Stripe's pages and mails about money lead: no sign-in, nothing to do here but to go on. */
import { Hono } from "hono";
import { html } from "hono/html";
import { moneyWords } from "../../../shared/billing/words.ts";
import { networkOf } from "../../limits/rate-limiter.ts";
import { deadLink, type Html } from "./layout.ts";
import { type PageServices, type PagesEnv, show } from "./page-context.ts";

/** An invoice as a mail leads to it. Its id, which nobody guesses, is what opens it. */
export interface InvoicePage {
  readonly number: string;
  readonly words: string;
  readonly amount: number;
  readonly currency: string;
  readonly state: "paid" | "open" | "closed";
  /** Stripe's own page of it. */
  readonly url: string;
}

export const BILLING_PATH = "/billing";
export const INVOICE_PATH = "/billing/invoice";

export function billingPages(services: PageServices): Hono<PagesEnv> {
  const pages = new Hono<PagesEnv>();
  const say = (path: string, title: string, words: Html) =>
    pages.get(path, (c) =>
      show(c, services, {
        title,
        narrow: true,
        content: html`<section class="card"><h1>${title}</h1>${words}</section>`,
      }),
    );
  const inPerch = html`<p>Open Perch in your browser: plan, minutes, balance and invoices are under <strong>Account</strong>, <strong>Billing</strong>.</p>`;
  say(BILLING_PATH, "Billing", inPerch);
  say(
    "/billing/done",
    "Thank you",
    html`<p>Perch shows what you bought in a moment. You can close this page.</p><p class="hint">Some banks take a day: then it is there once they have paid.</p>`,
  );
  say("/billing/left", "Nothing more to do here", html`<p>You can close this page and go on in Perch.</p>`);
  pages.get(INVOICE_PATH, async (c) => {
    await services.limiter.take("write", networkOf(c.get("request").ip));
    const { id = "" } = c.req.query();
    const invoice = /^in_\w{1,250}$/.test(id) ? await services.invoicePage(id) : undefined;
    const gone = deadLink("There is no such invoice here, or its team was closed.", BILLING_PATH, "About billing");
    const content = invoice === undefined ? gone : invoiceContent(invoice);
    return show(c, services, { title: "Invoice", narrow: true, content }, invoice === undefined ? 404 : 200);
  });
  return pages;
}

function invoiceContent({ number, words, amount, currency, state, url }: InvoicePage): Html {
  const label = { paid: "See the receipt", open: "Pay, or confirm the payment", closed: "See the invoice" }[state];
  const told = { paid: "It is paid.", open: "It is not paid yet.", closed: "Nothing is to be paid." }[state];
  return html`<section class="card"><h1>Invoice ${number}</h1>
<p>${words}: <strong>${moneyWords(amount, currency)}</strong>. ${told}</p>
<p><a class="button" href="${url}" rel="noreferrer">${label}</a></p>
<p class="hint">This leads to the page of our payment provider. How you pay is changed in Perch, under Account, Billing.</p></section>`;
}
