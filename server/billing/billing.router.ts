/** `billing.*`: what a team pays and with what. Money is shown to roles that may see it; only `burn` and `previewStart` are for all. */
import type { z } from "zod";
import { type Role, roleMay } from "../../shared/access.ts";
import {
  applyChangeInput,
  type BillingSummary,
  type BudgetView,
  type BurnView,
  budgetInput,
  type ChangePreview,
  type CheckoutState,
  type CheckoutView,
  changeInput,
  checkoutInput,
  checkoutRef,
  dedicateInput,
  type InvoiceView,
  overageInput,
  type PlansView,
  previewStartInput,
  refundInput,
  removeBudgetInput,
  type StartPreview,
  settingsInput,
  subscriptionActInput,
} from "../../shared/billing/billing.ts";
import { router, teamProcedure } from "../base.router.ts";
import { networkOf } from "../limits/rate-limiter.ts";
import type { TeamScope } from "../teams/team-scope.ts";

type In<S extends z.ZodType> = z.output<S>;

/** What people read of their team's billing. `money`: whether the caller's role may see it. */
export interface BillingViews {
  summary(scope: TeamScope): Promise<BillingSummary>;
  plans(scope: TeamScope): Promise<PlansView>;
  invoices(scope: TeamScope): Promise<readonly InvoiceView[]>;
  burn(scope: TeamScope, money: boolean): Promise<BurnView>;
  previewStart(scope: TeamScope, input: In<typeof previewStartInput>, money: boolean): Promise<StartPreview>;
}
/** What they do about it. Each refuses a price that is not the one that was shown, before anything is asked of Stripe. */
export interface Purchases {
  /** `network`: where the call comes from; pages opened from one network are counted. */
  checkout(scope: TeamScope, input: In<typeof checkoutInput>, network: string): Promise<CheckoutView>;
  /** After coming back from the hosted page: reads the session from Stripe and gives what was bought, once. */
  checkoutState(scope: TeamScope, input: In<typeof checkoutRef>): Promise<CheckoutState>;
  portal(scope: TeamScope): Promise<{ readonly url: string }>;
  previewChange(scope: TeamScope, input: In<typeof changeInput>): Promise<ChangePreview>;
  applyChange(scope: TeamScope, input: In<typeof applyChangeInput>): Promise<void>;
  act(scope: TeamScope, input: In<typeof subscriptionActInput>): Promise<void>;
  refundBalance(scope: TeamScope, input: In<typeof refundInput>): Promise<{ readonly refunded: number }>;
}
export interface BillingSettings {
  setOverage(scope: TeamScope, input: In<typeof overageInput>): Promise<void>;
  setTimeZone(scope: TeamScope, input: In<typeof settingsInput>): Promise<void>;
  dedicate(scope: TeamScope, input: In<typeof dedicateInput>): Promise<void>;
  setBudget(scope: TeamScope, input: In<typeof budgetInput>): Promise<BudgetView>;
  removeBudget(scope: TeamScope, input: In<typeof removeBudgetInput>): Promise<void>;
}
export interface BillingServices {
  readonly views: BillingViews;
  readonly purchases: Purchases;
  readonly settings: BillingSettings;
  /** Parks every running phone of the team. */
  stopAll(scope: TeamScope): Promise<{ readonly parked: number }>;
}

const view = { permission: "billing:view", scope: "billing", limit: "read", audit: false } as const;
const seen = { permission: "usage:view", scope: "billing", limit: "read", audit: false } as const;
const manage = (audit: string) => ({ permission: "billing:manage", scope: "billing", limit: "write", audit }) as const;
export const seesMoney = (role: Role) => roleMay(role, "billing:view");

export function billingRouter(billing: BillingServices) {
  return router({
    summary: teamProcedure(view).query(({ ctx }) => billing.views.summary(ctx.scope)),
    plans: teamProcedure(view).query(({ ctx }) => billing.views.plans(ctx.scope)),
    invoices: teamProcedure(view).query(({ ctx }) => billing.views.invoices(ctx.scope)),
    burn: teamProcedure(seen).query(({ ctx }) => billing.views.burn(ctx.scope, seesMoney(ctx.actor.role))),
    previewStart: teamProcedure(seen)
      .input(previewStartInput)
      .query(({ ctx, input }) => billing.views.previewStart(ctx.scope, input, seesMoney(ctx.actor.role))),
    checkout: teamProcedure({ ...manage("billing.checkout_opened"), idempotent: true })
      .input(checkoutInput)
      .mutation(({ ctx, input }) => billing.purchases.checkout(ctx.scope, input, networkOf(ctx.ip))),
    checkoutState: teamProcedure({ ...manage("billing.purchased"), limit: "read" })
      .input(checkoutRef)
      .mutation(({ ctx, input }) => billing.purchases.checkoutState(ctx.scope, input)),
    portal: teamProcedure(manage("billing.portal_opened")).mutation(({ ctx }) => billing.purchases.portal(ctx.scope)),
    previewChange: teamProcedure({ ...view, permission: "billing:manage" })
      .input(changeInput)
      .query(({ ctx, input }) => billing.purchases.previewChange(ctx.scope, input)),
    applyChange: teamProcedure({ ...manage("billing.subscription_changed"), idempotent: true })
      .input(applyChangeInput)
      .mutation(async ({ ctx, input }) => {
        await billing.purchases.applyChange(ctx.scope, input);
        return {};
      }),
    act: teamProcedure({ ...manage("billing.subscription_acted"), idempotent: true })
      .input(subscriptionActInput)
      .mutation(async ({ ctx, input }) => {
        await billing.purchases.act(ctx.scope, input);
        return {};
      }),
    refundBalance: teamProcedure({ ...manage("billing.refund_asked"), idempotent: true, stepUp: true })
      .input(refundInput)
      .mutation(({ ctx, input }) => billing.purchases.refundBalance(ctx.scope, input)),
    setOverage: teamProcedure(manage("billing.overage_set"))
      .input(overageInput)
      .mutation(async ({ ctx, input }) => {
        await billing.settings.setOverage(ctx.scope, input);
        return {};
      }),
    setTimeZone: teamProcedure(manage("billing.settings_changed"))
      .input(settingsInput)
      .mutation(async ({ ctx, input }) => {
        await billing.settings.setTimeZone(ctx.scope, input);
        return {};
      }),
    dedicate: teamProcedure(manage("billing.phone_dedicated"))
      .input(dedicateInput)
      .mutation(async ({ ctx, input }) => {
        await billing.settings.dedicate(ctx.scope, input);
        return {};
      }),
    setBudget: teamProcedure(manage("billing.budget_set"))
      .input(budgetInput)
      .mutation(({ ctx, input }) => billing.settings.setBudget(ctx.scope, input)),
    removeBudget: teamProcedure(manage("billing.budget_removed"))
      .input(removeBudgetInput)
      .mutation(async ({ ctx, input }) => {
        await billing.settings.removeBudget(ctx.scope, input);
        return {};
      }),
    stopAll: teamProcedure({
      ...{ permission: "phones:control", scope: "phones:control", limit: "write", audit: "phone.parked" },
    }).mutation(({ ctx }) => billing.stopAll(ctx.scope)),
  });
}
