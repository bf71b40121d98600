/** Puts billing together, in two steps: what phones are counted with, and, over phones that were made with it, the rest. */

import { z } from "zod";
import { type NodeId, type PhoneId, phoneId, type TeamId, teamId } from "../../shared/ids.ts";
import { createPageLinks } from "../accounts/page-links.ts";
import type { Audit } from "../audit/audit.repo.ts";
import type { Clock, Monotonic } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Database, Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { InvoicePage } from "../http/pages/billing-pages.ts";
import type { Refusals } from "../http/refusals.ts";
import type { JobHandler, Jobs, Schedule } from "../jobs/jobs.service.ts";
import type { RateLimiter } from "../limits/rate-limiter.ts";
import type { Log } from "../log.ts";
import type { Mail } from "../mail/mail.service.ts";
import type { GaugeSources } from "../metrics/gauges.ts";
import type { PhonesService } from "../phones/phones.service.ts";
import type { ProcessorErasure } from "../privacy/erasure/purge-stores.ts";
import type { TellProcessors } from "../privacy/processors/tell-processors.ts";
import { serverScope } from "../teams/team-scope.ts";
import type { Tracing } from "../tracing/tracing.ts";
import { type BillingRepo, createBillingRepo } from "./billing.repo.ts";
import type { BillingServices } from "./billing.router.ts";
import { type Billing, createBilling } from "./billing.service.ts";
import { createBudgetsRepo } from "./budgets/budgets.repo.ts";
import { type Budgets, createBudgets } from "./budgets/budgets.service.ts";
import { createSandboxParts, type SandboxParts } from "./compose-sandbox.ts";
import { createBillingDeskRepo } from "./desk/billing-desk.repo.ts";
import { REFUND_JOB } from "./desk/billing-desk.service.ts";
import { createEntitlements } from "./entitlements.repo.ts";
import { createLedgerRepo } from "./ledger/ledger.repo.ts";
import { createLedger } from "./ledger/ledger.service.ts";
import { createVerifyRepo } from "./ledger/verify.repo.ts";
import { createLedgerCheck, LEDGER_CHECK } from "./ledger/verify-job.ts";
import type { EntitlementsOf, Ledger } from "./ports.ts";
import { createStripeParts, type StripeParts } from "./stripe/compose.ts";
import { createPurchasesRepo } from "./stripe/purchases.repo.ts";
import { refundableOf } from "./stripe/refunds.service.ts";
import { openStripe } from "./stripe/stripe-client.ts";
import { createStripeErasure } from "./stripe/stripe-erasure.ts";
import { createStripeIn, type StripeIn, type StripeInOptions } from "./stripe/stripe-in.ts";
import type { StripeWebhook } from "./stripe/webhook.ts";
import { withoutBills } from "./unbilled.ts";
import { createUsageParts, type UsageParts } from "./usage/compose.ts";
import type { UsageViews } from "./usage.router.ts";
import { createBillingSettingsRepo } from "./views/billing-settings.repo.ts";
import { createBillingSettings } from "./views/billing-settings.service.ts";
import { createBillingViewsRepo } from "./views/billing-views.repo.ts";
import { createBillingViews } from "./views/billing-views.service.ts";
import { createOpenTime } from "./views/open-time.ts";
import { createUsageViewsRepo } from "./views/usage-views.repo.ts";
import { createUsageViews } from "./views/usage-views.service.ts";

export interface BooksOptions {
  readonly db: Database;
  readonly audit: Audit;
  readonly mail: Pick<Mail, "queue">;
  readonly clock: Clock;
  readonly config: Pick<Config, "billingMode">;
  readonly publicUrl: URL;
  /** Seals whom invoices are made out to. */
  readonly recordsKey: Buffer;
}
/** The books: who may what, what covered what, what was sold. Also for commands beside a running server. */
export interface Books {
  readonly entitlements: EntitlementsOf;
  readonly budgets: Budgets;
  readonly ledger: Ledger;
  readonly records: Billing;
  readonly recordsRepo: BillingRepo;
}

