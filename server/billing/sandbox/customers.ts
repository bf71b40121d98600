/** Customers. Nothing of a person but what the server gives. */
import type { Call, Routes } from "./calls.ts";
import { invalid, missing } from "./errors.ts";
import { found, page, search, within } from "./lists.ts";
import type { Obj } from "./objects.ts";
import * as p from "./params.ts";
import { cancelNow } from "./subscription-end.ts";
import { gone, type View } from "./view.ts";
import { attachedMethods } from "./ways.ts";

const address = p.object({
  city: p.clearable(p.text).optional(),
  country: p.clearable(p.text).optional(),
  line1: p.clearable(p.text).optional(),
  line2: p.clearable(p.text).optional(),
  postal_code: p.clearable(p.text).optional(),
  state: p.clearable(p.text).optional(),
});
const fields = {
  email: p.clearable(p.text).optional(),
  name: p.clearable(p.text).optional(),
  phone: p.clearable(p.text).optional(),
  description: p.clearable(p.text).optional(),
  balance: p.int.optional(),
  address: p.clearable(address).optional(),
  metadata: p.metadata.optional(),
  preferred_locales: p.list(p.text).optional(),
  tax_exempt: p.clearable(p.oneOf("exempt", "none", "reverse")).optional(),
  invoice_settings: p
    .object({
      default_payment_method: p.clearable(p.text).optional(),
      footer: p.clearable(p.text).optional(),
    })
    .optional(),
};
const createParams = p.object({ ...fields, payment_method: p.text.optional(), test_clock: p.text.optional() });
const updateParams = p.object(fields);
const listParams = p.object({
  ...p.paging,
  email: p.text.optional(),
  created: p.created.optional(),
  test_clock: p.text.optional(),
});

export const customers: Routes = {
  "POST /v1/customers": async ({ view, params }) => {
    const given = p.read(createParams, params);
    if (given.test_clock !== undefined) await view.need("test_helpers.test_clock", given.test_clock, "test_clock");
    return newCustomer(view, given);
  },

  "GET /v1/customers/search": async ({ view, params }) => {
    const { query, limit } = p.read(searchParams, params);
    return found(search(await view.list("customer"), query), "/v1/customers/search", limit);
  },

  "GET /v1/customers/:id": async (call) =>
    (await call.view.inner<object>("deleted", call.path("id"))) ?? (await customerOfPath(call)),

  "POST /v1/customers/:id": async (call) => {
    const given = p.read(updateParams, call.params);
    const made = await applied(call.view, await customerOfPath(call), given);
    await call.view.save(made, "customer.updated");
    return made;
  },

  "DELETE /v1/customers/:id": async (call) => {
    const { view } = call;
    const customer = await customerOfPath(call);
    for (const subscription of await view.list("subscription", customer.id)) {
      if (!["canceled", "incomplete_expired"].includes(subscription.status)) await cancelNow(view, subscription);
    }
    for (const method of await attachedMethods(view, customer.id)) await view.remove("payment_method", method.id);
    await view.emit("customer.deleted", customer);
    const stone = gone("customer", customer.id);
    await view.putInner("deleted", customer.id, stone, customer.id);
    return stone;
  },

  "GET /v1/customers": async ({ view, params }) => {
    const given = p.read(listParams, params);
    const all = (await view.list("customer")).filter(
      (customer) =>
        (given.email === undefined || customer.email === given.email) &&
        (given.test_clock ?? null) === (customer.test_clock ?? null) &&
        within(customer.created, given.created),
    );
    return page(all, "/v1/customers", given);
  },

  "GET /v1/customers/:id/payment_methods": async (call) => {
    const given = p.read(p.object({ ...p.paging, type: p.text.optional() }), call.params);
    const { id } = await customerOfPath(call);
    return page(await attachedMethods(call.view, id), `/v1/customers/${id}/payment_methods`, given);
  },

  "GET /v1/customers/:id/payment_methods/:method": async (call) => {
    const method = await call.view.need("payment_method", call.path("method"));
    if (method.customer !== call.path("id")) throw missing("payment method", method.id);
    return method;
  },
};

export async function newCustomer(
  view: View,
  given: Given & { test_clock?: string | undefined },
): Promise<Obj<"customer">> {
  const id = view.id("customer");
  const clock =
    given.test_clock === undefined ? undefined : await view.get("test_helpers.test_clock", given.test_clock);
  const customer: Obj<"customer"> = {
    id,
    object: "customer",
    address: null,
    balance: 0,
    created: clock?.frozen_time ?? view.now,
    currency: null,
    customer_account: null,
    default_source: null,
    delinquent: false,
    description: null,
    discount: null,
    email: null,
    invoice_prefix: id.slice(-8).toUpperCase(),
    invoice_settings: { custom_fields: null, default_payment_method: null, footer: null, rendering_options: null },
    livemode: false,
    metadata: {},
    name: null,
    next_invoice_sequence: 1,
    phone: null,
    preferred_locales: [],
    shipping: null,
    tax_exempt: "none",
    test_clock: given.test_clock ?? null,
  };
  const made = await applied(view, customer, given);
  await view.save(made, "customer.created");
  return made;
}

export const searchParams = p.object({ query: p.text, limit: p.natural.optional(), page: p.text.optional() });

const customerOfPath = ({ view, path }: Call) => view.need("customer", path("id"));

type Given = ReturnType<typeof p.read<typeof updateParams>>;

async function applied(view: Call["view"], customer: Obj<"customer">, given: Given): Promise<Obj<"customer">> {
  const { metadata, address: where, invoice_settings: settings, tax_exempt } = given;
  const { email, name, phone, description, balance, preferred_locales } = given;
  if (typeof email === "string" && !/^[^@\s]+@[^@\s]+$/.test(email)) {
    throw invalid(`Invalid email address: ${email}`, "email", "email_invalid");
  }
  const method = settings?.default_payment_method;
  if (typeof method === "string") {
    const { customer: whose } = await view.need("payment_method", method, "invoice_settings[default_payment_method]");
    if (whose !== customer.id) {
      throw missing("payment method", method, "invoice_settings[default_payment_method]");
    }
  }
  const nowhere = { city: null, country: null, line1: null, line2: null, postal_code: null, state: null };
  return {
    ...customer,
    ...(email !== undefined && { email }),
    ...(name !== undefined && { name }),
    ...(phone !== undefined && { phone }),
    ...(description !== undefined && { description }),
    ...(balance !== undefined && { balance }),
    ...(preferred_locales !== undefined && { preferred_locales }),
    ...(tax_exempt !== undefined && { tax_exempt }),
    ...(where !== undefined && {
      address: where === null ? null : { ...nowhere, ...customer.address, ...definedOf(where) },
    }),
    metadata: p.mergeMetadata(customer.metadata, metadata),
    invoice_settings: {
      ...customer.invoice_settings,
      ...(method !== undefined && { default_payment_method: method }),
      ...(settings?.footer !== undefined && { footer: settings.footer }),
    },
  };
}

/** Without what was not given. */
function definedOf<T extends object>(given: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
