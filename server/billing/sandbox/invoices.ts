/** Invoices as the API reads and drives them. */
import type { Routes } from "./calls.ts";
import { searchParams } from "./customers.ts";
import { invalid, missing, SandboxError } from "./errors.ts";
import {
  collect,
  DRAFT_SECONDS,
  draft,
  finalize,
  markPaid,
  markUncollectible,
  methodFor,
  mustBeDraft,
  paymentOf,
  pendingItems,
  subscriptionOf,
  voidInvoice,
} from "./invoice-life.ts";
import { found, page, search, within } from "./lists.ts";
import type { Invoice } from "./objects.ts";
import * as p from "./params.ts";
import { cardError } from "./payments.ts";
import { gone } from "./view.ts";

const fields = {
  auto_advance: p.bool.optional(),
  collection_method: p.oneOf("charge_automatically", "send_invoice").optional(),
  days_until_due: p.natural.optional(),
  default_payment_method: p.clearable(p.text).optional(),
  description: p.clearable(p.text).optional(),
  footer: p.clearable(p.text).optional(),
  metadata: p.metadata.optional(),
  automatic_tax: p.object({ enabled: p.bool }).optional(),
};
const createParams = p.object({
  ...fields,
  customer: p.text,
  currency: p.text.optional(),
  pending_invoice_items_behavior: p.oneOf("exclude", "include").optional(),
});
const updateParams = p.object({ ...fields, automatically_finalizes_at: p.int.optional() });
const payParams = p.object({
  payment_method: p.text.optional(),
  paid_out_of_band: p.bool.optional(),
  off_session: p.bool.optional(),
  forgive: p.bool.optional(),
});

