/**
 * Buying through Stripe's hosted page. One open page for one thing: whoever asks again, or lost the answer, gets the same one;
 * a page for another plan is closed first, so that nobody subscribes twice.
 */
import type Stripe from "stripe";
import type { z } from "zod";
import type { CheckoutState, CheckoutView, checkoutInput } from "../../../shared/billing/billing.ts";
import { CURRENCY, PLANS } from "../../../shared/billing/catalogue.ts";
import { moneyWords } from "../../../shared/billing/words.ts";
import { type CheckoutId, newId, type StripeCallId } from "../../../shared/ids.ts";
import type { Audit } from "../../audit/audit.repo.ts";
import type { Clock } from "../../clock.ts";
import type { Database, Writer } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import type { RateLimiter } from "../../limits/rate-limiter.ts";
import type { TeamScope } from "../../teams/team-scope.ts";
import {
  CHECKOUT_OPEN_MS,
  type checkoutCall,
  type expireCall,
  FIRST_TOP_UP_MOST,
  priceShown,
  REUSE_AT_LEAST_MS,
} from "./checkout.ts";
import type { CustomerCalls, Customers } from "./customers.ts";
import type { CheckoutRow, PurchasesRepo } from "./purchases.repo.ts";
import type { StripeCalls } from "./stripe-calls.ts";
import { stripeError } from "./stripe-errors.ts";
import type { StripeMirror } from "./stripe-ports.ts";
import { catalogueItem, idOf } from "./stripe-prices.ts";

const HOUR_MS = 3_600_000;
export const CHECKOUTS_AN_HOUR = 5;
/** Others may open pages at the same moment; so often we look again. */
const ROUNDS = 4;

export interface Checkouts {
  /** `network`: where the call comes from. */
  checkout(scope: TeamScope, input: z.output<typeof checkoutInput>, network: string): Promise<CheckoutView>;
  checkoutState(scope: TeamScope, input: { readonly checkoutId: CheckoutId }): Promise<CheckoutState>;
}

/** What a round of opening came to. */
type Opening =
  | { readonly is: "there"; readonly row: CheckoutRow }
  | { readonly is: "made"; readonly row: CheckoutRow; readonly named: StripeCallId; readonly call: StripeCallId }
  | { readonly is: "in the way"; readonly rows: readonly CheckoutRow[] };

