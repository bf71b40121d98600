/** `flows.*`: thin; every rule is in the service. */
import {
  flowRef,
  healFlowInput,
  matchesInput,
  onScreenInput,
  saveFlowInput,
  validateInput,
} from "../../shared/automations.ts";
import { router, teamProcedure } from "../base.router.ts";
import type { FlowsService } from "./flows.service.ts";
import type { HealingService } from "./healing.service.ts";
import type { ScreenLooks } from "./screen-looks.ts";
import { keeperOf } from "./secrets/secrets.router.ts";

const view = { permission: "phones:view", scope: "phones:view", limit: "read", audit: false } as const;
const control = (audit: string) =>
  ({ permission: "phones:control", scope: "phones:control", limit: "write", audit }) as const;

export function flowsRouter(flows: FlowsService & HealingService, looks: ScreenLooks) {
  return router({
    validate: teamProcedure(view)
      .input(validateInput)
      .query(({ ctx, input }) => flows.validate(ctx.scope, input)),
    matches: teamProcedure(view)
      .input(matchesInput)
      .query(({ ctx, input }) => looks.matches(ctx.scope, input)),
    onScreen: teamProcedure(view)
      .input(onScreenInput)
      .query(({ ctx, input }) => looks.onScreen(ctx.scope, input.phoneId)),
    save: teamProcedure(control("flow.saved"))
      .input(saveFlowInput)
      .mutation(({ ctx, input }) => flows.save(ctx.scope, input, keeperOf(ctx))),
    heal: teamProcedure(control("flow.saved"))
      .input(healFlowInput)
      .mutation(({ ctx, input }) => flows.heal(ctx.scope, input, keeperOf(ctx))),
    list: teamProcedure(view).query(({ ctx }) => flows.list(ctx.scope)),
    get: teamProcedure(view)
      .input(flowRef)
      .query(({ ctx, input }) => flows.get(ctx.scope, input.flowId)),
    /** As a recording of Chrome DevTools, with a message for each command that has no equivalent there. */
    recording: teamProcedure(view)
      .input(flowRef)
      .query(({ ctx, input }) => flows.recording(ctx.scope, input.flowId)),
    remove: teamProcedure(control("flow.removed"))
      .input(flowRef)
      .mutation(async ({ ctx, input }) => {
        await flows.remove(ctx.scope, input.flowId);
        return {};
      }),
  });
}
