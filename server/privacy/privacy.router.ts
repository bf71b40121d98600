/** `privacy.*`, first version: what is held. */
import { personProcedure, router } from "../base.router.ts";
import type { PrivacyService } from "./privacy.service.ts";

export function privacyRouter(privacy: PrivacyService, emailOf: (userId: Parameters<PrivacyService["overview"]>[0]["userId"]) => Promise<string>) {
  return router({
    overview: personProcedure({ scope: "privacy", limit: "read", audit: false }).query(async ({ ctx }) =>
      privacy.overview({ userId: ctx.actor.userId, email: await emailOf(ctx.actor.userId) }),
    ),
  });
}
