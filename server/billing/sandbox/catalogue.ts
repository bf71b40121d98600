/** Products and prices: per unit, one-time or recurring, licensed or by a meter. No tiers, no other currencies. */
import type Stripe from "stripe";
import type { Routes } from "./calls.ts";
import { searchParams } from "./customers.ts";
import { invalid } from "./errors.ts";
import { found, page, search, within } from "./lists.ts";
import type { Obj, Price } from "./objects.ts";
import * as p from "./params.ts";
import { gone, type View } from "./view.ts";

const productFields = {
  active: p.bool.optional(),
  description: p.clearable(p.text).optional(),
  images: p.clearable(p.list(p.text)).optional(),
  metadata: p.metadata.optional(),
  statement_descriptor: p.text.optional(),
  tax_code: p.clearable(p.text).optional(),
  unit_label: p.clearable(p.text).optional(),
  url: p.clearable(p.text).optional(),
  marketing_features: p.clearable(p.list(p.object({ name: p.text }))).optional(),
};
const productCreate = p.object({ ...productFields, id: p.text.optional(), name: p.text });
const productUpdate = p.object({ ...productFields, name: p.text.optional(), default_price: p.text.optional() });

const priceFields = {
  active: p.bool.optional(),
  lookup_key: p.text.max(200).optional(),
  transfer_lookup_key: p.bool.optional(),
  metadata: p.metadata.optional(),
  nickname: p.text.optional(),
  tax_behavior: p.oneOf("exclusive", "inclusive", "unspecified").optional(),
};
const interval = p.oneOf("day", "week", "month", "year");
const priceCreate = p.object({
  ...priceFields,
  billing_scheme: p.oneOf("per_unit").optional(),
  currency: p.text,
  product: p.text.optional(),
  product_data: p
    .object({
      name: p.text,
      metadata: p.metadata.optional(),
      tax_code: p.text.optional(),
      unit_label: p.text.optional(),
    })
    .optional(),
  recurring: p
    .object({
      interval,
      interval_count: p.natural.optional(),
      usage_type: p.oneOf("licensed", "metered").optional(),
      meter: p.text.optional(),
    })
    .optional(),
  unit_amount: p.natural.optional(),
});
const priceUpdate = p.object(priceFields);

export const catalogue: Routes = {
  "POST /v1/products": async ({ view, params }) => {
    const { id, ...given } = p.read(productCreate, params);
    if (id !== undefined && (await view.get("product", id)) !== undefined) {
      throw invalid(`Product already exists.`, "id", "resource_already_exists");
    }
    const product = productOf(view, id ?? view.id("product"), given);
    await view.save(product, "product.created");
    return product;
  },
  "GET /v1/products/search": async ({ view, params }) => {
    const { query, limit } = p.read(searchParams, params);
    return found(search(await view.list("product"), query), "/v1/products/search", limit);
  },
  "GET /v1/products/:id": async ({ view, path }) => view.need("product", path("id")),
  "POST /v1/products/:id": async ({ view, path, params }) => {
    const { default_price, ...given } = p.read(productUpdate, params);
    const product = await view.need("product", path("id"));
    if (default_price !== undefined) await view.need("price", default_price, "default_price");
    const made = changed(product, given);
    await view.save({ ...made, ...(default_price && { default_price }), updated: view.now }, "product.updated");
    return view.need("product", product.id);
  },
  "DELETE /v1/products/:id": async ({ view, path }) => {
    const product = await view.need("product", path("id"));
    if ((await view.list("price")).some((price) => price.product === product.id)) {
      throw invalid("This product cannot be deleted because it has one or more user-created prices.", "id");
    }
    await view.remove("product", product.id);
    await view.emit("product.deleted", product);
    return gone("product", product.id);
  },
  "GET /v1/products": async ({ view, params }) => {
    const given = p.read(
      p.object({
        ...p.paging,
        active: p.bool.optional(),
        created: p.created.optional(),
        ids: p.list(p.text).optional(),
      }),
      params,
    );
    const all = (await view.list("product")).filter(
      (product) =>
        (given.active === undefined || product.active === given.active) &&
        (given.ids === undefined || given.ids.includes(product.id)) &&
        within(product.created, given.created),
    );
    return page(all, "/v1/products", given);
  },

  "POST /v1/prices": async ({ view, params }) => {
    const given = p.read(priceCreate, params);
    if ((given.product === undefined) === (given.product_data === undefined)) {
      throw invalid("You must specify either `product` or `product_data` when creating a price.", "product");
    }
    if (given.unit_amount === undefined)
      throw invalid("Prices need a `unit_amount`.", "unit_amount", "parameter_missing");
    if (given.product !== undefined) await view.need("product", given.product, "product");
    let product = given.product;
    if (product === undefined && given.product_data !== undefined) {
      const made = productOf(view, view.id("product"), given.product_data);
      await view.save(made, "product.created");
      product = made.id;
    }
    const metered = given.recurring?.usage_type === "metered";
    if (metered !== (given.recurring?.meter !== undefined)) {
      throw invalid("Metered prices, and only those, need `recurring[meter]`.", "recurring[meter]");
    }
    if (given.recurring?.meter !== undefined)
      await view.need("billing.meter", given.recurring.meter, "recurring[meter]");
    const price = {
      id: view.id("price"),
      object: "price",
      active: given.active ?? true,
      billing_scheme: "per_unit",
      created: view.now,
      currency: currencyOf(given.currency),
      custom_unit_amount: null,
      livemode: false,
      lookup_key: null,
      metadata: p.mergeMetadata(null, given.metadata),
      nickname: given.nickname ?? null,
      product: product ?? "",
      recurring:
        given.recurring === undefined
          ? null
          : {
              interval: given.recurring.interval,
              interval_count: given.recurring.interval_count ?? 1,
              meter: given.recurring.meter ?? null,
              trial_period_days: null,
              usage_type: given.recurring.usage_type ?? "licensed",
            },
      tax_behavior: given.tax_behavior ?? "unspecified",
      tiers_mode: null,
      transform_quantity: null,
      type: given.recurring === undefined ? "one_time" : "recurring",
      unit_amount: given.unit_amount,
      unit_amount_decimal: String(given.unit_amount),
    } satisfies Price;
    const made = await withLookupKey(view, price, given.lookup_key, given.transfer_lookup_key);
    await view.save(made, "price.created");
    return made;
  },
  "GET /v1/prices/search": async ({ view, params }) => {
    const { query, limit } = p.read(searchParams, params);
    return found(search(await view.list("price"), query), "/v1/prices/search", limit);
  },
  "GET /v1/prices/:id": async ({ view, path }) => view.need("price", path("id")),
  "POST /v1/prices/:id": async ({ view, path, params }) => {
    const given = p.read(priceUpdate, params);
    const price = await view.need("price", path("id"));
    const { tax_behavior } = given;
    if (tax_behavior !== undefined && price.tax_behavior !== "unspecified" && price.tax_behavior !== tax_behavior) {
      throw invalid("You cannot change the `tax_behavior` of a price once it is set.", "tax_behavior");
    }
    const made: Price = {
      ...price,
      ...(given.active !== undefined && { active: given.active }),
      ...(given.nickname !== undefined && { nickname: given.nickname }),
      ...(tax_behavior !== undefined && { tax_behavior }),
      metadata: p.mergeMetadata(price.metadata, given.metadata),
    };
    await view.save(await withLookupKey(view, made, given.lookup_key, given.transfer_lookup_key), "price.updated");
    return view.need("price", price.id);
  },
  "GET /v1/prices": async ({ view, params }) => {
    const given = p.read(
      p.object({
        ...p.paging,
        active: p.bool.optional(),
        created: p.created.optional(),
        currency: p.text.optional(),
        lookup_keys: p.list(p.text).max(10).optional(),
        product: p.text.optional(),
        type: p.oneOf("one_time", "recurring").optional(),
        recurring: p
          .object({ interval: interval.optional(), usage_type: p.text.optional(), meter: p.text.optional() })
          .optional(),
      }),
      params,
    );
    const all = (await view.list("price")).filter(
      (price) =>
        (given.active === undefined || price.active === given.active) &&
        (given.currency === undefined || price.currency === given.currency) &&
        (given.lookup_keys === undefined || given.lookup_keys.includes(price.lookup_key ?? "")) &&
        (given.product === undefined || price.product === given.product) &&
        (given.type === undefined || price.type === given.type) &&
        (given.recurring?.interval === undefined || price.recurring?.interval === given.recurring.interval) &&
        (given.recurring?.usage_type === undefined || price.recurring?.usage_type === given.recurring.usage_type) &&
        (given.recurring?.meter === undefined || price.recurring?.meter === given.recurring.meter) &&
        within(price.created, given.created),
    );
    return page(all, "/v1/prices", given);
  },
};

