/** `webhooks.*`: thin; every rule is in the service. */
import { createWebhookInput, webhookRef } from "../../shared/webhooks.ts";
import { router, teamProcedure } from "../base.router.ts";
import type { WebhooksService } from "./webhooks.service.ts";

const view = { permission: "phones:view", scope: "phones:view", limit: "read", audit: false } as const;
const control = (audit: string) =>
  ({ permission: "phones:control", scope: "phones:control", limit: "write", audit }) as const;

export function webhooksRouter(webhooks: WebhooksService) {
  return router({
    list: teamProcedure(view).query(({ ctx }) => webhooks.list(ctx.scope)),
    create: teamProcedure(control("webhook.created"))
      .input(createWebhookInput)
      .mutation(({ ctx, input }) => webhooks.create(ctx.scope, input)),
    remove: teamProcedure(control("webhook.removed"))
      .input(webhookRef)
      .mutation(async ({ ctx, input }) => {
        await webhooks.remove(ctx.scope, input.webhookId);
        return {};
      }),
    rotate: teamProcedure(control("webhook.rotated"))
      .input(webhookRef)
      .mutation(({ ctx, input }) => webhooks.rotate(ctx.scope, input.webhookId)),
  });
}