export function createCheckouts(options: {
  db: Database;
  repo: PurchasesRepo;
  stripe: Stripe;
  calls: StripeCalls;
  kinds: {
    readonly customer: CustomerCalls;
    readonly checkout: ReturnType<typeof checkoutCall>;
    readonly expire: ReturnType<typeof expireCall>;
  };
  customers: Customers;
  mirror: StripeMirror;
  limiter: Pick<RateLimiter, "take">;
  audit: Pick<Audit, "record">;
  clock: Clock;
}): Checkouts {
  const { db, repo, stripe, calls, kinds, customers, mirror, limiter, audit, clock } = options;
  const now = () => new Date(clock.now());

  /** Of an open page, made now when the answer to its making was lost; `undefined` once it is closed or paid. */
  async function reopened(row: CheckoutRow): Promise<CheckoutRow | undefined> {
    const known = row.sessionId === null ? await made(row) : row;
    if (known.state !== "open" || known.sessionId === null) return undefined;
    const fetchedAt = now();
    const session = await retrieve(known.sessionId);
    if (session.status === "open") return known;
    await mirror.fulfil(session, fetchedAt);
    if (session.status === "expired") {
      await db.tx((tx) => repo.changeCheckout(tx, row.id, { state: "expired" }));
    }
    return undefined;
  }

  async function made(row: CheckoutRow): Promise<CheckoutRow> {
    const call = await calls.find(`checkout:${row.id}`);
    if (call !== undefined) await calls.now(kinds.checkout, call.id);
    return (await repo.checkout(db.read, row.id)) ?? row;
  }

  async function retrieve(sessionId: string): Promise<Stripe.Checkout.Session> {
    try {
      return await stripe.checkout.sessions.retrieve(sessionId);
    } catch (error) {
      throw stripeError(error);
    }
  }

  /** Closes the page of another plan. @throws PerchError when that one was paid meanwhile. */
  async function closePage(row: CheckoutRow): Promise<void> {
    const open = await reopened(row);
    const sessionId = open?.sessionId;
    if (open !== undefined && typeof sessionId === "string") {
      const call = await db.tx((tx) =>
        calls.queue(tx, kinds.expire, {
          ...{ teamId: row.teamId, key: `checkout.expire:${row.id}`, isWaitedFor: true },
          input: { checkoutId: row.id, sessionId },
        }),
      );
      await calls.now(kinds.expire, call);
    }
    const after = await repo.checkout(db.read, row.id);
    if (after?.state === "paid" || after?.state === "processing") throw hasPlan();
  }

  async function demandAllowed(tx: Writer, { teamId }: TeamScope, row: CheckoutRow): Promise<void> {
    const account = await repo.account(tx, teamId, row.currency, row.createdAt);
    if (account.currency !== row.currency) {
      throw new PerchError(
        "conflict",
        `This team pays in ${account.currency?.toUpperCase()}, and prices here are in ${row.currency.toUpperCase()} by now. Ask support to move it.`,
      );
    }
    if (isPlan(row.what) && (await repo.subscription(tx, teamId)) !== undefined) throw hasPlan();
    if (isTopUp(row.what) && row.amount > FIRST_TOP_UP_MOST && !(await repo.hasToppedUp(tx, teamId))) {
      const most = moneyWords(FIRST_TOP_UP_MOST, row.currency);
      throw new PerchError("limit_reached", `The first top-up may be ${most} at most. After it was paid, more.`);
    }
    const lately = await repo.checkoutsSince(tx, teamId, new Date(clock.now() - HOUR_MS));
    if (lately >= CHECKOUTS_AN_HOUR) {
      const words = `This team opened ${lately} payment pages within an hour, which is the most. Try again later.`;
      throw new PerchError("rate_limited", words, { retryAfterMs: HOUR_MS / CHECKOUTS_AN_HOUR });
    }
  }

  function opening(scope: TeamScope, fresh: CheckoutRow, link: { customerId: string; priceId: string | undefined }) {
    return db.tx(async (tx): Promise<Opening> => {
      const replayed = await repo.checkoutByKey(tx, scope.teamId, fresh.idempotencyKey);
      const openUntil = new Date(clock.now() + REUSE_AT_LEAST_MS);
      const there = replayed ?? (await repo.openCheckout(tx, { ...fresh, openUntil }));
      if (there !== undefined) return { is: "there", row: there };
      const rows = isPlan(fresh.what)
        ? (await repo.openCheckouts(tx, scope.teamId)).filter(({ what }) => isPlan(what))
        : [];
      if (rows.length > 0) return { is: "in the way", rows };
      await demandAllowed(tx, scope, fresh);
      await repo.insertCheckout(tx, fresh);
      const named = await customers.named(tx, scope.teamId, link.customerId, fresh.id);
      const { customerId, priceId } = link;
      const call = await calls.queue(tx, kinds.checkout, {
        ...{ teamId: scope.teamId, key: `checkout:${fresh.id}`, isWaitedFor: true },
        input: { checkoutId: fresh.id, teamId: scope.teamId, customerId, ...(priceId !== undefined && { priceId }) },
      });
      await audit.record(tx, {
        ...{ chain: scope.teamId, actor: scope.userId, action: "billing.checkout_opened", object: fresh.id },
        detail: { what: fresh.what, amount: fresh.amount, currency: fresh.currency },
      });
      return { is: "made", row: fresh, named, call };
    });
  }

  /** Stripe's price of a thing. @throws PerchError when it is not the one of the catalogue. */
  async function priceIdOf(what: string, amount: number): Promise<string | undefined> {
    if (catalogueItem(what) === undefined) return undefined;
    let price: Stripe.Price | undefined;
    try {
      [price] = (await stripe.prices.list({ lookup_keys: [what], active: true, limit: 1 })).data;
    } catch (error) {
      throw stripeError(error);
    }
    if (price?.unit_amount !== amount || price.currency !== CURRENCY) {
      throw new PerchError(
        "unavailable",
        "This price is not set up at Stripe yet, so nothing can be bought at it. Whoever runs this server runs the billing sync.",
      );
    }
    return price.id;
  }

  return {
    async checkout(scope, input, network) {
      const { teamId, userId } = scope;
      const price = priceShown(input.buy, input.shown);
      const fresh: CheckoutRow = {
        ...{ id: newId("checkout"), teamId, startedBy: userId, sessionId: null, url: null, state: "open" },
        ...{ ...price, idempotencyKey: input.idempotencyKey, fulfilledAt: null },
        ...{ createdAt: now(), expiresAt: new Date(clock.now() + CHECKOUT_OPEN_MS) },
      };
      const earlier = await repo.checkoutByKey(db.read, teamId, input.idempotencyKey);
      if (earlier === undefined) {
        const openUntil = new Date(clock.now() + REUSE_AT_LEAST_MS);
        const open = await repo.openCheckout(db.read, { ...fresh, openUntil });
        const reused = open && (await reopened(open));
        if (reused !== undefined) return viewOf(reused);
        await db.tx((tx) => demandAllowed(tx, scope, fresh));
        await limiter.take("checkout", network);
      }
      const priceId = await priceIdOf(price.what, price.amount);
      const customerId = await customers.ensure(teamId, price.currency);
      for (let round = 0; round < ROUNDS; round += 1) {
        const opened = await opening(scope, fresh, { customerId, priceId });
        if (opened.is === "in the way") {
          for (const row of opened.rows) await closePage(row);
          continue;
        }
        if (opened.is === "made") {
          // A page without the buyer's address filled in is still a page.
          await calls.now(kinds.customer.update, opened.named).catch(() => undefined);
          await calls.now(kinds.checkout, opened.call);
          return viewOf((await repo.checkout(db.read, fresh.id)) ?? fresh);
        }
        const { row } = opened;
        if (row.idempotencyKey === input.idempotencyKey && row.what !== price.what) {
          throw new PerchError(
            "idempotency_mismatch",
            "This request key was already used for something else. Use a new key.",
          );
        }
        const reused = await reopened(row);
        if (reused !== undefined) return viewOf(reused);
        if (row.idempotencyKey === input.idempotencyKey) throw closed(await repo.checkout(db.read, row.id));
      }
      throw new PerchError("conflict", "Somebody else of your team is buying at the same moment. Look again.");
    },

    async checkoutState({ teamId }, { checkoutId }) {
      const row = await repo.checkout(db.read, checkoutId);
      if (row === undefined || row.teamId !== teamId) {
        throw new PerchError("not_found", "There is no such purchase in this team.");
      }
      const known = row.sessionId === null && row.state === "open" ? await made(row) : row;
      if (known.sessionId === null || known.fulfilledAt !== null) return stateOf(known, undefined);
      const fetchedAt = now();
      const session = await retrieve(known.sessionId);
      const account = await repo.findAccount(db.read, teamId);
      if (session.client_reference_id !== row.id || idOf(session.customer) !== account?.customerId) {
        throw new PerchError(
          "conflict",
          "This payment belongs to another customer, so nothing was given for it. Write to support.",
        );
      }
      await mirror.fulfil(session, fetchedAt);
      return stateOf((await repo.checkout(db.read, checkoutId)) ?? known, session);
    },
  };
}

