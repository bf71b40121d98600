import type Stripe from "stripe";
import { describe, expect, it } from "vitest";
import { ROUTES } from "../routes.ts";
import { requestSchemas } from "./request-schemas.ts";
import { openSandbox } from "./sandbox.ts";

describe("schemas of requests, made of the SDK's types", () => {
  it("there is one for every route, so every route is one of the SDK's", () => {
    expect(Object.keys(ROUTES).filter((route) => requestSchemas()[route] === undefined)).toEqual([]);
  });

  it("refuse an unknown parameter, a missing one, and a word that is none of those allowed", async () => {
    const { stripe } = openSandbox();
    const send = (params: object) => stripe.checkout.sessions.create(params as Stripe.Checkout.SessionCreateParams);
    const refusal = { code: "request_schema", statusCode: 400 };
    await expect(send({ mode: "payment", sucess_url: "http://x" })).rejects.toMatchObject(refusal);
    await expect(send({ mode: "gift" })).rejects.toMatchObject(refusal);
    await expect(send({ invoice_creation: { invoice_data: { footer: "x" } } })).rejects.toMatchObject(refusal);
    await expect(send({ line_items: [{ price: "p", quantity: "many" }] })).rejects.toMatchObject(refusal);
    await expect(stripe.prices.list({ lookup_keys: ["a"], type: "gift" as "recurring" })).rejects.toMatchObject(
      refusal,
    );
    await expect(stripe.customers.create({ metadata: { a: "1" }, address: { city: "" } })).resolves.toBeDefined();
  });
});
