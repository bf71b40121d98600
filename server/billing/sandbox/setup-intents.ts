/** Setup intents: a payment method kept for later, no money moved. */
import type { Routes } from "./calls.ts";
import { invalid } from "./errors.ts";
import { page, within } from "./lists.ts";
import type { Obj } from "./objects.ts";
import * as p from "./params.ts";
import type { View } from "./view.ts";
import { attach, methodNamed, wayOf } from "./ways.ts";

type Setup = Obj<"setup_intent">;

const createParams = p.object({
  customer: p.text.optional(),
  description: p.text.optional(),
  metadata: p.metadata.optional(),
  usage: p.oneOf("off_session", "on_session").optional(),
  payment_method: p.text.optional(),
  confirm: p.bool.optional(),
  automatic_payment_methods: p.object({ enabled: p.bool, allow_redirects: p.text.optional() }).optional(),
  return_url: p.text.optional(),
});

export const setupIntents: Routes = {
  "POST /v1/setup_intents": async ({ view, params }) => {
    const given = p.read(createParams, params);
    if (given.customer !== undefined) await view.need("customer", given.customer, "customer");
    const made = await createSetup(view, {
      customer: given.customer ?? null,
      description: given.description ?? null,
      metadata: p.mergeMetadata(null, given.metadata),
      usage: given.usage,
    });
    if (!given.confirm) return made;
    if (given.payment_method === undefined)
      throw invalid("You cannot confirm this SetupIntent because it's missing a payment method.", "payment_method");
    return completeSetup(view, made, await methodNamed(view, given.payment_method, "payment_method"), undefined);
  },
  "GET /v1/setup_intents/:id": async ({ view, path }) => view.need("setup_intent", path("id")),
  "POST /v1/setup_intents/:id/confirm": async ({ view, path, params }) => {
    const given = p.read(p.object({ payment_method: p.text, return_url: p.text.optional() }), params);
    const setup = await view.need("setup_intent", path("id"));
    if (setup.status === "succeeded" || setup.status === "canceled") {
      throw invalid(
        `You cannot confirm this SetupIntent because it has a status of ${setup.status}.`,
        undefined,
        "setup_intent_unexpected_state",
      );
    }
    return completeSetup(view, setup, await methodNamed(view, given.payment_method, "payment_method"), undefined);
  },
  "POST /v1/setup_intents/:id/cancel": async ({ view, path, params }) => {
    p.read(p.object({ cancellation_reason: p.text.optional() }), params);
    const setup = await view.need("setup_intent", path("id"));
    const canceled: Setup = { ...setup, status: "canceled" };
    await view.save(canceled, "setup_intent.canceled");
    return canceled;
  },
  "GET /v1/setup_intents": async ({ view, params }) => {
    const given = p.read(p.object({ ...p.paging, customer: p.text.optional(), created: p.created.optional() }), params);
    const all = (await view.list("setup_intent", given.customer)).filter((one) => within(one.created, given.created));
    return page(all, "/v1/setup_intents", given);
  },
};

export async function createSetup(
  view: View,
  given: {
    customer: string | null;
    description: string | null;
    metadata: Record<string, string>;
    usage?: string | undefined;
  },
): Promise<Setup> {
  const id = view.id("setup_intent");
  const setup: Setup = {
    id,
    object: "setup_intent",
    allowed_payment_method_types: null,
    application: null,
    automatic_payment_methods: null,
    cancellation_reason: null,
    client_secret: `${id}_secret_sandbox`,
    created: await view.timeOf(given.customer),
    customer: given.customer,
    customer_account: null,
    description: given.description,
    excluded_payment_method_types: null,
    last_setup_error: null,
    latest_attempt: null,
    livemode: false,
    mandate: null,
    metadata: given.metadata,
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_method_options: null,
    payment_method_types: ["card"],
    single_use_mandate: null,
    status: "requires_payment_method",
    usage: given.usage ?? "off_session",
  };
  await view.put(setup);
  await view.emit("setup_intent.created", setup);
  return setup;
}

export async function completeSetup(
  view: View,
  setup: Setup,
  method: Obj<"payment_method">,
  answer: "yes" | "no" | undefined,
): Promise<Setup> {
  const given: Setup = { ...setup, payment_method: method.id };
  if (wayOf(method) === "needs_confirmation" && answer === undefined) {
    const asking: Setup = {
      ...given,
      status: "requires_action",
      next_action: { type: "use_stripe_sdk", use_stripe_sdk: { type: "three_d_secure_redirect" } },
    };
    await view.save(asking, "setup_intent.requires_action");
    return asking;
  }
  if (answer === "no") {
    const failed: Setup = { ...setup, status: "requires_payment_method", payment_method: null, next_action: null };
    await view.save(failed, "setup_intent.setup_failed");
    return failed;
  }
  if (setup.customer !== null) await attach(view, method, setup.customer);
  else await view.put(method, setup.customer);
  const done: Setup = { ...given, status: "succeeded", next_action: null };
  await view.save(done, "setup_intent.succeeded");
  return done;
}
