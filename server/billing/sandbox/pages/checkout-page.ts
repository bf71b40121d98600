/** The hosted checkout: what is bought, how the payment goes, Pay or go back. */
import type { Hono } from "hono";
import { html } from "hono/html";
import { PerchError } from "../../../errors.ts";
import { type Html, hidden, problem } from "../../../http/pages/layout.ts";
import { contentSecurityPolicy, formFields, type PagesEnv } from "../../../http/pages/page-context.ts";
import type { BankAnswer, PayOutcome } from "../checkout-pay.ts";
import type { Session } from "../objects.ts";
import { isWay, type Way } from "../ways.ts";
import { bankCard, moment, money, sandboxPage, wayChoice } from "./frame.ts";
import type { PageParts } from "./pages.ts";

export function checkoutPage(pages: Hono<PagesEnv>, { acts, pay }: PageParts): void {
  const sessionOf = (id: string) => acts.look((view) => view.need("checkout.session", id));

  pages.get("/checkout/:id", async (c) => {
    const session = await sessionOf(c.req.param("id"));
    c.header("Content-Security-Policy", contentSecurityPolicy(targets(session)));
    return sandboxPage(c, "Checkout", await content(session));
  });

  pages.post("/checkout/:id", async (c) => {
    const id = c.req.param("id");
    const session = await sessionOf(id);
    c.header("Content-Security-Policy", contentSecurityPolicy(targets(session)));
    const { way = "pays", answer } = await formFields(c);
    if (!isWay(way)) throw new PerchError("bad_input", "Pick how the payment goes.");
    if (session.status !== "open") return sandboxPage(c, "Checkout", await content(session), 409);
    const outcome: PayOutcome = await pay(id, way, answerOf(answer));
    if (outcome === "paid") return c.redirect(doneUrl(session), 303);
    if (outcome === "asks") {
      const amount = money(session.amount_total ?? 0, session.currency ?? "usd");
      return sandboxPage(c, "Checkout", bankCard(`/sandbox/checkout/${id}`, amount, hidden({ way })));
    }
    const words = "The payment was declined. Nothing was bought. Pick another way to pay, or go back.";
    return sandboxPage(c, "Checkout", await content(await sessionOf(id), way, words), 402);
  });
}

export const answerOf = (text: string | undefined): BankAnswer => (text === "yes" || text === "no" ? text : undefined);

function doneUrl({ success_url: url, id }: Session): string {
  return (url ?? "/").replaceAll("{CHECKOUT_SESSION_ID}", id);
}

/** Where a form's answer may lead: Chromium holds `form-action` against redirects too. */
function targets({ success_url: url }: Session): string[] {
  if (url === null || !URL.canParse(url)) return [];
  const { protocol, host } = new URL(url);
  return [`${protocol}//${host}`];
}

async function content(session: Session, chosen: Way = "pays", wrong?: string): Promise<Html> {
  const back = session.cancel_url;
  if (session.status !== "open") {
    const words =
      session.status === "complete"
        ? "This checkout is done. It cannot be paid twice."
        : "This checkout has expired. Nothing was charged.";
    const [to, label] = session.status === "complete" ? [doneUrl(session), "Go on"] : [back, "Go back"];
    return html`<section class="card"><h1>Checkout</h1><p>${words}</p>${to === null ? "" : html`<p><a class="button quiet" href="${to}">${label}</a></p>`}</section>`;
  }
  const currency = session.currency ?? "usd";
  const lines = (session.line_items?.data ?? []).map(
    ({ description, quantity, amount_total, price }) =>
      html`<li><span>${quantity === null || quantity === 1 ? "" : `${quantity} × `}${description ?? "Item"}</span><span>${money(amount_total, currency)}${price?.recurring ? ` a ${price.recurring.interval}` : ""}</span></li>`,
  );
  const total = session.amount_total ?? 0;
  const setup = session.mode === "setup";
  return html`${problem(wrong)}<section class="card"><h1>${setup ? "Keep a way to pay" : "Checkout"}</h1>
${setup ? html`<p>Nothing is charged now.</p>` : html`<ul class="rows">${lines}<li><strong>Due now</strong><strong>${money(total, currency)}</strong></li></ul>`}
<p class="hint">Open until ${moment(session.expires_at)}.</p>
<form method="post" action="/sandbox/checkout/${session.id}">${wayChoice(chosen)}
<div class="row"><button>${setup ? "Keep it" : total === 0 ? "Start" : `Pay ${money(total, currency)}`}</button>${
    back === null ? "" : html`<a class="button quiet" href="${back}">Go back</a>`
  }</div></form></section>`;
}