export function currencyOf(text: string): string {
  const currency = text.toLowerCase();
  if (!/^[a-z]{3}$/.test(currency)) throw invalid(`Invalid currency: ${text}`, "currency");
  return currency;
}

/** A lookup key names one price: a second one takes it over only when told to. */
async function withLookupKey(view: View, price: Price, key: string | undefined, transfer = false): Promise<Price> {
  if (key === undefined) return price;
  const holder = (await view.list("price")).find((one) => one.lookup_key === key && one.id !== price.id);
  if (holder !== undefined) {
    if (!transfer) {
      throw invalid(`A price (\`${holder.id}\`) already uses that lookup key.`, "lookup_key");
    }
    await view.save({ ...holder, lookup_key: null }, "price.updated");
  }
  return { ...price, lookup_key: key };
}

interface ProductGiven {
  readonly name?: string | undefined;
  readonly active?: boolean | undefined;
  readonly description?: string | null | undefined;
  readonly images?: string[] | null | undefined;
  readonly metadata?: p.MetadataParam;
  readonly statement_descriptor?: string | undefined;
  readonly tax_code?: string | null | undefined;
  readonly unit_label?: string | null | undefined;
  readonly url?: string | null | undefined;
  readonly marketing_features?: Stripe.Product.MarketingFeature[] | null | undefined;
}

function productOf(view: View, id: string, given: ProductGiven): Obj<"product"> {
  const product: Obj<"product"> = {
    id,
    object: "product",
    active: true,
    created: view.now,
    default_price: null,
    description: null,
    images: [],
    livemode: false,
    marketing_features: [],
    metadata: {},
    name: "",
    package_dimensions: null,
    shippable: null,
    statement_descriptor: null,
    tax_code: null,
    tax_details: null,
    type: "service",
    unit_label: null,
    updated: view.now,
    url: null,
  };
  return changed(product, given);
}

function changed(product: Obj<"product">, given: ProductGiven): Obj<"product"> {
  const { metadata, images, marketing_features, ...plain } = given;
  const defined = Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== undefined));
  return {
    ...product,
    ...defined,
    ...(images !== undefined && { images: images ?? [] }),
    ...(marketing_features !== undefined && { marketing_features: marketing_features ?? [] }),
    metadata: p.mergeMetadata(product.metadata, metadata),
  };
}
