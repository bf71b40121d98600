/**
 * Changing what a team subscribes to: worked out from what it has and what it wants, refused where it would leave less than
 * is in use. Pure, but for words.
 */
import type Stripe from "stripe";
import type { z } from "zod";
import type { changeInput } from "../../../shared/billing/billing.ts";
import {
  ADD_ON_IDS,
  ADD_ONS,
  type AddOnId,
  type Cycle,
  type LookupKey,
  PLANS,
  STORAGE_ADD_ON_MB,
} from "../../../shared/billing/catalogue.ts";
import { PerchError } from "../../errors.ts";
import { idOf, lookupKeyOf, type PaidPlanId, partsOf, subscriptionKey } from "./stripe-prices.ts";

export type Change = z.output<typeof changeInput>;

/** What an item of a subscription is, as Stripe has it. */
export interface Item {
  readonly id: string;
  readonly of: PaidPlanId | AddOnId;
  readonly cycle: Cycle;
  readonly quantity: number;
  /** Of the price it is charged at, which may be an earlier one. */
  readonly amount: number;
}
export interface Wanted {
  readonly plan: PaidPlanId;
  readonly cycle: Cycle;
  readonly addOns: Readonly<Record<AddOnId, number>>;
}
/** What would be too little. */
export interface InUse {
  readonly members: number;
  readonly dedicatedPhones: number;
  readonly storageMb: number;
}
/** One line of the change, with the price by the catalogue's name where it is bought anew. */
export interface ItemStep {
  readonly id?: string;
  readonly lookupKey?: LookupKey;
  readonly quantity?: number;
  readonly deleted?: true;
}

export function itemsOf(subscription: Pick<Stripe.Subscription, "items">): Item[] {
  return subscription.items.data.flatMap(({ id, price, quantity }) => {
    const parts = partsOf(lookupKeyOf(price) ?? null);
    return parts === undefined ? [] : [{ ...parts, id, quantity: quantity ?? 1, amount: price.unit_amount ?? 0 }];
  });
}

export function wantedOf(items: readonly Item[], change: Change): Wanted {
  const plan = items.find(({ of }) => of === "solo" || of === "team");
  if (plan === undefined || (plan.of !== "solo" && plan.of !== "team")) {
    throw new PerchError("conflict", "This subscription has no plan that is sold here. Write to support.");
  }
  const counted = (id: AddOnId) => items.filter(({ of }) => of === id).reduce((sum, { quantity }) => sum + quantity, 0);
  const asked = (id: AddOnId) => change.addOns.findLast(({ addOn }) => addOn === id)?.quantity;
  const number = (id: AddOnId) => asked(id) ?? counted(id);
  return {
    plan: change.plan ?? plan.of,
    cycle: change.cycle ?? plan.cycle,
    addOns: { slot: number("slot"), dedicated: number("dedicated"), seat: number("seat"), storage: number("storage") },
  };
}

/** @throws PerchError that says what is in the way, and by how much. */
export function demandEnough({ plan, addOns }: Wanted, use: InUse): void {
  const seats = PLANS[plan].seats + addOns.seat;
  if (use.members > seats) {
    throw new PerchError(
      "conflict",
      `The team has ${use.members} members, and this would leave ${seats} seats. Remove members first, or keep ${use.members - PLANS[plan].seats} extra seats.`,
    );
  }
  if (use.dedicatedPhones > addOns.dedicated) {
    throw new PerchError(
      "conflict",
      `${use.dedicatedPhones} phones are dedicated, and this would leave ${addOns.dedicated}. Take phones out first.`,
    );
  }
  const room = PLANS[plan].storageMb + addOns.storage * STORAGE_ADD_ON_MB;
  if (use.storageMb > room) {
    throw new PerchError(
      "conflict",
      `Phones that are kept take ${gigabytes(use.storageMb)}, and this would leave ${gigabytes(room)}. Remove phones first.`,
    );
  }
}

/**
 * The steps from what there is to what is wanted; none when nothing would change. Where only a number changes the price stays
 * the one the team has; another plan or cycle is bought at today's.
 */
export function stepsOf(items: readonly Item[], wanted: Wanted): ItemStep[] {
  const moves = items.some(({ cycle }) => cycle !== wanted.cycle);
  const steps: ItemStep[] = [];
  const [plan, ...extra] = items.filter(({ of }) => of === "solo" || of === "team");
  for (const { id } of extra) steps.push({ id, deleted: true });
  if (plan !== undefined && (plan.of !== wanted.plan || moves)) {
    steps.push({ id: plan.id, lookupKey: subscriptionKey(wanted.plan, wanted.cycle), quantity: 1 });
  }
  for (const addOn of ADD_ON_IDS) {
    const quantity = wanted.addOns[addOn];
    const [first, ...more] = items.filter(({ of }) => of === addOn);
    for (const { id } of more) steps.push({ id, deleted: true });
    const lookupKey = subscriptionKey(addOn, wanted.cycle);
    if (first === undefined) {
      if (quantity > 0) steps.push({ lookupKey, quantity });
    } else if (quantity === 0) steps.push({ id: first.id, deleted: true });
    else if (moves) steps.push({ id: first.id, lookupKey, quantity });
    else if (quantity !== first.quantity) steps.push({ id: first.id, quantity });
  }
  return steps;
}

/** What each coming cycle costs, before taxes: items that stay as they are at their own price, others at the catalogue's. */
export function nextAmount(items: readonly Item[], wanted: Wanted): number {
  const price = (of: PaidPlanId | AddOnId) => {
    const kept = items.find((item) => item.of === of && item.cycle === wanted.cycle);
    if (kept !== undefined) return kept.amount;
    return of === "solo" || of === "team" ? PLANS[of].prices[wanted.cycle] : ADD_ONS[of].prices[wanted.cycle];
  };
  return ADD_ON_IDS.reduce((sum, id) => sum + price(id) * wanted.addOns[id], price(wanted.plan));
}

/** @throws PerchError where a change has to wait for something else. */
export function demandChangeable(subscription: Stripe.Subscription): void {
  const { status, pause_collection, cancel_at, cancel_at_period_end } = subscription;
  if (status === "past_due" || status === "unpaid" || status === "incomplete") {
    throw new PerchError("payment_required", "A payment is open. Pay it first; then change the plan.");
  }
  if (status !== "active" && status !== "trialing") {
    throw new PerchError("conflict", "This plan is over. Choose a plan anew.");
  }
  if (pause_collection !== null) throw new PerchError("conflict", "The plan is paused. Resume it first.");
  if (cancel_at_period_end || cancel_at !== null) {
    throw new PerchError("conflict", "The plan ends with this period. Keep it first; then change it.");
  }
}

export function customerOf(subscription: Pick<Stripe.Subscription, "customer">): string | undefined {
  return idOf(subscription.customer);
}

const gigabytes = (mb: number) => `${(Math.ceil((mb / 1024) * 10) / 10).toLocaleString("en")} GB`;
