/** `billing.*` and `usage.*` over `StubBilling`: the server's inputs, permissions and refusals, nothing behind them. */
import { type Permission, roleMay } from "../../shared/access.ts";
import * as billing from "../../shared/billing/billing.ts";
import { ADD_ON_IDS, ADD_ONS, CURRENCY, type Cycle, PACKS, PLANS, TOP_UPS } from "../../shared/billing/catalogue.ts";
import { newId } from "../../shared/ids.ts";
import { ahead, DAY_MS, shownLine, stubDays, stubExplanation, stubPlans, stubUsage } from "./stub-billing.ts";
import { proven, refusal, type StubState, signedIn, t } from "./stub-trpc.ts";

const may = (permission: Permission) => (procedure: typeof signedIn) =>
  procedure.use(({ ctx, next }) => {
    if (!roleMay(ctx.state.me.team.role, permission)) {
      throw refusal("forbidden", "Your role does not show billing. Ask an owner of the team.");
    }
    return next();
  });
const view = may("billing:view")(signedIn);
const manage = may("billing:manage")(signedIn);
const seen = may("usage:view")(signedIn);
const money = ({ me, billing: { summary } }: StubState) =>
  roleMay(me.team.role, "billing:view") && summary.mode !== "off";

const burnOf = (state: StubState) => state.billing.burn([...state.team.phones.values()], money(state));
const range = ({ from, to }: { from?: string | undefined; to?: string | undefined }) => {
  const today = new Date().toISOString().slice(0, 10);
  return { from: from ?? `${today.slice(0, 7)}-01`, to: to ?? today };
};

type Buy = ReturnType<(typeof billing.checkoutInput)["parse"]>["buy"];
function priceOf(state: StubState, buy: Buy): number {
  const { plans } = state.billing;
  switch (buy.kind) {
    case "plan":
      return (
        plans?.plans.find(({ id }) => id === buy.plan)?.prices[buy.cycle].amount ?? PLANS[buy.plan].prices[buy.cycle]
      );
    case "pack":
      return plans?.packs.find(({ id }) => id === buy.pack)?.price.amount ?? PACKS[buy.pack].price;
    case "top_up":
      return TOP_UPS[buy.topUp];
    case "payment_method":
      return 0;
  }
}

/** Half a period is left: half of the difference is due. */
function previewOf(state: StubState, change: ReturnType<(typeof billing.changeInput)["parse"]>): billing.ChangePreview {
  const { plan, addOns } = state.billing.summary;
  const cycle: Cycle = change.cycle ?? plan.cycle ?? "month";
  const lines: { words: string; amount: number }[] = [];
  let next = PLANS[change.plan ?? plan.id].prices[cycle];
  if (change.plan !== undefined || change.cycle !== undefined) {
    const before = PLANS[plan.id].prices[plan.cycle ?? "month"];
    lines.push({ words: `Unused time on ${plan.name}`, amount: -Math.floor(before / 2) });
    lines.push({ words: `Rest of this period on ${PLANS[change.plan ?? plan.id].name}`, amount: Math.floor(next / 2) });
  }
  for (const id of ADD_ON_IDS) {
    const had = addOns.find((one) => one.id === id)?.quantity ?? 0;
    const quantity = change.addOns.find(({ addOn }) => addOn === id)?.quantity ?? had;
    next += ADD_ONS[id].prices[cycle] * quantity;
    const more = quantity - had;
    if (more !== 0) {
      const amount = Math.floor((ADD_ONS[id].prices[cycle] * more) / 2);
      const when = more > 0 ? "rest of this period" : "unused time";
      lines.push({ words: `${Math.abs(more)} × ${ADD_ONS[id].name}, ${when}`, amount });
    }
  }
  const due = lines.reduce((sum, { amount }) => sum + amount, 0);
  const priced = (amount: number) => ({ amount, currency: CURRENCY });
  return {
    due: priced(due),
    next: priced(next),
    nextAt: ahead(9 * DAY_MS),
    lines,
    prorationAt: new Date().toISOString(),
  };
}

