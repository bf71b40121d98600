/** Payment methods and payment intents. Methods are made by name alone: no card field, no card number. */
import type { Routes } from "./calls.ts";
import { currencyOf } from "./catalogue.ts";
import { searchParams } from "./customers.ts";
import { invalid, SandboxError } from "./errors.ts";
import { found, page, search, within } from "./lists.ts";
import type { Obj } from "./objects.ts";
import * as p from "./params.ts";
import { cardError, confirmIntent, createIntent } from "./payments.ts";
import type { View } from "./view.ts";
import { attach, attachedMethods, methodNamed } from "./ways.ts";

const listMethods = p.object({
  ...p.paging,
  customer: p.text.optional(),
  type: p.text.optional(),
  allow_redisplay: p.text.optional(),
});

export const paymentMethods: Routes = {
  "GET /v1/payment_methods": async ({ view, params }) => {
    const given = p.read(listMethods, params);
    const all = given.customer === undefined ? [] : await attachedMethods(view, given.customer);
    return page(all, "/v1/payment_methods", given);
  },
  "GET /v1/payment_methods/:id": async ({ view, path }) => view.need("payment_method", path("id")),
  "POST /v1/payment_methods/:id": async ({ view, path, params }) => {
    const given = p.read(
      p.object({
        metadata: p.metadata.optional(),
        allow_redisplay: p.oneOf("always", "limited", "unspecified").optional(),
      }),
      params,
    );
    const method = await view.need("payment_method", path("id"));
    const made: Obj<"payment_method"> = {
      ...method,
      ...(given.allow_redisplay !== undefined && { allow_redisplay: given.allow_redisplay }),
      metadata: p.mergeMetadata(method.metadata, given.metadata),
    };
    await view.save(made, "payment_method.updated");
    return made;
  },
  "POST /v1/payment_methods/:id/attach": async ({ view, path, params }) => {
    const { customer } = p.read(p.object({ customer: p.text }), params);
    await view.need("customer", customer, "customer");
    return attach(view, await methodNamed(view, path("id"), "payment_method"), customer);
  },
  "POST /v1/payment_methods/:id/detach": async ({ view, path, params }) => {
    p.read(p.object({}), params);
    const method = await view.need("payment_method", path("id"));
    if (method.customer === null) {
      throw invalid(
        "The payment method you provided is not attached to a customer so detachment is impossible.",
        undefined,
        "payment_method_unexpected_state",
      );
    }
    return detach(view, method);
  },
};

export async function detach(view: View, method: Obj<"payment_method">): Promise<Obj<"payment_method">> {
  const whose = method.customer;
  const detached = { ...method, customer: null };
  await view.put(detached, whose);
  await view.emit("payment_method.detached", detached, { customer: whose }, whose);
  const customer = whose === null ? undefined : await view.get("customer", whose);
  if (customer?.invoice_settings.default_payment_method === method.id) {
    const settings = { ...customer.invoice_settings, default_payment_method: null };
    await view.save({ ...customer, invoice_settings: settings }, "customer.updated");
  }
  for (const subscription of whose === null ? [] : await view.list("subscription", whose)) {
    if (subscription.default_payment_method !== method.id) continue;
    await view.save({ ...subscription, default_payment_method: null }, "customer.subscription.updated");
  }
  return detached;
}

const intentFields = {
  customer: p.text.optional(),
  description: p.clearable(p.text).optional(),
  metadata: p.metadata.optional(),
  receipt_email: p.clearable(p.text).optional(),
  setup_future_usage: p.clearable(p.oneOf("off_session", "on_session")).optional(),
};
const createIntentParams = p.object({
  ...intentFields,
  amount: p.natural,
  currency: p.text,
  confirm: p.bool.optional(),
  off_session: p.bool.optional(),
  payment_method: p.text.optional(),
  automatic_payment_methods: p.object({ enabled: p.bool, allow_redirects: p.text.optional() }).optional(),
  return_url: p.text.optional(),
  error_on_requires_action: p.bool.optional(),
});

