/**
 * Reads objects of Stripe and keeps what they say. Each reading has a stamp, taken before it is asked for: whatever was read
 * earlier never overwrites what was read later. What follows from an object is written in the same transaction.
 */
import type Stripe from "stripe";
import { z } from "zod";
import { PLANS } from "../../../shared/billing/catalogue.ts";
import type { TeamId } from "../../../shared/ids.ts";
import type { Clock } from "../../clock.ts";
import type { Database, Writer } from "../../db/database.ts";
import type { JobHandler } from "../../jobs/jobs.service.ts";
import type { CheckoutsRepo } from "./checkouts.repo.ts";
import type { FindingsRepo } from "./findings.repo.ts";
import type { InvoiceEffects } from "./invoices.ts";
import type { Letters } from "./letters.ts";
import type { MirrorRepo } from "./mirror.repo.ts";
import type { MoneyBackEffects } from "./money-back.ts";
import { isMissing } from "./stripe-errors.ts";
import type { StripeEventsRepo } from "./stripe-events.repo.ts";
import { disputeRow, invoiceRow, refundRow, type SubscriptionRow, subscriptionRow } from "./stripe-objects.ts";
import { boughtWith, idOf, TEAM_KEY } from "./stripe-prices.ts";
import { TOPICS, type Topic } from "./stripe-topics.ts";

/** With payments, to see whether a bank waits for a person. */
const INVOICE = { expand: ["payments.data.payment.payment_intent"] };

export interface Mirror {
  /** Reads an object and keeps it. */
  sync(topic: Topic, id: string): Promise<void>;
  /** Keeps one that was read already, from `fetchedAt` on. */
  subscription(subscription: Stripe.Subscription, fetchedAt: Date): Promise<void>;
  invoice(invoice: Stripe.Invoice, fetchedAt: Date): Promise<void>;
  refund(refund: Stripe.Refund, fetchedAt: Date): Promise<void>;
  dispute(dispute: Stripe.Dispute, fetchedAt: Date): Promise<void>;
  /** For a reading that begins now; no two are the same. */
  stamp(): Date;
  readonly job: JobHandler;
}

