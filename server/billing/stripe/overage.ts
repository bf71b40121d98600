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
import type { JobHandler } from "../../jobs/jobs.service.ts";
import { errorFields } from "../../log.ts";
import { anchoredMonth } from "../entitlements.ts";
import type { Ledger } from "../ports.ts";
import type { PurchasesRepo } from "./purchases.repo.ts";
import type { CallKind, StripeCalls } from "./stripe-calls.ts";
import { stripeError } from "./stripe-errors.ts";
import { boughtWith, CALL_KEY, idOf, TEAM_KEY } from "./stripe-prices.ts";

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
  /** An invoice of its own, where no cycle brings one. */
  isOwn: z.literal(true).optional(),
  kind: z.enum(OVERAGE_KINDS),
  amount: z.int(),
  currency: z.string(),
  /** Of what is charged, in milliseconds. */
  from: z.int(),
  to: z.int(),
});

export function overageCall(options: {
  stripe: Stripe;
  tax: boolean;
}): CallKind<z.output<typeof created>, Stripe.InvoiceItem> {
  const { stripe, tax } = options;
  /** Closed and collected by Stripe an hour later, as those of cycles are. */
  async function ownInvoice(input: z.output<typeof created>, id: string, key: string): Promise<string> {
    const invoice = await stripe.invoices.create(
      {
        ...{ customer: input.customerId, currency: input.currency, auto_advance: true },
        ...{ collection_method: "charge_automatically", pending_invoice_items_behavior: "exclude" },
        metadata: { [TEAM_KEY]: input.teamId, [CALL_KEY]: id },
        ...(tax && { automatic_tax: { enabled: true } }),
      },
      { idempotencyKey: `${key}:invoice` },
    );
    return invoice.id;
  }
  return {
    name: "overage.create",
    input: created,
    async make(input, { id, idempotencyKey }) {
      const invoice = input.isOwn ? await ownInvoice(input, id, idempotencyKey) : input.invoiceId;
      return stripe.invoiceItems.create(
        {
          customer: input.customerId,
          ...(invoice !== undefined && { invoice }),
          ...{ amount: input.amount, currency: input.currency, description: WORDS[input.kind] },
          period: { start: seconds(input.from), end: seconds(input.to) },
          metadata: { [TEAM_KEY]: input.teamId, [CALL_KEY]: id },
        },
        { idempotencyKey },
      );
    },
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
  /**
   * Invoices what no cycle brings: each month of a plan paid by the year, and what is left when a plan has ended. Daily; what
   * is not settled yet waits for the next day.
   */
  readonly rest: JobHandler;
}
export const OVERAGE_REST_JOB = "billing.overage_rest";
const DAY_MS = 24 * 3_600_000;
/** No entry older than this is charged: what it was charged by is known for 90 days, so nothing is charged again. */
const LOOK_BACK_MS = 80 * DAY_MS;

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

  /** Up to when a team's overage is due without a cycle that brings it. */
  async function dueUntil(team: TeamId): Promise<number | undefined> {
    const subscription = await repo.subscription(db.read, team);
    const settled = clock.now() - SETTLES_MS;
    if (subscription === undefined) return settled;
    if (boughtWith(subscription.items).cycle !== "year") return undefined;
    return Math.min(anchoredMonth(new Date(clock.now()), subscription.anchor).from.getTime(), settled);
  }

  /** Looked at in the transaction that asks: two invoices at once are not asked to pay the same. */
  function asking(
    owes: { team: TeamId; customerId: string; currency: string; of: (typeof OVERAGE_KINDS)[number] },
    when: { start: number; end: number },
    to: { key: string; invoiceId?: string; isOwn?: true },
  ) {
    const { team, customerId, currency, of } = owes;
    const { key, ...on } = to;
    return db.tx(async (tx) => {
      const oldest = clock.now() - LOOK_BACK_MS;
      const from = await startOf(tx, team, Math.max(oldest, Math.min(when.start, when.end)));
      const amount = from >= when.end ? 0 : await ledger.overage(tx, team, new Date(from), new Date(when.end));
      if (amount === 0 || (on.isOwn && amount < 0)) return undefined;
      const input = { teamId: team, customerId, kind: of, amount, currency, from, to: when.end, ...on };
      return calls.queue(tx, kind, { teamId: team, key, input, isWaitedFor: true });
    });
  }

  return {
    async rest(_input, { signal, log }) {
      const since = new Date(clock.now() - LOOK_BACK_MS);
      for (const { teamId: team, customerId, currency } of await repo.owing(since)) {
        if (signal.aborted) return;
        const end = await dueUntil(team);
        if (end === undefined || (await repo.hasUnrated(db.read, team, new Date(end)))) continue;
        try {
          for (const of of OVERAGE_KINDS) {
            const to = { key: `overage:${team}:${end}:${of}`, isOwn: true } as const;
            const call = await asking({ team, customerId, currency, of }, { start: since.getTime(), end }, to);
            if (call !== undefined) await calls.now(kind, call);
          }
        } catch (error) {
          log.warn("Overage of a team was not invoiced", errorFields(error));
        }
      }
    },
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
        const { currency } = invoice;
        const to = { key: keyOf(of), ...(invoice.status === "draft" && { invoiceId }) };
        const when = { start: invoice.period_start * 1_000, end: ends };
        const call = await asking({ team, customerId, currency, of }, when, to);
        if (call !== undefined) await calls.now(kind, call);
      }
    },
  };
}
