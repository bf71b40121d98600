/**
 * Puts the catalogue into Stripe: products by their own id, prices by lookup key. What is equal is left alone; a changed amount
 * becomes a new price that takes the lookup key over, and the earlier one is sold to nobody new.
 */
import type Stripe from "stripe";
import { type CatalogueItem, CURRENCY, catalogueItems } from "../../../shared/billing/catalogue.ts";
import { moneyWords } from "../../../shared/billing/words.ts";
import { isMissing } from "./stripe-errors.ts";
import { idOf, PRICE_KEY } from "./stripe-prices.ts";

export interface SyncStep {
  readonly what: "product" | "price";
  /** The product's id, or the lookup key. */
  readonly key: string;
  readonly did: "made" | "changed" | "left" | "retired";
  /** `Solo, $12.00`. */
  readonly words: string;
}
export interface SyncResult {
  readonly steps: readonly SyncStep[];
  /** Steps that changed something, or would. */
  readonly changes: number;
}

/** Prices a page; lookup keys a call of `prices.list` takes. */
const KEYS_A_CALL = 10;

export async function syncCatalogue(
  stripe: Stripe,
  options: { readonly dryRun?: boolean; readonly items?: readonly CatalogueItem[]; readonly tax?: boolean } = {},
): Promise<SyncResult> {
  const { dryRun = false, items = catalogueItems() } = options;
  const steps: SyncStep[] = [];
  const products = new Map(items.map(({ product }) => [product.key, product]));
  for (const product of products.values()) {
    const there = await found(stripe.products.retrieve(product.key));
    const wanted = { name: product.name, description: product.about };
    const step = { what: "product", key: product.key, words: product.name } as const;
    if (there === undefined) {
      steps.push({ ...step, did: "made" });
      if (!dryRun) await stripe.products.create({ id: product.key, ...wanted });
    } else if (there.name !== wanted.name || there.description !== wanted.description || !there.active) {
      steps.push({ ...step, did: "changed" });
      if (!dryRun) await stripe.products.update(product.key, { ...wanted, active: true });
    } else steps.push({ ...step, did: "left" });
  }
  const prices = await pricesOf(stripe, items);
  for (const item of items) {
    const there = prices.get(item.lookupKey);
    const words = `${item.product.name}, ${moneyWords(item.amount, CURRENCY)}`;
    const step = { what: "price", key: item.lookupKey, words } as const;
    if (there !== undefined && isSame(there, item)) {
      steps.push({ ...step, did: "left" });
      continue;
    }
    steps.push({ ...step, did: there === undefined ? "made" : "changed" });
    if (!dryRun) await makePrice(stripe, item, there);
    if (there?.active) {
      const before = moneyWords(there.unit_amount ?? 0, there.currency);
      steps.push({ what: "price", key: there.id, did: "retired", words: `${item.product.name}, ${before}` });
      if (!dryRun) await stripe.prices.update(there.id, { active: false });
    }
  }
  return { steps, changes: steps.filter(({ did }) => did !== "left").length };
}

async function makePrice(stripe: Stripe, item: CatalogueItem, before: Stripe.Price | undefined): Promise<void> {
  const { lookupKey, product, amount, cycle } = item;
  const recurring = cycle === undefined ? undefined : ({ interval: cycle } as const);
  await stripe.prices.create(
    {
      ...{ product: product.key, currency: CURRENCY, unit_amount: amount, tax_behavior: "exclusive" },
      ...{ lookup_key: lookupKey, transfer_lookup_key: true, metadata: { [PRICE_KEY]: lookupKey } },
      ...(recurring && { recurring }),
    },
    // Says what it follows, so that an amount that was there before can come again.
    { idempotencyKey: `price:${lookupKey}:${CURRENCY}:${amount}:${before?.id ?? "first"}` },
  );
}

async function pricesOf(stripe: Stripe, items: readonly CatalogueItem[]): Promise<Map<string, Stripe.Price>> {
  const made = new Map<string, Stripe.Price>();
  for (let at = 0; at < items.length; at += KEYS_A_CALL) {
    const lookup_keys = items.slice(at, at + KEYS_A_CALL).map(({ lookupKey }) => lookupKey);
    for (const price of (await stripe.prices.list({ lookup_keys, limit: 100 })).data) {
      if (price.lookup_key !== null) made.set(price.lookup_key, price);
    }
  }
  return made;
}

function isSame(price: Stripe.Price, { amount, cycle, product }: CatalogueItem): boolean {
  return (
    price.active &&
    price.unit_amount === amount &&
    price.currency === CURRENCY &&
    price.recurring?.interval === cycle &&
    idOf(price.product) === product.key
  );
}

async function found<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** One line each, for a terminal. */
export function syncLines({ steps, changes }: SyncResult, dryRun: boolean): string[] {
  const verbs = dryRun
    ? { made: "would be made", changed: "would change", retired: "would be retired", left: "is as it should be" }
    : { made: "made", changed: "changed", retired: "retired", left: "is as it should be" };
  const lines = steps
    .filter(({ did }) => did !== "left")
    .map(({ key, words, did }) => `${key} (${words}): ${verbs[did]}`);
  const rest = steps.length - changes;
  return [...lines, `${changes} ${changes === 1 ? "change" : "changes"}, ${rest} as they should be.`];
}