export function createMirror(options: {
  stripe: Stripe;
  db: Database;
  repo: MirrorRepo;
  events: Pick<StripeEventsRepo, "processed">;
  checkouts: Pick<CheckoutsRepo, "bySession">;
  findings: Pick<FindingsRepo, "add">;
  invoices: InvoiceEffects;
  moneyBack: MoneyBackEffects;
  letters: Letters;
  clock: Clock;
  /** Gives what a session bought. */
  fulfil: (session: Stripe.Checkout.Session) => Promise<void>;
  /** Adds what was used beyond the plan to a cycle's draft invoice; throws while the period is not settled. */
  addOverage: (invoiceId: string) => Promise<void>;
  /** Counts a payment that was refused, against who pays for the team. */
  declined: (tx: Writer, teamId: TeamId) => Promise<void>;
}): Mirror {
  const { stripe, db, repo, findings, invoices, moneyBack, letters, clock } = options;
  let newest = 0;
  const stamp = () => {
    newest = Math.max(clock.now(), newest + 1);
    return new Date(newest);
  };

  /** The team of a customer, or a finding: another product's customers may live in the same account. */
  async function teamOf(
    tx: Writer,
    object: { readonly id: string; readonly customer: string | undefined; readonly isOurs: boolean },
  ): Promise<TeamId | undefined> {
    const teamId = object.customer === undefined ? undefined : await repo.teamOf(tx, object.customer);
    if (teamId === undefined && !object.isOurs) {
      const words = "An object of a customer that is no team's.";
      await findings.add(tx, { kind: "unknown_customer", objectId: object.id, words });
    }
    return teamId;
  }

  async function subscription(found: Stripe.Subscription, fetchedAt: Date): Promise<void> {
    await db.tx(async (tx) => {
      const isOurs = found.metadata[TEAM_KEY] !== undefined;
      const teamId = await teamOf(tx, { id: found.id, customer: idOf(found.customer), isOurs });
      if (teamId === undefined) return;
      const row = subscriptionRow(found, { teamId, syncedAt: fetchedAt });
      if (!(await repo.putSubscription(tx, row))) return;
      await invoices.settle(tx, teamId);
      if (row.status !== "canceled") return;
      await letters.subscriptionEnded(tx, teamId, row.id, planName(row), row.endedAt ?? row.periodEnd);
    });
    letters.wake();
  }

  async function invoice(found: Stripe.Invoice, fetchedAt: Date): Promise<void> {
    await db.tx(async (tx) => {
      const metadata = { ...found.metadata, ...found.parent?.subscription_details?.metadata };
      const isOurs = metadata[TEAM_KEY] !== undefined;
      const teamId = await teamOf(tx, { id: found.id, customer: idOf(found.customer), isOurs });
      if (teamId === undefined) return;
      const row = invoiceRow(found, { teamId, syncedAt: fetchedAt });
      if (!(await repo.putInvoice(tx, row))) return;
      await invoices.settle(tx, teamId);
      await invoices.mirrored(tx, found, row);
    });
    letters.wake();
  }

  /** Also where the event that Stripe waits with never came. */
  async function invoiceOrDraft(found: Stripe.Invoice, fetchedAt: Date): Promise<void> {
    await invoice(found, fetchedAt);
    if (found.status === "draft" && found.billing_reason === "subscription_cycle") await options.addOverage(found.id);
  }

  async function refund(found: Stripe.Refund, fetchedAt: Date): Promise<void> {
    const customer = await customerOf(found);
    const topUp = await toppedUpWith(idOf(found.payment_intent));
    await db.tx(async (tx) => {
      const isOurs = Object.keys(found.metadata ?? {}).some((key) => key.startsWith("perch_"));
      const teamId = await teamOf(tx, { id: found.id, customer, isOurs });
      if (teamId === undefined) return;
      const row = refundRow(found, { teamId, syncedAt: fetchedAt });
      if (!(await repo.putMoneyBack(tx, row))) return;
      await moneyBack.refund(tx, found, row, topUp);
    });
    letters.wake();
  }

  async function dispute(found: Stripe.Dispute, fetchedAt: Date): Promise<void> {
    const customer = await customerOf(found);
    const topUp = await toppedUpWith(idOf(found.payment_intent));
    await db.tx(async (tx) => {
      const teamId = await teamOf(tx, { id: found.id, customer, isOurs: false });
      if (teamId === undefined) return;
      const row = disputeRow(found, { teamId, syncedAt: fetchedAt });
      if (!(await repo.putMoneyBack(tx, row))) return;
      await moneyBack.dispute(tx, row, topUp);
    });
    letters.wake();
  }

  async function customerOf(about: { readonly charge: string | Stripe.Charge | null }): Promise<string | undefined> {
    const id = idOf(about.charge);
    if (id === undefined) return undefined;
    return idOf((await stripe.charges.retrieve(id)).customer);
  }

  /** What a payment put into the balance. */
  async function toppedUpWith(paymentIntent: string | undefined): Promise<number> {
    if (paymentIntent === undefined) return 0;
    const { data } = await stripe.checkout.sessions.list({ payment_intent: paymentIntent, limit: 1 });
    const session = data[0];
    if (session === undefined) return 0;
    const row = await options.checkouts.bySession(db.read, session.id, session.client_reference_id);
    return row?.what.startsWith("perch_topup_") === true ? row.amount : 0;
  }

  async function read(topic: Topic, id: string): Promise<void> {
    const fetchedAt = stamp();
    switch (topic) {
      case "checkout":
        return options.fulfil(await stripe.checkout.sessions.retrieve(id, { expand: ["payment_intent"] }));
      case "subscription":
        return subscription(await stripe.subscriptions.retrieve(id), fetchedAt);
      case "invoice":
        return invoiceOrDraft(await stripe.invoices.retrieve(id, INVOICE), fetchedAt);
      case "refund":
        return refund(await stripe.refunds.retrieve(id), fetchedAt);
      case "dispute":
        return dispute(await stripe.disputes.retrieve(id), fetchedAt);
      case "warning":
        return warning(await stripe.radar.earlyFraudWarnings.retrieve(id));
      case "charge":
        return chargeFailed(await stripe.charges.retrieve(id));
      case "customer":
        return customerGone(await stripe.customers.retrieve(id));
    }
  }

  async function warning(found: Stripe.Radar.EarlyFraudWarning): Promise<void> {
    const customer = await customerOf(found);
    await db.tx(async (tx) => {
      const teamId = await teamOf(tx, { id: found.id, customer, isOurs: false });
      // One that was acted on already asks for nothing.
      if (teamId !== undefined && found.actionable) await moneyBack.warning(tx, teamId, found);
    });
    letters.wake();
  }

  /** Cards that are refused again and again are how stolen ones are tried. */
  async function chargeFailed(found: Stripe.Charge): Promise<void> {
    if (found.status !== "failed") return;
    await db.tx(async (tx) => {
      const teamId = await teamOf(tx, { id: found.id, customer: idOf(found.customer), isOurs: true });
      if (teamId !== undefined) await options.declined(tx, teamId);
    });
  }

  async function customerGone(found: Stripe.Customer | Stripe.DeletedCustomer): Promise<void> {
    if (found.deleted !== true) return;
    await db.tx(async (tx) => {
      const teamId = await repo.teamOf(tx, found.id);
      if (teamId === undefined) return;
      const words = "The customer was deleted at Stripe; the team can buy nothing until it has a new one.";
      await findings.add(tx, { kind: "unknown_customer", objectId: found.id, words, teamId });
    });
  }

  async function sync(topic: Topic, id: string): Promise<void> {
    const before = stamp();
    try {
      await read(topic, id);
    } catch (error) {
      if (!isMissing(error)) throw error;
      if (topic === "invoice") await db.tx((tx) => repo.removeInvoice(tx, id, before));
    }
  }

  return {
    sync,
    subscription,
    invoice,
    refund,
    dispute,
    stamp,
    async job(input, { finish }) {
      const { topic, id, eventId } = jobInput.parse(input);
      await sync(topic, id);
      if (eventId === undefined) return;
      await finish((tx) => options.events.processed(tx, eventId, new Date(clock.now())));
    },
  };
}

const jobInput = z.object({ topic: z.enum(TOPICS), id: z.string(), eventId: z.string().optional() });

function planName({ items }: SubscriptionRow): string {
  return PLANS[boughtWith(items).plan ?? "free"].name;
}
