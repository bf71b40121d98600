/** `flows.*`: thin; every rule is in the service. */
import { flowRef, healFlowInput, saveFlowInput, validateInput } from "../../shared/automations.ts";
import { router, teamProcedure } from "../base.router.ts";
import type { FlowsService } from "./flows.service.ts";
import type { HealingService } from "./healing.service.ts";

const view = { permission: "phones:view", scope: "phones:view", limit: "read", audit: false } as const;
const control = (audit: string) =>
  ({ permission: "phones:control", scope: "phones:control", limit: "write", audit }) as const;

export function flowsRouter(flows: FlowsService & HealingService) {
  return router({
    validate: teamProcedure(view)
      .input(validateInput)
      .query(({ input }) => flows.validate(input.source)),
    save: teamProcedure(control("flow.saved"))
      .input(saveFlowInput)
      .mutation(({ ctx, input }) => flows.save(ctx.scope, input)),
    heal: teamProcedure(control("flow.saved"))
      .input(healFlowInput)
      .mutation(({ ctx, input }) => flows.heal(ctx.scope, input)),
    list: teamProcedure(view).query(({ ctx }) => flows.list(ctx.scope)),
    get: teamProcedure(view)
      .input(flowRef)
      .query(({ ctx, input }) => flows.get(ctx.scope, input.flowId)),
    remove: teamProcedure(control("flow.removed"))
      .input(flowRef)
      .mutation(async ({ ctx, input }) => {
        await flows.remove(ctx.scope, input.flowId);
        return {};
      }),
  });
}
