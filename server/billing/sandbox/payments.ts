/** Payment intents and the charges they make: what the bank says is what the payment method's name says. */
import { SandboxError } from "./errors.ts";
import type { Obj } from "./objects.ts";
import type { View } from "./view.ts";
import { wayOf } from "./ways.ts";

type Intent = Obj<"payment_intent">;
type Method = Obj<"payment_method">;
type Charge = Obj<"charge">;

export interface IntentGiven {
  readonly amount: number;
  readonly currency: string;
  readonly customer: string | null;
  readonly description?: string | null;
  readonly metadata?: Record<string, string>;
  readonly setupFutureUsage?: string | null;
  readonly receiptEmail?: string | null;
}

export async function createIntent(view: View, given: IntentGiven): Promise<Intent> {
  const id = view.id("payment_intent");
  const intent: Intent = {
    id,
    object: "payment_intent",
    allowed_payment_method_types: null,
    amount: given.amount,
    amount_capturable: 0,
    amount_details: { tip: {} },
    amount_received: 0,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: null,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: "automatic",
    client_secret: `${id}_secret_sandbox`,
    confirmation_method: "automatic",
    created: await view.timeOf(given.customer),
    currency: given.currency,
    customer: given.customer,
    customer_account: null,
    description: given.description ?? null,
    excluded_payment_method_types: null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    managed_payments: null,
    metadata: given.metadata ?? {},
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_method_options: null,
    payment_method_types: ["card"],
    payment_record: null,
    processing: null,
    receipt_email: given.receiptEmail ?? null,
    review: null,
    setup_future_usage: given.setupFutureUsage ?? null,
    shipping: null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: "requires_payment_method",
    transfer_data: null,
    transfer_group: null,
  };
  await view.put(intent);
  await view.emit("payment_intent.created", intent);
  return intent;
}

const DECLINES = {
  generic_decline: "Your card was declined.",
  insufficient_funds: "Your card has insufficient funds.",
} as const;

/** `confirmed`: the person has just said yes to their bank. */
export async function confirmIntent(view: View, intent: Intent, method: Method, confirmed = false): Promise<Intent> {
  const way = wayOf(method);
  const given = { ...intent, payment_method: method.id };
  if (way === "needs_confirmation" && !confirmed) {
    const asking: Intent = {
      ...given,
      status: "requires_action",
      next_action: { type: "use_stripe_sdk", use_stripe_sdk: { type: "three_d_secure_redirect" } },
    };
    await view.put(asking);
    await view.emit("payment_intent.requires_action", asking);
    return asking;
  }
  const earlier = (await view.list("charge", intent.customer ?? undefined)).filter(
    (charge) => charge.payment_method === method.id && charge.paid,
  );
  if (way === "declined" || way === "fails_later") return declined(view, given, method, "generic_decline");
  if (way === "insufficient_later" && earlier.length > 0) return declined(view, given, method, "insufficient_funds");
  const charge = await createCharge(view, given, method, null);
  const paid: Intent = {
    ...given,
    status: "succeeded",
    amount_received: given.amount,
    latest_charge: charge.id,
    next_action: null,
    last_payment_error: null,
  };
  await view.put(paid);
  await view.emit("charge.succeeded", charge);
  await view.emit("payment_intent.succeeded", paid);
  if (way === "disputed") await openDispute(view, charge);
  return paid;
}

/** The bank takes its time; `confirmIntent` later says what came of it. */
export async function startSlowly(view: View, intent: Intent, method: Method): Promise<Intent> {
  const slow: Intent = { ...intent, payment_method: method.id, status: "processing" };
  await view.put(slow);
  await view.emit("payment_intent.processing", slow);
  return slow;
}

/** The person said no to their bank, or never answered. */
export function refuseConfirmation(view: View, intent: Intent, method: Method): Promise<Intent> {
  return declined(view, { ...intent, payment_method: method.id, next_action: null }, method, "generic_decline");
}

async function declined(view: View, intent: Intent, method: Method, reason: keyof typeof DECLINES): Promise<Intent> {
  const charge = await createCharge(view, intent, method, reason);
  const failed: Intent = {
    ...intent,
    status: "requires_payment_method",
    payment_method: null,
    latest_charge: charge.id,
    next_action: null,
    last_payment_error: {
      type: "card_error",
      code: "card_declined",
      decline_code: reason,
      message: DECLINES[reason],
      charge: charge.id,
      // The SDK's type has the whole object here, as Stripe sends it.
      payment_method: method,
    },
  };
  await view.put(failed);
  await view.emit("charge.failed", charge);
  await view.emit("payment_intent.payment_failed", failed);
  return failed;
}

