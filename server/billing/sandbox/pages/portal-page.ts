/** The customer portal: plan, way to pay, invoices, and the end. Offers what its configuration offers. */
import type { Hono } from "hono";
import { html, raw } from "hono/html";
import { PerchError } from "../../../errors.ts";
import { type Html, hidden, problem } from "../../../http/pages/layout.ts";
import { contentSecurityPolicy, formFields, type PageCall, type PagesEnv } from "../../../http/pages/page-context.ts";
import type { Obj, Price, Subscription } from "../objects.ts";
import { periodOf } from "../subscription-change.ts";
import type { View } from "../view.ts";
import { attach, attachedMethods, isWay, methodOf, WAYS, wayOf } from "../ways.ts";
import { day, money, sandboxPage, wayChoice } from "./frame.ts";
import type { PageParts } from "./pages.ts";

const OPEN_SECONDS = 3_600;

interface Portal {
  readonly session: Obj<"billing_portal.session">;
  readonly configuration: Obj<"billing_portal.configuration">;
  readonly customer: Obj<"customer">;
  readonly subscriptions: readonly { readonly subscription: Subscription; readonly names: string }[];
  readonly methods: readonly Obj<"payment_method">[];
  readonly invoices: readonly Obj<"invoice">[];
  readonly offers: readonly { readonly price: Price; readonly name: string }[];
}

export function portalPage(pages: Hono<PagesEnv>, { acts }: PageParts): void {
  const shown = async (c: PageCall, id: string, wrong?: string) => {
    const portal = await acts.look((view) => portalOf(view, id));
    c.header("Content-Security-Policy", contentSecurityPolicy(targets(portal)));
    return sandboxPage(c, "Billing", content(portal, wrong), wrong === undefined ? 200 : 409);
  };

  pages.get("/portal/:id", (c) => shown(c, c.req.param("id")));

  pages.post("/portal/:id", async (c) => {
    const id = c.req.param("id");
    const portal = await acts.look((view) => portalOf(view, id));
    const { do: what, subscription = "", price = "", way = "" } = await formFields(c);
    const { features } = portal.configuration;
    const mine = portal.subscriptions.find((one) => one.subscription.id === subscription)?.subscription;
    const allowed = (yes: boolean) => {
      if (!yes) throw new PerchError("forbidden", "The portal does not offer this.");
    };
    try {
      if (what === "cancel" && mine !== undefined) {
        allowed(features.subscription_cancel.enabled);
        if (features.subscription_cancel.mode === "immediately") {
          await acts.call("DELETE /v1/subscriptions/:id", { id: mine.id });
        } else await acts.call("POST /v1/subscriptions/:id", { id: mine.id }, { cancel_at_period_end: "true" });
      } else if (what === "keep" && mine !== undefined) {
        allowed(features.subscription_cancel.enabled);
        await acts.call("POST /v1/subscriptions/:id", { id: mine.id }, { cancel_at_period_end: "false" });
      } else if (what === "plan" && mine !== undefined) {
        allowed(features.subscription_update.enabled && portal.offers.some((offer) => offer.price.id === price));
        const item = planItem(mine, portal);
        await acts.call(
          "POST /v1/subscriptions/:id",
          { id: mine.id },
          {
            items: [{ ...(item !== undefined && { id: item.id }), price }],
            proration_behavior: features.subscription_update.proration_behavior,
          },
        );
      } else if (what === "method" && isWay(way)) {
        allowed(features.payment_method_update.enabled);
        await acts.act(async (view) => {
          const method = await attach(
            view,
            methodOf(view, way, await view.timeOf(portal.customer.id)),
            portal.customer.id,
          );
          await makeDefault(view, portal.customer.id, method.id);
        });
      } else if (what === "detach") {
        allowed(features.payment_method_update.enabled && portal.methods.some((method) => method.id === way));
        await acts.call("POST /v1/payment_methods/:id/detach", { id: way });
      } else throw new PerchError("bad_input", "Open the page again and pick what to change.");
    } catch (error) {
      if (!(error instanceof PerchError)) throw error;
      return shown(c, id, error.message);
    }
    const { flow } = portal.session;
    const after = flow?.after_completion.redirect?.return_url;
    return c.redirect(after ?? `/sandbox/portal/${id}`, 303);
  });
}

function targets({ session }: Portal): string[] {
  return [session.return_url, session.flow?.after_completion.redirect?.return_url].flatMap((url) => {
    if (!url || !URL.canParse(url)) return [];
    const { protocol, host } = new URL(url);
    return [`${protocol}//${host}`];
  });
}

async function portalOf(view: View, id: string): Promise<Portal> {
  const session = await view.need("billing_portal.session", id);
  if (session.created + OPEN_SECONDS < view.now) {
    throw new PerchError("not_found", "This link has expired. Open the billing page again from the extension.");
  }
  const configuration = await view.need("billing_portal.configuration", session.configuration);
  const customer = await view.need("customer", session.customer);
  const live = (await view.list("subscription", customer.id)).filter(
    ({ status }) => !["canceled", "incomplete_expired"].includes(status),
  );
  const nameOf = async ({ product }: Price) => (await view.get("product", product))?.name ?? "Plan";
  const ids = (configuration.features.subscription_update.products ?? []).flatMap(({ prices }) => prices);
  const prices = await Promise.all(ids.map((price) => view.need("price", price)));
  return {
    session,
    configuration,
    customer,
    subscriptions: await Promise.all(
      live.map(async (subscription) => ({
        subscription,
        names: (
          await Promise.all(
            subscription.items.data.map(
              async ({ price, quantity = 1 }) => `${quantity > 1 ? `${quantity} × ` : ""}${await nameOf(price)}`,
            ),
          )
        ).join(", "),
      })),
    ),
    methods: await attachedMethods(view, customer.id),
    invoices: (await view.list("invoice", customer.id)).filter(({ status }) => status !== "draft").reverse(),
    offers: await Promise.all(prices.map(async (price) => ({ price, name: await nameOf(price) }))),
  };
}