export function createBooks(options: BooksOptions): Books {
  const { db, audit, mail, clock, config, publicUrl, recordsKey } = options;
  const unbilled = config.billingMode === "off";
  const stored = createEntitlements(db);
  const entitlements = unbilled ? withoutBills(stored) : stored;
  const budgets = createBudgets({
    ...{ db, repo: createBudgetsRepo(db), audit, mail, entitlements, clock },
    pageLink: createPageLinks(publicUrl),
  });
  const ledger = createLedger({ repo: createLedgerRepo(db), budgets, entitlements, clock, unbilled });
  const recordsRepo = createBillingRepo(db);
  const records = createBilling({ db, repo: recordsRepo, audit, key: recordsKey });
  return { entitlements, budgets, ledger, records, recordsRepo };
}

export interface CountingOptions extends BooksOptions {
  readonly config: Pick<Config, "billingMode" | "PHONE_DISK_MB">;
  readonly mail: Pick<Mail, "queue" | "wake">;
  readonly monotonic: Monotonic;
  readonly log: Log;
  readonly node: string;
  readonly boot: string;
  /** Phones of this process that live. */
  readonly alive: () => ReadonlySet<PhoneId>;
  /** Nodes that live, without this one. */
  readonly others: () => readonly NodeId[];
}
export interface Counting extends Books, UsageParts {}

export function createCounting(options: CountingOptions): Counting {
  const books = createBooks(options);
  const usage = createUsageParts({
    ...options,
    ...{ ledger: books.ledger, entitlements: books.entitlements, budgets: books.budgets },
    budgetsRepo: createBudgetsRepo(options.db),
    phoneDiskMb: options.config.PHONE_DISK_MB,
  });
  return { ...books, ...usage };
}

