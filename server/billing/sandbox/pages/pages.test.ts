import { describe, expect, it } from "vitest";
import { browse, openShop } from "../testing/sandbox.ts";
import { BANNER } from "./frame.ts";

const DAY = 24 * 3_600_000;

async function openCheckout() {
  const shop = await openShop();
  const { stripe, customer, topUp } = shop;
  const session = await stripe.checkout.sessions.create({
    mode: "payment",
    customer: customer.id,
    line_items: [{ price: topUp.id, quantity: 1 }],
    invoice_creation: { enabled: true },
    success_url: "chrome-extension://abcdefghijklmnopabcdefghijklmnop/done.html?session={CHECKOUT_SESSION_ID}",
    cancel_url: "http://127.0.0.1:8787/back",
  });
  return { ...shop, session, page: browse(shop.sandbox), url: session.url ?? "" };
}

describe("the sandbox's pages", () => {
  it("are the ones written here, and none takes a form from elsewhere", async () => {
    const { sandbox } = await openShop();
    const shown = ["/", "/checkout/:id", "/invoices/:id", "/portal/:id"];
    const found = sandbox.pages.routes
      .filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method} ${path}`);
    expect(found.sort()).toEqual(["GET", "POST"].flatMap((method) => shown.map((path) => `${method} ${path}`)));
    const page = browse(sandbox);
    for (const path of shown) {
      for (const headers of [{ origin: "https://evil.example" }, { origin: "null" }]) {
        expect((await page.send(`/sandbox${path}`, {}, headers)).status).toBe(403);
      }
    }
  });
});

describe("the hosted checkout", () => {
  it("shows what is bought, takes no card, and leads back with the session", async () => {
    const { page, url, session, stripe } = await openCheckout();
    const { html, headers } = await page.open(url);
    for (const words of [BANNER, "Perch", "$20.00", "Is declined", "Go back"]) expect(html).toContain(words);
    expect(html).not.toMatch(/card number|<input(?! type="(hidden|radio)")/i);
    expect(headers.get("content-security-policy")).toContain("form-action 'self' chrome-extension://abcdefghijklmnop");
    expect(headers.get("content-security-policy")).not.toContain("script-src");
    const paid = await page.send(url, { way: "pays" });
    expect(paid.location).toBe(`chrome-extension://abcdefghijklmnopabcdefghijklmnop/done.html?session=${session.id}`);
    expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({ payment_status: "paid" });
    expect((await page.open(url)).html).toContain("cannot be paid twice");
    expect((await page.send(url, { way: "pays" })).status).toBe(409);
  });

  it("says that nothing was bought when the bank says no, and asks for the bank when it must", async () => {
    const { page, url, stripe, session } = await openCheckout();
    const declined = await page.send(url, { way: "declined" });
    expect(declined.status).toBe(402);
    expect(declined.html).toContain("Nothing was bought");
    const asked = await page.send(url, { way: "needs_confirmation" });
    expect(asked.html).toContain("Your bank asks");
    expect((await page.send(url, { way: "needs_confirmation", answer: "no" })).status).toBe(402);
    expect((await page.send(url, { way: "needs_confirmation", answer: "yes" })).status).toBe(303);
    expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({ status: "complete" });
  });

  it("takes forms of its own pages alone", async () => {
    const { page, url, stripe, session } = await openCheckout();
    for (const headers of [{}, { origin: "https://evil.example" }, { origin: "null" }]) {
      expect((await page.send(url, { way: "pays" }, headers as Record<string, string>)).status).toBe(403);
    }
    expect((await page.send(url, { way: "by_card" })).status).toBe(400);
    expect((await page.send("/sandbox/checkout/cs_test_none", { way: "pays" })).status).toBe(404);
    expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({ status: "open" });
  });
});

describe("the hosted invoice", () => {
  it("is stamped, and is paid when it is open", async () => {
    const { sandbox, subscribe, stripe } = await openShop();
    const page = browse(sandbox);
    const { id } = await subscribe(undefined, "insufficient_later");
    await sandbox.controls.moveClock(28 * DAY + 7_200_000);
    const [open] = (await stripe.invoices.list({ subscription: id, status: "open" })).data;
    const url = open?.hosted_invoice_url ?? "";
    const { html } = await page.open(url);
    for (const words of [BANNER, "TEST", "waits to be paid", "$10.00", open?.number ?? "?"])
      expect(html).toContain(words);
    expect((await page.send(url, { way: "declined" })).status).toBe(402);
    expect((await page.send(url, { way: "pays" })).status).toBe(303);
    expect((await page.open(url)).html).toContain("Paid");
    expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ status: "active" });
  });
});