export const billingProcedures = {
  billing: t.router({
    summary: view.query(({ ctx: { state } }): billing.BillingSummary => {
      return { ...state.billing.summary, burn: burnOf(state) };
    }),
    plans: view.query(({ ctx: { state } }) => state.billing.plans ?? stubPlans(state.billing.summary.plan.id)),
    invoices: view.query(({ ctx }) => ctx.state.billing.invoices),
    burn: seen.query(({ ctx }) => burnOf(ctx.state)),
    previewStart: seen.input(billing.previewStartInput).query(({ ctx }): billing.StartPreview => {
      const { perHour, ...preview } = ctx.state.billing.preview;
      return money(ctx.state) ? { ...preview, ...(perHour !== undefined && { perHour }) } : preview;
    }),
    checkout: manage.input(billing.checkoutInput).mutation(({ ctx: { state }, input }): billing.CheckoutView => {
      const price = priceOf(state, input.buy);
      if (input.shown !== undefined && input.shown.amount !== price) {
        throw refusal("conflict", "The price has changed since you saw it. Nothing was charged.");
      }
      state.billing.checkouts.push(input.buy);
      state.billing.checkout = { state: "open", words: "The payment page is open in a tab." };
      return { id: newId("checkout"), url: `${state.origin}/pay`, expiresAt: ahead(30 * 60_000) };
    }),
    checkoutState: manage.input(billing.checkoutRef).mutation(({ ctx }) => ctx.state.billing.checkout),
    portal: manage.mutation(({ ctx }) => ({ url: `${ctx.state.origin}/pay` })),
    previewChange: manage.input(billing.changeInput).query(({ ctx, input }) => previewOf(ctx.state, input)),
    applyChange: manage.input(billing.applyChangeInput).mutation(({ ctx: { state }, input }) => {
      state.billing.changes.push(input.change);
      const { summary } = state.billing;
      const plan = input.change.plan === undefined ? summary.plan : { ...summary.plan, ...PLANS[input.change.plan] };
      state.billing.set({
        plan: { ...summary.plan, id: plan.id, name: plan.name },
        addOns: ADD_ON_IDS.map((id) => ({
          ...{ id, name: ADD_ONS[id].name, price: { amount: ADD_ONS[id].prices.month, currency: CURRENCY } },
          quantity:
            input.change.addOns.find(({ addOn }) => addOn === id)?.quantity ??
            summary.addOns.find((one) => one.id === id)?.quantity ??
            0,
        })).filter(({ quantity }) => quantity > 0),
      });
      return {};
    }),
    act: manage.input(billing.subscriptionActInput).mutation(({ ctx: { state }, input }) => {
      state.billing.acts.push(input.act);
      const { endsAt: _e, pausedAt: _p, renewsAt: _r, ...plan } = state.billing.summary.plan;
      const at = ahead(9 * DAY_MS);
      const when =
        input.act === "cancel_at_period_end"
          ? { endsAt: at }
          : input.act === "pause"
            ? { pausedAt: new Date().toISOString() }
            : { renewsAt: at };
      state.billing.set({ plan: { ...plan, ...when } });
      return {};
    }),
    refundBalance: may("billing:manage")(proven)
      .input(billing.refundInput)
      .mutation(({ ctx: { state }, input }) => {
        const { wallet } = state.billing.summary;
        if (input.amount > wallet.refundable) throw refusal("conflict", "At most $10.00 can be refunded.");
        const [balance, refundable] = [wallet.balance - input.amount, wallet.refundable - input.amount];
        state.billing.set({ wallet: { ...wallet, balance, refundable } });
        return { refunded: input.amount };
      }),
    setOverage: manage.input(billing.overageInput).mutation(({ ctx: { state }, input }) => {
      state.billing.set({ overage: { ...state.billing.summary.overage, ...input } });
      return {};
    }),
    setTimeZone: manage.input(billing.settingsInput).mutation(({ ctx, input }) => {
      ctx.state.billing.set({ timeZone: input.timeZone });
      return {};
    }),
    dedicate: manage.input(billing.dedicateInput).mutation(({ ctx: { state }, input }) => {
      const others = state.billing.summary.dedicatedPhones.filter((id) => id !== input.phoneId);
      const allowed = state.billing.summary.addOns.find(({ id }) => id === "dedicated")?.quantity ?? 0;
      if (input.dedicated && others.length >= allowed) {
        throw refusal("limit_reached", "All dedicated phones are chosen. Take one back, or add another.");
      }
      state.billing.set({ dedicatedPhones: input.dedicated ? [...others, input.phoneId] : others });
      return {};
    }),
    setBudget: manage.input(billing.budgetInput).mutation(({ ctx: { state }, input }): billing.BudgetView => {
      const { scope, measure, limit } = input;
      const members = state.account.teams.get(state.me.team.id)?.members ?? [];
      const name =
        scope.kind === "team"
          ? "The whole team"
          : scope.kind === "member"
            ? (members.find(({ userId }) => userId === scope.userId)?.name ?? "A member")
            : state.team.get(scope.phoneId).name;
      const made: billing.BudgetView = {
        ...{ id: newId("budget"), scope: scope.kind, name, measure, limit, spent: 0, month: "2026-11" },
        ...(scope.kind === "member" && { userId: scope.userId }),
        ...(scope.kind === "phone" && { phoneId: scope.phoneId }),
      };
      const others = state.billing.summary.budgets.filter((one) => one.name !== name || one.measure !== measure);
      state.billing.set({ budgets: [...others, made] });
      return made;
    }),
    removeBudget: manage.input(billing.removeBudgetInput).mutation(({ ctx: { state }, input }) => {
      state.billing.set({ budgets: state.billing.summary.budgets.filter(({ id }) => id !== input.budgetId) });
      return {};
    }),
    stopAll: may("phones:control")(signedIn).mutation(({ ctx: { state } }) => {
      const running = [...state.team.phones.values()].filter((phone) => phone.state === "running");
      for (const { id } of running) state.team.change(id, { state: "parked", reason: "asked" });
      return { parked: running.length };
    }),
  }),
  usage: t.router({
    summary: seen.input(billing.usageRangeInput).query(({ ctx: { state }, input }) => {
      const usage = stubUsage(range(input), money(state));
      return state.billing.unused ? { ...usage, phoneMs: 0, byCover: [], ...(money(state) && { amount: 0 }) } : usage;
    }),
    days: seen.input(billing.usageDaysInput).query(({ ctx: { state }, input }) => {
      const days = stubDays(range(input), input.by, money(state));
      return state.billing.unused ? { ...days, series: [] } : days;
    }),
    lines: seen.input(billing.usageLinesInput).query(({ ctx: { state }, input }): billing.UsageLinesPage => {
      const lines = state.billing.unused ? [] : state.billing.lines.map((line) => shownLine(line, money(state)));
      return input.cursor === undefined && lines.length > 0
        ? { lines: lines.slice(0, 4), next: "4" }
        : { lines: lines.slice(4) };
    }),
    explain: seen.input(billing.usageLineRef).query(({ ctx: { state }, input }) => {
      const line = state.billing.lines.find(({ intervalId }) => intervalId === input.intervalId);
      if (line === undefined) throw refusal("not_found", "There is no such line.");
      return stubExplanation(shownLine(line, money(state)));
    }),
    csv: seen.input(billing.usageRangeInput).query(() => ({
      name: "perch-usage-2026-11.csv",
      csv: "phone,from,to,minutes,amount\r\nPixel,2026-11-02T09:00:00Z,2026-11-02T09:29:00Z,29,0.00\r\n",
    })),
  }),
};