export interface BillingParts {
  readonly services: { readonly billing: BillingServices; readonly usage: UsageViews };
  /** Takes what Stripe sends; `undefined` where the server sends no bills. */
  readonly webhook: StripeWebhook | undefined;
  readonly sandbox: SandboxParts["sandbox"] | undefined;
  /** What a mail about an invoice leads to. */
  invoicePage(id: string): Promise<InvoicePage | undefined>;
  /** What Stripe, or the sandbox, has to forget of a person. */
  readonly erasure: ProcessorErasure | undefined;
  readonly tell: TellProcessors;
  readonly closes: StripeParts["closes"];
  readonly paidBy: StripeParts["paidBy"];
  readonly proRata: StripeParts["proRata"];
  readonly jobs: Readonly<Record<string, JobHandler>>;
  readonly schedules: readonly Schedule[];
  /** For `/metrics`: what waits or went wrong. */
  gauges(): ReturnType<GaugeSources["billing"]>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createBillingParts(
  counting: Counting,
  options: {
    db: Database;
    config: Config;
    audit: Audit;
    mail: Mail;
    jobs: Pick<Jobs, "enqueue" | "wake">;
    limiter: RateLimiter;
    refusals: Refusals;
    clock: Clock;
    log: Log;
    publicUrl: URL;
    phones: Pick<PhonesService, "list" | "park">;
    tracing?: Tracing;
    /** Signs what the sandbox tells. */
    sandboxSecret: string;
    /** Counts a payment that was refused, against who pays for the team. */
    declined: NonNullable<StripeInOptions["declined"]>;
  },
): BillingParts {
  const { db, config, audit, clock, log, publicUrl, phones } = options;
  const { entitlements, budgets, ledger, settlement } = counting;
  const mode = config.billingMode;
  const late: { told?: StripeIn } = {};
  const told = (): StripeIn => {
    if (late.told === undefined) throw new PerchError("unavailable", "Billing is starting.");
    return late.told;
  };
  const sandbox =
    mode === "sandbox"
      ? createSandboxParts({
          ...{ db, clock, log, publicUrl, refusals: options.refusals, secret: options.sandboxSecret },
          webhook: () => told().webhook,
        })
      : undefined;
  const access = sandbox?.access ?? openStripe(config, undefined, undefined, options.tracing);
  const settle = async (tx: Writer, team: TeamId) => settlement.post(tx, await settlement.weigh(tx, team, clock.now()));
  const asked = createStripeParts({ ...options, access, ledger, settle, mirror: () => told().mirror });
  if (access !== undefined && asked.asking !== undefined) {
    late.told = createStripeIn({
      ...{ ...options, ...access, billing: counting.records },
      ledger: {
        ...ledger,
        // What ran until now is paid from the balance before a bank takes it back.
        async debit(tx, debit) {
          await settle(tx, debit.teamId);
          return ledger.debit(tx, debit);
        },
      },
      secrets: sandbox === undefined ? config.STRIPE_WEBHOOK_SECRET : [options.sandboxSecret],
      isRecorded: async (tx, number) => (await counting.recordsRepo.byNumber(tx, number)) !== undefined,
      addOverage: asked.asking.overage.addOverage,
      waySaved: asked.asking.waySaved,
      supportEmail: config.SUPPORT_EMAIL,
    });
  }
  const { purchases } = asked;

  const openTime = createOpenTime({ db, settlement, clock });
  const purchasesRepo = createPurchasesRepo(db);
  const deskRepo = createBillingDeskRepo(db);
  const now = () => new Date(clock.now());
  const views = createBillingViews({
    ...{ db, repo: createBillingViewsRepo(db), ledger, entitlements, openTime, mode, clock },
    budgets: ({ teamId }) => budgets.list(db.read, teamId, now()),
    refundable: async (teamId) =>
      (await refundableOf(db.read, { repo: purchasesRepo, ledger, teamId, at: now() })).amount,
    mostAtOnce: config.RUNNING_PER_TEAM ?? Number.POSITIVE_INFINITY,
    phoneMb: config.PHONE_DISK_MB,
  });
  const settings = createBillingSettings({
    ...{ db, repo: createBillingSettingsRepo(db), audit, entitlements, clock },
    settle,
  });
  const usage = createUsageViews({
    ...{ repo: createUsageViewsRepo(db), openTime, clock },
    timeZoneOf: async (teamId) => (await entitlements.of(db.read, teamId, now())).timeZone,
  });
  return {
    services: {
      billing: {
        views,
        // Where no bills are sent there is no checkout anybody could come back from.
        purchases: mode === "off" ? { ...purchases, checkoutState: noCheckout } : purchases,
        settings: { ...settings, setBudget: budgets.set, removeBudget: budgets.remove },
        async stopAll(scope) {
          const running = (await phones.list(scope)).filter(({ state }) => state === "running" || state === "starting");
          const parked = await Promise.allSettled(running.map(({ id }) => phones.park(scope, phoneId.parse(id))));
          return { parked: parked.filter(({ status }) => status === "fulfilled").length };
        },
      },
      usage,
    },
    ...{
      webhook: late.told?.webhook,
      sandbox: sandbox?.sandbox,
      tell: asked.tell,
      closes: asked.closes,
      paidBy: asked.paidBy,
      proRata: asked.proRata,
    },
    erasure: access && eraserOf(createStripeErasure({ ...access, db, repo: purchasesRepo, clock })),
    jobs: {
      ...{ ...asked.jobs, ...late.told?.jobs, ...sandbox?.jobs },
      [LEDGER_CHECK.kind]: createLedgerCheck({ db, repo: createVerifyRepo(db), ledger, clock }),
      async [REFUND_JOB](input) {
        const { teamId: team, amount, key } = operatorRefund.parse(input);
        await purchases.refundBalance(serverScope(team), { amount, idempotencyKey: key });
      },
    },
    schedules: [...asked.schedules, ...(late.told?.schedules ?? []), LEDGER_CHECK],
    invoicePage: async (id) => late.told?.invoicePage(id),
    async gauges() {
      const { pastDue, findings, waitingCalls, failedCalls, lastCheck } = await deskRepo.counts(clock.now());
      return {
        gauges: {
          ...{ billing_past_due: pastDue, billing_findings: findings },
          ...{ stripe_calls_waiting: waitingCalls, stripe_calls_failed: failedCalls },
        },
        findings: await deskRepo.openFindings(),
        lastCheck,
      };
    },
    start: async () => sandbox?.start(),
    stop: async () => sandbox?.stop(),
  };

  /** The sandbox keeps nothing as the law asks for: no money moved. */
  function eraserOf(stripe: ProcessorErasure): ProcessorErasure {
    if (mode === "stripe") return stripe;
    return {
      id: "billing sandbox",
      async erase(person) {
        await stripe.erase(person);
        await sandbox?.sandbox.forget(person);
        return { state: "gone" };
      },
    };
  }
}

const operatorRefund = z.strictObject({ teamId, amount: z.int().min(1), key: z.string() });

async function noCheckout(): Promise<never> {
  throw new PerchError("not_found", "There is no such checkout.");
}
