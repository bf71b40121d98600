/** Subscriptions and their items. */
import type { Routes } from "./calls.ts";
import { searchParams } from "./customers.ts";
import { invalid, SandboxError } from "./errors.ts";
import { collect, draft, finalize, methodFor, paymentOf, pendingItems } from "./invoice-life.ts";
import { found, page, search, within } from "./lists.ts";
import type { Subscription } from "./objects.ts";
import * as p from "./params.ts";
import { cardError } from "./payments.ts";
import { startSubscription } from "./subscription-build.ts";
import { type ChangeGiven, changeItems, periodOf, prorated } from "./subscription-change.ts";
import { cancelNow } from "./subscription-end.ts";
import type { View } from "./view.ts";

const DAY = 24 * 3_600;
export const prorationBehavior = p.oneOf("always_invoice", "create_prorations", "none");
export const paymentBehavior = p.oneOf("allow_incomplete", "default_incomplete", "error_if_incomplete");
const cancellationDetails = p.object({
  comment: p.clearable(p.text).optional(),
  feedback: p.clearable(p.text).optional(),
});
const trialSettings = p.object({
  end_behavior: p.object({
    missing_payment_method: p.oneOf("cancel", "create_invoice", "pause"),
    billing_cycle_anchor: p.text.optional(),
  }),
});
const shared = {
  automatic_tax: p.object({ enabled: p.bool }).optional(),
  cancel_at: p.clearable(p.int).optional(),
  cancel_at_period_end: p.bool.optional(),
  collection_method: p.oneOf("charge_automatically", "send_invoice").optional(),
  days_until_due: p.natural.optional(),
  default_payment_method: p.clearable(p.text).optional(),
  description: p.clearable(p.text).optional(),
  metadata: p.metadata.optional(),
  off_session: p.bool.optional(),
  payment_behavior: paymentBehavior.optional(),
  payment_settings: p
    .object({
      save_default_payment_method: p.oneOf("off", "on_subscription").optional(),
      payment_method_types: p.list(p.text).optional(),
    })
    .optional(),
  proration_behavior: prorationBehavior.optional(),
  trial_settings: trialSettings.optional(),
};
const createParams = p.object({
  ...shared,
  customer: p.text,
  currency: p.text.optional(),
  billing_mode: p.object({ type: p.oneOf("flexible"), flexible: p.ignored.optional() }).optional(),
  items: p.list(p.object({ price: p.text, quantity: p.natural.optional(), metadata: p.metadata.optional() })),
  add_invoice_items: p.list(p.object({ price: p.text, quantity: p.natural.optional() })).optional(),
  trial_period_days: p.natural.optional(),
  trial_end: p.int.optional(),
});
/** How one item of a subscription is changed; previews take the same. */
export const itemChange = p.object({
  id: p.text.optional(),
  price: p.text.optional(),
  quantity: p.natural.optional(),
  deleted: p.bool.optional(),
  clear_usage: p.bool.optional(),
  metadata: p.metadata.optional(),
});
const updateParams = p.object({
  ...shared,
  items: p.list(itemChange).optional(),
  proration_date: p.int.optional(),
  billing_cycle_anchor: p.oneOf("now", "unchanged").optional(),
  cancellation_details: cancellationDetails.optional(),
  pause_collection: p
    .clearable(
      p.object({ behavior: p.oneOf("keep_as_draft", "mark_uncollectible", "void"), resumes_at: p.int.optional() }),
    )
    .optional(),
  trial_end: p.text.optional(),
});

