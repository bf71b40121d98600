/**
 * Who does not agree with a new version of the policy leaves, and gets back what was paid ahead: their plan ends at once, and
 * the unused part of each invoice that runs goes back the way it was paid. Of a team that has another owner the plan goes on.
 */
import type Stripe from "stripe";
import { z } from "zod";
import { teamId, type UserId } from "../../../shared/ids.ts";
import type { Audit } from "../../audit/audit.repo.ts";
import type { Clock } from "../../clock.ts";
import type { ProRataRefunds } from "../../privacy/policy/policy.service.ts";
import { carriesPlan } from "../entitlements.ts";
import type { MirrorRepo } from "./mirror.repo.ts";
import type { CallKind, StripeCalls } from "./stripe-calls.ts";
import { CALL_KEY, idOf, TEAM_KEY } from "./stripe-prices.ts";

const leaving = z.strictObject({
  teamId,
  subscriptionId: z.string(),
  /** Unix seconds: up to there it was used. */
  at: z.int(),
});
const PAYMENTS = { expand: ["payments.data.payment.payment_intent"] };

export function leavingCall({ stripe }: { stripe: Stripe }): CallKind<z.output<typeof leaving>, { id: string | null }> {
  /** The unused part of what an invoice charged, at most what was paid for it. */
  async function giveBack(invoice: Stripe.Invoice, at: number, call: { id: string; key: string; team: string }) {
    const unused = Math.min(unusedOf(invoice, at), invoice.amount_paid);
    if (unused <= 0) return undefined;
    const { payments } = await stripe.invoices.retrieve(invoice.id ?? "", PAYMENTS);
    const paid = payments?.data.find(
      ({ status, payment }) => status === "paid" && payment.payment_intent !== undefined,
    );
    const intent = idOf(paid?.payment.payment_intent);
    if (intent === undefined) return undefined;
    const earlier = await stripe.refunds.list({ payment_intent: intent, limit: 100 });
    const mine = earlier.data.find(({ metadata }) => metadata?.[CALL_KEY] === call.id);
    if (mine !== undefined) return mine;
    const given = earlier.data.filter(({ status }) => status !== "failed" && status !== "canceled");
    const left = invoice.amount_paid - given.reduce((sum, { amount }) => sum + amount, 0);
    if (left <= 0) return undefined;
    return stripe.refunds.create(
      {
        ...{ payment_intent: intent, amount: Math.min(unused, left), reason: "requested_by_customer" },
        metadata: { [TEAM_KEY]: call.team, [CALL_KEY]: call.id },
      },
      { idempotencyKey: `${call.key}:${invoice.id}` },
    );
  }

  return {
    name: "subscription.leave",
    input: leaving,
    /** May be made again at any time: it looks at what is done first. */
    async make(input, { id, idempotencyKey: key }) {
      const subscription = await stripe.subscriptions.retrieve(input.subscriptionId);
      if (subscription.status !== "canceled") {
        const ends = { prorate: false, invoice_now: false };
        await stripe.subscriptions.cancel(subscription.id, ends, { idempotencyKey: `${key}:cancel` });
      }
      const invoices = await stripe.invoices.list({ subscription: subscription.id, status: "paid", limit: 100 });
      let last: string | null = null;
      for (const invoice of invoices.data) {
        const refund = await giveBack(invoice, input.at, { id, key, team: input.teamId });
        last = refund?.id ?? last;
      }
      return { id: last };
    },
  };
}

/** Of each line that runs the part after the moment, taxes included, rounded for the customer's good. */
export function unusedOf(invoice: Pick<Stripe.Invoice, "lines">, at: number): number {
  let unused = 0n;
  for (const { amount, taxes, period } of invoice.lines.data) {
    const length = BigInt(period.end - period.start);
    if (length === 0n || at >= period.end) continue;
    const left = BigInt(period.end - Math.max(at, period.start));
    const added = (taxes ?? []).filter(({ tax_behavior }) => tax_behavior === "exclusive");
    const whole = BigInt(added.reduce((sum, tax) => sum + tax.amount, amount));
    // Upwards, for what was charged as for what was credited.
    const part = whole * left;
    unused += part > 0n ? (part + length - 1n) / length : part / length;
  }
  return Number(unused);
}

export function createProRata(options: {
  repo: Pick<MirrorRepo, "ownedAlone" | "subscriptionsOf">;
  calls: Pick<StripeCalls, "queue">;
  kind: ReturnType<typeof leavingCall>;
  audit: Pick<Audit, "record">;
  clock: Clock;
}): ProRataRefunds {
  const { repo, calls, kind, audit, clock } = options;
  return {
    async whenLeaving(tx, userId: UserId, version: number) {
      for (const team of await repo.ownedAlone(tx, userId)) {
        for (const subscription of (await repo.subscriptionsOf(tx, team)).filter(carriesPlan)) {
          const at = Math.floor(clock.now() / 1_000);
          const input = { teamId: team, subscriptionId: subscription.id, at };
          const key = `leave:${subscription.id}:${version}`;
          await calls.queue(tx, kind, { teamId: team, key, input, isFirstAlone: true });
          await audit.record(tx, {
            ...{ chain: team, actor: userId, action: "billing.subscription_acted", object: team },
            detail: { act: "ended, with what was paid ahead given back" },
          });
        }
      }
    },
  };
}
