/**
 * Teams that buy in the billing sandbox through everything we ask of Stripe and hear from it, for tests: a manual clock, the
 * real ledger, jobs that run when told to, and calls that can be made to fail or lose their answers.
 */
import { randomBytes } from "node:crypto";
import { asc, eq } from "drizzle-orm";
import type Stripe from "stripe";
import { CURRENCY } from "../../../../shared/billing/catalogue.ts";
import { type CheckoutId, checkoutId, newId, type TeamId, type UserId } from "../../../../shared/ids.ts";
import { addUser } from "../../../accounts/testing/people.ts";
import { createAudit } from "../../../audit/audit.repo.ts";
import { ManualClock } from "../../../clock.ts";
import { parseConfig } from "../../../config.ts";
import type { TestEngine } from "../../../db/testing.ts";
import { createJobsRepo } from "../../../jobs/jobs.repo.ts";
import type { JobContext } from "../../../jobs/jobs.service.ts";
import { createLimitsRepo } from "../../../limits/limits.repo.ts";
import { createRateLimiter } from "../../../limits/rate-limiter.ts";
import { createLog } from "../../../log.ts";
import { createMailRepo } from "../../../mail/mail.repo.ts";
import { createMail } from "../../../mail/mail.service.ts";
import { type TeamScope, teamScope } from "../../../teams/team-scope.ts";
import { createBillingRepo } from "../../billing.repo.ts";
import { createBilling } from "../../billing.service.ts";
import { createEntitlements } from "../../entitlements.repo.ts";
import { createLedgerRepo } from "../../ledger/ledger.repo.ts";
import { createLedger } from "../../ledger/ledger.service.ts";
import {
  type ApiRequest,
  createBillingSandbox,
  createMemoryStore,
  SANDBOX_KEY,
  type Way,
} from "../../sandbox/sandbox.ts";
import { checkedRequest } from "../../sandbox/testing/request-schemas.ts";
import { createStripeParts } from "../compose.ts";
import { openStripe } from "../stripe-client.ts";
import { createStripeIn } from "../stripe-in.ts";
import { deliverTo } from "../webhook.ts";
import { setCustomer } from "./rows.repo.ts";

const PUBLIC_URL = new URL("http://127.0.0.1:8787");
const SECRET = "whsec_world_secret";

export type PurchasesWorld = Awaited<ReturnType<typeof openPurchasesWorld>>;
export interface Buyer {
  readonly scope: TeamScope;
  readonly teamId: TeamId;
  readonly userId: UserId;
}

