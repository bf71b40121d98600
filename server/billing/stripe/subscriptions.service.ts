/**
 * What a team does with the subscription it has: a change is previewed by Stripe, made only at what was shown, and made once.
 * A payment that fails leaves everything as it was (`error_if_incomplete`): who waits gets a final answer, and no change hangs
 * on an invoice that nobody pays.
 */
import type Stripe from "stripe";
import { z } from "zod";
import type {
  applyChangeInput,
  ChangePreview,
  changeInput,
  subscriptionActInput,
} from "../../../shared/billing/billing.ts";
import type { Cycle } from "../../../shared/billing/catalogue.ts";
import type { Audit } from "../../audit/audit.repo.ts";
import type { Clock } from "../../clock.ts";
import type { Database } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import { clampAddMonths } from "../../privacy/retention/calendar.ts";
import type { TeamScope } from "../../teams/team-scope.ts";
import { demandShown } from "./checkout.ts";
import type { PurchasesRepo } from "./purchases.repo.ts";
import type { CallKind, StripeCalls } from "./stripe-calls.ts";
import { stripeError } from "./stripe-errors.ts";
import type { StripeMirror } from "./stripe-ports.ts";
import { PAUSED_KEY } from "./stripe-prices.ts";
import {
  type Change,
  customerOf,
  demandChangeable,
  demandEnough,
  type Item,
  type ItemStep,
  itemsOf,
  nextAmount,
  stepsOf,
  wantedOf,
} from "./subscription-change.ts";

/** How long what was shown may be bought. */
const PREVIEW_S = 30 * 60;
/** What clocks may differ by. */
const AHEAD_S = 5;

const itemParam = z.strictObject({
  id: z.string().optional(),
  price: z.string().optional(),
  quantity: z.int().optional(),
  deleted: z.literal(true).optional(),
});
const changed = z.strictObject({ subscriptionId: z.string(), items: z.array(itemParam), prorationDate: z.int() });
const acted = z.strictObject({
  subscriptionId: z.string(),
  act: z.enum(["cancel_at_period_end", "keep", "pause", "resume"]),
  /** In Unix milliseconds. */
  at: z.int(),
});
type ItemParam = z.output<typeof itemParam>;

export function subscriptionCalls({ stripe }: { stripe: Stripe }) {
  const change: CallKind<z.output<typeof changed>, Stripe.Subscription> = {
    name: "subscription.change",
    input: changed,
    make: ({ subscriptionId, items, prorationDate }, { idempotencyKey }) =>
      stripe.subscriptions.update(
        subscriptionId,
        {
          items: items.map(defined),
          proration_date: prorationDate,
          proration_behavior: "always_invoice",
          payment_behavior: "error_if_incomplete",
        },
        { idempotencyKey },
      ),
    isOfItsDay: true,
  };
  const act: CallKind<z.output<typeof acted>, Stripe.Subscription> = {
    name: "subscription.act",
    input: acted,
    make: ({ subscriptionId, act: what, at }, { idempotencyKey }) =>
      stripe.subscriptions.update(subscriptionId, paramsOfAct(what, at), { idempotencyKey }),
    isOfItsDay: true,
  };
  return { change, act };
}

/** While it is paused its invoices are void, and the team has what Free has. */
function paramsOfAct(act: Act, at: number): Stripe.SubscriptionUpdateParams {
  if (act === "pause") return { pause_collection: { behavior: "void" }, metadata: { [PAUSED_KEY]: String(at) } };
  if (act === "resume") return { pause_collection: "", metadata: { [PAUSED_KEY]: "" } };
  return { cancel_at_period_end: act === "cancel_at_period_end" };
}

export interface Subscriptions {
  previewChange(scope: TeamScope, input: z.output<typeof changeInput>): Promise<ChangePreview>;
  applyChange(scope: TeamScope, input: z.output<typeof applyChangeInput>): Promise<void>;
  act(scope: TeamScope, input: z.output<typeof subscriptionActInput>): Promise<void>;
}