export const subscriptions: Routes = {
  "POST /v1/subscriptions": async ({ view, params, pages }) => {
    const given = p.read(createParams, params);
    const now = await view.timeOf(given.customer);
    await checkMethod(view, given.customer, given.default_payment_method);
    const priced = async (
      items: readonly { price: string; quantity?: number | undefined; metadata?: p.MetadataParam }[],
      name: string,
    ) =>
      Promise.all(
        items.map(async ({ price, quantity, metadata }, index) => ({
          price: await view.need("price", price, `${name}[${index}][price]`),
          quantity,
          metadata: p.mergeMetadata(null, metadata),
        })),
      );
    const fork = view.fork();
    const { subscription, invoice } = await startSubscription(
      fork,
      {
        customer: given.customer,
        items: await priced(given.items, "items"),
        once: await priced(given.add_invoice_items ?? [], "add_invoice_items"),
        metadata: p.mergeMetadata(null, given.metadata),
        description: given.description ?? null,
        trialEnd: given.trial_end ?? (given.trial_period_days ? now + given.trial_period_days * DAY : undefined),
        missingPaymentMethod: given.trial_settings?.end_behavior.missing_payment_method,
        paymentMethod: given.default_payment_method ?? null,
        collectionMethod: given.collection_method,
        daysUntilDue: given.days_until_due,
      },
      pages,
    );
    const behavior = given.payment_behavior ?? "allow_incomplete";
    if (subscription.collection_method === "send_invoice") {
      if (subscription.status === "incomplete")
        await fork.save({ ...subscription, status: "active" }, "customer.subscription.updated");
    } else if (invoice.status === "open" && behavior !== "default_incomplete") {
      const method = await methodFor(fork, invoice);
      if (method === undefined) {
        throw invalid(
          "This customer has no attached payment source or default payment method. Please consider adding a default payment method.",
          undefined,
          "resource_missing",
        );
      }
      const after = await collect(fork, invoice, method);
      const { intent } = await paymentOf(fork, after);
      if (after.status !== "paid" && behavior === "error_if_incomplete" && intent !== undefined) {
        const { status, body } = cardError(intent);
        throw new SandboxError(status, body);
      }
    }
    view.adopt(fork);
    return applyPlain(view, subscription.id, {
      cancel_at_period_end: given.cancel_at_period_end,
      cancel_at: given.cancel_at,
    });
  },

  "GET /v1/subscriptions/search": async ({ view, params }) => {
    const { query, limit } = p.read(searchParams, params);
    return found(search(await view.list("subscription"), query), "/v1/subscriptions/search", limit);
  },

  "GET /v1/subscriptions/:id": async ({ view, path }) => view.need("subscription", path("id")),

  "POST /v1/subscriptions/:id": async ({ view, path, params, pages }) => {
    const given = p.read(updateParams, params);
    const before = await view.need("subscription", path("id"));
    mustLive(before);
    await checkMethod(view, before.customer, given.default_payment_method);
    const trialEnd =
      given.trial_end === undefined
        ? undefined
        : given.trial_end === "now"
          ? "now"
          : p.wholeNumber(given.trial_end, "trial_end");
    const now = await view.timeOf(before.customer);
    if (typeof trialEnd === "number" && trialEnd <= now)
      throw invalid("`trial_end` must be in the future.", "trial_end");
    const change: ChangeGiven = {
      items: given.items,
      prorationBehavior: given.proration_behavior,
      prorationDate: given.proration_date,
      paymentBehavior: given.payment_behavior,
      restart: given.billing_cycle_anchor === "now",
      trialEnd,
    };
    const fork = view.fork();
    await applyPlain(fork, before.id, given, false);
    if (given.items !== undefined || trialEnd !== undefined || change.restart)
      await changeItems(fork, before.id, change, pages);
    const after = await fork.need("subscription", before.id);
    await fork.put(before);
    await fork.save(after, "customer.subscription.updated");
    view.adopt(fork);
    return after;
  },

  "DELETE /v1/subscriptions/:id": async ({ view, path, params, pages }) => {
    const given = p.read(
      p.object({
        invoice_now: p.bool.optional(),
        prorate: p.bool.optional(),
        cancellation_details: cancellationDetails.optional(),
      }),
      params,
    );
    const subscription = await view.need("subscription", path("id"));
    mustLive(subscription);
    const now = await view.timeOf(subscription.customer);
    if (given.prorate) {
      const period = periodOf(subscription);
      for (const item of subscription.items.data)
        await prorated(view, subscription, item, { at: now, period, sign: -1 });
    }
    const canceled = await cancelNow(view, subscription, {
      reason: "cancellation_requested",
      ...given.cancellation_details,
    });
    const items = await pendingItems(view, subscription.customer, subscription.currency, subscription.id);
    if (!given.invoice_now || items.length === 0) return canceled;
    const customer = await view.need("customer", subscription.customer);
    const period = { start: now, end: now };
    const reason = "subscription_update";
    const made = await draft(
      view,
      { customer, currency: canceled.currency, subscription: canceled, reason, period, autoAdvance: true, now },
      [],
      items,
    );
    const open = await finalize(view, made, pages);
    if (open.status === "open") await collect(view, open, await methodFor(view, open));
    const last: Subscription = { ...canceled, latest_invoice: made.id };
    await view.put(last);
    return last;
  },

  "POST /v1/subscriptions/:id/resume": async ({ view, path, params }) => {
    p.read(
      p.object({ billing_cycle_anchor: p.text.optional(), proration_behavior: prorationBehavior.optional() }),
      params,
    );
    const subscription = await view.need("subscription", path("id"));
    if (subscription.status !== "paused") {
      throw invalid("Only subscriptions that are `paused` can be resumed. To collect again, empty `pause_collection`.");
    }
    const resumed: Subscription = { ...subscription, status: "active" };
    await view.save(resumed, "customer.subscription.updated");
    await view.emit("customer.subscription.resumed", resumed);
    return resumed;
  },

  "GET /v1/subscriptions": async ({ view, params }) => {
    const given = p.read(
      p.object({
        ...p.paging,
        created: p.created.optional(),
        current_period_end: p.created.optional(),
        current_period_start: p.created.optional(),
        customer: p.text.optional(),
        price: p.text.optional(),
        collection_method: p.text.optional(),
        test_clock: p.text.optional(),
        status: p
          .oneOf(
            "active",
            "all",
            "canceled",
            "ended",
            "incomplete",
            "incomplete_expired",
            "past_due",
            "paused",
            "trialing",
            "unpaid",
          )
          .optional(),
      }),
      params,
    );
    const all = (await view.list("subscription", given.customer)).filter(
      (subscription) =>
        hasStatus(subscription, given.status) &&
        (given.price === undefined || subscription.items.data.some(({ price }) => price.id === given.price)) &&
        (given.test_clock === undefined || subscription.test_clock === given.test_clock) &&
        within(subscription.created, given.created) &&
        within(periodOf(subscription).end, given.current_period_end) &&
        within(periodOf(subscription).start, given.current_period_start),
    );
    return page(all, "/v1/subscriptions", given);
  },
};

