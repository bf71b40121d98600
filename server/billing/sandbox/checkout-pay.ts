/** What the hosted page's button does: the person pays, or does not. */
import type { CheckoutPlan } from "./checkout-session.ts";
import { newCustomer } from "./customers.ts";
import { invalid } from "./errors.ts";
import { invoiceItemOf } from "./invoice-build.ts";
import { draft, finalize, markPaid, paymentOf } from "./invoice-life.ts";
import type { Obj, Session } from "./objects.ts";
import { mergeMetadata } from "./params.ts";
import { confirmIntent, createIntent, refuseConfirmation, startSlowly } from "./payments.ts";
import { completeSetup, createSetup } from "./setup-intents.ts";
import { startSubscription } from "./subscription-build.ts";
import type { View } from "./view.ts";
import { attach, methodOf, type Way, wayOf } from "./ways.ts";

/** `asks`: the bank wants a word with the person first. `paid` also of what the bank takes its time for. */
export type PayOutcome = "paid" | "declined" | "asks";
/** What the person tells their bank when it asks. */
export type BankAnswer = "yes" | "no" | undefined;

const DAY = 24 * 3_600;

export async function payCheckout(
  view: View,
  id: string,
  way: Way,
  answer: BankAnswer,
  pages: string,
): Promise<PayOutcome> {
  const session = await view.need("checkout.session", id);
  if (session.status !== "open") throw invalid(`This checkout is ${session.status}.`);
  if (session.expires_at <= (await view.timeOf(session.customer))) throw invalid("This checkout has expired.");
  const plan = (await view.inner<CheckoutPlan>("checkout_plan", `plan_${id}`)) ?? NO_PLAN;
  const customer = session.customer ?? (await customerFor(view, session));
  const named: Session = { ...session, customer };
  const now = await view.timeOf(customer);
  const method = { ...methodOf(view, way, now), billing_details: detailsOf(named) };
  if (session.mode === "setup") return setUp(view, named, plan, method, answer);
  if (session.mode === "subscription") return subscribe(view, named, plan, method, answer, pages);
  return payOnce(view, named, plan, method, answer, pages);
}

const NO_PLAN: CheckoutPlan = { paymentIntent: undefined, setupIntent: undefined, subscription: undefined };

async function payOnce(
  view: View,
  session: Session,
  plan: CheckoutPlan,
  method: Obj<"payment_method">,
  answer: BankAnswer,
  pages: string,
): Promise<PayOutcome> {
  const { paymentIntent } = plan;
  await view.put(method, session.customer);
  const started =
    (session.payment_intent && (await view.get("payment_intent", session.payment_intent))) ||
    (await createIntent(view, {
      amount: session.amount_total ?? 0,
      currency: session.currency ?? "usd",
      customer: session.customer,
      description: paymentIntent?.description ?? null,
      metadata: mergeMetadata(null, paymentIntent?.metadata),
      setupFutureUsage: paymentIntent?.setup_future_usage ?? null,
      receiptEmail: paymentIntent?.receipt_email ?? null,
    }));
  const isSlow = ["pays_later", "fails_later"].includes(wayOf(method));
  const intent = isSlow ? await startSlowly(view, started, method) : await ask(view, started, method, answer);
  const open: Session = { ...session, payment_intent: intent.id };
  await view.put(open);
  if (isSlow) {
    await complete(view, open);
    return "paid";
  }
  if (intent.status !== "succeeded") return intent.status === "requires_action" ? "asks" : "declined";
  if (paymentIntent?.setup_future_usage !== undefined && session.customer !== null)
    await attach(view, method, session.customer);
  const invoice = session.invoice_creation?.enabled ? await receiptInvoice(view, open, pages) : null;
  await complete(view, { ...open, payment_status: "paid", invoice });
  return "paid";
}

/** What the bank says, a day after: of a session that is complete and not paid yet. */
export async function settleSlowly(view: View, session: Session, pages: string): Promise<void> {
  const intent = await view.need("payment_intent", session.payment_intent ?? "");
  if (intent.status !== "processing") return;
  const method = await view.need("payment_method", intent.payment_method ?? "");
  const after = await confirmIntent(view, intent, method);
  if (after.status !== "succeeded") return view.emit("checkout.session.async_payment_failed", session);
  if (intent.setup_future_usage !== null && session.customer !== null) await attach(view, method, session.customer);
  const invoice = session.invoice_creation?.enabled ? await receiptInvoice(view, session, pages) : null;
  const paid: Session = { ...session, payment_status: "paid", invoice };
  await view.put(paid);
  await view.emit("checkout.session.async_payment_succeeded", paid);
}

