/** Which of Stripe's events we look at, and what each is about. What an event says is never used: its object is read again. */

export const TOPICS = [
  "checkout",
  "subscription",
  "invoice",
  "refund",
  "dispute",
  "warning",
  "customer",
  "charge",
] as const;
/** The kind of object that a job reads from Stripe and mirrors. */
export type Topic = (typeof TOPICS)[number];

const TYPES = {
  "checkout.session.completed": "checkout",
  "checkout.session.async_payment_succeeded": "checkout",
  "checkout.session.async_payment_failed": "checkout",
  "checkout.session.expired": "checkout",
  "customer.subscription.created": "subscription",
  "customer.subscription.updated": "subscription",
  "customer.subscription.deleted": "subscription",
  "customer.subscription.paused": "subscription",
  "customer.subscription.resumed": "subscription",
  "invoice.created": "invoice",
  "invoice.updated": "invoice",
  "invoice.deleted": "invoice",
  "invoice.finalized": "invoice",
  "invoice.paid": "invoice",
  "invoice.payment_failed": "invoice",
  "invoice.payment_action_required": "invoice",
  "invoice.voided": "invoice",
  "invoice.marked_uncollectible": "invoice",
  "refund.created": "refund",
  "refund.updated": "refund",
  "refund.failed": "refund",
  "charge.dispute.created": "dispute",
  "charge.dispute.updated": "dispute",
  "charge.dispute.closed": "dispute",
  "charge.dispute.funds_reinstated": "dispute",
  "charge.dispute.funds_withdrawn": "dispute",
  "radar.early_fraud_warning.created": "warning",
  "customer.deleted": "customer",
  "charge.failed": "charge",
} as const satisfies Readonly<Record<string, Topic>>;

/** The events to subscribe an endpoint to. */
export const EVENT_TYPES = Object.keys(TYPES);

const BY_TYPE: ReadonlyMap<string, Topic> = new Map(Object.entries(TYPES));

/** `undefined`: nothing to do with us. Thin events carry the version of their API in front: `v1.invoice.paid`. */
export function topicOf(type: string): Topic | undefined {
  return BY_TYPE.get(type.replace(/^v1\./, ""));
}