/** The item whose price is one of those offered: what "another plan" replaces. */
function planItem(subscription: Subscription, { offers }: Portal) {
  return subscription.items.data.find((item) => offers.some(({ price }) => price.id === item.price.id));
}

async function makeDefault(view: View, customer: string, method: string): Promise<void> {
  const before = await view.need("customer", customer);
  const settings = { ...before.invoice_settings, default_payment_method: method };
  await view.save({ ...before, invoice_settings: settings }, "customer.updated");
  for (const subscription of await view.list("subscription", customer)) {
    if (["canceled", "incomplete_expired"].includes(subscription.status)) continue;
    await view.save({ ...subscription, default_payment_method: method }, "customer.subscription.updated");
  }
}

function content(portal: Portal, wrong?: string): Html {
  const { session, configuration, subscriptions } = portal;
  const { features } = configuration;
  const only = session.flow?.type;
  const shows = (...flows: string[]) => only === undefined || flows.includes(only);
  return html`${problem(wrong)}<div class="stack"><h1>Billing</h1>${
    session.return_url === null ? "" : html`<p><a href="${session.return_url}">Return to Perch</a></p>`
  }</div>
${shows("subscription_cancel", "subscription_update", "subscription_update_confirm") ? subscriptions.map((one) => subscriptionCard(portal, one)) : ""}
${features.payment_method_update.enabled && shows("payment_method_update") ? methodsCard(portal) : ""}
${features.invoice_history.enabled && shows() ? invoicesCard(portal) : ""}`;
}

function subscriptionCard(portal: Portal, { subscription, names }: Portal["subscriptions"][number]): Html {
  const { features } = portal.configuration;
  const action = `/sandbox/portal/${portal.session.id}`;
  const { end } = periodOf(subscription);
  const ends = subscription.cancel_at;
  const current = planItem(subscription, portal)?.price.id;
  const offer = ({ price, name }: Portal["offers"][number]) =>
    html`<label class="choice"><input type="radio" name="price" value="${price.id}" required${price.id === current ? raw(" checked") : ""}><span>${name}<br><span class="hint">${money(price.unit_amount ?? 0, price.currency)} a ${price.recurring?.interval}</span></span></label>`;
  const about = { subscription: subscription.id };
  return html`<section class="card"><h2>${names}</h2>
<p class="secondary">${ends === null ? `Renews on ${day(end)}` : `Ends on ${day(ends)}`} · ${subscription.status.replaceAll("_", " ")}</p>
${
  features.subscription_update.enabled && portal.offers.length > 0
    ? html`<details><summary>Change the plan</summary><form method="post" action="${action}">${hidden({ ...about, do: "plan" })}<fieldset><legend>Plan</legend>${portal.offers.map(offer)}</fieldset><button>Change</button></form></details>`
    : ""
}
${
  !features.subscription_cancel.enabled
    ? ""
    : ends !== null
      ? html`<form method="post" action="${action}">${hidden({ ...about, do: "keep" })}<button class="quiet">Keep the plan</button></form>`
      : html`<details><summary>Cancel</summary><form method="post" action="${action}">${hidden({ ...about, do: "cancel" })}<p>${features.subscription_cancel.mode === "immediately" ? "The plan ends at once." : `The plan stays until ${day(end)}.`}</p><button class="danger">Cancel the plan</button></form></details>`
}</section>`;
}

function methodsCard({ session, methods, customer }: Portal): Html {
  const action = `/sandbox/portal/${session.id}`;
  const one = (method: Obj<"payment_method">) =>
    html`<li><span>${WAYS[wayOf(method)].label}</span>${method.id === customer.invoice_settings.default_payment_method ? html`<span class="tag ok">Used</span>` : ""}<form method="post" action="${action}">${hidden({ do: "detach", way: method.id })}<button class="link">Remove</button></form></li>`;
  return html`<section class="card"><h2>Way to pay</h2>${methods.length === 0 ? html`<p>None is kept.</p>` : html`<ul class="rows">${methods.map(one)}</ul>`}
<details><summary>Use another</summary><form method="post" action="${action}">${hidden({ do: "method" })}${wayChoice()}<button>Use it from now on</button></form></details></section>`;
}

function invoicesCard({ invoices }: Portal): Html {
  const one = (invoice: Obj<"invoice">) =>
    html`<li><a href="/sandbox/invoices/${invoice.id}">${invoice.number ?? "Invoice"}</a><span>${money(invoice.total, invoice.currency)}</span><span>${invoice.status}</span><span class="secondary">${day(invoice.effective_at ?? invoice.created)}</span></li>`;
  return html`<section class="card"><h2>Invoices</h2>${invoices.length === 0 ? html`<p>None yet.</p>` : html`<ul class="rows">${invoices.map(one)}</ul>`}</section>`;
}
