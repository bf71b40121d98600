/** `privacy.*`, first version: what is held. */
import { personProcedure, router } from "../base.router.ts";
import type { PrivacyService } from "./privacy.service.ts";

export function privacyRouter(privacy: PrivacyService) {
  return router({
    overview: personProcedure({ scope: "privacy", limit: "read", audit: false }).query(({ ctx }) =>
      privacy.overview(ctx.actor.userId),
    ),
  });
}