export async function openPurchasesWorld(engine: TestEngine, env: Record<string, string> = {}) {
  const opened = await engine.open();
  const { db } = opened;
  const clock = new ManualClock(Date.UTC(2026, 0, 10, 12));
  const lines: string[] = [];
  const requests: ApiRequest[] = [];
  const declined: TeamId[] = [];
  const log = createLog({ clock, write: (line) => lines.push(line) });
  const jobsRepo = createJobsRepo(db, clock);
  const jobs = { enqueue: jobsRepo.enqueue, wake: () => {} };
  const audit = createAudit(db, clock, randomBytes(32));
  const mail = createMail({
    ...{ db, repo: createMailRepo(db, clock), jobs, audit, publicUrl: PUBLIC_URL, key: randomBytes(32) },
  });
  const ledger = createLedger({
    ...{ repo: createLedgerRepo(db), entitlements: createEntitlements(db), clock, unbilled: false },
    budgets: { count: async () => [], starterOf: async () => null },
  });
  const billingRepo = createBillingRepo(db);
  let take = async (_body: string, _headers: Readonly<Record<string, string>>) => 200;
  const sandbox = createBillingSandbox({
    ...{ store: createMemoryStore(), clock, publicUrl: PUBLIC_URL, webhookSecret: SECRET, log },
    onRequest: (request) => {
      requests.push(request);
      checkedRequest(request);
    },
    settled: async () => void (await work()),
    deliver: (body, headers) => take(body, headers),
  });
  const config = parseConfig({ PUBLIC_URL: PUBLIC_URL.origin, ...env });
  /** As Stripe does: an error of its own stays the answer to the key it was given to. */
  const errors = { next: undefined as { call: string; works: boolean } | undefined, keys: new Set<string>() };
  const stubborn: typeof sandbox.fetch = async (url, init) => {
    const key = new Headers(init?.headers).get("idempotency-key") ?? "";
    const call = `${init?.method ?? "GET"} ${new URL(url instanceof Request ? url.url : url).pathname}`;
    const isNew = errors.next?.call === call;
    if (!isNew && !errors.keys.has(key)) return sandbox.fetch(url, init);
    if (isNew && errors.next?.works === true) await sandbox.fetch(url, init);
    if (isNew) errors.next = undefined;
    errors.keys.add(key);
    return Response.json({ error: { type: "api_error", message: "Something went wrong." } }, { status: 500 });
  };
  const access = openStripe(config, { key: SANDBOX_KEY, fetch: stubborn }, 0);
  if (access === undefined) throw new Error("No bills are sent.");
  const { stripe } = access;
  const limiter = createRateLimiter({ clock, repo: createLimitsRepo(db), key: randomBytes(32) });
  const out = createStripeParts({
    ...{ access, db, ledger, jobs, limiter, audit, clock, log, config, publicUrl: PUBLIC_URL },
    // Nothing runs here.
    settle: async () => undefined,
    mirror: () => heard.mirror,
  });
  const heard = createStripeIn({
    ...{ stripe, livemode: false, secrets: [SECRET], db, jobs, mail, audit, clock, log, ledger },
    billing: createBilling({ db, repo: billingRepo, audit, key: randomBytes(32) }),
    isRecorded: async (tx, number) => (await billingRepo.byNumber(tx, number)) !== undefined,
    addOverage: async (id) => out.asking?.overage.addOverage(id),
    waySaved: async (tx, way) => out.asking?.waySaved(tx, way),
    declined: async (_tx, teamId) => void declined.push(teamId),
    ...{ publicUrl: PUBLIC_URL, supportEmail: undefined },
  });
  const arrive = deliverTo(heard.webhook);
  const sent: { readonly body: string; readonly headers: Readonly<Record<string, string>> }[] = [];
  take = (body, headers) => {
    sent.push({ body, headers });
    return arrive(body, headers);
  };
  await out.asking?.syncCatalogue();
  const handlers = { ...out.jobs, ...heard.jobs };

  /** Runs what is due until nothing is. A job that fails waits for its next turn. */
  async function work(): Promise<number> {
    for (let ran = 0; ; ran += 1) {
      const job = await jobsRepo.claim("test", Object.keys(handlers), 60_000);
      if (job === undefined) return ran;
      const context: JobContext = {
        ...{ signal: new AbortController().signal, progress: null, idempotencyKey: job.id, isLastAttempt: false, log },
        saveProgress: async () => {},
        finish: (inTx) => db.tx(inTx),
      };
      try {
        await handlers[job.kind]?.(job.input, context);
        await db.tx((tx) => jobsRepo.finish(tx, job));
      } catch {
        await jobsRepo.fail(job, "failed", new Date(clock.now() + 60_000));
      }
    }
  }
  /** Everything that was sent is heard, and what follows from it is done. */
  async function settle(): Promise<void> {
    for (let round = 0; round < 20; round += 1) {
      await sandbox.tick();
      if ((await work()) === 0) return;
    }
  }

  async function buyer(role: "owner" | "billing" = "owner", of?: TeamId): Promise<Buyer> {
    const [teamId, userId, at] = [of ?? newId("team"), newId("user"), new Date(clock.now())];
    await db.tx(async (tx) => {
      const email = `${userId.toLowerCase()}@x.example`;
      await addUser(db, tx, { id: userId, email, fullName: "Anna Buyer", createdAt: at });
      if (of === undefined) await tx.insert(db.t.teams).values({ id: teamId, name: "Shop", createdAt: at });
      await tx.insert(db.t.teamMembers).values({ teamId, userId, role, joinedAt: at });
    });
    const scope = teamScope({ teamId, userId, role }, "billing:manage");
    if (scope === undefined) throw new Error("Owners may buy, and who has the role billing.");
    return { scope, teamId, userId };
  }

  let keys = 0;
  const key = () => {
    keys += 1;
    return `key-${String(keys).padStart(8, "0")}`;
  };
  type Input = Parameters<typeof out.purchases.checkout>[1];
  /** Asks for a payment page, at what the catalogue says unless told otherwise, from a network of its own. */
  const checkout = (by: Buyer, buy: Input["buy"], amount: number, more: Partial<Input> = {}, network = key()) =>
    out.purchases.checkout(
      by.scope,
      { buy, shown: { amount, currency: CURRENCY }, idempotencyKey: key(), ...more },
      network,
    );
  const row = async (id: string) => {
    const [found] = await db.read
      .select()
      .from(db.t.checkouts)
      .where(eq(db.t.checkouts.id, asCheckout(id)));
    if (found === undefined) throw new Error("There is no such checkout.");
    return found;
  };
  const asCheckout = (id: string): CheckoutId => checkoutId.parse(id);
  /** Pays a page that was opened. */
  async function pay(id: string, way: Way = "pays"): Promise<void> {
    await sandbox.controls.pay((await row(id)).sessionId ?? "", way);
  }
  async function buys(by: Buyer, buy: Input["buy"], amount: number): Promise<string> {
    const { id } = await checkout(by, buy, amount);
    await pay(id);
    await out.purchases.checkoutState(by.scope, { checkoutId: asCheckout(id) });
    return id;
  }
  const subscribes = (by: Buyer) => buys(by, { kind: "plan", plan: "solo", cycle: "month" }, 1_200);
  const account = async ({ teamId }: Buyer) => {
    const { billingAccounts } = db.t;
    const [found] = await db.read.select().from(billingAccounts).where(eq(billingAccounts.teamId, teamId));
    return found;
  };
  const subscription = async ({ teamId }: Buyer): Promise<Stripe.Subscription> => {
    const { subscriptions } = db.t;
    const [found] = await db.read.select().from(subscriptions).where(eq(subscriptions.teamId, teamId));
    return stripe.subscriptions.retrieve(found?.id ?? "");
  };
  const callsOf = async (kind: string) => {
    const { stripeCalls } = db.t;
    return db.read.select().from(stripeCalls).where(eq(stripeCalls.kind, kind)).orderBy(asc(stripeCalls.createdAt));
  };

  return {
    ...{
      db,
      clock,
      stripe,
      sandbox,
      out,
      heard,
      ledger,
      lines,
      requests,
      declined,
      sent,
      arrive,
      purchases: out.purchases,
      config,
    },
    ...{ work, settle, buyer, key, checkout, row, asCheckout, pay, buys, subscribes, account, subscription, callsOf },
    setCustomer: (teamId: TeamId, customerId: string) => setCustomer(db, teamId, customerId),
    errors,
    dispose: () => opened.dispose(),
  };
}
