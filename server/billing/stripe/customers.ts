/**
 * The customer a team is at Stripe: one a team, made with its first purchase, whoever buys at the same moment. Name and
 * address are those of who bought first; they follow a correction, and go over to an owner when that person leaves.
 */
import { createHash } from "node:crypto";
import type Stripe from "stripe";
import { z } from "zod";
import { type CheckoutId, checkoutId, type TeamId, teamId, userId } from "../../../shared/ids.ts";
import type { Clock } from "../../clock.ts";
import type { Database, Writer } from "../../db/database.ts";
import type { TellProcessors } from "../../privacy/processors/tell-processors.ts";
import type { Payer, PurchasesRepo } from "./purchases.repo.ts";
import type { CallKind, StripeCalls } from "./stripe-calls.ts";
import { isMissing } from "./stripe-errors.ts";
import { TEAM_KEY } from "./stripe-prices.ts";

/** Metadata of a customer: whose name and address it has. */
export const PERSON_KEY = "perch_person";

const CLOCKS_DIFFER_S = 300;

/** What is left of a customer at Stripe once a team has closed; the rows that named it are gone by then. */
export const closedCustomer = z.strictObject({ customerId: z.string(), subscriptionIds: z.array(z.string()) });
export type ClosedCustomer = z.output<typeof closedCustomer>;

export function customerCalls({ stripe, db, repo }: { stripe: Stripe; db: Database; repo: PurchasesRepo }) {
  const created = z.strictObject({ teamId });
  /** Without name and address, which could change between two tries; they follow with `update`. */
  const create: CallKind<z.output<typeof created>, Stripe.Customer> = {
    name: "customer.create",
    input: created,
    make: (input, { idempotencyKey }) =>
      stripe.customers.create({ metadata: { [TEAM_KEY]: input.teamId } }, { idempotencyKey }),
    isMadeAnew: true,
    // A search would see it after a minute only; lists see it at once.
    async find(input, { createdAt }) {
      const since = Math.floor(createdAt.getTime() / 1_000) - CLOCKS_DIFFER_S;
      for await (const customer of stripe.customers.list({ created: { gte: since }, limit: 100 })) {
        if (customer.metadata[TEAM_KEY] === input.teamId) return customer;
      }
      return undefined;
    },
    done: (tx, input, customer) => repo.setCustomer(tx, input.teamId, customer.id),
  };

  async function payerOf(team: TeamId, known: string | undefined, checkout: CheckoutId | undefined) {
    const buyer = checkout && (await repo.checkout(db.read, checkout))?.startedBy;
    const id = userId.safeParse(buyer ?? known);
    const same: Payer | undefined = id.success ? await repo.payer(db.read, id.data, team) : undefined;
    return same ?? (await repo.owners(db.read, team))[0];
  }
  const updated = z.strictObject({ customerId: z.string(), teamId, checkoutId: z.optional(checkoutId) });
  /** Reads whose name and address the customer has, or who began `checkoutId`, and writes them as they are now. */
  const update: CallKind<z.output<typeof updated>, { readonly id: string | null }> = {
    name: "customer.update",
    input: updated,
    async make(input, { idempotencyKey }) {
      const customer = await stripe.customers.retrieve(input.customerId);
      if (customer.deleted === true) return { id: null };
      const payer = await payerOf(input.teamId, customer.metadata[PERSON_KEY], input.checkoutId);
      if (payer === undefined) return { id: null };
      const words = { email: payer.email, name: payer.name ?? "", metadata: { [PERSON_KEY]: payer.userId } };
      // What is written may differ from one try to the next: then it is another call to Stripe.
      const key = `${idempotencyKey}:${createHash("sha256").update(JSON.stringify(words)).digest("base64url")}`;
      return stripe.customers.update(input.customerId, words, { idempotencyKey: key });
    },
  };

  const close: CallKind<ClosedCustomer, { readonly id: string | null }> = {
    name: "customer.close",
    input: closedCustomer,
    async make(input, { idempotencyKey }) {
      await closeCustomer(stripe, input, idempotencyKey);
      return { id: input.customerId };
    },
  };
  return { create, update, close };
}
export type CustomerCalls = ReturnType<typeof customerCalls>;

/** Ends what is paid for, takes ways to pay away, then the customer. Does what is left of it, however often it is asked. */
export async function closeCustomer(stripe: Stripe, closed: ClosedCustomer, key: string): Promise<void> {
  const { customerId } = closed;
  const tolerant = async (work: Promise<unknown>) => {
    try {
      await work;
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  };
  const customer = await stripe.customers.retrieve(customerId).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (customer === undefined || customer.deleted === true) return;
  const listed = await stripe.subscriptions.list({ customer: customerId, limit: 100 });
  for (const id of new Set([...closed.subscriptionIds, ...listed.data.map((one) => one.id)])) {
    const subscription = await stripe.subscriptions.retrieve(id).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (subscription === undefined || subscription.status === "canceled") continue;
    const options = { invoice_now: false, prorate: false };
    await tolerant(stripe.subscriptions.cancel(id, options, { idempotencyKey: `${key}:${id}` }));
  }
  const ways = await stripe.customers.listPaymentMethods(customerId, { limit: 100 });
  for (const { id } of ways.data)
    await tolerant(stripe.paymentMethods.detach(id, {}, { idempotencyKey: `${key}:${id}` }));
  await tolerant(stripe.customers.del(customerId));
}

export interface Customers {
  /** The team's customer, made when there is none. */
  ensure(teamId: TeamId, currency: string): Promise<string>;
  /** Name and address of who began the first checkout; in its transaction. Make the call with `now` after it. */
  named(tx: Writer, teamId: TeamId, customerId: string, by: CheckoutId): ReturnType<StripeCalls["queue"]>;
  /** A corrected name or address reaches Stripe. */
  readonly tell: TellProcessors;
}

export function createCustomers(options: {
  db: Database;
  repo: PurchasesRepo;
  calls: StripeCalls;
  kinds: CustomerCalls;
  clock: Clock;
}): Customers {
  const { db, repo, calls, kinds, clock } = options;
  return {
    async ensure(teamId, currency) {
      // A customer that was deleted at Stripe leaves the account without one: the next key follows from the last call.
      for (let key = `customer:${teamId}`; ; ) {
        const asked = await db.tx(async (tx) => {
          const account = await repo.account(tx, teamId, currency, new Date(clock.now()));
          if (account.customerId !== null) return account.customerId;
          return { id: await calls.queue(tx, kinds.create, { teamId, key, input: { teamId }, isWaitedFor: true }) };
        });
        if (typeof asked === "string") return asked;
        const made = await calls.now(kinds.create, asked.id);
        if (made === undefined) key = `customer:${teamId}:${asked.id}`;
      }
    },
    named: (tx, teamId, customerId, by) =>
      calls.queue(tx, kinds.update, {
        ...{ teamId, key: `customer.named:${customerId}`, isWaitedFor: true, isFirstAlone: true },
        input: { customerId, teamId, checkoutId: by },
      }),
    async tell(tx, { userId }) {
      for (const { teamId, customerId } of await repo.customersOf(tx, userId)) {
        const key = `customer.update:${customerId}:${clock.now()}`;
        await calls.queue(tx, kinds.update, { teamId, key, input: { customerId, teamId } });
      }
    },
  };
}
