/** `account.*`: who am I, and the way a connecting extension gets its token. */
import { exchangeInput } from "../../shared/accounts.ts";
import { personProcedure, publicProcedure, router } from "../base.router.ts";
import type { Connect } from "./connect.service.ts";
import type { Sessions } from "./sessions.service.ts";

export function accountRouter(options: { connect: Connect; sessions: Sessions }) {
  const { connect, sessions } = options;
  return router({
    exchange: publicProcedure({ limit: "write", audit: "account.connected" })
      .input(exchangeInput)
      .mutation(({ ctx, input }) => connect.exchange(input, ctx, ctx.actor)),
    me: personProcedure({ scope: "account", limit: "read", audit: false }).query(({ ctx }) => connect.me(ctx.actor)),
    signOut: personProcedure({ scope: "account", limit: "write", audit: "account.signed_out" }).mutation(
      async ({ ctx }) => {
        await sessions.signOut(ctx.actor);
        return {};
      },
    ),
  });
}