export const invoices: Routes = {
  "POST /v1/invoices": async ({ view, params }) => {
    const given = p.read(createParams, params);
    const customer = await view.need("customer", given.customer, "customer");
    const currency = given.currency ?? customer.currency ?? "usd";
    const now = await view.timeOf(customer.id);
    const items =
      given.pending_invoice_items_behavior === "include"
        ? await pendingItems(view, customer.id, currency, undefined)
        : [];
    return draft(
      view,
      {
        customer,
        currency,
        reason: "manual",
        period: { start: now, end: now },
        autoAdvance: given.auto_advance ?? false,
        collectionMethod: given.collection_method,
        daysUntilDue: given.days_until_due,
        description: given.description,
        footer: given.footer,
        metadata: p.mergeMetadata(null, given.metadata),
        now,
      },
      [],
      items,
    );
  },

  "GET /v1/invoices/search": async ({ view, params }) => {
    const { query, limit } = p.read(searchParams, params);
    return found(search(await view.list("invoice"), query), "/v1/invoices/search", limit);
  },

  "GET /v1/invoices/:id": async ({ view, path }) => view.need("invoice", path("id")),

  "POST /v1/invoices/:id": async ({ view, path, params }) => {
    const given = p.read(updateParams, params);
    const invoice = await view.need("invoice", path("id"));
    const harmless: readonly string[] = ["metadata", "auto_advance", "default_payment_method"];
    if (Object.keys(params).some((name) => !harmless.includes(name))) mustBeDraft(invoice, "edit it");
    const { auto_advance } = given;
    const now = await view.timeOf(invoice.customer);
    const made: Invoice = {
      ...invoice,
      ...(auto_advance !== undefined && {
        auto_advance,
        automatically_finalizes_at: auto_advance && invoice.status === "draft" ? now + DRAFT_SECONDS : null,
      }),
      ...(given.automatically_finalizes_at !== undefined && {
        automatically_finalizes_at: given.automatically_finalizes_at,
      }),
      ...(given.collection_method !== undefined && { collection_method: given.collection_method }),
      ...(given.default_payment_method !== undefined && { default_payment_method: given.default_payment_method }),
      ...(given.description !== undefined && { description: given.description }),
      ...(given.footer !== undefined && { footer: given.footer }),
      metadata: p.mergeMetadata(invoice.metadata, given.metadata),
    };
    await view.save(made, "invoice.updated");
    return made;
  },

  "DELETE /v1/invoices/:id": async ({ view, path }) => {
    const invoice = await view.need("invoice", path("id"));
    mustBeDraft(invoice, "delete it");
    if (subscriptionOf(invoice) !== undefined) {
      throw invalid("You can't delete invoices created by subscriptions.", undefined, "invoice_not_editable");
    }
    for (const item of await view.list("invoiceitem", invoice.customer ?? undefined)) {
      if (item.invoice === invoice.id) await view.put({ ...item, invoice: null });
    }
    await view.remove("invoice", invoice.id);
    await view.emit("invoice.deleted", invoice);
    return gone("invoice", invoice.id);
  },

  "POST /v1/invoices/:id/finalize": async ({ view, path, params, pages }) => {
    const { auto_advance } = p.read(p.object({ auto_advance: p.bool.optional() }), params);
    const invoice = await view.need("invoice", path("id"));
    mustBeDraft(invoice, "finalize it again");
    return finalize(view, { ...invoice, auto_advance: auto_advance ?? invoice.auto_advance ?? false }, pages);
  },

  "POST /v1/invoices/:id/pay": async ({ view, path, params, pages }) => {
    const given = p.read(payParams, params);
    let invoice = await view.need("invoice", path("id"));
    if (invoice.status === "draft") invoice = await finalize(view, invoice, pages);
    if (invoice.status === "paid") {
      throw invalid("Invoice is already paid", undefined, "invoice_already_paid");
    }
    if (invoice.status === "void")
      throw invalid("This invoice is void and can't be paid.", undefined, "invoice_not_payable");
    if (given.paid_out_of_band) return markPaid(view, invoice, false);
    const method =
      given.payment_method === undefined
        ? await methodFor(view, invoice)
        : await view.need("payment_method", given.payment_method, "payment_method");
    if (method === undefined) {
      throw invalid(
        "There is no `default_payment_method` set on this Customer or Invoice. Please attach a payment method and try again.",
        undefined,
        "resource_missing",
      );
    }
    if (method.customer !== invoice.customer) throw missing("payment method", method.id, "payment_method");
    const after = await collect(view, invoice, method);
    if (after.status === "paid") return after;
    const { intent } = await paymentOf(view, after);
    if (intent?.status === "requires_action") {
      throw new SandboxError(
        402,
        {
          type: "card_error",
          code: "invoice_payment_intent_requires_action",
          message: "This payment requires additional user action before it can be completed successfully.",
          payment_intent: intent,
        },
        "kept",
      );
    }
    if (intent === undefined) return after;
    throw cardError(intent);
  },

  "POST /v1/invoices/:id/void": async ({ view, path, params }) => {
    p.read(p.object({}), params);
    return voidInvoice(view, await view.need("invoice", path("id")));
  },

  "POST /v1/invoices/:id/mark_uncollectible": async ({ view, path, params }) => {
    p.read(p.object({}), params);
    return markUncollectible(view, await view.need("invoice", path("id")));
  },

  "POST /v1/invoices/:id/send": async ({ view, path, params, pages }) => {
    p.read(p.object({}), params);
    const invoice = await view.need("invoice", path("id"));
    const open = invoice.status === "draft" ? await finalize(view, invoice, pages) : invoice;
    await view.emit("invoice.sent", open);
    return open;
  },

  "GET /v1/invoices/:id/lines": async ({ view, path, params }) => {
    const given = p.read(p.object(p.paging), params);
    const invoice = await view.need("invoice", path("id"));
    return page([...invoice.lines.data].reverse(), invoice.lines.url, given);
  },

  "GET /v1/invoices": async ({ view, params }) => {
    const given = p.read(
      p.object({
        ...p.paging,
        collection_method: p.text.optional(),
        created: p.created.optional(),
        customer: p.text.optional(),
        due_date: p.created.optional(),
        status: p.oneOf("draft", "open", "paid", "uncollectible", "void").optional(),
        subscription: p.text.optional(),
      }),
      params,
    );
    const all = (await view.list("invoice", given.customer)).filter(
      (invoice) =>
        (given.status === undefined || invoice.status === given.status) &&
        (given.subscription === undefined || subscriptionOf(invoice) === given.subscription) &&
        within(invoice.created, given.created),
    );
    return page(all, "/v1/invoices", given);
  },

  "GET /v1/invoice_payments": async ({ view, params }) => {
    const given = p.read(
      p.object({
        ...p.paging,
        created: p.created.optional(),
        invoice: p.text.optional(),
        status: p.oneOf("canceled", "open", "paid").optional(),
        payment: p.object({ type: p.oneOf("payment_intent"), payment_intent: p.text.optional() }).optional(),
      }),
      params,
    );
    const all = (await view.list("invoice_payment")).filter(
      (one) =>
        (given.invoice === undefined || one.invoice === given.invoice) &&
        (given.status === undefined || one.status === given.status) &&
        (given.payment?.payment_intent === undefined || one.payment.payment_intent === given.payment.payment_intent),
    );
    return page(all, "/v1/invoice_payments", given);
  },
  "GET /v1/invoice_payments/:id": async ({ view, path }) => view.need("invoice_payment", path("id")),
};
