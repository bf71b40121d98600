/** Invoice items: on a draft, or waiting for the next invoice. */
import type { Routes } from "./calls.ts";
import { currencyOf } from "./catalogue.ts";
import { invalid } from "./errors.ts";
import { invoiceItemOf } from "./invoice-build.ts";
import { mustBeDraft, recount, subscriptionOf } from "./invoice-life.ts";
import { page, within } from "./lists.ts";
import type { Obj } from "./objects.ts";
import * as p from "./params.ts";
import { gone, type View } from "./view.ts";

const fields = {
  amount: p.int.optional(),
  description: p.clearable(p.text).optional(),
  discountable: p.bool.optional(),
  metadata: p.metadata.optional(),
  period: p.object({ start: p.int, end: p.int }).optional(),
  quantity: p.natural.optional(),
  tax_behavior: p.oneOf("exclusive", "inclusive", "unspecified").optional(),
  tax_code: p.clearable(p.text).optional(),
  unit_amount_decimal: p.text.optional(),
};
const pricing = p.object({ price: p.text.optional() });
const createParams = p.object({
  ...fields,
  customer: p.text,
  currency: p.text.optional(),
  invoice: p.text.optional(),
  subscription: p.text.optional(),
  pricing: pricing.optional(),
  price_data: p
    .object({
      currency: p.text,
      product: p.text,
      unit_amount: p.int.optional(),
      tax_behavior: p.oneOf("exclusive", "inclusive", "unspecified").optional(),
    })
    .optional(),
});
const updateParams = p.object({ ...fields, pricing: pricing.optional() });

export const invoiceItems: Routes = {
  "POST /v1/invoiceitems": async ({ view, params }) => {
    const given = p.read(createParams, params);
    const customer = await view.need("customer", given.customer, "customer");
    const invoice = given.invoice === undefined ? undefined : await view.need("invoice", given.invoice, "invoice");
    if (invoice !== undefined) {
      mustBeDraft(invoice, "add items to it");
      if (invoice.customer !== customer.id) throw invalid("The customer of the invoice is another one.", "customer");
    }
    if (given.subscription !== undefined) {
      const { customer: whose } = await view.need("subscription", given.subscription, "subscription");
      if (whose !== customer.id) throw invalid("The customer of the subscription is another one.", "subscription");
    }
    const price =
      given.pricing?.price === undefined ? undefined : await view.need("price", given.pricing.price, "pricing[price]");
    if (price !== undefined && price.type === "recurring") {
      throw invalid(
        "The price specified is set to `type=recurring` but this field only accepts prices with `type=one_time`.",
        "pricing[price]",
      );
    }
    if (given.unit_amount_decimal !== undefined && !/^-?\d+$/.test(given.unit_amount_decimal)) {
      throw invalid("The billing sandbox models whole minor units.", "unit_amount_decimal");
    }
    const quantity = given.quantity ?? 1;
    const unit =
      price?.unit_amount ??
      given.price_data?.unit_amount ??
      (given.unit_amount_decimal && Number(given.unit_amount_decimal));
    if ((given.amount === undefined) === (typeof unit !== "number")) {
      throw invalid("You must specify either `amount`, or a price to compute one.", "amount", "parameter_missing");
    }
    if (given.amount !== undefined && given.quantity !== undefined) {
      throw invalid("You may only specify one of these parameters: amount, quantity.", "amount");
    }
    const currency =
      price?.currency ??
      (given.currency || given.price_data?.currency
        ? currencyOf(given.currency ?? given.price_data?.currency ?? "")
        : undefined);
    if (currency === undefined) throw invalid("Missing required param: currency.", "currency", "parameter_missing");
    const wanted = invoice?.currency ?? customer.currency;
    if (wanted && wanted !== currency) {
      throw invalid(
        `The currency provided (\`${currency}\`) does not match the customer's or the invoice's (\`${wanted}\`).`,
        "currency",
      );
    }
    const now = await view.timeOf(customer.id);
    const product = price?.product ?? given.price_data?.product;
    const item = invoiceItemOf(view, {
      amount: given.amount ?? quantity * (typeof unit === "number" ? unit : 0),
      currency,
      customer: customer.id,
      description:
        given.description ?? (product === undefined ? null : ((await view.get("product", product))?.name ?? null)),
      period: given.period ?? { start: now, end: now },
      quantity,
      price,
      invoice: invoice?.id,
      subscription: given.subscription ?? (invoice && subscriptionOf(invoice)),
      metadata: p.mergeMetadata(null, given.metadata),
      discountable: given.discountable,
      testClock: customer.test_clock,
      now,
    });
    await view.put(item);
    await view.emit("invoiceitem.created", item);
    if (invoice !== undefined) await recount(view, invoice.id);
    return item;
  },

  "GET /v1/invoiceitems/:id": async ({ view, path }) => view.need("invoiceitem", path("id")),

  "POST /v1/invoiceitems/:id": async ({ view, path, params }) => {
    const given = p.read(updateParams, params);
    const item = await view.need("invoiceitem", path("id"));
    await mustBeOpen(view, item);
    const made: Obj<"invoiceitem"> = {
      ...item,
      ...(given.amount !== undefined && { amount: given.amount, net_amount: given.amount }),
      ...(given.description !== undefined && { description: given.description }),
      ...(given.period !== undefined && { period: given.period }),
      metadata: p.mergeMetadata(item.metadata, given.metadata),
    };
    await view.put(made);
    if (item.invoice !== null) await recount(view, item.invoice);
    return made;
  },

  "DELETE /v1/invoiceitems/:id": async ({ view, path }) => {
    const item = await view.need("invoiceitem", path("id"));
    await mustBeOpen(view, item);
    await view.remove("invoiceitem", item.id);
    await view.emit("invoiceitem.deleted", item);
    if (item.invoice !== null) await recount(view, item.invoice);
    return gone("invoiceitem", item.id);
  },

  "GET /v1/invoiceitems": async ({ view, params }) => {
    const given = p.read(
      p.object({
        ...p.paging,
        created: p.created.optional(),
        customer: p.text.optional(),
        invoice: p.text.optional(),
        pending: p.bool.optional(),
      }),
      params,
    );
    const all = (await view.list("invoiceitem", given.customer)).filter(
      (item) =>
        (given.invoice === undefined || item.invoice === given.invoice) &&
        (given.pending === undefined || (item.invoice === null) === given.pending) &&
        within(item.date, given.created),
    );
    return page(all, "/v1/invoiceitems", given);
  },
};

async function mustBeOpen(view: View, item: Obj<"invoiceitem">): Promise<void> {
  if (item.invoice !== null) mustBeDraft(await view.need("invoice", item.invoice), "change its items");
}
