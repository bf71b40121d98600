/** Everything we ask of Stripe, put together. */
import type { TeamId } from "../../../shared/ids.ts";
import type { Audit } from "../../audit/audit.repo.ts";
import type { Clock } from "../../clock.ts";
import type { Config } from "../../config.ts";
import type { Database, Writer } from "../../db/database.ts";
import type { JobHandler, Jobs, Schedule } from "../../jobs/jobs.service.ts";
import type { RateLimiter } from "../../limits/rate-limiter.ts";
import type { Log } from "../../log.ts";
import type { ProcessorErasure } from "../../privacy/erasure/purge-stores.ts";
import { NOBODY_PAYS, type ProRataRefunds } from "../../privacy/policy/policy.service.ts";
import { nobodyToTell, type TellProcessors } from "../../privacy/processors/tell-processors.ts";
import type { Purchases } from "../billing.router.ts";
import type { Ledger } from "../ports.ts";
import { type SyncResult, syncCatalogue } from "./catalogue-sync.ts";
import { checkoutCall, expireCall } from "./checkout.ts";
import { createCheckouts } from "./checkouts.service.ts";
import { createCustomers, customerCalls } from "./customers.ts";
import { createMirrorRepo } from "./mirror.repo.ts";
import { createOverage, OVERAGE_REST_JOB, type Overage, overageCall } from "./overage.ts";
import { portalCall } from "./portal.ts";
import { createProRata, leavingCall } from "./pro-rata.ts";
import { createPurchasesRepo, type PurchasesRepo } from "./purchases.repo.ts";
import { createPurchases, noPurchases } from "./purchases.service.ts";
import { createRefunds, refundCall } from "./refunds.service.ts";
import { createWaySaved, savedWayCall, type WaySaved } from "./saved-way.ts";
import { createCallsRepo } from "./stripe-calls.repo.ts";
import { createStripeCalls, knownCall, type StripeCalls } from "./stripe-calls.ts";
import type { StripeAccess } from "./stripe-client.ts";
import { createStripeErasure, createTeamCloses, type TeamCloses } from "./stripe-erasure.ts";
import type { StripeMirror } from "./stripe-ports.ts";
import { createSubscriptions, subscriptionCalls } from "./subscriptions.service.ts";
import { createSinkJobs, stripeMeter } from "./usage-sink.ts";

const DAY_MS = 24 * 3_600_000;

export interface StripeParts {
  readonly purchases: Purchases;
  /** What is left out where no bills are sent. */
  readonly asking:
    | {
        readonly calls: StripeCalls;
        readonly overage: Overage;
        readonly waySaved: WaySaved;
        syncCatalogue(dryRun?: boolean): Promise<SyncResult>;
      }
    | undefined;
  /** Corrected names and addresses reach Stripe. */
  readonly tell: TellProcessors;
  /** Ends what is paid for, in the transaction that closes a team. */
  readonly closes: TeamCloses;
  /** What was paid ahead is given back to who does not agree with a new policy. */
  readonly proRata: ProRataRefunds;
  /** What a person paid and used; left out where nobody is billed. */
  readonly paidBy: PurchasesRepo["paidBy"] | undefined;
  /** Of the real Stripe alone; what the sandbox holds is in our own tables. */
  readonly erasure: ProcessorErasure | undefined;
  readonly jobs: Readonly<Record<string, JobHandler>>;
  readonly schedules: readonly Schedule[];
}

