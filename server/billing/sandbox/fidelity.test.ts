import Stripe from "stripe";
import { beforeAll, describe, expect, it } from "vitest";
import { parseForm } from "./form.ts";
import { SANDBOX_KEY } from "./sandbox.ts";
import { openSandbox, openShop } from "./testing/sandbox.ts";

describe("the form of parameters", () => {
  it("nests by brackets, in any order, and refuses what is both", () => {
    expect(parseForm("a=1&b[c]=2&b[d][e]=3&items[1][x]=b&items[0][x]=a&expand[]=p&expand[]=q&empty=")).toEqual({
      a: "1",
      b: { c: "2", d: { e: "3" } },
      items: [{ x: "a" }, { x: "b" }],
      expand: ["p", "q"],
      empty: "",
    });
    expect(() => parseForm("a=1&a[b]=2")).toThrow("Invalid object");
    expect(() => parseForm("a[b]=2&a=1")).toThrow("Invalid string");
    expect(() => parseForm("a]=2")).toThrow("Invalid parameter name");
    expect(parseForm("__proto__[x]=1&constructor[y]=2")).not.toHaveProperty("x");
  });
});

describe("what is wrong with a request, in the SDK's own classes", () => {
  let shop: Awaited<ReturnType<typeof openShop>>;
  beforeAll(async () => {
    shop = await openShop({ loose: true });
  });

  it("a parameter that is none, is missing, is no number, is no value", async () => {
    const { stripe, small } = shop;
    const refused = (call: Promise<unknown>) =>
      call.then(
        () => undefined,
        (error: Stripe.errors.StripeError) => error,
      );
    const unknown = await refused(stripe.customers.create({ emial: "a" } as Stripe.CustomerCreateParams));
    expect(unknown).toBeInstanceOf(Stripe.errors.StripeInvalidRequestError);
    expect(unknown).toMatchObject({ statusCode: 400, code: "parameter_unknown", param: "emial" });
    expect(unknown?.requestId).toMatch(/^req_/);
    const nested = { line_items: [{ prize: "x", quantity: 1 }] } as unknown as Stripe.Checkout.SessionCreateParams;
    expect(await refused(stripe.checkout.sessions.create({ ...nested, success_url: "http://x" }))).toMatchObject({
      code: "parameter_unknown",
      param: "line_items[0][prize]",
    });
    expect(await refused(stripe.products.create({} as Stripe.ProductCreateParams))).toMatchObject({
      code: "parameter_missing",
      param: "name",
    });
    const text = {
      product: shop.product.id,
      currency: "usd",
      unit_amount: "ten",
    } as unknown as Stripe.PriceCreateParams;
    expect(await refused(stripe.prices.create(text))).toMatchObject({
      code: "parameter_invalid_integer",
      param: "unit_amount",
    });
    const more = { sort: "name" } as Stripe.CustomerRetrieveParams;
    expect(await refused(stripe.customers.retrieve(shop.customer.id, more))).toMatchObject({ param: "sort" });
    const mode = { mode: "gift", success_url: "http://x" } as unknown as Stripe.Checkout.SessionCreateParams;
    expect(await refused(stripe.checkout.sessions.create(mode))).toMatchObject({ param: "mode" });
    expect(
      await refused(stripe.prices.create({ product: "prod_none", currency: "usd", unit_amount: 1 })),
    ).toMatchObject({
      statusCode: 400,
      code: "resource_missing",
      param: "product",
    });
    expect(await refused(stripe.customers.retrieve("cus_none"))).toMatchObject({
      statusCode: 404,
      code: "resource_missing",
    });
    for (const path of ["email", "nothing"]) {
      expect(await refused(stripe.customers.retrieve(shop.customer.id, { expand: [path] }))).toMatchObject({
        param: "expand",
      });
    }
    const negative = { customer: shop.customer.id, items: [{ price: small.id, quantity: -1 }] };
    expect(await refused(stripe.subscriptions.create(negative))).toMatchObject({ param: "items[0][quantity]" });
  });

  it("an address that is not modelled is an error, never a success", async () => {
    await expect(shop.stripe.coupons.create({ percent_off: 10 })).rejects.toMatchObject({
      statusCode: 404,
      type: "StripeInvalidRequestError",
    });
  });

  it("another key or another version of the API", async () => {
    const client = (key: string, apiVersion?: string) =>
      new Stripe(key, {
        httpClient: Stripe.createFetchHttpClient(shop.sandbox.fetch),
        maxNetworkRetries: 0,
        ...(apiVersion && { apiVersion: apiVersion as typeof Stripe.API_VERSION }),
      });
    await expect(client("sk_live_real").customers.list()).rejects.toBeInstanceOf(
      Stripe.errors.StripeAuthenticationError,
    );
    await expect(client(SANDBOX_KEY, "2020-08-27").customers.list()).rejects.toThrow("Invalid Stripe API version");
  });

  it("a price that is archived, of another currency, of another interval, or twice", async () => {
    const { stripe, product, customer, small } = shop;
    const monthly = { product: product.id, unit_amount: 900, recurring: { interval: "month" as const } };
    const euro = await stripe.prices.create({ ...monthly, currency: "eur" });
    const old = await stripe.prices.create({ ...monthly, currency: "usd", lookup_key: "old" });
    await stripe.prices.update(old.id, { active: false });
    const yearly = await stripe.prices.create({ ...monthly, currency: "usd", recurring: { interval: "year" } });
    const open = (...prices: string[]) =>
      stripe.checkout.sessions.create({
        mode: "subscription",
        customer: customer.id,
        line_items: prices.map((price) => ({ price, quantity: 1 })),
        ...shop.urls,
      });
    await expect(open(old.id)).rejects.toThrow("inactive");
    await expect(open(small.id, euro.id)).rejects.toThrow("same currency");
    const items = (...prices: string[]) => ({ customer: customer.id, items: prices.map((price) => ({ price })) });
    await expect(stripe.subscriptions.create(items(small.id, yearly.id))).rejects.toThrow("one billing interval");
    await expect(stripe.subscriptions.create(items(small.id, small.id))).rejects.toThrow("same price");
  });

  it("a lookup key names one price until it is handed on", async () => {
    const { stripe, product, small } = shop;
    const again = {
      product: product.id,
      currency: "usd",
      unit_amount: 1_200,
      lookup_key: "plan_small",
      recurring: { interval: "month" as const },
    };
    await expect(stripe.prices.create(again)).rejects.toThrow("already uses that lookup key");
    const next = await stripe.prices.create({ ...again, transfer_lookup_key: true });
    expect((await stripe.prices.list({ lookup_keys: ["plan_small"] })).data.map(({ id }) => id)).toEqual([next.id]);
    expect((await stripe.prices.retrieve(small.id)).lookup_key).toBeNull();
  });
});

