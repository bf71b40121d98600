/** What a checkout session can be opened with, and what goes with what. */
import { invalid } from "./errors.ts";
import * as p from "./params.ts";

export const createParams = p.object({
  mode: p.oneOf("payment", "setup", "subscription").optional(),
  ui_mode: p.oneOf("hosted_page", "embedded_page", "elements", "form").optional(),
  line_items: p
    .list(
      p.object({
        price: p.text,
        quantity: p.natural.optional(),
        adjustable_quantity: p.ignored.optional(),
      }),
    )
    .optional(),
  customer: p.text.optional(),
  customer_email: p.text.optional(),
  customer_creation: p.oneOf("always", "if_required").optional(),
  customer_update: p
    .object({
      address: p.oneOf("auto", "never").optional(),
      name: p.oneOf("auto", "never").optional(),
      shipping: p.oneOf("auto", "never").optional(),
    })
    .optional(),
  client_reference_id: p.text.max(200).optional(),
  success_url: p.text.optional(),
  cancel_url: p.text.optional(),
  return_url: p.text.optional(),
  expires_at: p.int.optional(),
  currency: p.text.optional(),
  locale: p.text.optional(),
  metadata: p.metadata.optional(),
  submit_type: p.text.optional(),
  allow_promotion_codes: p.bool.optional(),
  automatic_tax: p.object({ enabled: p.bool }).optional(),
  tax_id_collection: p.object({ enabled: p.bool, required: p.text.optional() }).optional(),
  billing_address_collection: p.oneOf("auto", "required").optional(),
  consent_collection: p.ignored.optional(),
  custom_text: p.ignored.optional(),
  managed_payments: p.object({ enabled: p.bool }).optional(),
  adaptive_pricing: p.object({ enabled: p.bool }).optional(),
  payment_method_collection: p.oneOf("always", "if_required").optional(),
  saved_payment_method_options: p
    .object({
      payment_method_save: p.oneOf("enabled", "disabled").optional(),
      payment_method_remove: p.oneOf("enabled", "disabled").optional(),
      allow_redisplay_filters: p.list(p.oneOf("always", "limited", "unspecified")).optional(),
    })
    .optional(),
  invoice_creation: p
    .object({
      enabled: p.bool,
      invoice_data: p
        .object({
          description: p.text.optional(),
          footer: p.text.optional(),
          metadata: p.metadata.optional(),
          custom_fields: p.ignored.optional(),
        })
        .optional(),
    })
    .optional(),
  payment_intent_data: p
    .object({
      description: p.text.optional(),
      metadata: p.metadata.optional(),
      setup_future_usage: p.oneOf("off_session", "on_session").optional(),
      receipt_email: p.text.optional(),
      statement_descriptor: p.text.optional(),
      statement_descriptor_suffix: p.text.optional(),
    })
    .optional(),
  setup_intent_data: p.object({ description: p.text.optional(), metadata: p.metadata.optional() }).optional(),
  subscription_data: p
    .object({
      description: p.text.optional(),
      metadata: p.metadata.optional(),
      trial_period_days: p.natural.optional(),
      trial_end: p.int.optional(),
      trial_settings: p
        .object({ end_behavior: p.object({ missing_payment_method: p.oneOf("cancel", "create_invoice", "pause") }) })
        .optional(),
      billing_mode: p.object({ type: p.oneOf("flexible", "classic"), flexible: p.ignored.optional() }).optional(),
      proration_behavior: p.oneOf("create_prorations", "none").optional(),
    })
    .optional(),
});
export type CheckoutGiven = ReturnType<typeof p.read<typeof createParams>>;

export function checkMode(mode: string, given: CheckoutGiven): void {
  const only = (param: keyof CheckoutGiven, wanted: string) => {
    if (given[param] !== undefined && mode !== wanted) {
      throw invalid(`You can not pass \`${param}\` in \`${mode}\` mode.`, param);
    }
  };
  only("payment_intent_data", "payment");
  only("invoice_creation", "payment");
  only("subscription_data", "subscription");
  only("payment_method_collection", "subscription");
  only("setup_intent_data", "setup");
  if (given.customer_update !== undefined && given.customer === undefined) {
    throw invalid("`customer_update` can only be used with `customer`.", "customer_update");
  }
  if (given.tax_id_collection?.enabled && given.customer !== undefined && given.customer_update?.name !== "auto") {
    throw invalid(
      "Tax ID collection requires updating business name on the customer. To enable tax ID collection for an existing customer, please set `customer_update[name]` to `auto`.",
      "tax_id_collection",
    );
  }
  if (given.automatic_tax?.enabled && given.customer !== undefined && given.customer_update?.address !== "auto") {
    throw invalid(
      "Automatic tax calculation in Checkout requires a valid address on the Customer. Add a valid address to the Customer or set `customer_update[address]` to 'auto' to save the address entered in Checkout to the Customer.",
      "automatic_tax",
      "customer_tax_location_invalid",
    );
  }
  if (mode === "setup" && given.line_items !== undefined)
    throw invalid("You can not pass `line_items` in `setup` mode.", "line_items");
  if (mode === "setup" && given.currency === undefined) {
    throw invalid("You must specify `currency` in `setup` mode.", "currency", "parameter_missing");
  }
  if (mode !== "setup" && (given.line_items ?? []).length === 0) {
    throw invalid(`Missing required param: line_items.`, "line_items", "parameter_missing");
  }
}