export function createStripeParts(options: {
  access: StripeAccess | undefined;
  db: Database;
  ledger: Pick<Ledger, "balance" | "debit" | "credit" | "overage">;
  /** Writes what a team's phones ran until now. */
  settle: (tx: Writer, teamId: TeamId) => Promise<unknown>;
  /** Of those who read Stripe; asked for when something was read. */
  mirror: () => StripeMirror;
  jobs: Pick<Jobs, "enqueue" | "wake">;
  limiter: Pick<RateLimiter, "take">;
  audit: Pick<Audit, "record">;
  clock: Clock;
  log: Log;
  config: Pick<Config, "STRIPE_TAX" | "STRIPE_METER" | "PHONE_DISK_MB">;
  publicUrl: URL;
}): StripeParts {
  const { access, db, ledger, jobs, limiter, audit, clock, log, config, publicUrl } = options;
  if (access === undefined) return noStripe();
  const { stripe, mode } = access;
  const repo = createPurchasesRepo(db);
  const tax = config.STRIPE_TAX === "on";
  const mirror: StripeMirror = {
    fulfil: (session, at) => options.mirror().fulfil(session, at),
    subscription: (subscription, at) => options.mirror().subscription(subscription, at),
  };
  const kinds = {
    customer: customerCalls({ stripe, db, repo }),
    checkout: checkoutCall({ stripe, repo, row: (id) => repo.checkout(db.read, id), publicUrl, tax }),
    expire: expireCall({ stripe, repo }),
    subscription: subscriptionCalls({ stripe }),
    refund: refundCall({ stripe, repo, ledger, clock }),
    overage: overageCall({ stripe, tax }),
    savedWay: savedWayCall({ stripe }),
    portal: portalCall({ stripe, publicUrl }),
    leaving: leavingCall({ stripe }),
  };
  const { create, update, close } = kinds.customer;
  const calls = createStripeCalls({
    ...{ db, repo: createCallsRepo(db), jobs, clock, log },
    kinds: [
      ...[knownCall(create), knownCall(update), knownCall(close), knownCall(kinds.checkout), knownCall(kinds.expire)],
      ...[knownCall(kinds.subscription.change), knownCall(kinds.subscription.act), knownCall(kinds.refund)],
      ...[knownCall(kinds.overage), knownCall(kinds.portal), knownCall(kinds.savedWay), knownCall(kinds.leaving)],
    ],
  });
  const customers = createCustomers({ db, repo, calls, kinds: kinds.customer, clock });
  const common = { db, repo, stripe, calls, mirror, audit, clock };
  const meter =
    config.STRIPE_METER === undefined
      ? { jobs: {}, schedules: [] }
      : createSinkJobs({ sink: stripeMeter(stripe, config.STRIPE_METER), hoursOfUse: repo.hoursOfUse, clock });
  const overage = createOverage({ ...common, kind: kinds.overage, ledger });
  return {
    purchases: createPurchases({
      ...{ db, repo, calls, audit, portalKind: kinds.portal },
      checkouts: createCheckouts({ ...common, kinds, customers, limiter }),
      subscriptions: createSubscriptions({ ...common, kinds: kinds.subscription, phoneDiskMb: config.PHONE_DISK_MB }),
      refunds: createRefunds({ ...common, kind: kinds.refund, ledger, settle: options.settle }),
    }),
    asking: {
      calls,
      waySaved: createWaySaved({ repo, calls, kind: kinds.savedWay }),
      overage,
      syncCatalogue: (dryRun = false) => syncCatalogue(stripe, { dryRun }),
    },
    tell: customers.tell,
    paidBy: repo.paidBy,
    closes: createTeamCloses({ repo, calls, kinds: kinds.customer }),
    proRata: createProRata({ repo: createMirrorRepo(db), calls, kind: kinds.leaving, audit, clock }),
    erasure: mode === "stripe" ? createStripeErasure({ db, stripe, repo, clock }) : undefined,
    jobs: { ...calls.jobs, ...meter.jobs, [OVERAGE_REST_JOB]: overage.rest },
    schedules: [...calls.schedules, ...meter.schedules, { kind: OVERAGE_REST_JOB, everyMs: DAY_MS }],
  };
}

/** For a server that sends no bills. */
export function noStripe(): StripeParts {
  return {
    ...{
      purchases: noPurchases(),
      asking: undefined,
      tell: nobodyToTell,
      closes: async () => {},
      proRata: NOBODY_PAYS,
    },
    ...{ paidBy: undefined, erasure: undefined, jobs: {}, schedules: [] },
  };
}
