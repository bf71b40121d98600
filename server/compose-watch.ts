/** What watches the server: its figures, its traces, and whether it is fit to serve. */
import { join } from "node:path";
import { PRODUCT_VERSION } from "../shared/version.ts";
import type { Backups } from "./backup/backups.service.ts";
import type { BillingParts } from "./billing/compose.ts";
import { type Clock, type Monotonic, systemMonotonic } from "./clock.ts";
import type { Config } from "./config.ts";
import type { Database } from "./db/database.ts";
import { type ServingState, serverChecks } from "./health/checks.ts";
import { createHealthRepo } from "./health/health.repo.ts";
import type { HealthRoutesOptions } from "./health/health-routes.ts";
import { outsideChecks } from "./health/outside.ts";
import { createReadiness } from "./health/readiness.ts";
import type { JobsRepo } from "./jobs/jobs.repo.ts";
import type { Log } from "./log.ts";
import type { Mail } from "./mail/mail.service.ts";
import { exposition } from "./metrics/exposition.ts";
import { gauges } from "./metrics/gauges.ts";
import { createMeters, type Meters, watchLoop } from "./metrics/meters.ts";
import { observeDatabase } from "./metrics/observed-database.ts";
import { projectRoot } from "./paths.ts";
import type { Drivers } from "./phones/drivers.ts";
import type { PhonesRepo } from "./phones/phones.repo.ts";
import type { ScreenService } from "./screen/screen.service.ts";
import { type Tracing, untraced } from "./tracing/tracing.ts";

export interface Watch {
  readonly meters: Meters;
  readonly tracing: Tracing;
  readonly monotonic: Monotonic;
  /** The database as everything but this file sees it. */
  observe(db: Database): Database;
  /** Transactions that run and wait. */
  transactions(): { readonly running: number; readonly waiting: number };
  stop(): Promise<void>;
}

/** What traces are made with is loaded only where somebody collects them. */
export async function startWatch(options: {
  config: Config;
  log: Log;
  monotonic?: Monotonic | undefined;
}): Promise<Watch> {
  const { config, log, monotonic = systemMonotonic } = options;
  const endpoint = config.OTEL_EXPORTER_OTLP_ENDPOINT;
  const tracing =
    endpoint === undefined ? untraced : (await import("./tracing/otel.ts")).startTracing({ endpoint, log });
  const meters = createMeters();
  const stopLooking = watchLoop(meters, monotonic);
  let transactions = () => ({ running: 0, waiting: 0 });
  return {
    ...{ meters, tracing, monotonic },
    observe(db) {
      const observed = observeDatabase(db, { meters, monotonic, tracing });
      transactions = observed.counts;
      return observed.db;
    },
    transactions: () => transactions(),
    async stop() {
      stopLooking();
      await tracing.close();
    },
  };
}

export function createHealthParts(options: {
  watch: Watch;
  db: Database;
  config: Config;
  clock: Clock;
  /** Names this process. */
  who: string;
  state: () => ServingState;
  drivers: Drivers;
  phonesRepo: PhonesRepo;
  jobsRepo: JobsRepo;
  mail: Mail;
  screen: ScreenService;
  billing: BillingParts;
  backups: Pick<Backups, "finding">;
  meterLagMs: () => number | undefined;
}): HealthRoutesOptions {
  const { watch, db, config, clock, drivers, phonesRepo, jobsRepo, mail, screen, billing } = options;
  const { meters, monotonic } = watch;
  const startedAt = clock.now();
  const since = (at: Date | undefined) => (at === undefined ? 0 : Math.max(0, clock.now() - at.getTime()));
  /** Mail that stays on this machine is not late. */
  const mailLagMs = async () => (mail.staysLocal ? 0 : since(await mail.oldestWaiting()));
  const readiness = createReadiness({
    monotonic,
    checks: {
      ...serverChecks({
        ...{ repo: createHealthRepo(db), clock, who: options.who, state: options.state, dataDir: config.DATA_DIR },
        migrationsFolder: join(projectRoot(), "migrations", db.engine),
        drivers: () => drivers.all.map((driver) => ({ kind: driver.kind, running: driver.runningPhones().size })),
        mailLagMs: mail.staysLocal ? undefined : mailLagMs,
        backups: options.backups.finding,
      }),
      ...outsideChecks(config, clock, { monotonic }),
    },
  });
  const now = () =>
    gauges({
      ...{ version: PRODUCT_VERSION, startedAt, now: clock.now, meterLagMs: options.meterLagMs },
      phones: phonesRepo.countsAnywhere,
      unreachablePhones: phonesRepo.unreachableAnywhere,
      phonesHere: () => ({ running: drivers.runningPhones().size, moving: drivers.movingPhones() }),
      screens: () => screen.counts(),
      jobs: async () => ({ counts: await jobsRepo.counts(), overdueMs: since(await jobsRepo.oldestDue()) }),
      mail: async () => {
        const { waiting, failed } = await mail.counts();
        return { waiting, failed, lagMs: await mailLagMs() };
      },
      billing: () => billing.gauges(),
      transactions: watch.transactions,
      pool: () => db.connections?.(),
    });
  return {
    readiness,
    metrics: async () => exposition([...(await now()), ...meters.families()]),
    metricsToken: config.METRICS_TOKEN,
    about: { engine: db.engine, startedAt },
  };
}
