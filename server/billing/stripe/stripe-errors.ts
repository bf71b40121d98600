/** What an error of Stripe means: whether the call may have taken effect, and what to tell a person. */
import { PerchError } from "../../errors.ts";
import { stripeErrors } from "./stripe-client.ts";

/**
 * `again`: it may or may not have taken effect, or was not looked at; the same call under the same key tells.
 * `refused`: it took no effect and never will.
 */
export type Outcome = "again" | "refused";

/** Codes that Stripe answers while it works on the very same thing. */
const PASSING: ReadonlySet<string> = new Set(["lock_timeout", "idempotency_key_in_use", "rate_limit"]);

export function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof stripeErrors.StripeError)) return "again";
  if (PASSING.has(error.code ?? "")) return "again";
  const isRefusal =
    error instanceof stripeErrors.StripeInvalidRequestError ||
    error instanceof stripeErrors.StripeCardError ||
    error instanceof stripeErrors.StripeIdempotencyError;
  // A wrong key or one without the right (401, 403) is put right by the operator; then the call is made.
  return isRefusal ? "refused" : "again";
}

/** Stripe's code, for the outbox; never the message, which may repeat what was sent. */
export function codeOf(error: unknown): string {
  if (!(error instanceof stripeErrors.StripeError)) return "no_answer";
  const { code, decline_code: declined } = error;
  if (error.payment_intent?.status === "requires_action") return "authentication_required";
  // What the bank itself said, where that leads to another next step.
  if (declined !== undefined && (declined in DECLINED || wantsConfirmation(declined))) return declined;
  return code ?? error.type;
}

/** Of a code in the outbox: Stripe itself said that something went wrong, rather than nothing. */
export function wasAnswered(code: string | null): boolean {
  return code !== null && code !== "no_answer" && code !== "StripeConnectionError";
}

export function isMissing(error: unknown): boolean {
  return error instanceof stripeErrors.StripeError && error.code === "resource_missing";
}

/** A bank wants the person to confirm the payment. */
export function wantsConfirmation(code: string): boolean {
  return code === "authentication_required" || code === "subscription_payment_intent_requires_action";
}

/** For a person who waited for a call. */
export function stripeError(error: unknown): PerchError {
  if (error instanceof PerchError) return error;
  if (outcomeOf(error) === "again") return notReached(error);
  return refusal(codeOf(error), error);
}

/** The same for a call whose refusal is kept. */
export function refusal(code: string, cause?: unknown): PerchError {
  if (wantsConfirmation(code)) {
    return new PerchError(
      "payment_required",
      "Your bank wants you to confirm this payment, so nothing was changed or charged. Save the card anew under ways to pay, where the bank can ask you; then do this again.",
      {
        cause,
      },
    );
  }
  const declined = DECLINED[code];
  if (declined !== undefined) {
    return new PerchError("payment_required", `${declined} Nothing was changed or charged.`, { cause });
  }
  if (code === "too_late" || code === "abandoned") {
    return new PerchError("conflict", "This took too long and was given up. Look again, and start it anew.", { cause });
  }
  if (code === "resource_missing") {
    return new PerchError("not_found", "Stripe does not know this any more. Look again.", { cause });
  }
  return new PerchError("conflict", `Stripe refused this (${code}). Nothing was changed or charged.`, { cause });
}

export function notReached(cause?: unknown): PerchError {
  return new PerchError(
    "unavailable",
    "Stripe does not answer at the moment. Try again: what was asked for happens once at most.",
    { cause },
  );
}

const OTHER_CARD = "Use another way to pay.";
const DECLINED: Readonly<Record<string, string>> = {
  card_declined: `Your bank declined the payment. ${OTHER_CARD}`,
  insufficient_funds: `There is not enough money on the card. ${OTHER_CARD}`,
  expired_card: `The card has expired. ${OTHER_CARD}`,
  incorrect_cvc: `The bank did not accept the card's security code. ${OTHER_CARD}`,
  processing_error: "The bank could not process the payment. Try again later.",
  resource_missing_payment_method: "There is no way to pay on file. Add one first.",
  payment_intent_payment_attempt_failed: `The payment failed. ${OTHER_CARD}`,
};