export function createSubscriptions(options: {
  db: Database;
  repo: PurchasesRepo;
  stripe: Stripe;
  calls: StripeCalls;
  kinds: ReturnType<typeof subscriptionCalls>;
  mirror: StripeMirror;
  audit: Pick<Audit, "record">;
  clock: Clock;
  /** What one kept phone may use of the disk. */
  phoneDiskMb: number;
}): Subscriptions {
  const { db, repo, stripe, calls, kinds, mirror, audit, clock } = options;

  async function running({ teamId }: TeamScope): Promise<Stripe.Subscription> {
    const row = await repo.subscription(db.read, teamId);
    const account = await repo.findAccount(db.read, teamId);
    if (row === undefined) throw new PerchError("conflict", "This team has no plan to change. Choose one first.");
    const subscription = await asked(stripe.subscriptions.retrieve(row.id));
    if (customerOf(subscription) !== account?.customerId) {
      throw new PerchError(
        "conflict",
        "This plan belongs to another customer, so nothing was changed. Write to support.",
      );
    }
    return subscription;
  }

  /** What would be asked of Stripe. @throws PerchError where it cannot be. */
  async function planned({ teamId }: TeamScope, subscription: Stripe.Subscription, change: Change) {
    demandChangeable(subscription);
    const items = itemsOf(subscription);
    const wanted = wantedOf(items, change);
    const [members, dedicatedPhones, kept] = await Promise.all([
      repo.members(db.read, teamId),
      repo.dedicatedPhones(db.read, teamId),
      repo.keptPhones(db.read, teamId),
    ]);
    demandEnough(wanted, { members, dedicatedPhones, storageMb: kept * options.phoneDiskMb });
    const steps = stepsOf(items, wanted);
    if (steps.length === 0)
      throw new PerchError("conflict", "This is what the team has already. Nothing would change.");
    return { items, wanted, params: await paramsOf(steps) };
  }

  /** Stripe's prices for what is bought anew, as the catalogue has them. */
  async function paramsOf(steps: readonly ItemStep[]): Promise<ItemParam[]> {
    const keys = [...new Set(steps.flatMap(({ lookupKey }) => lookupKey ?? []))];
    const prices =
      keys.length === 0 ? [] : (await asked(stripe.prices.list({ lookup_keys: keys, active: true, limit: 100 }))).data;
    return steps.map(({ lookupKey, ...step }) => {
      if (lookupKey === undefined) return step;
      const price = prices.find((one) => one.lookup_key === lookupKey);
      if (price === undefined) {
        throw new PerchError(
          "unavailable",
          "This price is not set up at Stripe yet, so nothing was changed. Whoever runs this server runs the billing sync.",
        );
      }
      return { ...step, price: price.id };
    });
  }

  async function preview(scope: TeamScope, subscription: Stripe.Subscription, change: Change, atSeconds: number) {
    const { items, wanted, params } = await planned(scope, subscription, change);
    const invoice = await asked(
      stripe.invoices.createPreview({
        customer: customerOf(subscription) ?? "",
        subscription: subscription.id,
        subscription_details: {
          items: params.map(defined),
          proration_date: atSeconds,
          proration_behavior: "always_invoice",
        },
      }),
    );
    const { currency } = invoice;
    const due = invoice.total < 0 ? invoice.total : invoice.amount_due;
    const view: ChangePreview = {
      due: { amount: due, currency },
      next: { amount: nextAmount(items, wanted), currency },
      nextAt: nextAt(items, wanted.cycle, subscription, atSeconds),
      lines: invoice.lines.data.map(({ description, amount }) => ({ words: description ?? "Perch", amount })),
      prorationAt: new Date(atSeconds * 1_000).toISOString(),
    };
    return { view, params };
  }

  return {
    async previewChange(scope, change) {
      const subscription = await running(scope);
      return (await preview(scope, subscription, change, startOf(subscription, clock.now()))).view;
    },

    async applyChange(scope, { change, shown, prorationAt, idempotencyKey }) {
      const { teamId, userId } = scope;
      const key = `subscription.change:${teamId}:${idempotencyKey}`;
      const earlier = await calls.find(key);
      // Asked before: whatever came of it then is the answer, and what it costs was agreed to then.
      const call = earlier?.id ?? (await asking());
      const fetchedAt = new Date(clock.now());
      const subscription = await calls.now(kinds.change, call);
      if (subscription !== undefined) await mirror.subscription(subscription, fetchedAt);

      async function asking() {
        const subscriptionNow = await running(scope);
        const atSeconds = Math.floor(Date.parse(prorationAt) / 1_000);
        const latest = startOf(subscriptionNow, clock.now());
        // Later than now it would cost less than what is left of the period.
        if (atSeconds > latest + AHEAD_S || atSeconds < latest - PREVIEW_S) {
          throw new PerchError("conflict", "What was shown is too old by now. Look again.");
        }
        const { view, params } = await preview(scope, subscriptionNow, change, atSeconds);
        demandShown(view.due, shown);
        const input = { subscriptionId: subscriptionNow.id, items: params, prorationDate: atSeconds };
        return db.tx(async (tx) => {
          const detail = { amount: view.due.amount, currency: view.due.currency };
          const entry = { chain: teamId, actor: userId, action: "billing.subscription_changed" } as const;
          await audit.record(tx, { ...entry, object: teamId, detail });
          return calls.queue(tx, kinds.change, { teamId, key, input, isWaitedFor: true });
        });
      }
    },

    async act(scope, { act, idempotencyKey }) {
      const { teamId, userId } = scope;
      const key = `subscription.act:${teamId}:${idempotencyKey}`;
      const earlier = await calls.find(key);
      const call = earlier?.id ?? (await asking());
      const fetchedAt = new Date(clock.now());
      const subscription = await calls.now(kinds.act, call);
      if (subscription !== undefined) await mirror.subscription(subscription, fetchedAt);

      async function asking() {
        const subscriptionNow = await running(scope);
        demandPossible(act, subscriptionNow);
        const input = { subscriptionId: subscriptionNow.id, act, at: clock.now() };
        return db.tx(async (tx) => {
          const entry = { chain: teamId, actor: userId, action: "billing.subscription_acted" } as const;
          await audit.record(tx, { ...entry, object: teamId, detail: { act } });
          return calls.queue(tx, kinds.act, { teamId, key, input, isWaitedFor: true });
        });
      }
    },
  };
}