const isPlan = (what: string) => /^perch_(solo|team)_/.test(what);
const isTopUp = (what: string) => what.startsWith("perch_topup_");

function viewOf({ id, url, expiresAt }: CheckoutRow): CheckoutView {
  if (url === null) throw new PerchError("unavailable", "Stripe gave no page to pay on. Try again.");
  return { id, url, expiresAt: expiresAt.toISOString() };
}

function hasPlan(): PerchError {
  return new PerchError("conflict", "This team has a plan. Change that one: a second would be charged beside it.");
}

function closed(row: CheckoutRow | undefined): PerchError {
  const words =
    row?.state === "paid" || row?.state === "processing"
      ? "This was paid already. Nothing more was charged."
      : "This payment page has closed, and nothing was charged. Start again.";
  return new PerchError("conflict", words);
}

const STATE_WORDS = {
  open: "Nothing is charged until you pay on the page that was opened.",
  paid: "Paid. Thank you.",
  processing: "The payment is on its way; some banks take days. What you bought is yours when it arrives.",
  expired: "The payment page has closed, and nothing was charged. Start again.",
} as const satisfies Record<CheckoutState["state"], string>;

function stateOf(row: CheckoutRow, session: Stripe.Checkout.Session | undefined): CheckoutState {
  const state = row.fulfilledAt !== null ? "paid" : session?.status === "expired" ? "expired" : row.state;
  const plan = /^perch_(solo|team)_/.exec(row.what)?.[1];
  if (state === "paid" && (plan === "solo" || plan === "team")) {
    return { state, words: `Paid. Your plan is ${PLANS[plan].name} from now on.` };
  }
  if (state === "paid" && row.amount === 0) return { state, words: "Saved. It is used for what you pay later." };
  return { state, words: STATE_WORDS[state] };
}
