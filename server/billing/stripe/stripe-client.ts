/**
 * The one way to Stripe: the SDK with its API version written down. In mode `sandbox` the same SDK talks to the billing
 * sandbox in this process; nothing else differs.
 */
import { Agent } from "node:https";
import Stripe from "stripe";
import type { Config } from "../../config.ts";
import { traced } from "../../tracing/traced.ts";
import { type Tracing, untraced } from "../../tracing/tracing.ts";

/** What every call and every webhook endpoint is made with. Raised together with the SDK, never by itself. */
export const STRIPE_API_VERSION = "2026-10-28.endive" as const;

/** Classes of what the SDK throws. */
export const stripeErrors = Stripe.errors;

const TIMEOUT_MS = 20_000;
const RETRIES = 2;

/** The billing sandbox in Stripe's place. */
export interface SandboxDoor {
  readonly key: string;
  readonly fetch: (url: string | URL | Request, init?: RequestInit) => Promise<Response>;
}
export interface StripeAccess {
  readonly stripe: Stripe;
  readonly mode: "stripe" | "sandbox";
  /** What Stripe calls live: objects of the other kind are not ours. */
  readonly livemode: boolean;
}

type ClientConfig = Pick<Config, "billingMode" | "STRIPE_SECRET_KEY" | "STRIPE_API_BASE">;

/** `undefined` where the server sends no bills. `retries`: of the SDK; tests that lose answers want none. */
export function openStripe(
  config: ClientConfig,
  sandbox?: SandboxDoor,
  retries = RETRIES,
  tracing: Tracing = untraced,
): StripeAccess | undefined {
  const common = {
    ...{ apiVersion: STRIPE_API_VERSION, maxNetworkRetries: retries, timeout: TIMEOUT_MS, telemetry: false },
  } satisfies ConstructorParameters<typeof Stripe>[1];
  if (config.billingMode === "off") return undefined;
  if (config.billingMode === "sandbox") {
    if (sandbox === undefined) return undefined;
    const { key, fetch } = sandbox;
    const httpClient = Stripe.createFetchHttpClient(fetch);
    return { stripe: new Stripe(key, { ...common, httpClient }), mode: "sandbox", livemode: false };
  }
  const { STRIPE_SECRET_KEY: key = "", STRIPE_API_BASE } = config;
  const livemode = key.includes("_live_");
  return { stripe: new Stripe(key, { ...common, ...addressOf(STRIPE_API_BASE, tracing) }), mode: "stripe", livemode };
}

/** TLS 1.3 with a checked certificate, as to every other machine; without TLS only on this one. */
function addressOf(base = "https://api.stripe.com", tracing: Tracing) {
  const { protocol, hostname, port } = new URL(base);
  const observed = (client: ReturnType<typeof Stripe.createNodeHttpClient>) =>
    traced(tracing, client, {
      ...{ name: "stripe", attributes: { "peer.service": "stripe" }, methods: ["makeRequest"] },
    });
  if (protocol === "http:") {
    const httpClient = observed(Stripe.createNodeHttpClient());
    return { protocol: "http", host: hostname, port: port || "80", httpClient } as const;
  }
  const httpClient = observed(Stripe.createNodeHttpClient(new Agent({ keepAlive: true, minVersion: "TLSv1.3" })));
  return { protocol: "https", host: hostname, port: port || "443", httpClient } as const;
}
