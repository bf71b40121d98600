/** The customer portal: its configuration and sessions. Its page is in `pages/`. */
import type { Routes } from "./calls.ts";
import { invalid } from "./errors.ts";
import { page } from "./lists.ts";
import type { Obj } from "./objects.ts";
import * as p from "./params.ts";
import type { View } from "./view.ts";

type Configuration = Obj<"billing_portal.configuration">;

const enabled = p.object({ enabled: p.bool });
const proration = p.oneOf("always_invoice", "create_prorations", "none");
const features = p.object({
  customer_update: p
    .object({
      enabled: p.bool.optional(),
      allowed_updates: p
        .clearable(p.list(p.oneOf("address", "email", "name", "phone", "shipping", "tax_id")))
        .optional(),
    })
    .optional(),
  invoice_history: enabled.optional(),
  payment_method_update: p
    .object({ enabled: p.bool, payment_method_configuration: p.clearable(p.text).optional() })
    .optional(),
  subscription_cancel: p
    .object({
      enabled: p.bool,
      mode: p.oneOf("at_period_end", "immediately").optional(),
      proration_behavior: proration.optional(),
      cancellation_reason: p.object({ enabled: p.bool, options: p.clearable(p.list(p.text)).optional() }).optional(),
    })
    .optional(),
  subscription_pause: p.object({ enabled: p.bool.optional() }).optional(),
  subscription_update: p
    .object({
      enabled: p.bool,
      default_allowed_updates: p.clearable(p.list(p.oneOf("price", "promotion_code", "quantity"))).optional(),
      products: p
        .clearable(
          p.list(p.object({ product: p.text, prices: p.list(p.text), adjustable_quantity: p.ignored.optional() })),
        )
        .optional(),
      proration_behavior: proration.optional(),
      billing_cycle_anchor: p.oneOf("now", "unchanged").optional(),
      schedule_at_period_end: p.ignored.optional(),
      trial_update_behavior: p.text.optional(),
    })
    .optional(),
});
type Features = ReturnType<typeof p.read<typeof features>>;
const profile = p.object({
  headline: p.clearable(p.text).optional(),
  privacy_policy_url: p.text.optional(),
  terms_of_service_url: p.text.optional(),
});
const shared = {
  business_profile: profile.optional(),
  default_return_url: p.clearable(p.text).optional(),
  login_page: enabled.optional(),
  metadata: p.metadata.optional(),
  name: p.clearable(p.text).optional(),
};
const sessionParams = p.object({
  customer: p.text,
  configuration: p.text.optional(),
  locale: p.text.optional(),
  return_url: p.text.optional(),
  flow_data: p
    .object({
      type: p.oneOf(
        "payment_method_update",
        "subscription_cancel",
        "subscription_update",
        "subscription_update_confirm",
      ),
      after_completion: p
        .object({
          type: p.oneOf("hosted_confirmation", "portal_homepage", "redirect"),
          redirect: p.object({ return_url: p.text }).optional(),
          hosted_confirmation: p.ignored.optional(),
        })
        .optional(),
      subscription_cancel: p.object({ subscription: p.text, retention: p.ignored.optional() }).optional(),
      subscription_update: p.object({ subscription: p.text }).optional(),
    })
    .optional(),
});

export const portal: Routes = {
  "POST /v1/billing_portal/configurations": async ({ view, params }) => {
    const given = p.read(p.object({ ...shared, features }), params);
    const configuration = configurationOf(view, given, false);
    await checkPrices(view, given.features);
    await view.save(configuration, "billing_portal.configuration.created");
    return configuration;
  },
  "GET /v1/billing_portal/configurations/:id": async ({ view, path }) =>
    view.need("billing_portal.configuration", path("id")),
  "POST /v1/billing_portal/configurations/:id": async ({ view, path, params }) => {
    const given = p.read(p.object({ ...shared, active: p.bool.optional(), features: features.optional() }), params);
    const before = await view.need("billing_portal.configuration", path("id"));
    await checkPrices(view, given.features ?? {});
    const made = changed(before, given, view.now);
    await view.save({ ...made, active: given.active ?? made.active }, "billing_portal.configuration.updated");
    return view.need("billing_portal.configuration", before.id);
  },
  "GET /v1/billing_portal/configurations": async ({ view, params }) => {
    const given = p.read(p.object({ ...p.paging, active: p.bool.optional(), is_default: p.bool.optional() }), params);
    const all = (await view.list("billing_portal.configuration")).filter(
      (one) =>
        (given.active === undefined || one.active === given.active) &&
        (given.is_default === undefined || one.is_default === given.is_default),
    );
    return page(all, "/v1/billing_portal/configurations", given);
  },

  "POST /v1/billing_portal/sessions": async ({ view, params, pages }) => {
    const given = p.read(sessionParams, params);
    await view.need("customer", given.customer, "customer");
    const configuration =
      given.configuration === undefined
        ? await defaultConfiguration(view)
        : await view.need("billing_portal.configuration", given.configuration, "configuration");
    if (!configuration.active) throw invalid("The configuration is inactive.", "configuration");
    if (given.return_url !== undefined && !URL.canParse(given.return_url))
      throw invalid("Not a valid URL", "return_url", "url_invalid");
    const flow = given.flow_data;
    const about = flow?.subscription_cancel?.subscription ?? flow?.subscription_update?.subscription;
    if (about !== undefined) {
      const { customer } = await view.need("subscription", about, "flow_data[subscription_cancel][subscription]");
      if (customer !== given.customer) throw invalid("The subscription belongs to another customer.", "flow_data");
    }
    const id = view.id("billing_portal.session");
    const redirect = flow?.after_completion?.redirect;
    const session: Obj<"billing_portal.session"> = {
      id,
      object: "billing_portal.session",
      configuration: configuration.id,
      created: view.now,
      customer: given.customer,
      customer_account: null,
      flow:
        flow === undefined
          ? null
          : {
              after_completion: {
                hosted_confirmation: null,
                redirect: redirect === undefined ? null : { return_url: redirect.return_url },
                type: flow.after_completion?.type ?? "portal_homepage",
              },
              customer_update: null,
              subscription_cancel:
                flow.subscription_cancel === undefined
                  ? null
                  : { retention: null, subscription: flow.subscription_cancel.subscription },
              subscription_pause: null,
              subscription_update: flow.subscription_update ?? null,
              subscription_update_confirm: null,
              type: flow.type,
            },
      livemode: false,
      locale: given.locale ?? null,
      on_behalf_of: null,
      return_url: given.return_url ?? configuration.default_return_url,
      url: `${pages}/portal/${id}`,
    };
    await view.put(session);
    return session;
  },
};

