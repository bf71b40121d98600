/** What the sandbox takes of the SDK it stands behind: the version of the API, and how webhooks are signed. No client. */
import Stripe from "stripe";

export const { API_VERSION } = Stripe;

/** The header that goes with a payload: one `v1` a secret, as while a secret is being replaced. */
export function signature(payload: string, secrets: readonly string[], timestamp: number): string {
  const signatures = secrets.map((secret) =>
    Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp }).replace(/^t=\d+,/, ""),
  );
  return [`t=${timestamp}`, ...signatures].join(",");
}
