/** How a payment goes, by name: nobody types a card number anywhere. */
import { SandboxError } from "./errors.ts";
import type { Obj } from "./objects.ts";
import type { View } from "./view.ts";

export const WAYS = {
  pays: { label: "Pays", says: "Every payment goes through.", last4: "4242", alias: "pm_card_visa" },
  declined: {
    label: "Is declined",
    says: "Every payment is refused by the bank.",
    last4: "0341",
    alias: "pm_card_chargeCustomerFail",
  },
  insufficient_later: {
    label: "Insufficient funds from the second payment on",
    says: "The first payment goes through, later ones do not.",
    last4: "9995",
    alias: "pm_card_visa_chargeDeclinedInsufficientFunds",
  },
  needs_confirmation: {
    label: "Needs a confirmation (3D Secure)",
    says: "The bank asks the person each time.",
    last4: "3184",
    alias: "pm_card_authenticationRequired",
  },
  disputed: {
    label: "Will be disputed",
    says: "Payments go through, then the bank takes the money back for a dispute.",
    last4: "0259",
    alias: "pm_card_createDispute",
  },
  refund_fails: {
    label: "Pays, but refunds fail",
    says: "Payments go through; money sent back does not arrive.",
    last4: "5126",
    alias: "pm_card_refundFail",
  },
  pays_later: {
    label: "Pays, a day later",
    says: "As bank debits do: a one-time payment takes a day and goes through.",
    last4: "6789",
    alias: "pm_usBankAccount",
  },
  fails_later: {
    label: "Fails, a day later",
    says: "As bank debits do: a one-time payment takes a day and fails.",
    last4: "1116",
    alias: "pm_usBankAccount_noAccount",
  },
} as const;
export type Way = keyof typeof WAYS;

export function isWay(text: string): text is Way {
  return Object.hasOwn(WAYS, text);
}

const MARK = "sandbox_";

/** A new payment method that goes this way; nobody's until it is attached. */
export function methodOf(view: View, way: Way, now = view.now): Obj<"payment_method"> {
  return {
    id: view.id("payment_method"),
    object: "payment_method",
    allow_redisplay: "unspecified",
    billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
    card: {
      brand: "visa",
      checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: "pass" },
      country: "US",
      display_brand: "visa",
      exp_month: 12,
      exp_year: new Date(now * 1_000).getUTCFullYear() + 4,
      fingerprint: `${MARK}${way}`,
      funding: "credit",
      generated_from: null,
      last4: WAYS[way].last4,
      networks: { available: ["visa"], preferred: null },
      regulated_status: "unregulated",
      three_d_secure_usage: { supported: true },
      wallet: null,
    },
    created: now,
    customer: null,
    customer_account: null,
    livemode: false,
    metadata: {},
    type: "card",
  };
}

export function wayOf(method: Obj<"payment_method">): Way {
  const way = method.card?.fingerprint?.slice(MARK.length) ?? "";
  return isWay(way) ? way : "declined";
}

/** A method by its id, or a new one by one of Stripe's names for tests, `pm_card_visa`. */
export async function methodNamed(view: View, id: string, param: string): Promise<Obj<"payment_method">> {
  const named = (Object.keys(WAYS) as Way[]).find((way) => WAYS[way].alias === id);
  return named === undefined ? view.need("payment_method", id, param) : methodOf(view, named);
}

/** Those a customer keeps; others were used once. */
export async function attachedMethods(view: View, customer: string): Promise<Obj<"payment_method">[]> {
  return (await view.list("payment_method", customer)).filter((method) => method.customer === customer);
}

export async function attach(
  view: View,
  method: Obj<"payment_method">,
  customer: string,
): Promise<Obj<"payment_method">> {
  if (method.customer === customer) return method;
  if (method.customer !== null) {
    throw new SandboxError(400, {
      type: "invalid_request_error",
      message: "The payment method you provided has already been attached to a customer.",
      code: "payment_method_unexpected_state",
    });
  }
  const attached = { ...method, customer };
  await view.put(attached);
  await view.emit("payment_method.attached", attached);
  return attached;
}