describe("pages of lists", () => {
  it("go by cursor both ways, the newest first, and the SDK walks them all", async () => {
    const { stripe } = openSandbox();
    const made: string[] = [];
    for (let index = 0; index < 25; index++) made.unshift((await stripe.customers.create({ name: `${index}` })).id);
    const first = await stripe.customers.list({ limit: 10 });
    expect(first).toMatchObject({ has_more: true });
    expect(first.data.map(({ id }) => id)).toEqual(made.slice(0, 10));
    const walked: string[] = [];
    for await (const { id } of stripe.customers.list({ limit: 7 })) walked.push(id);
    expect(walked).toEqual(made);
    const back = await stripe.customers.list({ limit: 5, ending_before: made[10] ?? "" });
    expect(back.data.map(({ id }) => id)).toEqual(made.slice(5, 10));
    await expect(stripe.customers.list({ limit: 101 })).rejects.toMatchObject({ param: "limit" });
    await expect(stripe.customers.list({ starting_after: "cus_none" })).rejects.toMatchObject({
      code: "resource_missing",
    });
    const found = await stripe.customers.search({ query: "name:'7'" });
    expect(found.data.map(({ name }) => name)).toEqual(["7"]);
  });
});

describe("idempotency", () => {
  it("answers the same again, refuses the same key for another request, and forgets after a day", async () => {
    const { stripe, clock } = openSandbox();
    const key = { idempotencyKey: "once" };
    const first = await stripe.customers.create({ name: "Anna" }, key);
    const second = await stripe.customers.create({ name: "Anna" }, key);
    expect(second.id).toBe(first.id);
    const replayed = ({ lastResponse }: typeof first) => new Headers(lastResponse.headers).get("idempotent-replayed");
    expect([replayed(first), replayed(second)]).toEqual([null, "true"]);
    const other = stripe.customers.create({ name: "Bea" }, key);
    await expect(other).rejects.toBeInstanceOf(Stripe.errors.StripeIdempotencyError);
    expect((await stripe.customers.list()).data).toHaveLength(1);
    clock.advance(25 * 3_600_000);
    expect((await stripe.customers.create({ name: "Anna" }, key)).id).not.toBe(first.id);
  });

  it("two at once make one", async () => {
    const { stripe } = openSandbox();
    const key = { idempotencyKey: "race" };
    const [one, two] = await Promise.all([stripe.customers.create({}, key), stripe.customers.create({}, key)]);
    expect(one.id).toBe(two.id);
  });

  it("a refused payment is replayed, a request that made no sense is not", async () => {
    const { stripe, customer } = await openShop({ loose: true });
    const method = await stripe.paymentMethods.attach("pm_card_chargeCustomerFail", { customer: customer.id });
    const pay = () =>
      stripe.paymentIntents.create(
        {
          amount: 2_000,
          currency: "usd",
          customer: customer.id,
          payment_method: method.id,
          confirm: true,
          off_session: true,
        },
        { idempotencyKey: "pay" },
      );
    await expect(pay()).rejects.toBeInstanceOf(Stripe.errors.StripeCardError);
    await expect(pay()).rejects.toMatchObject({ code: "card_declined", decline_code: "generic_decline" });
    expect((await stripe.charges.list({ customer: customer.id })).data).toHaveLength(1);
    const key = { idempotencyKey: "fixed" };
    await expect(stripe.products.create({} as Stripe.ProductCreateParams, key)).rejects.toMatchObject({
      param: "name",
    });
    expect(await stripe.products.create({ name: "Perch" }, key)).toMatchObject({ name: "Perch" });
  });
});

