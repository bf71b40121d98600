/** The door Stripe comes through, as it stands in the running server. */
import { request } from "node:http";
import Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../testing.ts";
import { MAX_EVENT_BYTES, STRIPE_WEBHOOK_PATH } from "./webhook.ts";

const SECRETS = ["whsec_route_of_today", "whsec_route_of_yesterday"];
const MARK = "a-word-of-the-body";
const stripe = new Stripe("sk_test_nothing");

describe("the route of Stripe's events", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({
      ...{ BILLING: "auto", STRIPE_SECRET_KEY: "sk_test_nothing_there", STRIPE_WEBHOOK_SECRET: SECRETS.join(",") },
      // Nobody listens there: what is tested is the way in.
      STRIPE_API_BASE: "http://127.0.0.1:9",
    });
  });
  afterAll(() => server.dispose());

  const event = (id: string, more = {}) =>
    JSON.stringify({
      ...{ id, object: "event", api_version: "2026-10-28.endive", livemode: false, created: 1, type: "invoice.paid" },
      data: { object: { id: "in_1", description: MARK, ...more } },
    });
  const signed = (payload: string, secret = SECRETS[1] ?? "") =>
    stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp: Math.floor(server.clock.now() / 1_000) });
  async function post(body: string | Uint8Array<ArrayBuffer>, signature?: string) {
    const headers = {
      "content-type": "application/json",
      ...(signature !== undefined && { "stripe-signature": signature }),
    };
    const answer = await fetch(server.url + STRIPE_WEBHOOK_PATH, { method: "POST", body, headers });
    return { status: answer.status, text: await answer.text() };
  }
  const ids = async () => (await server.db.read.select().from(server.db.t.stripeEvents)).map(({ id }) => id);

  it("takes what Stripe signed, byte by byte as it came, and answers at once", async () => {
    // Spaces, order and escapes are part of what was signed.
    const payload = event("evt_1").replace(":", " :\t").replace("paid", "pa\\u0069d");
    expect(await post(payload, signed(payload))).toEqual({ status: 200, text: '{"received":true}' });
    expect(await post(payload, signed(payload))).toMatchObject({ status: 200 });
    expect(await ids()).toEqual(["evt_1"]);
  });

  it("refuses everything else with 400, and repeats none of it", async () => {
    const payload = event("evt_2");
    const large = event("evt_2", { more: "x".repeat(MAX_EVENT_BYTES) });
    const garbled = new Uint8Array([...new TextEncoder().encode(payload), 0xc3, 0x28]);
    const answers = [
      await post(payload),
      await post(payload, signed(payload, "whsec_of_somebody_else")),
      await post(large, signed(large)),
      await post(garbled, signed(payload)),
      await post("", signed(payload)),
      await chunked(large, signed(large)),
    ];
    for (const { status, text } of answers) {
      expect(status).toBe(400);
      expect(text).not.toMatch(/a-word-of-the-body|evt_2|whsec/);
    }
    expect(await ids()).toEqual(["evt_1"]);
    expect(server.lines.join("")).not.toMatch(/a-word-of-the-body|evt_2|whsec_/);
  });

  /** A body that does not say how long it is. */
  function chunked(body: string, signature: string) {
    return new Promise<{ status: number; text: string }>((resolve, reject) => {
      const { port } = server;
      const headers = { "stripe-signature": signature, "transfer-encoding": "chunked" };
      const call = request(
        { host: "127.0.0.1", port, path: STRIPE_WEBHOOK_PATH, method: "POST", headers },
        (answer) => {
          let text = "";
          answer.setEncoding("utf8").on("data", (part: string) => {
            text += part;
          });
          answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
        },
      );
      call.on("error", reject);
      call.end(body);
    });
  }

  it("is not there where no bills are sent", async () => {
    const off = await startTestServer({ BILLING: "off" });
    try {
      const payload = event("evt_3");
      const answer = await fetch(off.url + STRIPE_WEBHOOK_PATH, { method: "POST", body: payload });
      expect(answer.status).toBe(404);
    } finally {
      await off.dispose();
    }
  });
});
