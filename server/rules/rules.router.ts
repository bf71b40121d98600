/** `rules.*`: thin; every rule about rules is in the service. Who starts is the caller's session; no body says so. */
import { ruleRef, saveRuleInput, startRuleInput } from "../../shared/rules-api.ts";
import { router, teamProcedure } from "../base.router.ts";
import type { RulesService } from "./rules.service.ts";

const view = { permission: "phones:view", scope: "phones:view", limit: "read", audit: false } as const;
const control = (audit: string) =>
  ({ permission: "phones:control", scope: "phones:control", limit: "write", audit }) as const;

export function rulesRouter(rules: RulesService) {
  return router({
    list: teamProcedure(view).query(({ ctx }) => rules.list(ctx.scope)),
    save: teamProcedure(control("rule.saved"))
      .input(saveRuleInput)
      .mutation(({ ctx, input }) => rules.save(ctx.scope, input.rule)),
    remove: teamProcedure(control("rule.removed"))
      .input(ruleRef)
      .mutation(async ({ ctx, input }) => {
        await rules.remove(ctx.scope, input.ruleId);
        return {};
      }),
    resume: teamProcedure(control("rule.resumed"))
      .input(ruleRef)
      .mutation(({ ctx, input }) => rules.resume(ctx.scope, input.ruleId)),
    start: teamProcedure({ ...control("rule.started"), idempotent: true })
      .input(startRuleInput)
      .mutation(({ ctx, input }) => rules.start(ctx.scope, input)),
  });
}
