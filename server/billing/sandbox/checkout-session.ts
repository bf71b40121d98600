/** Checkout sessions as the server opens them. Paying one is in `checkout-pay.ts`. */
import type { Routes } from "./calls.ts";
import { type CheckoutGiven, checkMode, createParams } from "./checkout-params.ts";
import { invalid } from "./errors.ts";
import { page, within } from "./lists.ts";
import { nested, type Session } from "./objects.ts";
import * as p from "./params.ts";
import type { View } from "./view.ts";

const DAY = 24 * 3_600;
const MIN_EXPIRY = 30 * 60;
/** Stripe's own least amount for a charge in USD. */
const LEAST_CHARGE = 50;

/** What a session needs when it is paid and Stripe does not show. */
export interface CheckoutPlan {
  readonly paymentIntent: CheckoutGiven["payment_intent_data"];
  readonly setupIntent: CheckoutGiven["setup_intent_data"];
  readonly subscription: CheckoutGiven["subscription_data"];
}

export const checkoutSessions: Routes = {
  "POST /v1/checkout/sessions": async ({ view, params, pages }) => {
    const given = p.read(createParams, params);
    const mode = given.mode ?? "payment";
    if (given.ui_mode !== undefined && given.ui_mode !== "hosted_page") {
      throw invalid("The billing sandbox models the hosted page alone.", "ui_mode");
    }
    if (given.success_url === undefined)
      throw invalid("Missing required param: success_url.", "success_url", "parameter_missing");
    for (const param of ["success_url", "cancel_url"] as const) {
      const url = given[param];
      if (url !== undefined && !URL.canParse(url)) throw invalid("Not a valid URL", param, "url_invalid");
    }
    if (given.customer !== undefined && given.customer_email !== undefined) {
      throw invalid("You may only specify one of these parameters: customer, customer_email.", "customer");
    }
    const customer = given.customer === undefined ? undefined : await view.need("customer", given.customer, "customer");
    checkMode(mode, given);
    const now = await view.timeOf(customer?.id);
    const expiresAt =
      given.expires_at === undefined ? now + DAY : await view.translated(given.expires_at, customer?.id);
    if (expiresAt < now + MIN_EXPIRY || expiresAt > now + DAY) {
      throw invalid(
        "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.",
        "expires_at",
      );
    }
    const lines = await linesOf(view, given, mode);
    const currency = lines[0]?.currency ?? given.currency ?? null;
    const amount = lines.reduce((sum, line) => sum + line.amount_total, 0);
    const trial = given.subscription_data?.trial_period_days ?? given.subscription_data?.trial_end;
    const dueNow =
      trial === undefined
        ? amount
        : lines.filter(({ price }) => price?.type === "one_time").reduce((sum, line) => sum + line.amount_total, 0);
    if (mode === "payment" && amount > 0 && amount < LEAST_CHARGE) {
      throw invalid(
        "The Checkout Session's total amount must convert to at least 50 cents.",
        "line_items",
        "amount_too_small",
      );
    }
    const id = view.id("checkout.session");
    const session: Session = {
      id,
      object: "checkout.session",
      adaptive_pricing: { enabled: given.adaptive_pricing?.enabled ?? false },
      after_expiration: null,
      allow_promotion_codes: given.allow_promotion_codes ?? null,
      allowed_payment_method_types: null,
      amount_subtotal: mode === "setup" ? null : dueNow,
      amount_total: mode === "setup" ? null : dueNow,
      automatic_tax: {
        enabled: given.automatic_tax?.enabled ?? false,
        liability: given.automatic_tax?.enabled ? { type: "self" } : null,
        provider: given.automatic_tax?.enabled ? "stripe" : null,
        status: given.automatic_tax?.enabled ? "requires_location_inputs" : null,
      },
      billing_address_collection: given.billing_address_collection ?? null,
      cancel_url: given.cancel_url ?? null,
      client_reference_id: given.client_reference_id ?? null,
      client_secret: null,
      collected_information: null,
      consent: null,
      consent_collection: null,
      created: now,
      currency,
      currency_conversion: null,
      custom_fields: [],
      custom_text: { after_submit: null, shipping_address: null, submit: null, terms_of_service_acceptance: null },
      customer: customer?.id ?? null,
      customer_account: null,
      customer_creation:
        mode === "payment" && customer === undefined ? (given.customer_creation ?? "if_required") : null,
      customer_details:
        customer === undefined && given.customer_email === undefined
          ? null
          : {
              address: customer?.address ?? null,
              business_name: null,
              email: customer?.email ?? given.customer_email ?? null,
              individual_name: null,
              name: customer?.name ?? null,
              phone: null,
              tax_exempt: customer?.tax_exempt ?? "none",
              tax_ids: [],
            },
      customer_email: given.customer_email ?? null,
      discounts: [],
      expires_at: expiresAt,
      integration_identifier: null,
      invoice: null,
      invoice_creation:
        mode === "payment"
          ? {
              enabled: given.invoice_creation?.enabled ?? false,
              invoice_data: {
                account_tax_ids: null,
                custom_fields: null,
                description: given.invoice_creation?.invoice_data?.description ?? null,
                footer: given.invoice_creation?.invoice_data?.footer ?? null,
                issuer: null,
                metadata: p.mergeMetadata(null, given.invoice_creation?.invoice_data?.metadata),
                rendering_options: null,
              },
            }
          : null,
      line_items: nested(lines, `/v1/checkout/sessions/${id}/line_items`),
      livemode: false,
      locale: given.locale ?? null,
      managed_payments: given.managed_payments === undefined ? null : { enabled: given.managed_payments.enabled },
      metadata: p.mergeMetadata(null, given.metadata),
      mode,
      origin_context: null,
      payment_intent: null,
      payment_link: null,
      payment_method_collection: mode === "subscription" ? (given.payment_method_collection ?? "always") : null,
      payment_method_configuration_details: null,
      payment_method_options: null,
      payment_method_types: ["card"],
      payment_status: mode === "setup" || dueNow === 0 ? "no_payment_required" : "unpaid",
      permissions: null,
      phone_number_collection: { enabled: false },
      recovered_from: null,
      saved_payment_method_options:
        given.saved_payment_method_options === undefined
          ? null
          : {
              allow_redisplay_filters: given.saved_payment_method_options.allow_redisplay_filters ?? ["always"],
              payment_method_remove: given.saved_payment_method_options.payment_method_remove ?? "disabled",
              payment_method_save: given.saved_payment_method_options.payment_method_save ?? null,
            },
      setup_intent: null,
      shipping_address_collection: null,
      shipping_cost: null,
      shipping_options: [],
      status: "open",
      submit_type: given.submit_type ?? null,
      subscription: null,
      success_url: given.success_url,
      tax_id_collection: { enabled: given.tax_id_collection?.enabled ?? false, required: "never" },
      total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
      ui_mode: "hosted_page",
      url: `${pages}/checkout/${id}`,
      wallet_options: null,
    };
    await view.put(session);
    const plan: CheckoutPlan = {
      paymentIntent: given.payment_intent_data,
      setupIntent: given.setup_intent_data,
      subscription: given.subscription_data,
    };
    await view.putInner("checkout_plan", `plan_${id}`, plan, customer?.id ?? null);
    return session;
  },

  "GET /v1/checkout/sessions/:id": async ({ view, path }) => view.need("checkout.session", path("id")),

  "POST /v1/checkout/sessions/:id": async ({ view, path, params }) => {
    const { metadata } = p.read(p.object({ metadata: p.metadata.optional() }), params);
    const session = await view.need("checkout.session", path("id"));
    const made = { ...session, metadata: p.mergeMetadata(session.metadata, metadata) };
    await view.put(made);
    return made;
  },

  "GET /v1/checkout/sessions/:id/line_items": async ({ view, path, params }) => {
    const given = p.read(p.object(p.paging), params);
    const session = await view.need("checkout.session", path("id"));
    return page(
      [...(session.line_items?.data ?? [])].reverse(),
      `/v1/checkout/sessions/${session.id}/line_items`,
      given,
    );
  },

  "POST /v1/checkout/sessions/:id/expire": async ({ view, path, params }) => {
    p.read(p.object({}), params);
    const session = await view.need("checkout.session", path("id"));
    if (session.status !== "open") {
      throw invalid(
        `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of \`${session.status}\`.`,
      );
    }
    return expireSession(view, session);
  },

  "GET /v1/checkout/sessions": async ({ view, params }) => {
    const given = p.read(
      p.object({
        ...p.paging,
        created: p.created.optional(),
        customer: p.text.optional(),
        payment_intent: p.text.optional(),
        subscription: p.text.optional(),
        status: p.oneOf("complete", "expired", "open").optional(),
      }),
      params,
    );
    const all = (await view.list("checkout.session", given.customer)).filter(
      (session) =>
        (given.status === undefined || session.status === given.status) &&
        (given.payment_intent === undefined || session.payment_intent === given.payment_intent) &&
        (given.subscription === undefined || session.subscription === given.subscription) &&
        within(session.created, given.created),
    );
    return page(all, "/v1/checkout/sessions", given);
  },
};

