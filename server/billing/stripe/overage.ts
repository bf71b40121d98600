/**
 * Overage on the invoice of a period: one item for each kind of use, on the draft Stripe makes when the period ends. Asked for
 * by the webhook of that draft, which is answered only once all phone time of the period is in our ledger; until then Stripe
 * keeps the draft open and asks again.
 */
import type Stripe from "stripe";
import { z } from "zod";
import { type TeamId, teamId } from "../../../shared/ids.ts";
import type { Clock } from "../../clock.ts";
import type { Database, Writer } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import type { Ledger } from "../ports.ts";
import type { PurchasesRepo } from "./purchases.repo.ts";
import type { CallKind, StripeCalls } from "./stripe-calls.ts";
import { stripeError } from "./stripe-errors.ts";
import { CALL_KEY, idOf, TEAM_KEY } from "./stripe-prices.ts";

/** Phones say every few seconds that they run; so long after its end nothing of a period is missing. */
const SETTLES_MS = 15_000;
export const OVERAGE_KINDS = ["phone_time"] as const;
const WORDS = { phone_time: "Phone time beyond what is included" } as const satisfies Record<
  (typeof OVERAGE_KINDS)[number],
  string
>;

const created = z.strictObject({
  teamId,
  customerId: z.string(),
  /** Left out when the invoice was closed before we could add to it: then it comes with the next one. */
  invoiceId: z.string().optional(),
  kind: z.enum(OVERAGE_KINDS),
  amount: z.int(),
  currency: z.string(),
  /** Of what is charged, in milliseconds. */
  from: z.int(),
  to: z.int(),
});

export function overageCall({ stripe }: { stripe: Stripe }): CallKind<z.output<typeof created>, Stripe.InvoiceItem> {
  return {
    name: "overage.create",
    input: created,
    make: (input, { id, idempotencyKey }) =>
      stripe.invoiceItems.create(
        {
          customer: input.customerId,
          ...(input.invoiceId !== undefined && { invoice: input.invoiceId }),
          ...{ amount: input.amount, currency: input.currency, description: WORDS[input.kind] },
          period: { start: seconds(input.from), end: seconds(input.to) },
          metadata: { [TEAM_KEY]: input.teamId, [CALL_KEY]: id },
        },
        { idempotencyKey },
      ),
    async find({ customerId, invoiceId }, { id }) {
      const of = invoiceId === undefined ? { customer: customerId } : { invoice: invoiceId };
      const items = await stripe.invoiceItems.list({ ...of, limit: 100 });
      return items.data.find(({ metadata }) => metadata?.[CALL_KEY] === id);
    },
  };
}

const seconds = (ms: number) => Math.floor(ms / 1_000);

export interface Overage {
  /**
   * Adds what the team owes beyond its minutes to a draft invoice of a cycle, once.
   * @throws PerchError `unavailable` while phone time of the period is not settled: answer the webhook with an error.
   */
  addOverage(invoiceId: string): Promise<void>;
}

export function createOverage(options: {
  db: Database;
  repo: PurchasesRepo;
  stripe: Stripe;
  calls: StripeCalls;
  kind: ReturnType<typeof overageCall>;
  ledger: Pick<Ledger, "overage">;
  clock: Clock;
}): Overage {
  const { db, repo, stripe, calls, kind, ledger, clock } = options;

  /** From where the last invoice left off; a period that had none is looked at from its beginning. */
  async function startOf(tx: Writer, team: TeamId, periodStart: number): Promise<number> {
    const last = await calls.lastOf(tx, team, kind.name);
    return last === undefined ? periodStart : created.parse(last.input).to;
  }

  return {
    async addOverage(invoiceId) {
      const invoice = await stripe.invoices.retrieve(invoiceId).catch((error: unknown) => {
        throw stripeError(error);
      });
      if (invoice.billing_reason !== "subscription_cycle") return;
      const customerId = idOf(invoice.customer);
      const team = customerId && (await repo.teamOfCustomer(db.read, customerId));
      if (team === undefined || customerId === undefined || team === "") return;
      const keyOf = (of: string) => `overage:${invoiceId}:${of}`;
      for (const of of OVERAGE_KINDS) {
        const earlier = await calls.find(keyOf(of));
        if (earlier !== undefined) {
          await calls.now(kind, earlier.id);
          continue;
        }
        // A test clock of Stripe's may be ahead of ours; nothing ran later than now.
        const ends = Math.min(invoice.period_end * 1_000, clock.now() - SETTLES_MS);
        const isEarly = invoice.period_end * 1_000 > ends && invoice.period_end * 1_000 <= clock.now();
        if (isEarly || (await repo.hasUnrated(db.read, team, new Date(ends)))) {
          throw new PerchError("unavailable", "Phone time of this period is still being counted.");
        }
        // Looked at in the transaction that asks: two invoices at once are not asked to pay the same.
        const call = await db.tx(async (tx) => {
          const from = await startOf(tx, team, Math.min(invoice.period_start * 1_000, ends));
          const amount = from >= ends ? 0 : await ledger.overage(tx, team, new Date(from), new Date(ends));
          if (amount === 0) return undefined;
          const { currency } = invoice;
          const owed = { teamId: team, customerId, kind: of, amount, currency, from, to: ends };
          const input = invoice.status === "draft" ? { ...owed, invoiceId } : owed;
          return calls.queue(tx, kind, { teamId: team, key: keyOf(of), input, isWaitedFor: true });
        });
        if (call !== undefined) await calls.now(kind, call);
      }
    },
  };
}