/** The invoice of a payment that is made already. */
async function receiptInvoice(view: View, session: Session, pages: string): Promise<string | null> {
  if (session.customer === null) return null;
  const customer = await view.need("customer", session.customer);
  const now = await view.timeOf(customer.id);
  const currency = session.currency ?? "usd";
  const period = { start: now, end: now };
  const items = (session.line_items?.data ?? []).map((line) =>
    invoiceItemOf(view, {
      amount: line.amount_total,
      currency,
      customer: customer.id,
      description: line.description,
      period,
      quantity: line.quantity ?? 1,
      price: line.price ?? undefined,
      testClock: customer.test_clock,
      now,
    }),
  );
  const data = session.invoice_creation?.invoice_data;
  const made = await draft(
    view,
    {
      customer: { ...customer, balance: 0 },
      currency,
      reason: "manual",
      period,
      autoAdvance: false,
      description: data?.description,
      footer: data?.footer,
      metadata: data?.metadata ?? {},
      now,
    },
    [],
    items,
  );
  const balance = customer.balance;
  await view.put({ ...customer, balance: 0 });
  const open = await finalize(view, { ...made, starting_balance: 0 }, pages, session.payment_intent ?? undefined);
  await view.put({ ...(await view.need("customer", customer.id)), balance });
  await markPaid(view, open, true);
  return open.id;
}

async function subscribe(
  view: View,
  session: Session,
  plan: CheckoutPlan,
  method: Obj<"payment_method">,
  answer: BankAnswer,
  pages: string,
): Promise<PayOutcome> {
  const { subscription: data } = plan;
  const customer = session.customer ?? "";
  const now = await view.timeOf(customer);
  const items = (session.line_items?.data ?? []).flatMap(({ price, quantity }) =>
    price === null
      ? []
      : [{ price, quantity: price.recurring?.usage_type === "metered" ? undefined : (quantity ?? 1) }],
  );
  const withoutCard =
    session.payment_status === "no_payment_required" && session.payment_method_collection === "if_required";
  // Made on a fork: a subscription whose first payment fails never was.
  const fork = view.fork();
  if (!withoutCard) await fork.put({ ...method, customer });
  const { subscription, invoice } = await startSubscription(
    fork,
    {
      customer,
      items: items.filter(({ price }) => price.recurring !== null),
      once: items.filter(({ price }) => price.recurring === null),
      metadata: mergeMetadata(null, data?.metadata),
      description: data?.description ?? null,
      trialEnd: data?.trial_end ?? (data?.trial_period_days ? now + data.trial_period_days * DAY : undefined),
      missingPaymentMethod: data?.trial_settings?.end_behavior.missing_payment_method,
      paymentMethod: withoutCard ? null : method.id,
    },
    pages,
  );
  if (!withoutCard) await fork.emit("payment_method.attached", { ...method, customer });
  const { intent } = await paymentOf(fork, invoice);
  if (intent !== undefined) {
    const after = await ask(fork, intent, method, answer);
    if (after.status !== "succeeded") {
      if (after.status === "requires_action") return "asks";
      await declinedOutside(view, session, method, answer, intent.amount);
      return "declined";
    }
    await markPaid(fork, invoice, true);
  }
  view.adopt(fork);
  await complete(view, {
    ...session,
    payment_status: intent === undefined ? "no_payment_required" : "paid",
    subscription: subscription.id,
    invoice: invoice.id,
  });
  return "paid";
}

/** The failed try is on the books, though nothing came of it. */
async function declinedOutside(
  view: View,
  session: Session,
  method: Obj<"payment_method">,
  answer: BankAnswer,
  amount: number,
): Promise<void> {
  await view.put(method, session.customer);
  const intent = await createIntent(view, {
    amount,
    currency: session.currency ?? "usd",
    customer: session.customer,
    description: "Subscription creation",
  });
  await ask(view, intent, method, answer);
}

async function setUp(
  view: View,
  session: Session,
  plan: CheckoutPlan,
  method: Obj<"payment_method">,
  answer: BankAnswer,
): Promise<PayOutcome> {
  await view.put(method, session.customer);
  const started =
    (session.setup_intent && (await view.get("setup_intent", session.setup_intent))) ||
    (await createSetup(view, {
      customer: session.customer,
      description: plan.setupIntent?.description ?? null,
      metadata: mergeMetadata(null, plan.setupIntent?.metadata),
    }));
  const setup = await completeSetup(view, started, method, answer);
  const open: Session = { ...session, setup_intent: setup.id };
  await view.put(open);
  if (setup.status !== "succeeded") return setup.status === "requires_action" ? "asks" : "declined";
  await complete(view, open);
  return "paid";
}

function ask(view: View, intent: Obj<"payment_intent">, method: Obj<"payment_method">, answer: BankAnswer) {
  return answer === "no"
    ? refuseConfirmation(view, intent, method)
    : confirmIntent(view, intent, method, answer === "yes");
}

async function complete(view: View, session: Session): Promise<void> {
  const details = session.customer_details;
  const done: Session = {
    ...session,
    status: "complete",
    url: null,
    customer_details: details ?? {
      address: null,
      business_name: null,
      email: session.customer_email,
      individual_name: null,
      name: null,
      phone: null,
      tax_exempt: "none",
      tax_ids: [],
    },
  };
  await view.put(done);
  await view.emit("checkout.session.completed", done);
}

function detailsOf({ customer_details: details }: Session): Obj<"payment_method">["billing_details"] {
  return {
    address: details?.address ?? null,
    email: details?.email ?? null,
    name: details?.name ?? null,
    phone: null,
    tax_id: null,
  };
}

/** Nobody was named: the page makes a customer where the mode needs one. */
async function customerFor(view: View, session: Session): Promise<string | null> {
  if (session.mode === "payment" && session.customer_creation !== "always" && !session.invoice_creation?.enabled)
    return null;
  return (await newCustomer(view, { email: session.customer_email })).id;
}
