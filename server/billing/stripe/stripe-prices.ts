/**
 * Which thing of the catalogue an object of Stripe is. A product's id is the catalogue's own key, so a price is known also
 * after its amount changed and its lookup key went to a newer one: who subscribed earlier keeps the earlier price.
 */
import type Stripe from "stripe";
import {
  ADD_ON_IDS,
  type AddOnId,
  type CatalogueItem,
  CYCLES,
  type Cycle,
  catalogueItems,
  type LookupKey,
  type PlanId,
} from "../../../shared/billing/catalogue.ts";
import type { MirroredItem } from "./stripe.tables.ts";

const BY_KEY: ReadonlyMap<string, CatalogueItem> = new Map(catalogueItems().map((item) => [item.lookupKey, item]));

/** Metadata of a price: its lookup key, which stays with it. */
export const PRICE_KEY = "perch_key";
/** Metadata of customers, sessions and subscriptions: whose they are. */
export const TEAM_KEY = "perch_team";
/** Metadata of a subscription that is paused: since when, in Unix milliseconds. */
export const PAUSED_KEY = "perch_paused_at";
/** Metadata of what an outbox call made: the call's id. */
export const CALL_KEY = "perch_call";

export function catalogueItem(key: string): CatalogueItem | undefined {
  return BY_KEY.get(key);
}

/** What a price is of; `undefined` for one that is not ours. */
export function lookupKeyOf(price: Pick<Stripe.Price, "lookup_key" | "metadata" | "product" | "recurring">) {
  const product = typeof price.product === "string" ? price.product : price.product.id;
  const known = [price.metadata[PRICE_KEY], price.lookup_key, `${product}_${price.recurring?.interval ?? ""}`];
  return known.flatMap((key) => BY_KEY.get(key ?? "")?.lookupKey ?? [])[0];
}

export type PaidPlanId = Exclude<PlanId, "free">;
export interface Bought {
  readonly plan: PaidPlanId | undefined;
  readonly cycle: Cycle | undefined;
  readonly addOns: Readonly<Record<AddOnId, number>>;
}

/** What the items of a subscription come to. */
export function boughtWith(items: readonly Pick<MirroredItem, "lookupKey" | "quantity">[]): Bought {
  const addOns: Record<AddOnId, number> = { slot: 0, dedicated: 0, seat: 0, storage: 0 };
  let plan: PaidPlanId | undefined;
  let cycle: Cycle | undefined;
  for (const { lookupKey, quantity } of items) {
    const found = partsOf(lookupKey);
    if (found === undefined) continue;
    cycle ??= found.cycle;
    if (found.of === "solo" || found.of === "team") plan = found.of;
    else addOns[found.of] += quantity;
  }
  return { plan, cycle, addOns };
}

/** A subscription's part and its cycle, from `perch_slot_year`; `undefined` for a pack or top-up. */
export function partsOf(lookupKey: string | null): { of: PaidPlanId | AddOnId; cycle: Cycle } | undefined {
  const [, of, cycle] = /^perch_([a-z]+)_([a-z]+)$/.exec(lookupKey ?? "") ?? [];
  const known = (["solo", "team", ...ADD_ON_IDS] as const).find((id) => id === of);
  const every = CYCLES.find((one) => one === cycle);
  return known && every && { of: known, cycle: every };
}

export function subscriptionKey(of: PaidPlanId | AddOnId, cycle: Cycle): LookupKey {
  return `perch_${of}_${cycle}`;
}

/** Since when a subscription is paused; Stripe itself keeps only that it is. */
export function pausedAtOf(subscription: Pick<Stripe.Subscription, "pause_collection" | "metadata">): Date | null {
  if (subscription.pause_collection === null) return null;
  const ms = subscription.metadata[PAUSED_KEY] ?? "";
  return new Date(/^\d{1,15}$/.test(ms) ? Number(ms) : 0);
}

/** The id in a field that Stripe may have expanded. */
export function idOf(field: string | { readonly id: string } | null | undefined): string | undefined {
  if (field === null || field === undefined) return undefined;
  return typeof field === "string" ? field : field.id;
}
