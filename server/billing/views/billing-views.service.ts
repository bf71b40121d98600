/** What people read of their team's plan, money and running phones. */
import type {
  BillingMode,
  BillingSummary,
  BudgetView,
  GrantView,
  InvoiceView,
} from "../../../shared/billing/billing.ts";
import {
  ADD_ON_IDS,
  ADD_ONS,
  CURRENCY,
  CYCLES,
  type Cycle,
  PACKS,
  PAY_AS_YOU_GO,
  PLANS,
  TOP_UP_IDS,
  TOP_UPS,
} from "../../../shared/billing/catalogue.ts";
import { newId, type TeamId } from "../../../shared/ids.ts";
import type { Clock } from "../../clock.ts";
import type { Database } from "../../db/database.ts";
import { noSuchPhone } from "../../phones/phone-lifecycle.ts";
import type { TeamScope } from "../../teams/team-scope.ts";
import type { BillingViews } from "../billing.router.ts";
import type { EntitlementsOf, Ledger } from "../ports.ts";
import type { BillingViewsRepo, GrantRow, InvoiceRow, SubscriptionRow } from "./billing-views.repo.ts";
import { burnOf, previewOf } from "./burn.ts";
import type { OpenTime, Unsettled } from "./open-time.ts";
import { paymentProblems } from "./payment-problems.ts";

const WEEK_MS = 7 * 24 * 3_600_000;

export function createBillingViews(options: {
  db: Database;
  repo: BillingViewsRepo;
  ledger: Pick<Ledger, "balance" | "overage">;
  entitlements: EntitlementsOf;
  openTime: OpenTime;
  budgets: (scope: TeamScope) => Promise<readonly BudgetView[]>;
  /** What of the balance may be given back. */
  refundable: (teamId: TeamId) => Promise<number>;
  mode: BillingMode;
  /** Phones that any team may run at once on this server. */
  mostAtOnce: number;
  /** Disk a kept phone may use. */
  phoneMb: number;
  clock: Clock;
}): BillingViews {
  const { db, repo, ledger, entitlements, openTime, budgets, mode, mostAtOnce, phoneMb, clock } = options;
  const currency = CURRENCY;
  const price = (amount: number) => ({ amount, currency });
  const both = (prices: Readonly<Record<Cycle, number>>) => ({ month: price(prices.month), year: price(prices.year) });
  const entitledTo = (teamId: TeamId) => entitlements.of(db.read, teamId, new Date(clock.now()));
  const shown = (money: boolean) => ({ mode, currency, money });

  async function burnFor(teamId: TeamId, open: Unsettled, money: boolean) {
    const names = new Map((await repo.phones(teamId)).map(({ id, name }) => [id, name]));
    return burnOf(open, (id) => names.get(id) ?? "Removed phone", shown(money));
  }

  return {
    async summary(scope): Promise<BillingSummary> {
      const { teamId } = scope;
      const open = await openTime.of(teamId);
      const now = open.at;
      const may = await entitledTo(teamId);
      const { from, to } = may.month;
      const [account, subscriptions, invoices, grants, counts, drawn, balance, overage, refundable, set] =
        await Promise.all([
          ...([repo.account(teamId), repo.subscriptions(teamId), repo.invoices(teamId)] as const),
          ...([repo.timeGrants(teamId, new Date(now)), repo.counts(teamId)] as const),
          ...([repo.drawnSince(teamId, new Date(now - WEEK_MS)), ledger.balance(db.read, teamId)] as const),
          ...([ledger.overage(db.read, teamId, from, to), options.refundable(teamId), budgets(scope)] as const),
        ]);
      const [subscription] = subscriptions;
      const isPaid = may.plan !== "free";
      const left = new Map<string, number>(open.funds.grants.map(({ id, remainingMs }) => [id, remainingMs]));
      const leftOf = ({ id, remaining }: GrantRow) => left.get(id) ?? remaining;
      const openDrawn = open.pieces.reduce(
        (sum, one) => (one.grantId === undefined ? sum : sum + one.to - one.from),
        0,
      );
      const charged = (cover: "wallet" | "overage") =>
        open.pieces.reduce((sum, one) => (one.cover === cover ? sum + one.amount : sum), 0);
      const views = grants
        .filter((grant) => grant.kind === "plan" || leftOf(grant) > 0)
        .sort((a, b) => (a.expiresAt?.getTime() ?? Number.MAX_VALUE) - (b.expiresAt?.getTime() ?? Number.MAX_VALUE))
        .flatMap((grant) => grantView(grant, leftOf(grant)));
      const minutesLeftMs = views.reduce((sum, { remainingMs }) => sum + remainingMs, 0);
      const pace = drawn + openDrawn;
      const endsIn = pace === 0 ? Number.POSITIVE_INFINITY : Math.floor((minutesLeftMs * WEEK_MS) / pace);
      const wallet = Math.max(0, balance - charged("wallet"));
      const burn = await burnFor(teamId, open, true);
      const trial = grants.find(({ source }) => source === "trial");
      const preview = previewOf(open, newId("phone"), shown(true));
      const problems = paymentProblems({
        ...{ entitlements: may, account, subscription, invoices, budgets: set, currency, now },
        trial: trial && { remaining: leftOf(trial), expiresAt: trial.expiresAt },
        covered: preview.covered || may.addOns.dedicated > 0,
      });
      return {
        ...{ mode, currency },
        plan: planView(may.plan, may.cycle, isPaid ? subscription : undefined, subscription),
        addOns: ADD_ON_IDS.filter((id) => may.addOns[id] > 0).map((id) => ({
          ...{ id, name: ADD_ONS[id].name, quantity: may.addOns[id] },
          ...(id === "dedicated" && { inUse: Math.min(counts.dedicated.length, may.addOns.dedicated) }),
          price: price(ADD_ONS[id].prices[may.cycle ?? "month"]),
        })),
        seats: { used: counts.members, allowed: may.seats },
        phonesAtOnce: { used: open.running.length, allowed: Math.min(may.phonesAtOnce, mostAtOnce) },
        storage: { usedMb: counts.phones * phoneMb, allowedMb: may.storageMb },
        dedicatedPhones: counts.dedicated,
        period: { from: from.toISOString(), to: to.toISOString() },
        ...{ grants: views, minutesLeftMs },
        ...(now + endsIn < to.getTime() && { minutesEndAt: new Date(now + endsIn).toISOString() }),
        wallet: {
          ...{ balance: wallet, frozen: may.walletFrozen },
          refundable: may.walletFrozen ? 0 : Math.min(wallet, refundable),
        },
        overage: {
          ...{ allowed: account?.overageAllowed ?? false, cap: account?.overageCap ?? 0 },
          spent: overage + charged("overage"),
        },
        payAsYouGo: PAY_AS_YOU_GO,
        ...{ timeZone: may.timeZone, burn, problems: mode === "off" ? [] : problems, budgets: set },
      };
    },

    async plans({ teamId }) {
      const { plan: current } = await entitledTo(teamId);
      return {
        plans: Object.values(PLANS).map(({ prices, ...plan }) => ({
          ...{ ...plan, prices: both(prices), current: plan.id === current },
        })),
        addOns: Object.values(ADD_ONS).map(({ prices, ...addOn }) => ({ ...addOn, prices: both(prices) })),
        packs: Object.values(PACKS).map(({ price: amount, ...pack }) => ({ ...pack, price: price(amount) })),
        topUps: TOP_UP_IDS.map((id) => ({ id, price: price(TOP_UPS[id]) })),
      };
    },

    async invoices({ teamId }) {
      return (await repo.invoices(teamId)).flatMap(invoiceView);
    },

    async burn({ teamId }, money) {
      return burnFor(teamId, await openTime.of(teamId), money);
    },

    async previewStart({ teamId }, { phoneId }, money) {
      if (phoneId !== undefined && !(await repo.phones(teamId)).some(({ id }) => id === phoneId)) throw noSuchPhone();
      const [open, may] = await Promise.all([openTime.of(teamId), entitledTo(teamId)]);
      const preview = previewOf(open, phoneId ?? newId("phone"), shown(money));
      if (may.standing === "good" || mode === "off") return preview;
      const words = money
        ? "A payment failed: no further phone starts before it is paid."
        : "No further phone starts at the moment. Ask who looks after your team's billing.";
      return { ...preview, covered: false, words };
    },
  };
}

