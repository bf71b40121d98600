/**
 * What Stripe has of a person who goes. The customers of teams that close with them are ended and deleted; a customer of a team
 * that goes on gets the name and address of an owner who stays. What Stripe keeps of payments, as the law asks of it, is said
 * with until when.
 */
import type Stripe from "stripe";
import type { TeamId, UserId } from "../../../shared/ids.ts";
import type { Clock } from "../../clock.ts";
import type { Database, Writer } from "../../db/database.ts";
import type { ProcessorErasure } from "../../privacy/erasure/purge-stores.ts";
import { MOST_YEARS } from "../billing-terms.ts";
import { type CustomerCalls, closeCustomer, PERSON_KEY } from "./customers.ts";
import type { PurchasesRepo } from "./purchases.repo.ts";
import type { StripeCalls } from "./stripe-calls.ts";

const YEAR_MS = 365.25 * 24 * 3_600_000;
export const KEPT_WORDS =
  "Stripe keeps the records of payments that the law asks it for; name, address and cards of the customer are deleted there.";

export function createStripeErasure(options: {
  db: Database;
  stripe: Stripe;
  repo: PurchasesRepo;
  clock: Clock;
}): ProcessorErasure {
  const { db, stripe, repo, clock } = options;
  return {
    id: "stripe",
    async erase({ userId, teams }) {
      let hasPaid = false;
      for (const team of teams) {
        const customerId = (await repo.findAccount(db.read, team))?.customerId;
        if (customerId === undefined || customerId === null) continue;
        hasPaid ||= await paid(stripe, customerId);
        const subscriptionIds = (await repo.subscriptionsOf(db.read, team)).map(({ id }) => id);
        await closeCustomer(stripe, { customerId, subscriptionIds }, `customer.erase:${customerId}`);
      }
      await handOver(stripe, { db, repo }, userId, new Set(teams));
      if (!hasPaid) return { state: "gone" };
      const until = (await repo.invoicesKeptUntil(db.read, teams)) ?? new Date(clock.now() + MOST_YEARS * YEAR_MS);
      return { state: "retained", until, reason: KEPT_WORDS };
    },
  };
}

async function paid(stripe: Stripe, customer: string): Promise<boolean> {
  return (await stripe.invoices.list({ customer, status: "paid", limit: 1 })).data.length > 0;
}

/** Customers in the person's name that stay: of teams with other owners. */
async function handOver(
  stripe: Stripe,
  { db, repo }: { db: Database; repo: PurchasesRepo },
  userId: UserId,
  closing: ReadonlySet<TeamId>,
): Promise<void> {
  const { data } = await stripe.customers.search({ query: `metadata['${PERSON_KEY}']:'${userId}'`, limit: 100 });
  for (const { id } of data) {
    const team = await repo.teamOfCustomer(db.read, id);
    if (team === undefined || closing.has(team)) continue;
    const heir = (await repo.owners(db.read, team)).find((owner) => owner.userId !== userId);
    const metadata = { [PERSON_KEY]: heir?.userId ?? "" };
    await stripe.customers.update(id, { email: heir?.email ?? "", name: heir?.name ?? "", metadata });
  }
}

/** Before a team is closed, in its transaction: what is paid for ends. The ids go along, since the rows do not stay. */
export type TeamCloses = (tx: Writer, teamId: TeamId) => Promise<void>;

export function createTeamCloses(options: {
  repo: PurchasesRepo;
  calls: Pick<StripeCalls, "queue" | "cut">;
  kinds: Pick<CustomerCalls, "close">;
}): TeamCloses {
  const { repo, calls, kinds } = options;
  return async (tx, team) => {
    await calls.cut(tx, team);
    const customerId = (await repo.findAccount(tx, team))?.customerId;
    if (customerId === undefined || customerId === null) return;
    const subscriptionIds = (await repo.subscriptionsOf(tx, team)).map(({ id }) => id);
    const input = { customerId, subscriptionIds };
    await calls.queue(tx, kinds.close, { teamId: null, key: `customer.close:${customerId}`, input });
  };
}