async function createCharge(
  view: View,
  intent: Intent,
  method: Method,
  failure: keyof typeof DECLINES | null,
): Promise<Charge> {
  const { card } = method;
  const charge: Charge = {
    id: view.id("charge"),
    object: "charge",
    amount: intent.amount,
    amount_captured: failure === null ? intent.amount : 0,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: null,
    billing_details: method.billing_details,
    calculated_statement_descriptor: "PERCH SANDBOX",
    captured: failure === null,
    created: await view.timeOf(intent.customer),
    currency: intent.currency,
    customer: intent.customer,
    description: intent.description,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: failure === null ? null : "card_declined",
    failure_message: failure === null ? null : DECLINES[failure],
    fraud_details: {},
    livemode: false,
    metadata: intent.metadata,
    on_behalf_of: null,
    outcome: {
      advice_code: failure === null ? null : "try_again_later",
      network_advice_code: null,
      network_decline_code: null,
      network_status: failure === null ? "approved_by_network" : "declined_by_network",
      reason: failure,
      risk_level: "normal",
      seller_message: failure === null ? "Payment complete." : "The bank declined the payment.",
      type: failure === null ? "authorized" : "issuer_declined",
    },
    paid: failure === null,
    payment_intent: intent.id,
    payment_method: method.id,
    payment_method_details:
      card === undefined
        ? null
        : {
            type: "card",
            card: {
              amount_authorized: intent.amount,
              authorization_code: null,
              brand: card.brand,
              checks: card.checks === null ? null : { ...card.checks },
              country: card.country,
              electronic_commerce_indicator: null,
              exp_month: card.exp_month,
              exp_year: card.exp_year,
              fingerprint: card.fingerprint ?? null,
              funding: card.funding,
              installments: null,
              last4: card.last4,
              mandate: null,
              network: "visa",
              network_transaction_id: null,
              three_d_secure: null,
              transaction_link_id: null,
              regulated_status: null,
              wallet: null,
            },
          },
    receipt_email: intent.receipt_email,
    receipt_number: null,
    receipt_url: null,
    refunded: false,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: failure === null ? "succeeded" : "failed",
    transfer_data: null,
    transfer_group: null,
  };
  await view.put(charge);
  return charge;
}

/** What the SDK makes a `StripeCardError` of. The failed attempt stays on the books. */
export function cardError(intent: Intent): SandboxError {
  const { message, code, decline_code, charge } = intent.last_payment_error ?? {};
  return new SandboxError(
    402,
    {
      type: "card_error",
      message: message ?? "Your card was declined.",
      code: code ?? "card_declined",
      ...(decline_code !== undefined && { decline_code }),
      ...(charge !== undefined && { charge }),
      payment_intent: intent,
    },
    "kept",
  );
}

const DAY = 24 * 3_600;

export async function openDispute(view: View, charge: Charge): Promise<Obj<"dispute">> {
  const now = await view.timeOf(charge.customer);
  const dispute: Obj<"dispute"> = {
    id: view.id("dispute"),
    object: "dispute",
    amount: charge.amount,
    balance_transactions: [],
    charge: charge.id,
    created: now,
    currency: charge.currency,
    enhanced_eligibility_types: [],
    evidence: NO_EVIDENCE,
    evidence_details: {
      due_by: now + 9 * DAY,
      enhanced_eligibility: {},
      has_evidence: false,
      past_due: false,
      submission_count: 0,
      submission_method: "not_submitted",
    },
    intended_submission_method: null,
    is_charge_refundable: false,
    livemode: false,
    metadata: {},
    network_reason_code: "10.4",
    payment_intent: charge.payment_intent,
    reason: "fraudulent",
    status: "needs_response",
  };
  await view.put({ ...charge, disputed: true });
  await view.put(dispute, charge.customer);
  await view.emit("charge.dispute.created", dispute, {}, charge.customer);
  await view.emit("charge.dispute.funds_withdrawn", dispute, {}, charge.customer);
  return dispute;
}

/** The bank suspects fraud before anybody has disputed. */
export async function warnOfFraud(view: View, charge: Charge): Promise<Obj<"radar.early_fraud_warning">> {
  const warning: Obj<"radar.early_fraud_warning"> = {
    id: view.id("radar.early_fraud_warning"),
    object: "radar.early_fraud_warning",
    actionable: true,
    charge: charge.id,
    created: await view.timeOf(charge.customer),
    fraud_type: "unauthorized_use_of_card",
    livemode: false,
    ...(charge.payment_intent !== null && { payment_intent: charge.payment_intent }),
  };
  await view.put(warning, charge.customer);
  await view.emit("radar.early_fraud_warning.created", warning, {}, charge.customer);
  return warning;
}

const NO_EVIDENCE: Obj<"dispute">["evidence"] = {
  access_activity_log: null,
  billing_address: null,
  cancellation_policy: null,
  cancellation_policy_disclosure: null,
  cancellation_rebuttal: null,
  customer_communication: null,
  customer_email_address: null,
  customer_name: null,
  customer_purchase_ip: null,
  customer_signature: null,
  duplicate_charge_documentation: null,
  duplicate_charge_explanation: null,
  duplicate_charge_id: null,
  enhanced_evidence: {},
  product_description: null,
  receipt: null,
  refund_policy: null,
  refund_policy_disclosure: null,
  refund_refusal_explanation: null,
  service_date: null,
  service_documentation: null,
  shipping_address: null,
  shipping_carrier: null,
  shipping_date: null,
  shipping_documentation: null,
  shipping_tracking_number: null,
  uncategorized_file: null,
  uncategorized_text: null,
};
