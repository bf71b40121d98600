/** Everything Stripe tells us: put together. */
import type Stripe from "stripe";
import type { TeamId } from "../../../shared/ids.ts";
import type { Audit } from "../../audit/audit.repo.ts";
import type { Clock } from "../../clock.ts";
import type { Database, Writer } from "../../db/database.ts";
import type { InvoicePage } from "../../http/pages/billing-pages.ts";
import type { JobHandler, Jobs, Schedule } from "../../jobs/jobs.service.ts";
import type { Log } from "../../log.ts";
import type { Mail } from "../../mail/mail.service.ts";
import type { Billing } from "../billing.service.ts";
import type { Ledger } from "../ports.ts";
import { createCheckoutsRepo } from "./checkouts.repo.ts";
import { createFindingsRepo } from "./findings.repo.ts";
import { createFulfilment } from "./fulfilment.ts";
import { createInvoiceEffects } from "./invoices.ts";
import { createLetters } from "./letters.ts";
import { createMirrorRepo } from "./mirror.repo.ts";
import { createMirror, type Mirror } from "./mirror.ts";
import { createMoneyBackEffects } from "./money-back.ts";
import { createReconcileRepo } from "./reconcile.repo.ts";
import { createReconcile, type Reconcile } from "./reconcile.ts";
import type { WaySaved } from "./saved-way.ts";
import { createStripeEventsRepo } from "./stripe-events.repo.ts";
import type { StripeMirror } from "./stripe-ports.ts";
import { createTrialsRepo } from "./trials.repo.ts";
import { createTrialReminders } from "./trials.ts";
import { createStripeWebhook, MIRROR_JOB, type StripeWebhook } from "./webhook.ts";

export interface StripeInOptions {
  readonly stripe: Stripe;
  readonly livemode: boolean;
  /** Of the webhook; several while one is replaced. */
  readonly secrets: readonly string[];
  readonly db: Database;
  readonly jobs: Pick<Jobs, "enqueue" | "wake">;
  readonly mail: Pick<Mail, "queue" | "wake">;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Log;
  readonly ledger: Pick<Ledger, "grant" | "credit" | "debit" | "verify">;
  readonly billing: Pick<Billing, "record">;
  readonly isRecorded: (tx: Writer, number: string) => Promise<boolean>;
  readonly addOverage: (invoiceId: string) => Promise<void>;
  /** A way to pay that was saved without buying anything. Left out: it is not used by itself. */
  readonly waySaved?: WaySaved;
  /** Counts a payment that was refused, against who pays for the team. Left out: nobody counts. */
  readonly declined?: (tx: Writer, teamId: TeamId) => Promise<void>;
  readonly publicUrl: URL;
  readonly supportEmail: string | undefined;
}

export interface StripeIn {
  /** For the page that mails lead to. */
  invoicePage(id: string): Promise<InvoicePage | undefined>;
  readonly webhook: StripeWebhook;
  readonly mirror: StripeMirror & Mirror;
  readonly reconcile: Reconcile;
  readonly jobs: Readonly<Record<string, JobHandler>>;
  readonly schedules: readonly Schedule[];
}

export function createStripeIn(options: StripeInOptions): StripeIn {
  const { stripe, db, mail, audit, clock, log, ledger, publicUrl, supportEmail, addOverage } = options;
  const { declined = async () => {}, waySaved = async () => {} } = options;
  const repo = createMirrorRepo(db);
  const events = createStripeEventsRepo(db);
  const checkouts = createCheckoutsRepo(db);
  const findings = createFindingsRepo(db, clock);
  const letters = createLetters({ repo, mail, publicUrl });
  const webhook = createStripeWebhook({ ...options, repo: events });
  const fulfilment = createFulfilment({
    ...{ db, repo: checkouts, mirrorRepo: repo, ledger, findings, audit, clock, waySaved },
    mirrorSubscription: (id) => mirror.sync("subscription", id),
  });
  const mirror = createMirror({
    ...{ stripe, db, repo, events, checkouts, findings, letters, clock, addOverage, declined },
    invoices: createInvoiceEffects({ repo, letters, billing: options.billing, isRecorded: options.isRecorded }),
    moneyBack: createMoneyBackEffects({ repo, ledger, letters, findings, audit, clock }),
    fulfil: fulfilment.fulfil,
  });
  const reconcile = createReconcile({
    ...{ stripe, db, repo: createReconcileRepo(db), events, findings, mirror, webhook, ledger, mail, clock, log },
    ...{ publicUrl, supportEmail },
  });
  const trials = createTrialReminders({ db, repo: createTrialsRepo(db), letters, clock });
  return {
    async invoicePage(id) {
      const row = await repo.invoice(db.read, id);
      if (row === undefined || row.hostedUrl === null || row.number === null) return undefined;
      const { number, words, total, currency, hostedUrl: url } = row;
      const state = row.status === "paid" || row.status === "open" ? row.status : "closed";
      return { number, words, amount: total, currency, state, url };
    },
    webhook,
    mirror: { ...mirror, fulfil: (session) => fulfilment.fulfil(session) },
    reconcile,
    jobs: { [MIRROR_JOB]: mirror.job, ...reconcile.jobs, ...trials.jobs },
    schedules: [...reconcile.schedules, ...trials.schedules],
  };
}
