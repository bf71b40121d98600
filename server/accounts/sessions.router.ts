/** `sessions.*`: where a person is signed in, and the end of it. */
import { z } from "zod";
import { sessionId } from "../../shared/ids.ts";
import { personProcedure, router } from "../base.router.ts";
import type { Sessions } from "./sessions.service.ts";
import type { Uninstall } from "./uninstall.service.ts";

export function sessionsRouter({
  sessions,
  uninstall,
}: {
  readonly sessions: Sessions;
  readonly uninstall: Uninstall;
}) {
  const write = { scope: "account", limit: "write", audit: "session.revoked" } as const;
  return router({
    list: personProcedure({ scope: "account", limit: "read", audit: false }).query(({ ctx }) =>
      sessions.list(ctx.actor),
    ),
    revoke: personProcedure(write)
      .input(z.strictObject({ sessionId }))
      .mutation(async ({ ctx, input }) => {
        await sessions.revoke(ctx.actor, input.sessionId);
        return {};
      }),
    revokeOthers: personProcedure(write).mutation(async ({ ctx }) => ({
      revoked: await sessions.revokeOthers(ctx.actor),
    })),
    /** What the browser opens once the extension is removed from it. */
    uninstallLink: personProcedure({ scope: "account", limit: "read", audit: false }).query(({ ctx }) =>
      uninstall.link(ctx.actor),
    ),
  });
}
