/** Stripe's own page for ways to pay, invoices, address and tax id. Plans are changed here, so not there. */
import { createHash } from "node:crypto";
import type Stripe from "stripe";
import { z } from "zod";
import type { CallKind } from "./stripe-calls.ts";

export const PORTAL_BACK_PATH = "/billing/left";

/** What the page offers. Its fingerprint names it, so that a change of this text makes a new one. */
const PORTAL = {
  business_profile: { headline: "Perch" },
  features: {
    payment_method_update: { enabled: true },
    invoice_history: { enabled: true },
    customer_update: { enabled: true, allowed_updates: ["address", "tax_id"] },
    subscription_cancel: { enabled: true, mode: "at_period_end" },
    subscription_update: { enabled: false },
  },
} as const satisfies DeepReadonly<Stripe.BillingPortal.ConfigurationCreateParams>;
type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

const PORTAL_KEY = "perch_portal";
const NAME = createHash("sha256").update(JSON.stringify(PORTAL)).digest("base64url").slice(0, 16);

const opened = z.strictObject({ customerId: z.string() });

export function portalCall({
  stripe,
  publicUrl,
}: {
  stripe: Stripe;
  publicUrl: URL;
}): CallKind<z.output<typeof opened>, Stripe.BillingPortal.Session> {
  let known: string | undefined;
  async function configuration(): Promise<string> {
    if (known !== undefined) return known;
    const there = await stripe.billingPortal.configurations.list({ active: true, limit: 100 });
    const same = there.data.find(({ metadata }) => metadata?.[PORTAL_KEY] === NAME);
    const { business_profile, features } = PORTAL;
    const { allowed_updates } = features.customer_update;
    const made =
      same ??
      (await stripe.billingPortal.configurations.create(
        {
          business_profile,
          features: {
            ...features,
            customer_update: { enabled: true, allowed_updates: [...allowed_updates] },
          },
          metadata: { [PORTAL_KEY]: NAME },
        },
        { idempotencyKey: `portal.configuration:${NAME}` },
      ));
    known = made.id;
    return known;
  }
  return {
    name: "portal.open",
    input: opened,
    isForNow: true,
    async make({ customerId }, { idempotencyKey }) {
      const return_url = new URL(PORTAL_BACK_PATH, publicUrl).href;
      const params = { customer: customerId, configuration: await configuration(), return_url };
      return stripe.billingPortal.sessions.create(params, { idempotencyKey });
    },
  };
}
