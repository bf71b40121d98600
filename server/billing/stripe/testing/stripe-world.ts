/**
 * A team with a customer in the billing sandbox, the real ledger, and everything that hears from Stripe, for tests: time is a
 * manual clock, jobs run when told to, and a test decides which deliveries arrive.
 */
import { randomBytes } from "node:crypto";
import { asc, eq } from "drizzle-orm";
import Stripe from "stripe";
import { CURRENCY, catalogueItems, type LookupKey } from "../../../../shared/billing/catalogue.ts";
import { newId, type TeamId, type UserId } from "../../../../shared/ids.ts";
import { addUser } from "../../../accounts/testing/people.ts";
import { createAudit } from "../../../audit/audit.repo.ts";
import { ManualClock } from "../../../clock.ts";
import type { Database } from "../../../db/database.ts";
import type { TestEngine } from "../../../db/testing.ts";
import { createJobsRepo } from "../../../jobs/jobs.repo.ts";
import type { JobContext } from "../../../jobs/jobs.service.ts";
import { createLog } from "../../../log.ts";
import { createMailRepo } from "../../../mail/mail.repo.ts";
import { createMail } from "../../../mail/mail.service.ts";
import { createBillingRepo } from "../../billing.repo.ts";
import { createBilling } from "../../billing.service.ts";
import { createEntitlements } from "../../entitlements.repo.ts";
import { createLedgerRepo } from "../../ledger/ledger.repo.ts";
import { createLedger } from "../../ledger/ledger.service.ts";
import { createBillingSandbox, createMemoryStore, SANDBOX_KEY, type Way } from "../../sandbox/sandbox.ts";
import { checkedRequest } from "../../sandbox/testing/request-schemas.ts";
import { createStripeIn } from "../stripe-in.ts";
import { TEAM_KEY } from "../stripe-prices.ts";
import { deliverTo } from "../webhook.ts";

export const PUBLIC_URL = new URL("http://127.0.0.1:8787");
export const SUPPORT_EMAIL = "support@x.example";
const DRAFT_MS = 2 * 3_600_000;
const SECRET = "whsec_world_secret";

export interface Delivery {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}
export interface WorldTeam {
  readonly teamId: TeamId;
  readonly userId: UserId;
  readonly customerId: string;
}

export type StripeWorld = Awaited<ReturnType<typeof openStripeWorld>>;

