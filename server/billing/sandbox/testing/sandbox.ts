/** A sandbox in memory with the real SDK in front of it and an endpoint that keeps what it is sent. */
import { Hono } from "hono";
import Stripe from "stripe";
import { ManualClock } from "../../../clock.ts";
import type { PagesEnv } from "../../../http/pages/page-context.ts";
import { silentLog } from "../../../log.ts";
import { createBillingSandbox, createMemoryStore, SANDBOX_KEY, SANDBOX_PATH, type SandboxOptions } from "../sandbox.ts";
import { checkedRequest } from "./request-schemas.ts";

export const WEBHOOK_SECRET = "whsec_sandbox_test";

/** Every request is checked against the SDK's types, unless `loose`: for requests that are wrong on purpose. */
export function openSandbox({ loose, ...options }: Partial<SandboxOptions> & { loose?: true } = {}) {
  const clock = new ManualClock(Date.UTC(2026, 0, 31, 12));
  const sent: { body: string; headers: Readonly<Record<string, string>> }[] = [];
  const endpoint = { answer: 200 };
  const store = createMemoryStore();
  const sandbox = createBillingSandbox({
    store,
    clock,
    publicUrl: new URL("http://127.0.0.1:8787"),
    webhookSecret: WEBHOOK_SECRET,
    deliver: async (body, headers) => {
      sent.push({ body, headers });
      return endpoint.answer;
    },
    log: silentLog,
    ...(loose ? {} : { onRequest: checkedRequest }),
    ...options,
  });
  const stripe = new Stripe(SANDBOX_KEY, {
    httpClient: Stripe.createFetchHttpClient(sandbox.fetch),
    maxNetworkRetries: 0,
    telemetry: false,
  });
  /** Types of the events the endpoint was sent, in order. */
  const types = () => sent.map(({ body }) => String(JSON.parse(body).type));
  return { sandbox, stripe, clock, store, sent, endpoint, types };
}

/** A plan of $10 and one of $30 a month, an extra slot of $5, and a top-up of $20. */
export async function openShop(options: Parameters<typeof openSandbox>[0] = {}) {
  const opened = openSandbox(options);
  const { stripe } = opened;
  const product = await stripe.products.create({ name: "Perch" });
  const monthly = (unit_amount: number, lookup_key: string) =>
    stripe.prices.create({
      product: product.id,
      currency: "usd",
      unit_amount,
      lookup_key,
      recurring: { interval: "month" },
    });
  const small = await monthly(1_000, "plan_small");
  const large = await monthly(3_000, "plan_large");
  const slot = await monthly(500, "addon_slot");
  const topUp = await stripe.prices.create({
    product: product.id,
    currency: "usd",
    unit_amount: 2_000,
    lookup_key: "topup_20",
  });
  const customer = await stripe.customers.create({ email: "anna@x.example", name: "Anna" });
  const urls = { success_url: "http://127.0.0.1:8787/done", cancel_url: "http://127.0.0.1:8787/back" };
  /** Subscribes through Checkout. */
  async function subscribe(price = small.id, way: Parameters<typeof opened.sandbox.controls.pay>[1] = "pays") {
    const session = await stripe.checkout.sessions.create({
      mode: "subscription",
      customer: customer.id,
      line_items: [{ price, quantity: 1 }],
      ...urls,
    });
    await opened.sandbox.controls.pay(session.id, way);
    const { subscription } = await stripe.checkout.sessions.retrieve(session.id);
    return stripe.subscriptions.retrieve(String(subscription));
  }
  return { ...opened, product, small, large, slot, topUp, customer, urls, subscribe };
}

/** A person in a browser on the sandbox's pages. */
export function browse(sandbox: { pages: Hono<PagesEnv> }, ip = "127.0.0.1") {
  const app = new Hono<PagesEnv>();
  app.use(async (c, next) => {
    c.set("request", { requestId: "11111111-2222-4333-8444-555555555555", ip, userAgent: "test" });
    await next();
  });
  app.route(SANDBOX_PATH, sandbox.pages);
  const origin = "http://127.0.0.1:8787";
  const path = (url: string) => new URL(url, origin).href;
  return {
    async open(url: string) {
      const response = await app.request(path(url));
      return { status: response.status, html: await response.text(), headers: response.headers };
    },
    async send(url: string, fields: Record<string, string>, headers: Record<string, string> = { origin }) {
      const response = await app.request(path(url), {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
        body: new URLSearchParams(fields).toString(),
      });
      return { status: response.status, html: await response.text(), location: response.headers.get("location") };
    },
  };
}
