/** `tokens.*`: API tokens of the team. */
import { z } from "zod";
import { createTokenInput } from "../../shared/accounts.ts";
import { apiTokenId } from "../../shared/ids.ts";
import { router, teamProcedure } from "../base.router.ts";
import type { ApiTokens } from "./api-tokens.service.ts";

export function tokensRouter(tokens: ApiTokens) {
  return router({
    list: teamProcedure({ permission: "team:view", scope: "account", limit: "read", audit: false }).query(({ ctx }) =>
      tokens.list(ctx.actor, ctx.scope),
    ),
    create: teamProcedure({
      permission: "tokens:create",
      scope: "account",
      stepUp: true,
      limit: "write",
      audit: "token.created",
    })
      .input(createTokenInput)
      .mutation(({ ctx, input }) => tokens.create(ctx.actor, ctx.scope, input)),
    revoke: teamProcedure({ permission: "team:view", scope: "account", limit: "write", audit: "token.revoked" })
      .input(z.strictObject({ tokenId: apiTokenId }))
      .mutation(async ({ ctx, input }) => {
        await tokens.revoke(ctx.actor, ctx.scope, input.tokenId);
        return {};
      }),
  });
}
