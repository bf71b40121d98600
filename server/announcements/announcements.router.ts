/** `announcements.*`: what the operator tells everybody. */
import { personProcedure, router } from "../base.router.ts";
import type { Announcements } from "./announcements.service.ts";

export function announcementsRouter(announcements: Pick<Announcements, "current">) {
  return router({
    current: personProcedure({ scope: "account", limit: "read", audit: false }).query(() => announcements.current()),
  });
}