export function mustLive({ id, status }: Subscription): void {
  if (status === "canceled" || status === "incomplete_expired") {
    throw invalid(
      `No such subscription: '${id}'. A canceled subscription can only update its cancellation_details and metadata.`,
      "id",
      "resource_missing",
    );
  }
}

function hasStatus({ status }: Subscription, wanted: string | undefined): boolean {
  if (wanted === undefined) return status !== "canceled";
  if (wanted === "ended") return status === "canceled" || status === "incomplete_expired";
  return wanted === "all" || status === wanted;
}

async function checkMethod(view: View, customer: string, id: string | null | undefined): Promise<void> {
  if (typeof id !== "string") return;
  const method = await view.need("payment_method", id, "default_payment_method");
  if (method.customer !== customer) {
    throw invalid(
      `The customer does not have a payment method with the ID ${id}. The payment method must be attached to the customer.`,
      "default_payment_method",
      "resource_missing",
    );
  }
}

type Plain = Partial<ReturnType<typeof p.read<typeof updateParams>>>;

/** Everything that moves no money. */
async function applyPlain(view: View, id: string, given: Plain, tells = true): Promise<Subscription> {
  const before = await view.need("subscription", id);
  const now = await view.timeOf(before.customer);
  const end = periodOf(before).end;
  const stopsAt = given.cancel_at_period_end ? end : given.cancel_at;
  const pause = given.pause_collection;
  const after: Subscription = {
    ...before,
    ...(given.description !== undefined && { description: given.description }),
    ...(given.default_payment_method !== undefined && { default_payment_method: given.default_payment_method }),
    ...(given.collection_method !== undefined && { collection_method: given.collection_method }),
    ...(given.days_until_due !== undefined && { days_until_due: given.days_until_due }),
    ...(given.automatic_tax !== undefined && {
      automatic_tax: { ...before.automatic_tax, enabled: given.automatic_tax.enabled },
    }),
    ...(given.trial_settings !== undefined && {
      trial_settings: {
        end_behavior: {
          billing_cycle_anchor: null,
          missing_payment_method: given.trial_settings.end_behavior.missing_payment_method,
        },
      },
    }),
    ...(pause !== undefined && {
      pause_collection: pause === null ? null : { behavior: pause.behavior, resumes_at: pause.resumes_at ?? null },
    }),
    ...(given.cancel_at_period_end !== undefined && { cancel_at_period_end: given.cancel_at_period_end }),
    ...(typeof stopsAt === "number" && { cancel_at: stopsAt, canceled_at: before.canceled_at ?? now }),
    ...((stopsAt === null || given.cancel_at_period_end === false) && { cancel_at: null, canceled_at: null }),
    cancellation_details: {
      comment: given.cancellation_details?.comment ?? before.cancellation_details?.comment ?? null,
      feedback: given.cancellation_details?.feedback ?? before.cancellation_details?.feedback ?? null,
      feedback_option: null,
      reason:
        typeof stopsAt === "number"
          ? "cancellation_requested"
          : given.cancel_at_period_end === false
            ? null
            : (before.cancellation_details?.reason ?? null),
    },
    metadata: p.mergeMetadata(before.metadata, given.metadata),
  };
  if (tells) await view.save(after, "customer.subscription.updated");
  else await view.put(after);
  return after;
}