export const paymentIntents: Routes = {
  "POST /v1/payment_intents": async ({ view, params }) => {
    const given = p.read(createIntentParams, params);
    if (given.amount < 50) throw invalid("Amount must be at least $0.50 usd", "amount", "amount_too_small");
    if (given.customer !== undefined) await view.need("customer", given.customer, "customer");
    if (given.off_session && !given.confirm) throw invalid("`off_session` needs `confirm=true`.", "off_session");
    const intent = await createIntent(view, {
      amount: given.amount,
      currency: currencyOf(given.currency),
      customer: given.customer ?? null,
      description: given.description ?? null,
      metadata: p.mergeMetadata(null, given.metadata),
      setupFutureUsage: given.setup_future_usage ?? null,
      receiptEmail: given.receipt_email ?? null,
    });
    if (given.payment_method === undefined) {
      if (given.confirm)
        throw invalid(
          "You cannot confirm this PaymentIntent because it's missing a payment method.",
          undefined,
          "payment_intent_unexpected_state",
        );
      return intent;
    }
    const method = await methodOfIntent(view, given.payment_method, intent);
    if (!given.confirm) {
      const waiting: Obj<"payment_intent"> = { ...intent, payment_method: method.id, status: "requires_confirmation" };
      await view.put(method, intent.customer);
      await view.put(waiting);
      return waiting;
    }
    return confirmed(view, intent, method, given.off_session || given.error_on_requires_action || false);
  },
  "GET /v1/payment_intents/search": async ({ view, params }) => {
    const { query, limit } = p.read(searchParams, params);
    return found(search(await view.list("payment_intent"), query), "/v1/payment_intents/search", limit);
  },
  "GET /v1/payment_intents/:id": async ({ view, path }) => view.need("payment_intent", path("id")),
  "POST /v1/payment_intents/:id": async ({ view, path, params }) => {
    const given = p.read(p.object(intentFields), params);
    const intent = await view.need("payment_intent", path("id"));
    const made: Obj<"payment_intent"> = {
      ...intent,
      ...(given.description !== undefined && { description: given.description }),
      metadata: p.mergeMetadata(intent.metadata, given.metadata),
    };
    await view.put(made);
    return made;
  },
  "POST /v1/payment_intents/:id/confirm": async ({ view, path, params }) => {
    const given = p.read(
      p.object({ payment_method: p.text.optional(), off_session: p.bool.optional(), return_url: p.text.optional() }),
      params,
    );
    const intent = await view.need("payment_intent", path("id"));
    mustWait(intent, "confirm");
    const id = given.payment_method ?? intent.payment_method;
    if (id === null)
      throw invalid(
        "You cannot confirm this PaymentIntent because it's missing a payment method.",
        undefined,
        "payment_intent_unexpected_state",
      );
    return confirmed(view, intent, await methodOfIntent(view, id, intent), given.off_session ?? false);
  },
  "POST /v1/payment_intents/:id/cancel": async ({ view, path, params }) => {
    const given = p.read(
      p.object({
        cancellation_reason: p.oneOf("abandoned", "duplicate", "fraudulent", "requested_by_customer").optional(),
      }),
      params,
    );
    const intent = await view.need("payment_intent", path("id"));
    mustWait(intent, "cancel");
    const canceled: Obj<"payment_intent"> = {
      ...intent,
      status: "canceled",
      canceled_at: await view.timeOf(intent.customer),
      cancellation_reason: given.cancellation_reason ?? null,
    };
    await view.put(canceled);
    await view.emit("payment_intent.canceled", canceled);
    return canceled;
  },
  "GET /v1/payment_intents": async ({ view, params }) => {
    const given = p.read(p.object({ ...p.paging, created: p.created.optional(), customer: p.text.optional() }), params);
    const all = (await view.list("payment_intent", given.customer)).filter((one) => within(one.created, given.created));
    return page(all, "/v1/payment_intents", given);
  },
};

async function methodOfIntent(view: View, id: string, intent: Obj<"payment_intent">): Promise<Obj<"payment_method">> {
  const method = await methodNamed(view, id, "payment_method");
  if (method.customer !== null && method.customer !== intent.customer) {
    throw invalid(
      `The provided PaymentMethod cannot be attached. To reuse a PaymentMethod, you must attach it to a Customer first.`,
      "payment_method",
    );
  }
  return method;
}

async function confirmed(view: View, intent: Obj<"payment_intent">, method: Obj<"payment_method">, alone: boolean) {
  await view.put(method, intent.customer);
  const after = await confirmIntent(view, intent, method);
  if (after.status === "succeeded") {
    if (intent.setup_future_usage !== null && intent.customer !== null) await attach(view, method, intent.customer);
    return after;
  }
  if (after.status === "requires_action") {
    if (!alone) return after;
    throw new SandboxError(
      402,
      {
        type: "card_error",
        code: "authentication_required",
        decline_code: "authentication_required",
        message: "Your card was declined. This transaction requires authentication.",
        payment_intent: after,
      },
      "kept",
    );
  }
  throw cardError(after);
}

function mustWait(intent: Obj<"payment_intent">, doing: string): void {
  if (intent.status === "succeeded" || intent.status === "canceled") {
    throw new SandboxError(400, {
      type: "invalid_request_error",
      code: "payment_intent_unexpected_state",
      message: `You cannot ${doing} this PaymentIntent because it has a status of ${intent.status}.`,
      payment_intent: intent,
    });
  }
}