/** Stripe's dashboard has one from the beginning; here the first session makes it. */
async function defaultConfiguration(view: View): Promise<Configuration> {
  const known = (await view.list("billing_portal.configuration")).find((one) => one.is_default);
  if (known !== undefined) return known;
  const made = configurationOf(
    view,
    {
      features: {
        customer_update: { enabled: true, allowed_updates: ["email", "name"] },
        invoice_history: { enabled: true },
        payment_method_update: { enabled: true },
        subscription_cancel: { enabled: true, mode: "at_period_end" },
      },
    },
    true,
  );
  await view.put(made);
  return made;
}

async function checkPrices(view: View, given: Features): Promise<void> {
  for (const { product, prices } of given.subscription_update?.products ?? []) {
    await view.need("product", product, "features[subscription_update][products]");
    for (const price of prices) {
      const { product: of } = await view.need("price", price, "features[subscription_update][products]");
      if (of !== product)
        throw invalid(
          `The price ${price} is not of the product ${product}.`,
          "features[subscription_update][products]",
        );
    }
  }
}

interface Given {
  readonly business_profile?: ReturnType<typeof p.read<typeof profile>> | undefined;
  readonly default_return_url?: string | null | undefined;
  readonly metadata?: p.MetadataParam;
  readonly name?: string | null | undefined;
  readonly features?: Features | undefined;
}

function configurationOf(view: View, given: Given, isDefault: boolean): Configuration {
  const blank: Configuration = {
    id: view.id("billing_portal.configuration"),
    object: "billing_portal.configuration",
    active: true,
    application: null,
    business_profile: { headline: null, privacy_policy_url: null, terms_of_service_url: null },
    created: view.now,
    default_return_url: null,
    features: {
      customer_update: { allowed_updates: [], enabled: false },
      invoice_history: { enabled: false },
      payment_method_update: { enabled: false, payment_method_configuration: null },
      subscription_cancel: {
        cancellation_reason: { enabled: false, feedback_options: null, options: [] },
        enabled: false,
        mode: "at_period_end",
        proration_behavior: "none",
      },
      subscription_pause: { duration: { interval_options: [], type: "indefinite" }, enabled: false },
      subscription_update: {
        billing_cycle_anchor: null,
        default_allowed_updates: [],
        enabled: false,
        products: [],
        proration_behavior: "none",
        schedule_at_period_end: { conditions: [] },
        trial_update_behavior: "end_trial",
      },
    },
    is_default: isDefault,
    livemode: false,
    login_page: { enabled: false, url: null },
    metadata: {},
    name: null,
    updated: view.now,
  };
  return changed(blank, given, view.now);
}

function changed(before: Configuration, given: Given, now: number): Configuration {
  const { features: had } = before;
  const {
    customer_update: person,
    subscription_cancel: cancel,
    subscription_update: update,
    ...rest
  } = given.features ?? {};
  return {
    ...before,
    business_profile: {
      headline: given.business_profile?.headline ?? before.business_profile.headline,
      privacy_policy_url: given.business_profile?.privacy_policy_url ?? before.business_profile.privacy_policy_url,
      terms_of_service_url:
        given.business_profile?.terms_of_service_url ?? before.business_profile.terms_of_service_url,
    },
    default_return_url: given.default_return_url === undefined ? before.default_return_url : given.default_return_url,
    name: given.name === undefined ? before.name : given.name,
    metadata: p.mergeMetadata(before.metadata, given.metadata),
    updated: now,
    features: {
      ...had,
      ...(person && {
        customer_update: {
          enabled: person.enabled ?? true,
          allowed_updates: person.allowed_updates ?? had.customer_update.allowed_updates,
        },
      }),
      ...(rest.invoice_history && { invoice_history: rest.invoice_history }),
      ...(rest.payment_method_update && {
        payment_method_update: { enabled: rest.payment_method_update.enabled, payment_method_configuration: null },
      }),
      ...(cancel && {
        subscription_cancel: {
          ...had.subscription_cancel,
          enabled: cancel.enabled,
          mode: cancel.mode ?? had.subscription_cancel.mode,
          proration_behavior: cancel.proration_behavior ?? had.subscription_cancel.proration_behavior,
        },
      }),
      ...(update && {
        subscription_update: {
          ...had.subscription_update,
          enabled: update.enabled,
          default_allowed_updates: update.default_allowed_updates ?? had.subscription_update.default_allowed_updates,
          products:
            update.products === undefined
              ? (had.subscription_update.products ?? [])
              : (update.products ?? []).map(({ product, prices }) => ({
                  product,
                  prices,
                  adjustable_quantity: { enabled: false, maximum: null, minimum: 1 },
                })),
          proration_behavior: update.proration_behavior ?? had.subscription_update.proration_behavior,
        },
      }),
    },
  };
}
