/** Asks Stripe what the settings stand for: whether the key works, and whether the webhook is made. Changes nothing. */
import { z } from "zod";
import type { Config } from "../../config.ts";
import { openStripe, STRIPE_API_VERSION, stripeErrors } from "./stripe-client.ts";
import { STRIPE_WEBHOOK_PATH } from "./webhook.ts";

export interface StripeFacts {
  /** `refused`: no such key. `lacks`: a restricted key that may not read prices. */
  readonly key: "works" | "refused" | "lacks";
  readonly livemode: boolean;
  /** The one that leads here; `unseen` where the key may not read webhooks. */
  readonly webhook: "made" | "missing" | "disabled" | "other version" | "unseen";
  /** Unix milliseconds at its clock, where it said so. */
  readonly theirs: number | undefined;
}

type LookConfig = Pick<Config, "billingMode" | "STRIPE_SECRET_KEY" | "STRIPE_API_BASE" | "publicUrl">;
const answered = z.object({ lastResponse: z.object({ headers: z.record(z.string(), z.unknown()) }) });

/** `undefined` where bills do not go through Stripe. @throws what stands between here and Stripe */
export async function lookAtStripe(config: LookConfig): Promise<StripeFacts | undefined> {
  if (config.billingMode !== "stripe") return undefined;
  const access = openStripe(config, undefined, 0);
  if (access === undefined) return undefined;
  const { stripe, livemode } = access;
  try {
    const prices = await stripe.prices.list({ limit: 1 });
    const date = answered.safeParse(prices).data?.lastResponse.headers["date"];
    const theirs = typeof date === "string" ? Date.parse(date) : Number.NaN;
    return { key: "works", livemode, webhook: await webhookOf(), theirs: Number.isNaN(theirs) ? undefined : theirs };
  } catch (error) {
    if (error instanceof stripeErrors.StripeAuthenticationError) return of("refused");
    if (error instanceof stripeErrors.StripePermissionError) return of("lacks");
    throw error;
  }

  function of(key: "refused" | "lacks"): StripeFacts {
    return { key, livemode, webhook: "unseen", theirs: undefined };
  }
  async function webhookOf(): Promise<StripeFacts["webhook"]> {
    const url = new URL(STRIPE_WEBHOOK_PATH, config.publicUrl).href;
    try {
      const { data } = await stripe.webhookEndpoints.list({ limit: 100 });
      const ours = data.find((one) => one.url === url);
      if (ours === undefined) return "missing";
      if (ours.status !== "enabled") return "disabled";
      return ours.api_version === null || ours.api_version === STRIPE_API_VERSION ? "made" : "other version";
    } catch (error) {
      if (error instanceof stripeErrors.StripePermissionError) return "unseen";
      throw error;
    }
  }
}