describe("the portal", () => {
  it("offers what its configuration offers: plan, way to pay, invoices, the end", async () => {
    const { sandbox, stripe, subscribe, customer, product, small, large } = await openShop();
    const page = browse(sandbox);
    const { id } = await subscribe();
    const configuration = await stripe.billingPortal.configurations.create({
      features: {
        invoice_history: { enabled: true },
        payment_method_update: { enabled: true },
        subscription_cancel: { enabled: true, mode: "at_period_end" },
        subscription_update: {
          enabled: true,
          default_allowed_updates: ["price"],
          products: [{ product: product.id, prices: [small.id, large.id] }],
          proration_behavior: "always_invoice",
        },
      },
    });
    const { url } = await stripe.billingPortal.sessions.create({
      customer: customer.id,
      configuration: configuration.id,
      return_url: "http://127.0.0.1:8787/",
    });
    const { html } = await page.open(url);
    for (const words of [
      BANNER,
      "Renews on 28 Feb 2026",
      "Change the plan",
      "Way to pay",
      "Invoices",
      "Return to Perch",
    ]) {
      expect(html).toContain(words);
    }
    await page.send(url, { do: "plan", subscription: id, price: large.id });
    expect((await stripe.subscriptions.retrieve(id)).items.data[0]?.price.id).toBe(large.id);
    await page.send(url, { do: "method", way: "declined" });
    expect((await stripe.customers.listPaymentMethods(customer.id)).data).toHaveLength(2);
    await page.send(url, { do: "cancel", subscription: id });
    expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ cancel_at_period_end: true });
    expect((await page.open(url)).html).toContain("Ends on 28 Feb 2026");
    await page.send(url, { do: "keep", subscription: id });
    expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ cancel_at_period_end: false });
  });

  it("offers nothing of another customer, and nothing when it is old", async () => {
    const { sandbox, stripe, subscribe, clock } = await openShop();
    const page = browse(sandbox);
    const { id } = await subscribe();
    const other = await stripe.customers.create({});
    const { url } = await stripe.billingPortal.sessions.create({ customer: other.id });
    expect((await page.send(url, { do: "cancel", subscription: id })).html).toContain("pick what to change");
    expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ cancel_at_period_end: false });
    clock.advance(2 * 3_600_000);
    expect((await page.open(url)).status).toBe(404);
  });
});

describe("the controls", () => {
  it("move the clock, set faults and send events again, at the machine alone", async () => {
    const { sandbox, sent, subscribe, stripe } = await openShop();
    const page = browse(sandbox);
    const away = browse(sandbox, "192.0.2.7");
    const { id } = await subscribe();
    expect((await away.open("/sandbox")).status).toBe(404);
    expect((await away.send("/sandbox", { do: "move", by: "month" })).status).toBe(404);
    expect((await page.open("/sandbox")).html).toContain("customer.subscription.created");
    await page.send("/sandbox", { do: "move", by: "month" });
    expect((await stripe.invoices.list({ subscription: id })).data).toHaveLength(2);
    const before = sent.length;
    const [event] = (await stripe.events.list({ type: "invoice.paid" })).data;
    await page.send("/sandbox", { do: "redeliver", id: event?.id ?? "" });
    expect(sent.slice(before).map(({ body }) => JSON.parse(body).id)).toEqual([event?.id]);
    await page.send("/sandbox", { do: "faults", failCalls: "100", afterRetries: "mark_unpaid" });
    await expect(stripe.customers.list()).rejects.toMatchObject({ statusCode: 500 });
    await page.send("/sandbox", { do: "faults", failCalls: "0" });
    await expect(stripe.customers.list()).resolves.toBeDefined();
    expect(await sandbox.controls.settings()).toMatchObject({ afterRetries: "mark_unpaid" });
  });
});