export async function openStripeWorld(engine: Pick<TestEngine, "open">, startAt = Date.UTC(2026, 0, 31, 12)) {
  const opened = await engine.open();
  const { db } = opened;
  const clock = new ManualClock(startAt);
  const lines: string[] = [];
  const log = createLog({ clock, write: (line) => lines.push(line) });
  const jobsRepo = createJobsRepo(db, clock);
  const jobs = { enqueue: jobsRepo.enqueue, wake: () => {} };
  const audit = createAudit(db, clock, randomBytes(32));
  const mail = createMail({
    ...{ db, repo: createMailRepo(db, clock), jobs, audit, publicUrl: PUBLIC_URL, key: randomBytes(32) },
  });
  const entitlements = createEntitlements(db);
  const ledger = createLedger({
    ...{ repo: createLedgerRepo(db), entitlements, clock, unbilled: false },
    budgets: { count: async () => [], starterOf: async () => null },
  });
  const billingRepo = createBillingRepo(db);
  const billing = createBilling({ db, repo: billingRepo, audit, key: randomBytes(32) });

  let sent = 0;
  const state = {
    /** Where deliveries go. */
    take: undefined as ((delivery: Delivery) => Promise<number>) | undefined,
    /** Throws while the period of an invoice is not settled. */
    addOverage: async (_invoiceId: string): Promise<void> => {},
  };
  const sandbox = createBillingSandbox({
    onRequest: checkedRequest,
    ...{ store: createMemoryStore(), clock, publicUrl: PUBLIC_URL, webhookSecret: SECRET, log },
    settled: async () => void (await work()),
    async deliver(body, headers) {
      sent += 1;
      return state.take?.({ body, headers }) ?? 200;
    },
  });
  const stripe = new Stripe(SANDBOX_KEY, {
    httpClient: Stripe.createFetchHttpClient(sandbox.fetch),
    ...{ maxNetworkRetries: 0, telemetry: false },
  });
  const prices = await stockShop(stripe);
  const parts = createStripeIn({
    ...{ stripe, livemode: false, secrets: [SECRET], db, jobs, mail, audit, clock, log, ledger, billing },
    isRecorded: async (tx, number) => (await billingRepo.byNumber(tx, number)) !== undefined,
    addOverage: (id) => state.addOverage(id),
    ...{ publicUrl: PUBLIC_URL, supportEmail: SUPPORT_EMAIL },
  });
  const arrive = deliverTo(parts.webhook);
  const arriveOne = ({ body, headers }: Delivery) => arrive(body, headers);
  state.take = arriveOne;

  /** Runs what is due until nothing is. Gives how many jobs ran. */
  async function work(): Promise<number> {
    let ran = 0;
    for (;;) {
      const job = await jobsRepo.claim("test", Object.keys(parts.jobs), 60_000);
      if (job === undefined) return ran;
      let finished = false;
      const context: JobContext = {
        ...{ signal: new AbortController().signal, progress: null, idempotencyKey: job.id, isLastAttempt: false, log },
        saveProgress: async () => {},
        async finish(inTx) {
          await db.tx(async (tx) => {
            await inTx(tx);
            await jobsRepo.finish(tx, job);
          });
          finished = true;
        },
      };
      await parts.jobs[job.kind]?.(job.input, context);
      if (!finished) await context.finish(async () => {});
      ran += 1;
    }
  }

  /** A team of one owner with a customer. */
  async function team(): Promise<WorldTeam> {
    const [teamId, userId] = [newId("team"), newId("user")];
    const { id: customerId } = await stripe.customers.create({
      ...{ name: "Anna Buyer", email: "anna@x.example", metadata: { [TEAM_KEY]: teamId } },
      address: { line1: "Way 1", postal_code: "10115", city: "Berlin", country: "DE" },
    });
    const at = new Date(clock.now());
    await db.tx(async (tx) => {
      await addUser(db, tx, { id: userId, email: `${userId.toLowerCase()}@x.example`, createdAt: at });
      await tx.insert(db.t.teams).values({ id: teamId, name: "Shop", createdAt: at });
      await tx.insert(db.t.teamMembers).values({ teamId, userId, role: "owner", joinedAt: at });
      await tx.insert(db.t.billingAccounts).values({
        ...{ teamId, customerId, currency: CURRENCY, timeZone: "UTC", overageAllowed: false, overageCap: 0 },
        createdAt: at,
      });
    });
    return { teamId, userId, customerId };
  }

  /** Opens a session as purchases do. */
  async function checkout({ teamId, userId, customerId }: WorldTeam, what: LookupKey) {
    const item = catalogueItems().find(({ lookupKey }) => lookupKey === what);
    const price = prices.get(what);
    if (item === undefined || price === undefined) throw new Error(`There is no ${what}.`);
    const id = newId("checkout");
    const metadata = { [TEAM_KEY]: teamId };
    const session = await stripe.checkout.sessions.create({
      ...{ customer: customerId, client_reference_id: id, metadata, line_items: [{ price, quantity: 1 }] },
      ...{ success_url: new URL("/done", PUBLIC_URL).href, cancel_url: new URL("/left", PUBLIC_URL).href },
      ...(item.cycle === undefined
        ? { mode: "payment", invoice_creation: { enabled: true } }
        : { mode: "subscription", subscription_data: { metadata } }),
    });
    const createdAt = new Date(clock.now());
    await db.tx((tx) =>
      tx.insert(db.t.checkouts).values({
        ...{ id, teamId, startedBy: userId, sessionId: session.id, what, amount: item.amount, currency: CURRENCY },
        ...{ state: "open", url: session.url, idempotencyKey: id, createdAt },
        expiresAt: new Date(session.expires_at * 1_000),
      }),
    );
    return { id, session };
  }

  /** Opens a session and pays it on the hosted page. */
  async function buy(of: WorldTeam, what: LookupKey, way: Way = "pays"): Promise<Stripe.Checkout.Session> {
    const { session } = await checkout(of, what);
    await sandbox.controls.pay(session.id, way);
    return stripe.checkout.sessions.retrieve(session.id);
  }

  /**
   * Lets time pass for both, with everything that falls due, until nothing is left to do: a draft that was told of late waits
   * an hour more.
   */
  async function pass(ms: number): Promise<void> {
    clock.advance(ms - DRAFT_MS);
    await settle();
    clock.advance(DRAFT_MS);
    await settle();
  }
  async function settle(): Promise<void> {
    for (let round = 0; round < 100; round += 1) {
      const before = sent;
      await sandbox.tick();
      if ((await work()) === 0 && sent === before) return;
    }
    throw new Error("The sandbox does not come to rest.");
  }

  return {
    ...{ db, clock, stripe, sandbox, parts, ledger, entitlements, billing, prices, lines, mail },
    ...{ arriveOne, work, team, checkout, buy, pass, settle, state },
    dispose: () => opened.dispose(),
  };
}

/** The catalogue, as the sync command makes it. */
async function stockShop(stripe: Stripe): Promise<ReadonlyMap<LookupKey, string>> {
  const made = new Set<string>();
  const prices = new Map<LookupKey, string>();
  for (const { lookupKey, product, amount, cycle } of catalogueItems()) {
    if (!made.has(product.key)) await stripe.products.create({ id: product.key, name: product.name });
    made.add(product.key);
    const price = await stripe.prices.create({
      ...{ product: product.key, currency: CURRENCY, unit_amount: amount, lookup_key: lookupKey },
      ...(cycle !== undefined && { recurring: { interval: cycle } }),
    });
    prices.set(lookupKey, price.id);
  }
  return prices;
}

/** Kinds of the mails that were written to a person, in order. */
export async function mailsTo(db: Database, userId: UserId): Promise<string[]> {
  const { mailOutbox } = db.t;
  const rows = await db.read
    .select({ kind: mailOutbox.kind })
    .from(mailOutbox)
    .where(eq(mailOutbox.userId, userId))
    .orderBy(asc(mailOutbox.createdAt));
  return rows.map(({ kind }) => kind);
}

/** What the mirror has of a team, without when it was read. */
export async function mirrorOf(db: Database, teamId: TeamId) {
  const { subscriptions, invoices, moneyBack } = db.t;
  const without = <R extends { syncedAt: Date }>(rows: R[]) => rows.map(({ syncedAt: _, ...row }) => row);
  return {
    subscriptions: without(
      await db.read.select().from(subscriptions).where(eq(subscriptions.teamId, teamId)).orderBy(asc(subscriptions.id)),
    ),
    invoices: without(
      await db.read.select().from(invoices).where(eq(invoices.teamId, teamId)).orderBy(asc(invoices.id)),
    ),
    moneyBack: without(
      await db.read.select().from(moneyBack).where(eq(moneyBack.teamId, teamId)).orderBy(asc(moneyBack.id)),
    ),
  };
}
