import Stripe from "stripe";
import { describe, expect, it } from "vitest";
import { catalogueItems } from "../../../shared/billing/catalogue.ts";
import { ManualClock } from "../../clock.ts";
import { parseConfig } from "../../config.ts";
import { silentLog } from "../../log.ts";
import { createBillingSandbox, createMemoryStore, SANDBOX_KEY } from "../sandbox/sandbox.ts";
import { checkedRequest } from "../sandbox/testing/request-schemas.ts";
import { syncCatalogue, syncLines } from "./catalogue-sync.ts";
import { openStripe, STRIPE_API_VERSION } from "./stripe-client.ts";
import { boughtWith, lookupKeyOf } from "./stripe-prices.ts";

function openSandbox() {
  const sandbox = createBillingSandbox({
    onRequest: checkedRequest,
    ...{ store: createMemoryStore(), clock: new ManualClock(), publicUrl: new URL("http://127.0.0.1:8787") },
    ...{ webhookSecret: "whsec_0123456789", deliver: async () => 200, log: silentLog },
  });
  const access = openStripe(parseConfig({ BILLING: "sandbox" }), { key: SANDBOX_KEY, fetch: sandbox.fetch }, 0);
  if (access === undefined) throw new Error("No bills are sent.");
  return { sandbox, stripe: access.stripe };
}

const items = catalogueItems();
const products = new Set(items.map(({ product }) => product.key)).size;
const priced = (amount: number) =>
  items.map((item) => (item.lookupKey === "perch_solo_month" ? { ...item, amount } : item));

describe("the catalogue at Stripe", () => {
  it("is made by the first run and left alone by the next", async () => {
    const { stripe } = openSandbox();
    const dry = await syncCatalogue(stripe, { dryRun: true });
    expect(dry.changes).toBe(items.length + products);
    expect((await stripe.products.list()).data).toEqual([]);
    const first = await syncCatalogue(stripe);
    expect(first).toEqual(dry);
    const second = await syncCatalogue(stripe);
    expect(second.changes).toBe(0);
    expect(syncLines(second, false)).toEqual([`0 changes, ${items.length + products} as they should be.`]);
    for (const { lookupKey, amount, cycle } of items) {
      const [price] = (await stripe.prices.list({ lookup_keys: [lookupKey] })).data;
      expect(price).toMatchObject({ unit_amount: amount, currency: "usd", active: true, tax_behavior: "exclusive" });
      expect(price?.recurring?.interval).toBe(cycle);
      expect(price && lookupKeyOf(price)).toBe(lookupKey);
    }
  });

  it("gives a changed amount a new price under the same key, retires the old one, and comes back to it", async () => {
    const { stripe } = openSandbox();
    await syncCatalogue(stripe);
    const [old] = (await stripe.prices.list({ lookup_keys: ["perch_solo_month"] })).data;
    const result = await syncCatalogue(stripe, { items: priced(1_500) });
    expect(syncLines(result, false)).toEqual([
      "perch_solo_month (Perch Solo, $15.00): changed",
      `${old?.id} (Perch Solo, $12.00): retired`,
      `2 changes, ${items.length + products - 1} as they should be.`,
    ]);
    const before = await stripe.prices.retrieve(old?.id ?? "");
    expect(before).toMatchObject({ active: false, lookup_key: null });
    // Who subscribed at it is still known to have Solo.
    expect(lookupKeyOf(before)).toBe("perch_solo_month");
    expect(boughtWith([{ lookupKey: lookupKeyOf(before) ?? null, quantity: 1 }])).toMatchObject({
      plan: "solo",
      cycle: "month",
    });
    for (const amount of [1_200, 1_500, 1_200]) await syncCatalogue(stripe, { items: priced(amount) });
    const [now] = (await stripe.prices.list({ lookup_keys: ["perch_solo_month"] })).data;
    expect(now).toMatchObject({ unit_amount: 1_200, active: true });
    expect((await syncCatalogue(stripe)).changes).toBe(0);
  });

  it("puts right what somebody changed by hand, and goes on after it was broken off anywhere", async () => {
    const { stripe, sandbox } = openSandbox();
    for (let broken = 0; broken < 60; broken += 1) {
      sandbox.controls.faults.next("lose", broken % 2 === 0 ? "POST /v1/prices" : "POST /v1/products");
      const done = await syncCatalogue(stripe).then(
        () => true,
        () => false,
      );
      if (done && broken > 10) break;
    }
    sandbox.controls.faults.clear();
    await syncCatalogue(stripe);
    expect((await syncCatalogue(stripe)).changes).toBe(0);
    for (const { lookupKey } of items)
      expect((await stripe.prices.list({ lookup_keys: [lookupKey] })).data).toHaveLength(1);
    const [pack] = (await stripe.prices.list({ lookup_keys: ["perch_pack_1000"] })).data;
    await stripe.products.update("perch_solo", { name: "Something" });
    await stripe.prices.update(pack?.id ?? "", { active: false });
    expect((await syncCatalogue(stripe)).changes).toBe(2);
    expect((await stripe.products.retrieve("perch_solo")).name).toBe("Perch Solo");
  });
});

describe("the way to Stripe", () => {
  const key = "sk_test_0123456789abcdef";
  it("is the SDK at a version that is written down, without telemetry, and none where no bills are sent", async () => {
    const asked: { url: string; headers: Headers }[] = [];
    const { fetch } = openSandbox().sandbox;
    const access = openStripe(parseConfig({ BILLING: "sandbox" }), {
      key: "sk_test_sandbox_no_money_moves",
      fetch: (url, init) => {
        asked.push({ url: String(url), headers: new Headers(init?.headers) });
        return fetch(url, init);
      },
    });
    await access?.stripe.products.list();
    expect(access).toMatchObject({ mode: "sandbox", livemode: false });
    expect(asked[0]?.headers.get("stripe-version")).toBe(STRIPE_API_VERSION);
    expect(STRIPE_API_VERSION).toBe("2026-10-28.endive");
    expect(asked[0]?.headers.get("x-stripe-client-telemetry")).toBeNull();
    expect(openStripe(parseConfig({ BILLING: "off", STRIPE_SECRET_KEY: key }))).toBeUndefined();
  });
  it("leads where the settings say, live or not", () => {
    const keys = { STRIPE_SECRET_KEY: key, STRIPE_WEBHOOK_SECRET: "whsec_0123456789" };
    const near = openStripe(parseConfig({ ...keys, STRIPE_API_BASE: "http://127.0.0.1:12111" }));
    expect(near).toMatchObject({ mode: "stripe", livemode: false });
    const live = openStripe(parseConfig({ ...keys, STRIPE_SECRET_KEY: "rk_live_0123456789abcdef" }));
    expect(live).toMatchObject({ mode: "stripe", livemode: true });
    expect(near?.stripe).toBeInstanceOf(Stripe);
  });
});
