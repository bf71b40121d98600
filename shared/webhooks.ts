/** Webhooks as both sides see them: what goes into `webhooks.*` and what it answers. */
import * as z from "zod/mini";
import type { FlowId, PhoneId, WebhookId } from "./id-values.ts";
import { flowId, phoneId, webhookId } from "./ids.ts";
import { phoneTag } from "./phones.ts";

/** Where its runs go: one phone, or whichever phone of a tag is free first. */
export type WebhookPhone = PhoneId | { readonly tag: string };

export const createWebhookInput = z.strictObject({
  name: z
    .string()
    .check(z.trim(), z.minLength(1, "Give the webhook a name."), z.maxLength(80, "A name has at most 80 characters.")),
  flowId,
  phone: z.union([phoneId, z.strictObject({ tag: phoneTag })]),
  /** Whether its runs may use the secrets granted to the flow. Whoever holds the webhook's secret decides when they start. */
  mayUseSecrets: z._default(z.boolean(), false),
});
export const webhookRef = z.strictObject({ webhookId });

export interface Webhook {
  readonly id: WebhookId;
  readonly name: string;
  readonly flowId: FlowId;
  readonly phone: WebhookPhone;
  readonly mayUseSecrets: boolean;
  /** The address to call. */
  readonly url: string;
  readonly createdAt: string;
  readonly lastUsedAt?: string;
}

/** Answer of `webhooks.create` and `webhooks.rotate`: the only time the secret is told. */
export interface WebhookWithSecret extends Webhook {
  readonly secret: string;
}
