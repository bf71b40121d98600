/**
 * Money of the balance that goes back: what is unused of top-ups of the last 90 days, the newest first. The balance is debited
 * first; then Stripe is asked, one refund a payment. What Stripe refuses, or cannot give back, comes into the balance again.
 */
import type Stripe from "stripe";
import { z } from "zod";
import type { refundInput } from "../../../shared/billing/billing.ts";
import { CURRENCY } from "../../../shared/billing/catalogue.ts";
import { moneyWords } from "../../../shared/billing/words.ts";
import { newId, type TeamId, teamId } from "../../../shared/ids.ts";
import type { Audit } from "../../audit/audit.repo.ts";
import type { Clock } from "../../clock.ts";
import type { Database, Reader, Writer } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import type { TeamScope } from "../../teams/team-scope.ts";
import type { Ledger } from "../ports.ts";
import type { CheckoutRow, PurchasesRepo } from "./purchases.repo.ts";
import type { CallKind, StripeCalls } from "./stripe-calls.ts";
import { stripeError } from "./stripe-errors.ts";
import { CALL_KEY, idOf, TEAM_KEY } from "./stripe-prices.ts";

export const REFUNDABLE_MS = 90 * 24 * 3_600_000;
/** Metadata of a refund: the row of `money_back` it was asked for by. */
export const REFUND_KEY = "perch_refund";

const created = z.strictObject({
  teamId,
  /** Of `money_back`, and what the debit and a credit back are known by. */
  refundId: z.string(),
  paymentIntentId: z.string(),
  sessionId: z.string(),
  amount: z.int(),
});

export function refundCall(options: {
  stripe: Stripe;
  repo: PurchasesRepo;
  ledger: Pick<Ledger, "credit">;
  clock: Clock;
}): CallKind<z.output<typeof created>, Stripe.Refund> {
  const { stripe, repo, ledger, clock } = options;
  return {
    name: "refund.create",
    input: created,
    make: (input, { id, idempotencyKey }) =>
      stripe.refunds.create(
        {
          payment_intent: input.paymentIntentId,
          amount: input.amount,
          reason: "requested_by_customer",
          metadata: {
            ...{ [TEAM_KEY]: input.teamId, [CALL_KEY]: id, [REFUND_KEY]: input.refundId },
            ...{ perch_of: "balance", perch_source: input.sessionId },
          },
        },
        { idempotencyKey },
      ),
    async find(input) {
      const made = await stripe.refunds.list({ payment_intent: input.paymentIntentId, limit: 100 });
      return made.data.find(({ metadata }) => metadata?.[REFUND_KEY] === input.refundId);
    },
    async done(tx, input, refund) {
      const seen = { id: refund.id, status: refund.status ?? "pending", chargeId: idOf(refund.charge) ?? null };
      await repo.renameMoneyBack(tx, input.refundId, { ...seen, syncedAt: new Date(clock.now()) });
    },
    async refused(tx, input) {
      await creditBack(tx, { repo, ledger }, input);
    },
  };
}

/** Of the entry that puts a refund back that failed. */
export const backKey = (refundId: string) => `back:${refundId}`;

/** After a refund failed: the money is in the balance again, once, whoever hears of it first. */
export async function creditBack(
  tx: Writer,
  { repo, ledger }: { repo: Pick<PurchasesRepo, "renameMoneyBack">; ledger: Pick<Ledger, "credit"> },
  refund: { readonly teamId: TeamId; readonly refundId: string; readonly amount: number },
): Promise<boolean> {
  await repo.renameMoneyBack(tx, refund.refundId, { status: "failed" });
  return ledger.credit(tx, {
    ...{ teamId: refund.teamId, amount: refund.amount, source: "refund", sourceId: backKey(refund.refundId) },
    reason: "A refund could not be paid out.",
  });
}

/** What may be given back now of each top-up, the newest first; in all at most what the balance has. */
export async function refundableOf(
  reader: Reader,
  options: { repo: PurchasesRepo; ledger: Pick<Ledger, "balance">; teamId: TeamId; at: Date },
): Promise<{ readonly amount: number; readonly of: readonly { topUp: CheckoutRow; amount: number }[] }> {
  const { repo, ledger, teamId: team, at } = options;
  const account = await repo.findAccount(reader, team);
  if (account === undefined || account.frozen !== null) return { amount: 0, of: [] };
  const refunds = await repo.refundsOf(reader, team);
  const given = (sessionId: string | null) =>
    refunds.filter(({ sourceId }) => sourceId === sessionId).reduce((sum, { amount }) => sum + amount, 0);
  const topUps = await repo.topUps(reader, team, new Date(at.getTime() - REFUNDABLE_MS));
  let left = await ledger.balance(reader, team);
  const of = topUps.flatMap((topUp) => {
    const amount = Math.min(left, topUp.amount - given(topUp.sessionId));
    if (amount <= 0) return [];
    left -= amount;
    return [{ topUp, amount }];
  });
  return { amount: of.reduce((sum, { amount }) => sum + amount, 0), of };
}

