/** `screen.ticket`: a single-use pass for the screen socket. */
import { z } from "zod";
import { roleMay } from "../../shared/access.ts";
import { phoneId } from "../../shared/ids.ts";
import { SCREEN_MODES } from "../../shared/screen-protocol.ts";
import { router, teamProcedure } from "../base.router.ts";
import { PerchError } from "../errors.ts";
import type { PhonesService } from "../phones/phones.service.ts";
import type { ScreenService } from "./screen.service.ts";

export function screenRouter(screen: ScreenService, phones: PhonesService) {
  return router({
    ticket: teamProcedure({ permission: "phones:view", scope: "phones:view", limit: "write", audit: false })
      .input(z.strictObject({ phoneId, mode: z.enum(SCREEN_MODES) }))
      .mutation(async ({ ctx, input }) => {
        const mayControl = roleMay(ctx.actor.role, "phones:control") && ctx.actor.scopes.includes("phones:control");
        if (input.mode === "control" && !mayControl)
          throw new PerchError("forbidden", "You may watch this phone, not control it.");
        await phones.runningPhone(ctx.scope, input.phoneId);
        return screen.ticket({
          credentialId: ctx.actor.credential.id,
          userId: ctx.actor.userId,
          teamId: ctx.actor.teamId,
          phoneId: input.phoneId,
          mode: input.mode,
          browser: ctx.actor.credential.kind === "session",
        });
      }),
  });
}
