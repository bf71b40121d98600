/** Items of subscriptions, one by one. */
import type { Call, Routes } from "./calls.ts";
import { invalid, missing } from "./errors.ts";
import { page } from "./lists.ts";
import type { Subscription } from "./objects.ts";
import * as p from "./params.ts";
import { type ChangeGiven, changeItems } from "./subscription-change.ts";
import { mustLive, paymentBehavior, prorationBehavior } from "./subscriptions.ts";
import type { View } from "./view.ts";

export const subscriptionItems: Routes = {
  "GET /v1/subscription_items": async ({ view, params }) => {
    const given = p.read(p.object({ ...p.paging, subscription: p.text }), params);
    const subscription = await view.need("subscription", given.subscription, "subscription");
    return page([...subscription.items.data].reverse(), "/v1/subscription_items", given);
  },
  "GET /v1/subscription_items/:id": async (call) => (await itemOfPath(call)).item,
  "POST /v1/subscription_items": async ({ view, params, pages }) => {
    const given = p.read(
      p.object({
        subscription: p.text,
        price: p.text,
        quantity: p.natural.optional(),
        metadata: p.metadata.optional(),
        proration_behavior: prorationBehavior.optional(),
        proration_date: p.int.optional(),
        payment_behavior: paymentBehavior.optional(),
      }),
      params,
    );
    const { price, quantity, metadata } = given;
    await view.need("subscription", given.subscription, "subscription");
    const after = await changed(view, given.subscription, { ...given, item: { price, quantity, metadata } }, pages);
    const item = after.items.data.find((one) => one.price.id === price);
    if (item === undefined) throw missing("subscription item", price);
    return item;
  },
  "POST /v1/subscription_items/:id": async (call) => {
    const given = p.read(
      p.object({
        price: p.text.optional(),
        quantity: p.natural.optional(),
        metadata: p.metadata.optional(),
        proration_behavior: prorationBehavior.optional(),
        proration_date: p.int.optional(),
        payment_behavior: paymentBehavior.optional(),
        off_session: p.bool.optional(),
      }),
      call.params,
    );
    const { item } = await itemOfPath(call);
    const { price, quantity, metadata } = given;
    await changed(
      call.view,
      item.subscription,
      { ...given, item: { id: item.id, price, quantity, metadata } },
      call.pages,
    );
    return (await itemOfPath(call)).item;
  },
  "DELETE /v1/subscription_items/:id": async (call) => {
    const given = p.read(
      p.object({
        clear_usage: p.bool.optional(),
        payment_behavior: paymentBehavior.optional(),
        proration_behavior: prorationBehavior.optional(),
        proration_date: p.int.optional(),
      }),
      call.params,
    );
    const { item, subscription } = await itemOfPath(call);
    if (subscription.items.data.length === 1) {
      throw invalid(
        "A subscription must have at least one active plan. To cancel the subscription, please use the cancel API endpoint on the subscription.",
      );
    }
    await changed(call.view, item.subscription, { ...given, item: { id: item.id, deleted: true } }, call.pages);
    return { id: item.id, object: "subscription_item", deleted: true };
  },
};

interface OneItem {
  readonly item: NonNullable<ChangeGiven["items"]>[number];
  readonly proration_behavior?: ChangeGiven["prorationBehavior"];
  readonly proration_date?: number | undefined;
  readonly payment_behavior?: string | undefined;
}

async function changed(view: View, id: string, given: OneItem, pages: string): Promise<Subscription> {
  const before = await view.need("subscription", id);
  mustLive(before);
  const fork = view.fork();
  await changeItems(
    fork,
    id,
    {
      items: [given.item],
      prorationBehavior: given.proration_behavior,
      prorationDate: given.proration_date,
      paymentBehavior: given.payment_behavior,
    },
    pages,
  );
  const after = await fork.need("subscription", id);
  await fork.put(before);
  await fork.save(after, "customer.subscription.updated");
  view.adopt(fork);
  return after;
}

async function itemOfPath({ view, path }: Call) {
  for (const subscription of await view.list("subscription")) {
    const item = subscription.items.data.find(({ id }) => id === path("id"));
    if (item !== undefined) return { item, subscription };
  }
  throw missing("subscription_item", path("id"));
}
