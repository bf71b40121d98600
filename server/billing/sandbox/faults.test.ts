import Stripe from "stripe";
import { describe, expect, it } from "vitest";
import { NO_FAULTS } from "./faults.ts";
import { SANDBOX_KEY } from "./sandbox.ts";
import { openSandbox, openShop, WEBHOOK_SECRET } from "./testing/sandbox.ts";

const MINUTE = 60_000;

describe("faults", () => {
  it("a lost answer took effect, and a retry with the same key finds it", async () => {
    const { sandbox, stripe } = openSandbox();
    sandbox.controls.faults.next("lose", "POST /v1/customers");
    await expect(stripe.customers.create({ name: "Anna" }, { idempotencyKey: "lost" })).rejects.toBeInstanceOf(
      Stripe.errors.StripeConnectionError,
    );
    const [made] = (await stripe.customers.list()).data;
    expect((await stripe.customers.create({ name: "Anna" }, { idempotencyKey: "lost" })).id).toBe(made?.id);
    // The SDK's own retries do the same.
    const retrying = new Stripe(SANDBOX_KEY, {
      httpClient: Stripe.createFetchHttpClient(sandbox.fetch),
      maxNetworkRetries: 2,
      telemetry: false,
    });
    sandbox.controls.faults.next("lose");
    sandbox.controls.faults.next("fail");
    await retrying.customers.create({ name: "Bea" });
    expect((await stripe.customers.list()).data).toHaveLength(2);
  });

  it("a failed call did nothing", async () => {
    const { sandbox, stripe } = openSandbox();
    sandbox.controls.faults.set({ failCalls: 1 });
    await expect(stripe.customers.create({})).rejects.toBeInstanceOf(Stripe.errors.StripeAPIError);
    sandbox.controls.faults.clear();
    expect(sandbox.controls.faults.settings).toEqual(NO_FAULTS);
    expect((await stripe.customers.list()).data).toEqual([]);
  });

  it("webhooks come twice, late, in another order or never, the same way for the same seed", async () => {
    const run = async (seed: number) => {
      const { sandbox, stripe, types, clock } = openSandbox({ seed });
      sandbox.controls.faults.set({
        duplicateWebhooks: 0.5,
        dropWebhooks: 0.3,
        reorderWebhooks: true,
        delayWebhooksMs: MINUTE,
      });
      for (const name of ["a", "b", "c", "d", "e", "f"]) {
        await stripe.customers.create({ name });
        await stripe.products.create({ name });
      }
      await sandbox.tick();
      const early = types().length;
      clock.advance(MINUTE);
      await sandbox.tick();
      const all = (await stripe.events.list({ limit: 100 })).data;
      return {
        early,
        order: types(),
        waiting: all.filter(({ pending_webhooks }) => pending_webhooks > 0).length,
        events: all.length,
      };
    };
    const [one, same, other] = [await run(7), await run(7), await run(8)];
    expect(one).toEqual(same);
    expect(one.order).not.toEqual(other.order);
    expect(one).toMatchObject({ early: 0, waiting: 0, events: 12 });
    const inOrder = Array.from({ length: 6 }, () => ["customer.created", "product.created"]).flat();
    expect(one.order).not.toEqual(inOrder);
    expect(one.order.length).not.toBe(12);
  });

  it("what the endpoint does not take is tried again for three days, then only the list of events knows it", async () => {
    const { sandbox, stripe, sent, endpoint, clock } = openSandbox();
    endpoint.answer = 500;
    await stripe.customers.create({});
    await sandbox.tick();
    await sandbox.tick();
    expect(sent).toHaveLength(1);
    clock.advance(MINUTE);
    await sandbox.tick();
    expect(sent).toHaveLength(2);
    await sandbox.controls.moveClock(4 * 24 * 60 * MINUTE);
    expect(sent).toHaveLength(9);
    expect(new Set(sent.map(({ body }) => JSON.parse(body).id)).size).toBe(1);
    expect((await stripe.events.list({ delivery_success: true })).data).toHaveLength(1);
  });

  it("sends each once, however often it is told to at a time", async () => {
    const { sandbox, stripe, sent } = openSandbox();
    await stripe.customers.create({});
    await stripe.customers.create({});
    await Promise.all([sandbox.controls.moveClock(1_000), sandbox.tick(), sandbox.controls.moveClock(1_000)]);
    expect(new Set(sent.map(({ body }) => JSON.parse(body).id)).size).toBe(2);
    expect(sent).toHaveLength(2);
  });

  it("signs with each secret while one is being replaced, and not with another", async () => {
    const { sandbox, stripe, sent, clock } = openSandbox({ webhookSecret: ["whsec_old", WEBHOOK_SECRET] });
    await stripe.customers.create({});
    await sandbox.tick();
    const [one] = sent;
    const opened = (secret: string) =>
      stripe.webhooks.constructEvent(
        one?.body ?? "",
        one?.headers["stripe-signature"] ?? "",
        secret,
        300,
        undefined,
        clock.now() / 1_000,
      );
    expect(opened("whsec_old").type).toBe("customer.created");
    expect(opened(WEBHOOK_SECRET).type).toBe("customer.created");
    expect(() => opened("whsec_other")).toThrow(Stripe.errors.StripeSignatureVerificationError);
  });

  it("lets an endpoint call the API while it is being told", async () => {
    const shop = await openShop();
    const seen: string[] = [];
    const opened = openSandbox({
      store: shop.store,
      deliver: async (body) => {
        const { data } = JSON.parse(body);
        const read = await opened.stripe.customers
          .retrieve(data.object.customer ?? data.object.id)
          .catch(() => undefined);
        if (read !== undefined) seen.push(read.id);
        return 200;
      },
    });
    await opened.stripe.customers.update(shop.customer.id, { name: "Bea" });
    await opened.sandbox.tick();
    expect(seen).toContain(shop.customer.id);
  });
});
