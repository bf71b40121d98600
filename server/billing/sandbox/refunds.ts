/** Charges, the money that goes back, and disputes. */
import type { Routes } from "./calls.ts";
import { invalid } from "./errors.ts";
import { page, within } from "./lists.ts";
import type { Obj } from "./objects.ts";
import * as p from "./params.ts";
import type { View } from "./view.ts";
import { wayOf } from "./ways.ts";

const createParams = p.object({
  amount: p.int.optional(),
  charge: p.text.optional(),
  payment_intent: p.text.optional(),
  reason: p.oneOf("duplicate", "fraudulent", "requested_by_customer").optional(),
  metadata: p.metadata.optional(),
});

/** What of a payment is listed: refunds and disputes are asked for alike. */
const ofPaymentParams = p.object({
  ...p.paging,
  created: p.created.optional(),
  charge: p.text.optional(),
  payment_intent: p.text.optional(),
});

function ofPayment({ charge, payment_intent: intent, created }: ReturnType<typeof p.read<typeof ofPaymentParams>>) {
  return (one: Obj<"refund"> | Obj<"dispute">): boolean =>
    (charge === undefined || one.charge === charge) &&
    (intent === undefined || one.payment_intent === intent) &&
    within(one.created, created);
}

export const refunds: Routes = {
  "POST /v1/refunds": async ({ view, params }) => {
    const given = p.read(createParams, params);
    if ((given.charge === undefined) === (given.payment_intent === undefined)) {
      throw invalid("One of the following params should be provided for this request: payment_intent or charge.");
    }
    const charge = await chargeOf(view, given);
    if (charge.disputed) {
      throw invalid(`Charge ${charge.id} has been charged back; cannot issue a refund.`, undefined, "charge_disputed");
    }
    const left = charge.amount - charge.amount_refunded;
    if (left === 0)
      throw invalid(`Charge ${charge.id} has already been refunded.`, undefined, "charge_already_refunded");
    const amount = given.amount ?? left;
    if (amount < 1) throw invalid("Invalid positive integer", "amount", "parameter_invalid_integer");
    if (amount > left)
      throw invalid(`Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`, "amount");
    const method = charge.payment_method === null ? undefined : await view.get("payment_method", charge.payment_method);
    const fails = method !== undefined && wayOf(method) === "refund_fails";
    const refund: Obj<"refund"> = {
      id: view.id("refund"),
      object: "refund",
      amount,
      balance_transaction: null,
      charge: charge.id,
      created: await view.timeOf(charge.customer),
      currency: charge.currency,
      customer: charge.customer,
      customer_account: null,
      destination_details: { card: { type: "refund" }, type: "card" },
      metadata: p.mergeMetadata(null, given.metadata),
      payment_intent: charge.payment_intent,
      payment_method: charge.payment_method,
      reason: given.reason ?? null,
      receipt_number: null,
      source_transfer_reversal: null,
      status: fails ? "pending" : "succeeded",
      transfer_reversal: null,
    };
    const refunded = charge.amount_refunded + amount;
    const after: Obj<"charge"> = { ...charge, amount_refunded: refunded, refunded: refunded === charge.amount };
    await view.put(refund);
    await view.emit("refund.created", refund);
    await view.save(after, "charge.refunded");
    if (fails) await fail(view, refund, after);
    return refund;
  },
  "GET /v1/refunds/:id": async ({ view, path }) => view.need("refund", path("id")),
  "POST /v1/refunds/:id": async ({ view, path, params }) => {
    const { metadata } = p.read(p.object({ metadata: p.metadata.optional() }), params);
    const refund = await view.need("refund", path("id"));
    const made = { ...refund, metadata: p.mergeMetadata(refund.metadata, metadata) };
    await view.save(made, "refund.updated");
    return made;
  },
  "GET /v1/refunds": async ({ view, params }) => {
    const given = p.read(ofPaymentParams, params);
    const all = (await view.list("refund")).filter(ofPayment(given));
    return page(all, "/v1/refunds", given);
  },

  "GET /v1/charges/:id": async ({ view, path }) => view.need("charge", path("id")),
  "GET /v1/charges": async ({ view, params }) => {
    const given = p.read(
      p.object({
        ...p.paging,
        created: p.created.optional(),
        customer: p.text.optional(),
        payment_intent: p.text.optional(),
      }),
      params,
    );
    const all = (await view.list("charge", given.customer)).filter(
      (charge) =>
        (given.payment_intent === undefined || charge.payment_intent === given.payment_intent) &&
        within(charge.created, given.created),
    );
    return page(all, "/v1/charges", given);
  },

  "GET /v1/radar/early_fraud_warnings/:id": async ({ view, path }) =>
    view.need("radar.early_fraud_warning", path("id")),
  "GET /v1/radar/early_fraud_warnings": async ({ view, params }) => {
    const given = p.read(p.object({ ...p.paging, charge: p.text.optional(), created: p.created.optional() }), params);
    const all = (await view.list("radar.early_fraud_warning")).filter(
      (one) => (given.charge === undefined || one.charge === given.charge) && within(one.created, given.created),
    );
    return page(all, "/v1/radar/early_fraud_warnings", given);
  },
  "GET /v1/disputes/:id": async ({ view, path }) => view.need("dispute", path("id")),
  "POST /v1/disputes/:id/close": async ({ view, path, params }) => {
    p.read(p.object({}), params);
    return closeDispute(view, await view.need("dispute", path("id")), "lost");
  },
  "GET /v1/disputes": async ({ view, params }) => {
    const given = p.read(ofPaymentParams, params);
    const all = (await view.list("dispute")).filter(ofPayment(given));
    return page(all, "/v1/disputes", given);
  },
};

async function chargeOf(
  view: View,
  given: { charge?: string | undefined; payment_intent?: string | undefined },
): Promise<Obj<"charge">> {
  if (given.charge !== undefined) return view.need("charge", given.charge, "charge");
  const intent = await view.need("payment_intent", given.payment_intent ?? "", "payment_intent");
  if (intent.status !== "succeeded" || intent.latest_charge === null) {
    throw invalid(`This PaymentIntent (${intent.id}) does not have a successful charge to refund.`, "payment_intent");
  }
  return view.need("charge", intent.latest_charge);
}

/** The bank sends it back: the money is ours again and the person does not have it. */
async function fail(view: View, refund: Obj<"refund">, charge: Obj<"charge">): Promise<void> {
  const failed: Obj<"refund"> = { ...refund, status: "failed", failure_reason: "expired_or_canceled_card" };
  await view.put(failed);
  await view.put({ ...charge, amount_refunded: charge.amount_refunded - refund.amount, refunded: false });
  await view.emit("refund.updated", failed, { status: "pending" });
  await view.emit("refund.failed", failed, { status: "pending" });
}

export async function closeDispute(
  view: View,
  dispute: Obj<"dispute">,
  status: "won" | "lost",
): Promise<Obj<"dispute">> {
  if (dispute.status === "won" || dispute.status === "lost") throw invalid("This dispute is already closed.");
  const charge = await view.need("charge", dispute.charge);
  const closed: Obj<"dispute"> = { ...dispute, status };
  await view.put(closed, charge.customer);
  await view.emit("charge.dispute.closed", closed, { status: dispute.status }, charge.customer);
  if (status === "won") {
    await view.put({ ...charge, disputed: false });
    await view.emit("charge.dispute.funds_reinstated", closed, {}, charge.customer);
  }
  return closed;
}
