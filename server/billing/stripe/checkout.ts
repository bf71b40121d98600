/** Checkout: what the hosted page is asked to sell, and the call that opens it. */
import type Stripe from "stripe";
import { z } from "zod";
import type { checkoutInput } from "../../../shared/billing/billing.ts";
import { CURRENCY, type LookupKey } from "../../../shared/billing/catalogue.ts";
import { moneyWords } from "../../../shared/billing/words.ts";
import { checkoutId, teamId } from "../../../shared/ids.ts";
import { PerchError } from "../../errors.ts";
import type { CheckoutRow, PurchasesRepo } from "./purchases.repo.ts";
import type { CallKind } from "./stripe-calls.ts";
import { catalogueItem, TEAM_KEY } from "./stripe-prices.ts";

export type Buy = z.output<typeof checkoutInput>["buy"];

/** Where the hosted page leads back to. */
export const CHECKOUT_DONE_PATH = "/billing/done";
export const CHECKOUT_LEFT_PATH = "/billing/left";
export const PAYMENT_METHOD = "payment_method";
/** Metadata of sessions and payments: our id of the checkout. */
export const CHECKOUT_KEY = "perch_checkout";

/** The largest first top-up, until one was paid: a stolen card is not worth much here. */
export const FIRST_TOP_UP_MOST = 5_000;
/** Stripe keeps a page open for no less than 30 minutes from when it hears of it; the minute more is for the way. */
export const CHECKOUT_OPEN_MS = 31 * 60_000;
/** A page that closes sooner is not given to anybody again. */
export const REUSE_AT_LEAST_MS = 5 * 60_000;

/** A lookup key, or `payment_method`. */
export function whatOf(buy: Buy): LookupKey | typeof PAYMENT_METHOD {
  if (buy.kind === "plan") return `perch_${buy.plan}_${buy.cycle}`;
  if (buy.kind === "pack") return `perch_${buy.pack}`;
  return buy.kind === "top_up" ? `perch_${buy.topUp}` : PAYMENT_METHOD;
}

/**
 * What it costs by the catalogue.
 * @throws PerchError `conflict` when the person saw another price.
 */
export function priceShown(buy: Buy, shown: { amount: number; currency: string } | undefined) {
  const what = whatOf(buy);
  if (what === PAYMENT_METHOD) return { what, amount: 0, currency: CURRENCY };
  const amount = catalogueItem(what)?.amount;
  if (amount === undefined) throw new PerchError("not_found", "This is not sold any more. Look again.");
  demandShown({ amount, currency: CURRENCY }, shown);
  return { what, amount, currency: CURRENCY };
}

/** @throws PerchError when it is not what was shown. */
export function demandShown(
  price: { readonly amount: number; readonly currency: string },
  shown: { readonly amount: number; readonly currency: string } | undefined,
): void {
  if (shown === undefined) {
    throw new PerchError("bad_input", "Say which price was shown to you, so that you pay no other.");
  }
  if (shown.currency.toLowerCase() !== price.currency) {
    throw new PerchError(
      "conflict",
      `Prices here are in ${price.currency.toUpperCase()}, it was shown in ${shown.currency.toUpperCase()}. Look again.`,
    );
  }
  if (shown.amount !== price.amount) {
    const [now, then] = [price, shown].map(({ amount }) => moneyWords(amount, price.currency));
    throw new PerchError("conflict", `The price is now ${now}, it was shown as ${then}. Look again.`);
  }
}

const opened = z.strictObject({
  checkoutId,
  teamId,
  customerId: z.string(),
  /** Of Stripe; looked up before, so that every try asks for the same one. */
  priceId: z.string().optional(),
});

export function checkoutCall(options: {
  stripe: Stripe;
  repo: PurchasesRepo;
  row: (id: z.output<typeof checkoutId>) => Promise<CheckoutRow | undefined>;
  publicUrl: URL;
  tax: boolean;
}): CallKind<z.output<typeof opened>, Stripe.Checkout.Session> {
  const { stripe, repo, publicUrl, tax } = options;
  return {
    name: "checkout.create",
    input: opened,
    async make(input, { idempotencyKey }) {
      const row = await options.row(input.checkoutId);
      if (row === undefined) throw new PerchError("not_found", "This purchase is gone. Start it again.");
      return stripe.checkout.sessions.create(paramsOf(row, input, publicUrl, tax), { idempotencyKey });
    },
    isMadeAnew: true,
    async find({ checkoutId: id, customerId }) {
      const sessions = await stripe.checkout.sessions.list({ customer: customerId, limit: 100 });
      return sessions.data.find((session) => session.client_reference_id === id);
    },
    async done(tx, input, session) {
      await repo.changeCheckout(tx, input.checkoutId, { sessionId: session.id, url: session.url });
    },
    refused: (tx, input) => repo.changeCheckout(tx, input.checkoutId, { state: "expired" }),
  };
}

const closing = z.strictObject({ checkoutId, sessionId: z.string() });

export function expireCall({
  stripe,
  repo,
}: {
  stripe: Stripe;
  repo: PurchasesRepo;
}): CallKind<z.output<typeof closing>, Stripe.Checkout.Session> {
  return {
    name: "checkout.expire",
    input: closing,
    make: ({ sessionId }, { idempotencyKey }) => stripe.checkout.sessions.expire(sessionId, {}, { idempotencyKey }),
    done: (tx, input) => repo.changeCheckout(tx, input.checkoutId, { state: "expired" }),
  };
}

function paramsOf(
  row: CheckoutRow,
  { customerId, priceId }: z.output<typeof opened>,
  publicUrl: URL,
  tax: boolean,
): Stripe.Checkout.SessionCreateParams {
  const metadata = { [TEAM_KEY]: row.teamId, [CHECKOUT_KEY]: row.id };
  const page = (path: string) => {
    const url = new URL(path, publicUrl);
    url.searchParams.set("checkout", row.id);
    return url.href;
  };
  const common = {
    customer: customerId,
    client_reference_id: row.id,
    success_url: page(CHECKOUT_DONE_PATH),
    cancel_url: page(CHECKOUT_LEFT_PATH),
    expires_at: Math.floor(row.expiresAt.getTime() / 1_000),
    metadata,
  } satisfies Stripe.Checkout.SessionCreateParams;
  if (priceId === undefined) {
    return { ...common, mode: "setup", currency: row.currency, setup_intent_data: { metadata } };
  }
  const sold = {
    ...common,
    line_items: [{ price: priceId, quantity: 1 }],
    ...(tax && {
      automatic_tax: { enabled: true },
      tax_id_collection: { enabled: true },
      customer_update: { address: "auto", name: "auto" },
    }),
  } satisfies Stripe.Checkout.SessionCreateParams;
  if (catalogueItem(row.what)?.cycle !== undefined) {
    return { ...sold, mode: "subscription", payment_method_collection: "always", subscription_data: { metadata } };
  }
  return {
    ...sold,
    mode: "payment",
    invoice_creation: { enabled: true, invoice_data: { metadata } },
    payment_intent_data: {
      metadata,
      // So that a balance can be filled up later without the person at the page.
      ...(row.what.startsWith("perch_topup_") && { setup_future_usage: "off_session" }),
    },
  };
}