function planView(
  id: BillingSummary["plan"]["id"],
  cycle: Cycle | undefined,
  paid: SubscriptionRow | undefined,
  subscription: SubscriptionRow | undefined,
): BillingSummary["plan"] {
  const { name, prices } = PLANS[id];
  const endsAt = paid?.cancelAt ?? (paid?.cancelAtPeriodEnd ? paid.periodEnd : undefined);
  const at = (date: Date | null | undefined) => date?.toISOString();
  const paused = at(subscription?.pausedAt);
  return {
    ...{ id, name },
    ...(CYCLES.some((one) => one === cycle) && cycle !== undefined && { cycle }),
    ...(paid !== undefined && cycle !== undefined && { price: { amount: prices[cycle], currency: paid.currency } }),
    ...(subscription !== undefined && { status: subscription.status }),
    ...(paid !== undefined && endsAt === undefined && { renewsAt: paid.periodEnd.toISOString() }),
    ...(endsAt !== undefined && { endsAt: endsAt.toISOString() }),
    ...(paused !== undefined && { pausedAt: paused }),
  };
}

function grantView(grant: GrantRow, remainingMs: number): GrantView[] {
  const { kind, name, total, expiresAt } = grant;
  if (kind === "wallet") return [];
  return [
    { kind, name, totalMs: total, remainingMs, ...(expiresAt !== null && { expiresAt: expiresAt.toISOString() }) },
  ];
}

const STATUSES = ["draft", "open", "paid", "void", "uncollectible"] as const;

/** Drafts have no number and may still change: they are not shown. */
function invoiceView(row: InvoiceRow): InvoiceView[] {
  const status = STATUSES.find((one) => one === row.status);
  if (row.number === null || status === undefined || status === "draft") return [];
  return [
    {
      ...{ id: row.id, number: row.number, issuedAt: row.createdAt.toISOString(), status, words: row.words },
      ...{ total: { amount: row.total, currency: row.currency }, tax: row.tax },
      ...(row.hostedUrl !== null && { url: row.hostedUrl }),
      ...(row.pdfUrl !== null && { pdf: row.pdfUrl }),
    },
  ];
}
