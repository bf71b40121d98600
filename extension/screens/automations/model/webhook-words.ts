/** What people read and copy of webhooks. */
import type { FlowInput } from "../../../../shared/flows/model.ts";
import type { Phone } from "../../../../shared/phone-model.ts";
import type { Webhook } from "../../../../shared/webhooks.ts";

export function webhookPlace({ phone }: Webhook, phones: readonly Phone[]): string {
  if (typeof phone !== "string") return `any free phone of “${phone.tag}”`;
  return phones.find(({ id }) => id === phone)?.name ?? "a removed phone";
}

/**
 * A call from a shell, as in docs/webhooks.md. The secret is not in it: it is read from `SECRET`, so that the text can be
 * kept anywhere.
 */
export function curlExample(url: string, inputs: readonly Pick<FlowInput, "name">[]): string {
  const body = JSON.stringify(Object.fromEntries(inputs.map(({ name }) => [name, "…"])));
  return `body='${body}'
timestamp=$(date +%s)
signature=$(printf '%s.%s' "$timestamp" "$body" | openssl dgst -sha256 -hmac "$SECRET" -r | cut -d ' ' -f 1)
curl -sS '${url}' \\
  -H "Content-Type: application/json" \\
  -H "X-Perch-Timestamp: $timestamp" \\
  -H "X-Perch-Signature: sha256=$signature" \\
  -d "$body"
`;
}
