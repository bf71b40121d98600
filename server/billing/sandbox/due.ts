/** What the passing of time does, each thing at its moment: one list, for the sandbox's clock and for test clocks alike. */

import { settleSlowly } from "./checkout-pay.ts";
import { expireSession } from "./checkout-session.ts";
import { turnPeriod } from "./cycle.ts";
import { collect, finalize, markUncollectible, methodFor, subscriptionOf, voidInvoice } from "./invoice-life.ts";
import type { Invoice, Subscription } from "./objects.ts";
import { previewNext } from "./preview.ts";
import { periodOf } from "./subscription-change.ts";
import { cancelNow } from "./subscription-end.ts";
import type { Delivery, View } from "./view.ts";

export interface Due {
  /** Unix seconds. */
  readonly at: number;
  /** Looks again whether it still holds. */
  run(view: View): Promise<void>;
}

const HOUR = 3_600;
const DAY = 24 * HOUR;
const INCOMPLETE_FOR = 23 * HOUR;
const UPCOMING_BEFORE = 7 * DAY;
const TRIAL_NOTICE = 3 * DAY;
/** How long a draft waits for a webhook that nobody takes. */
const WAIT_FOR_WEBHOOK = 72 * HOUR;

/**
 * Everything to come for customers of this test clock, or of none (`null`). `since`: notices up to there have been given.
 * `waits`: a draft stays one until the endpoint has taken `invoice.created`.
 */
export async function dueThings(
  view: View,
  clock: string | null,
  since: number,
  waits: boolean,
  pages: string,
): Promise<Due[]> {
  const due: Due[] = [];
  for (const subscription of await view.list("subscription")) {
    if (subscription.test_clock === clock) due.push(...subscriptionDue(subscription, since));
  }
  const untold = waits ? await untoldInvoices(view) : new Map<string, number>();
  for (const invoice of await view.list("invoice")) {
    if (invoice.test_clock === clock) due.push(...invoiceDue(invoice, untold.get(invoice.id), pages));
  }
  for (const session of await view.list("checkout.session")) {
    const isSlow = session.status === "complete" && session.payment_status === "unpaid";
    if (session.status !== "open" && !isSlow) continue;
    const customer = session.customer === null ? undefined : await view.get("customer", session.customer);
    if ((customer?.test_clock ?? null) !== clock) continue;
    const slow =
      isSlow && session.payment_intent ? await view.get("payment_intent", session.payment_intent) : undefined;
    if (slow?.status === "processing") {
      due.push({
        at: slow.created + DAY,
        run: async (now) => settleSlowly(now, await now.need("checkout.session", session.id), pages),
      });
    }
    if (session.status !== "open") continue;
    due.push({
      at: session.expires_at,
      async run(now) {
        const again = await now.need("checkout.session", session.id);
        if (again.status === "open") await expireSession(now, again);
      },
    });
  }
  return due;
}