export async function expireSession(view: View, session: Session): Promise<Session> {
  const expired: Session = { ...session, status: "expired", url: null };
  await view.put(expired);
  await view.emit("checkout.session.expired", expired);
  return expired;
}

type Line = NonNullable<Session["line_items"]>["data"][number];

async function linesOf(view: View, given: CheckoutGiven, mode: string): Promise<Line[]> {
  const lines: Line[] = [];
  for (const [index, item] of (given.line_items ?? []).entries()) {
    const param = `line_items[${index}]`;
    const price = await view.need("price", item.price, `${param}[price]`);
    if (!price.active)
      throw invalid(`The price specified is inactive. This field only accepts active prices.`, `${param}[price]`);
    const metered = price.recurring?.usage_type === "metered";
    if (metered && item.quantity !== undefined) throw invalid("Metered prices take no quantity.", `${param}[quantity]`);
    if (!metered && item.quantity === undefined) {
      throw invalid(`Quantity is required. Add \`quantity\` to \`${param}\``, param, "parameter_missing");
    }
    if (item.quantity === 0) throw invalid("The quantity must be at least 1.", `${param}[quantity]`);
    if (mode === "payment" && price.recurring !== null) {
      throw invalid(
        "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.",
        "mode",
      );
    }
    if (lines.some(({ currency }) => currency !== price.currency)) {
      throw invalid("All line items must have the same currency.", "line_items");
    }
    const amount = (item.quantity ?? 0) * (price.unit_amount ?? 0);
    lines.push({
      id: view.id("li"),
      object: "item",
      adjustable_quantity: null,
      amount_discount: 0,
      amount_subtotal: amount,
      amount_tax: 0,
      amount_total: amount,
      currency: price.currency,
      description: (await view.get("product", price.product))?.name ?? null,
      metadata: {},
      price,
      quantity: item.quantity ?? null,
    });
  }
  if (mode === "subscription" && !lines.some(({ price }) => price?.recurring)) {
    throw invalid(
      "You must provide at least one recurring price in `subscription` mode when using prices.",
      "line_items",
    );
  }
  return lines;
}