describe("money going back", () => {
  it("refunds in parts and never more than was paid; a dispute ends it", async () => {
    const { stripe, sandbox, customer, topUp, urls, types } = await openShop();
    const buy = async (way: "pays" | "disputed" | "refund_fails") => {
      const session = await stripe.checkout.sessions.create({
        mode: "payment",
        customer: customer.id,
        line_items: [{ price: topUp.id, quantity: 1 }],
        ...urls,
      });
      await sandbox.controls.pay(session.id, way);
      return String((await stripe.checkout.sessions.retrieve(session.id)).payment_intent);
    };
    const paid = await buy("pays");
    await stripe.refunds.create({ payment_intent: paid, amount: 500 });
    await expect(stripe.refunds.create({ payment_intent: paid, amount: 1_501 })).rejects.toThrow(
      "greater than unrefunded",
    );
    expect(await stripe.refunds.create({ payment_intent: paid })).toMatchObject({ amount: 1_500, status: "succeeded" });
    await expect(stripe.refunds.create({ payment_intent: paid })).rejects.toMatchObject({
      code: "charge_already_refunded",
    });
    await expect(stripe.refunds.create({ payment_intent: await buy("disputed") })).rejects.toMatchObject({
      code: "charge_disputed",
    });
    const fails = await stripe.refunds.create({ payment_intent: await buy("refund_fails") });
    expect(await stripe.refunds.retrieve(fails.id)).toMatchObject({ status: "failed" });
    await sandbox.tick();
    expect(types()).toEqual(
      expect.arrayContaining(["charge.dispute.created", "refund.created", "refund.failed", "charge.refunded"]),
    );
  });
});

describe("previews", () => {
  it("say what a change costs, and change nothing", async () => {
    const { stripe, subscribe, slot, clock, customer } = await openShop();
    const { id } = await subscribe();
    clock.advance(14 * 24 * 3_600_000);
    const change = { items: [{ price: slot.id, quantity: 2 }], proration_behavior: "always_invoice" as const };
    const preview = await stripe.invoices.createPreview({ subscription: id, subscription_details: change });
    expect(preview).toMatchObject({ total: 500, amount_due: 500, billing_reason: "upcoming", status: "draft" });
    expect(preview.id).toMatch(/^upcoming_/);
    expect((await stripe.subscriptions.retrieve(id)).items.data).toHaveLength(1);
    const changed = await stripe.subscriptions.update(id, { ...change, expand: ["latest_invoice"] });
    expect(changed.latest_invoice).toMatchObject({ total: 500, status: "paid" });
    const next = await stripe.invoices.createPreview({ subscription: id });
    expect(next.lines.data.map(({ amount }) => amount)).toEqual([1_000, 1_000]);
    expect((await stripe.invoices.list({ customer: customer.id })).data).toHaveLength(2);
  });

  it("a smaller plan gives credit that the next invoice is paid from", async () => {
    const { stripe, sandbox, subscribe, small, large, clock, customer } = await openShop();
    const subscription = await subscribe(large.id);
    clock.advance(14 * 24 * 3_600_000);
    await stripe.subscriptions.update(subscription.id, {
      items: [{ id: subscription.items.data[0]?.id ?? "", price: small.id }],
      proration_behavior: "always_invoice",
    });
    expect(await stripe.customers.retrieve(customer.id)).toMatchObject({ balance: -1_000 });
    await sandbox.controls.moveClock(14 * 24 * 3_600_000 + 7_200_000);
    const [renewal] = (await stripe.invoices.list({ subscription: subscription.id })).data;
    expect(renewal).toMatchObject({
      total: 1_000,
      amount_due: 0,
      starting_balance: -1_000,
      ending_balance: 0,
      status: "paid",
    });
    expect(await stripe.customers.retrieve(customer.id)).toMatchObject({ balance: 0 });
  });
});