export interface Refunds {
  refundBalance(scope: TeamScope, input: z.output<typeof refundInput>): Promise<{ readonly refunded: number }>;
}

export function createRefunds(options: {
  db: Database;
  repo: PurchasesRepo;
  stripe: Stripe;
  calls: StripeCalls;
  kind: ReturnType<typeof refundCall>;
  ledger: Pick<Ledger, "balance" | "debit">;
  /** Writes what ran until now, so that the balance pays for it before it goes back. */
  settle: (tx: Writer, teamId: TeamId) => Promise<unknown>;
  audit: Pick<Audit, "record">;
  clock: Clock;
}): Refunds {
  const { db, repo, stripe, calls, kind, ledger, settle, audit, clock } = options;

  /** The payment of a top-up, as Stripe has it. */
  async function paymentOf(topUp: CheckoutRow): Promise<string> {
    const session = await stripe.checkout.sessions.retrieve(topUp.sessionId ?? "").catch((error: unknown) => {
      throw stripeError(error);
    });
    const payment = idOf(session.payment_intent);
    if (payment === undefined) throw new PerchError("conflict", "This payment cannot be given back. Write to support.");
    return payment;
  }

  /** What was asked for under the same key, in all its parts. */
  async function askedBefore(keyOf: (part: number) => string): Promise<number> {
    let amount = 0;
    for (let part = 0; ; part += 1) {
      const call = await calls.find(keyOf(part));
      if (call === undefined) return amount;
      amount += created.parse(call.input).amount;
    }
  }

  return {
    async refundBalance({ teamId: team, userId }, { amount, idempotencyKey }) {
      const keyOf = (part: number) => `refund:${team}:${idempotencyKey}:${part}`;
      const earlier = await askedBefore(keyOf);
      if (earlier > 0) {
        if (earlier === amount) return { refunded: amount };
        const words = "This request key was already used for something else. Use a new key.";
        throw new PerchError("idempotency_mismatch", words);
      }
      const at = new Date(clock.now());
      const about = { repo, ledger, teamId: team, at };
      const payments = new Map<string, string>();
      for (const { topUp } of (await refundableOf(db.read, about)).of) payments.set(topUp.id, await paymentOf(topUp));
      const queued = await db.tx(async (tx) => {
        await settle(tx, team);
        const refundable = await refundableOf(tx, about);
        if (amount > refundable.amount) throw tooMuch(refundable.amount);
        const ids = [];
        let left = amount;
        for (const { topUp, amount: most } of refundable.of) {
          const part = Math.min(left, most);
          const paymentIntentId = payments.get(topUp.id);
          if (part === 0) break;
          if (paymentIntentId === undefined) throw new PerchError("conflict", "The balance just changed. Look again.");
          left -= part;
          const refundId = newId("stripeCall");
          const debit = { teamId: team, amount: part, whole: true, source: "refund", sourceId: refundId } as const;
          await ledger.debit(tx, { ...debit, reason: "Given back on request." });
          await repo.insertMoneyBack(tx, {
            ...{ id: refundId, teamId: team, kind: "refund", status: "queued", amount: part, currency: topUp.currency },
            ...{ chargeId: null, sourceId: topUp.sessionId, createdAt: at, syncedAt: at },
          });
          const sessionId = topUp.sessionId ?? "";
          const input = { teamId: team, refundId, paymentIntentId, sessionId, amount: part };
          ids.push(await calls.queue(tx, kind, { teamId: team, key: keyOf(ids.length), input }));
        }
        const entry = { chain: team, actor: userId, action: "billing.refund_asked", object: team } as const;
        await audit.record(tx, { ...entry, detail: { amount, currency: CURRENCY } });
        return ids;
      });
      if (queued.length > 0) calls.wake();
      return { refunded: amount };
    },
  };
}

function tooMuch(refundable: number): PerchError {
  const most = moneyWords(refundable, CURRENCY);
  return new PerchError(
    "conflict",
    refundable === 0
      ? "Nothing of the balance can be given back: that goes for what is unused of top-ups of the last 90 days."
      : `${most} can be given back: what is unused of top-ups of the last 90 days.`,
  );
}
