/** `expand[]`: puts objects where ids stand, and lists where Stripe leaves them out until asked. */
import { invalid } from "./errors.ts";
import { kindOf, nested } from "./objects.ts";
import type { View } from "./view.ts";

const MAX_DEPTH = 4;

/** Lists that are shown only when asked for, by the type of the object they hang on. */
const ASKED_FOR: Readonly<Record<string, Readonly<Record<string, (view: View, id: string) => Promise<unknown>>>>> = {
  customer: {
    subscriptions: async (view, id) =>
      nested(
        (await view.list("subscription", id)).filter(({ status }) => status !== "canceled"),
        `/v1/customers/${id}/subscriptions`,
      ),
  },
  "checkout.session": { line_items: async (view, id) => (await view.get("checkout.session", id))?.line_items },
  invoice: {
    payments: async (view, id) =>
      nested(
        (await view.list("invoice_payment")).filter(({ invoice }) => invoice === id),
        "/v1/invoice_payments",
      ),
    confirmation_secret: async (view, id) => (await view.get("invoice", id))?.confirmation_secret ?? null,
  },
  charge: {
    refunds: async (view, id) =>
      nested(
        (await view.list("refund")).filter(({ charge }) => charge === id),
        `/v1/charges/${id}/refunds`,
      ),
  },
  product: {},
};

type Fields = Record<string, unknown>;

/** The answer without what is shown only when asked for. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const fields: Fields = { ...value };
  const kind = fields["object"];
  const hidden = typeof kind === "string" ? Object.keys(ASKED_FOR[kind] ?? {}) : [];
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([name]) => !hidden.includes(name))
      .map(([name, inner]) => [name, plain(inner)]),
  );
}

export async function expanded(view: View, answer: object, paths: readonly string[]): Promise<object> {
  let made: unknown = plain(answer);
  for (const path of paths) {
    const parts = path.split(".");
    if (parts.length > MAX_DEPTH + 1) {
      throw invalid("You cannot expand more than 4 levels of a property.", "expand");
    }
    made = await along(view, made, parts, path);
  }
  return Object(made);
}

async function along(view: View, value: unknown, parts: readonly string[], path: string): Promise<unknown> {
  const [part, ...rest] = parts;
  if (part === undefined || value === null) return value;
  if (Array.isArray(value)) return Promise.all(value.map((one) => along(view, one, parts, path)));
  if (typeof value !== "object") throw cannot(path);
  const fields: Fields = { ...value };
  const { object, id } = fields;
  const ask = typeof object === "string" ? ASKED_FOR[object]?.[part] : undefined;
  if (ask !== undefined && typeof id === "string" && !(part in fields)) {
    fields[part] = plain(await ask(view, id));
  }
  const inner = fields[part];
  if (inner === undefined) throw cannot(path);
  let next: unknown = inner;
  if (typeof inner === "string") {
    const kind = kindOf(inner);
    if (kind === undefined) throw cannot(path);
    next = plain((await view.get(kind, inner)) ?? (await view.inner<object>("deleted", inner)) ?? inner);
  }
  return { ...fields, [part]: await along(view, next, rest, path) };
}

const cannot = (path: string) => invalid(`This property cannot be expanded (${path}).`, "expand");