function subscriptionDue(subscription: Subscription, since: number): Due[] {
  const { id, status, cancel_at: cancelAt, trial_end: trialEnd, pause_collection: pause } = subscription;
  const due: Due[] = [];
  const { end } = periodOf(subscription);
  const still = (
    at: number,
    wanted: (now: Subscription) => boolean,
    work: (view: View, now: Subscription) => Promise<unknown>,
  ) =>
    due.push({
      at,
      async run(view) {
        const now = await view.get("subscription", id);
        if (now !== undefined && wanted(now)) await work(view, now);
      },
    });
  if (["trialing", "active", "past_due", "unpaid"].includes(status)) {
    still(end, (now) => lives(now) && periodOf(now).end === end, turnPeriod);
    if (cancelAt !== null && cancelAt < end) {
      still(
        cancelAt,
        (now) => lives(now) && now.cancel_at === cancelAt,
        (view, now) => cancelNow(view, now),
      );
    }
    const upcoming = end - UPCOMING_BEFORE;
    if (upcoming > since && !subscription.cancel_at_period_end) {
      still(upcoming, lives, async (view, now) => view.emit("invoice.upcoming", await previewNext(view.fork(), now)));
    }
  }
  if (status === "trialing" && trialEnd !== null && trialEnd - TRIAL_NOTICE > since) {
    still(trialEnd - TRIAL_NOTICE, lives, (view, now) => view.emit("customer.subscription.trial_will_end", now));
  }
  if (status === "incomplete") {
    still(
      subscription.created + INCOMPLETE_FOR,
      (now) => now.status === "incomplete",
      async (view, now) => {
        const invoice = now.latest_invoice === null ? undefined : await view.get("invoice", now.latest_invoice);
        if (invoice?.status === "open") await voidInvoice(view, invoice);
      },
    );
  }
  const resumesAt = pause?.resumes_at ?? null;
  if (resumesAt !== null) {
    still(
      resumesAt,
      (now) => now.pause_collection?.resumes_at === resumesAt,
      (view, now) => view.save({ ...now, pause_collection: null }, "customer.subscription.updated"),
    );
  }
  return due;
}

const lives = ({ status }: Subscription): boolean => status !== "canceled" && status !== "incomplete_expired";

function invoiceDue(invoice: Invoice, untoldSince: number | undefined, pages: string): Due[] {
  const { id, automatically_finalizes_at: finalizes, next_payment_attempt: tries } = invoice;
  if (invoice.status === "draft" && invoice.auto_advance && finalizes !== null) {
    const at = untoldSince === undefined ? finalizes : Math.max(finalizes, untoldSince + WAIT_FOR_WEBHOOK);
    return [
      {
        at,
        async run(view) {
          const now = await view.get("invoice", id);
          if (now?.status === "draft" && now.automatically_finalizes_at === finalizes) await advance(view, now, pages);
        },
      },
    ];
  }
  if (invoice.status === "open" && tries !== null) {
    return [
      {
        at: tries,
        async run(view) {
          const now = await view.get("invoice", id);
          if (now?.status === "open" && now.next_payment_attempt === tries)
            await collect(view, now, await methodFor(view, now));
        },
      },
    ];
  }
  return [];
}

/** The hour is over: the draft is finalized, and collected as far as the subscription is not paused. */
async function advance(view: View, invoice: Invoice, pages: string): Promise<void> {
  const id = subscriptionOf(invoice);
  const paused = id === undefined ? null : ((await view.get("subscription", id))?.pause_collection?.behavior ?? null);
  const open = await finalize(view, invoice, pages);
  if (open.status !== "open") return;
  if (paused === "void") await voidInvoice(view, open);
  else if (paused === "mark_uncollectible") await markUncollectible(view, open);
}

/** Invoices whose creation the endpoint has not heard of yet, with when they were made. */
async function untoldInvoices(view: View): Promise<Map<string, number>> {
  const untold = new Map<string, number>();
  for (const { object } of await view.listInner<Delivery>("delivery")) {
    const event = await view.get("event", object.event);
    if (event?.type !== "invoice.created") continue;
    const { id }: { id?: unknown } = { ...event.data.object };
    if (typeof id === "string") untold.set(id, event.created);
  }
  return untold;
}

/** The endpoint has taken an event: a draft it was about goes on in an hour. */
export async function eventTaken(view: View, eventId: string): Promise<void> {
  const event = await view.get("event", eventId);
  if (event?.type !== "invoice.created") return;
  const { id }: { id?: unknown } = { ...event.data.object };
  const invoice = typeof id === "string" ? await view.get("invoice", id) : undefined;
  if (invoice === undefined) return;
  const now = await view.timeOf(invoice.customer);
  const waits = invoice.status === "draft" && invoice.automatically_finalizes_at !== null;
  await view.put({
    ...invoice,
    webhooks_delivered_at: now,
    ...(waits && { automatically_finalizes_at: Math.max(invoice.automatically_finalizes_at ?? 0, now + HOUR) }),
  });
}