type Act = z.output<typeof acted>["act"];

function demandPossible(act: Act, { status, pause_collection, cancel_at, cancel_at_period_end }: Stripe.Subscription) {
  const ends = cancel_at_period_end || cancel_at !== null;
  if (status === "canceled" || status === "incomplete_expired") {
    throw new PerchError("conflict", "This plan is over. Choose a plan anew.");
  }
  const refused: Readonly<Record<Act, string | false>> = {
    cancel_at_period_end: ends && "The plan ends with this period already.",
    keep: !ends && "The plan goes on: there is nothing to keep.",
    pause: pause_collection !== null && "The plan is paused already.",
    resume: pause_collection === null && "The plan is not paused.",
  };
  const words = refused[act];
  if (words !== false) throw new PerchError("conflict", words);
  if (act === "pause" && status !== "active") {
    throw new PerchError("payment_required", "A payment is open. Pay it first; then pause the plan.");
  }
}

/** Never before the period that Stripe prorates in. */
function startOf(subscription: Stripe.Subscription, now: number): number {
  const starts = subscription.items.data.map((item) => item.current_period_start);
  return Math.max(Math.floor(now / 1_000), ...starts);
}

function nextAt(items: readonly Item[], cycle: Cycle, subscription: Stripe.Subscription, atSeconds: number): string {
  const moves = items.some((item) => item.cycle !== cycle);
  const end = Math.max(...subscription.items.data.map((item) => item.current_period_end));
  const ms = moves ? clampAddMonths(atSeconds * 1_000, cycle === "year" ? 12 : 1) : end * 1_000;
  return new Date(ms).toISOString();
}

/** The SDK's types want a field left out where it has no value. */
function defined({ id, price, quantity, deleted }: ItemParam) {
  return {
    ...(id !== undefined && { id }),
    ...(price !== undefined && { price }),
    ...(quantity !== undefined && { quantity }),
    ...(deleted !== undefined && { deleted }),
  };
}

/** An answer of Stripe's for somebody who waits. */
async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw stripeError(error);
  }
}
