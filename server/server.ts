/** Composition: listen → keys → database → services → app. Everything is made here and passed in; nothing is global. */

import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import type { PhoneId } from "../shared/ids.ts";
import { PHONE_REASON_WORDS, type Phone } from "../shared/phones.ts";
import { POLICY } from "../shared/policy/policy-v1.ts";
import { type AccountServices, createAccountServices } from "./accounts/compose.ts";
import { createPageLinks } from "./accounts/page-links.ts";
import { createAppRouter } from "./app.router.ts";
import { type AppEnv, createApp } from "./app.ts";
import { createAudit } from "./audit/audit.repo.ts";
import { activitySweep } from "./audit/pruning.repo.ts";
import type { Automations } from "./automations/compose.ts";
import { removeOldBackups } from "./backup/backup.ts";
import type { Clock } from "./clock.ts";
import { createFlowParts } from "./compose-flows.ts";
import type { Config } from "./config.ts";
import type { Database } from "./db/database.ts";
import { createEvents } from "./events/events.repo.ts";
import { createDoors } from "./http/guards.ts";
import { startListening } from "./http/listener.ts";
import { createPages } from "./http/pages/pages.ts";
import { createRefusals } from "./http/refusals.ts";
import { securityHeaders } from "./http/security-headers.ts";
import { createJobsRepo } from "./jobs/jobs.repo.ts";
import { createJobs, slotOf } from "./jobs/jobs.service.ts";
import { deriveKey } from "./keys.ts";
import { createIdempotency } from "./limits/idempotency.ts";
import { createLimitsRepo } from "./limits/limits.repo.ts";
import { createRateLimiter } from "./limits/rate-limiter.ts";
import { errorFields, type Log } from "./log.ts";
import { openDatabase, recordKeyChange } from "./open-database.ts";
import type { PhoneDriver } from "./phones/driver.ts";
import { createWebDriver } from "./phones/drivers/web/driver.ts";
import { startEgressProxy } from "./phones/drivers/web/egress/proxy.ts";
import { createPhoneLifecycle, type LifecycleListener, type PhoneLifecycle } from "./phones/phone-lifecycle.ts";
import { createPhonesRepo } from "./phones/phones.repo.ts";
import { createPhonesService } from "./phones/phones.service.ts";
import { createPrivacyServices, placeOf } from "./privacy/compose.ts";
import { createErasureParts } from "./privacy/erasure/compose.ts";
import { createExportParts, createImportParts, EXPORT_SCHEDULES } from "./privacy/export/compose.ts";
import { metricsSweep } from "./privacy/metrics/metrics.repo.ts";
import { createStopWork, STOP_JOB } from "./privacy/preferences/stop-work.ts";
import type { Outbound } from "./privacy/processors/outbound.ts";
import { demandAgreements } from "./privacy/processors/processors.ts";
import { readRegister } from "./privacy/processors/processors-file.ts";
import { createRequestParts } from "./privacy/requests/compose.ts";
import { assertBudget } from "./privacy/retention/budget.ts";
import { createInactivityRepo } from "./privacy/retention/inactivity.repo.ts";
import { createInactivity } from "./privacy/retention/inactivity.service.ts";
import { createRetention, SWEEP_EVERY_MS, SWEEP_JOB } from "./privacy/retention/retention.service.ts";
import { createTrustServices } from "./privacy/trust/compose.ts";
import type { Scheduler } from "./rules/scheduler.ts";
import { createScreenService, type ScreenService } from "./screen/screen.service.ts";
import { attachScreenSocket } from "./screen/screen.socket.ts";
import { createTickets } from "./screen/tickets.repo.ts";
import type { WebhooksService } from "./webhooks/webhooks.service.ts";

const MB = 1024 * 1024;
const MINUTE_MS = 60_000;
const LIFECYCLE_TICK_MS = 5_000;
const SWEEPS = { kind: SWEEP_JOB, everyMs: SWEEP_EVERY_MS };

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  /** A one-time link that makes the first account; undefined when there is one. */
  readonly setupUrl: string | undefined;
  readonly accounts: AccountServices;
  readonly db: Database;
  readonly driver: PhoneDriver;
  readonly screen: ScreenService;
  readonly lifecycle: PhoneLifecycle;
  readonly automations: Automations;
  readonly scheduler: Scheduler;
  readonly webhooks: WebhooksService;
  /** Tells sockets why, parks phones with their state, finishes jobs, closes the database. */
  close(): Promise<void>;
}

export interface ServerOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  /** The wall around this process, where one stands. */
  readonly outbound?: Outbound;
  /** Replaces the web driver. For tests that need no browser. */
  readonly driver?: PhoneDriver;
}

export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { config, clock, log } = options;
  const register = readRegister(config);
  demandAgreements(register, config.publicUrl);
  assertBudget({ backupDays: config.BACKUP_DAYS, processors: register });
  let serve: ReturnType<typeof getRequestListener> | undefined;
  const secure = config.publicUrl.protocol === "https:";
  const starting = { ...Object.fromEntries(securityHeaders(secure)), "Content-Type": "text/plain", "Retry-After": "1" };
  const listening = await startListening({
    host: config.HOST,
    port: config.PORT,
    certificate: config.certificate,
    log,
    serve(request, response) {
      if (serve !== undefined) void serve(request, response);
      else response.writeHead(503, starting).end("Perch is starting.");
    },
  });
  const { http, port } = listening;
  const publicUrl = config.PORT === 0 ? new URL(`${config.publicUrl.protocol}//localhost:${port}`) : config.publicUrl;
  const opened = await openDatabase(config).catch(async (error: unknown) => {
    await listening.close();
    throw error;
  });
  const { db, master } = opened;

  const auditKey = deriveKey(master, "audit heads");
  const audit = createAudit(db, clock, auditKey);
  await recordKeyChange(opened, audit, "finished at the start of the server");
  const events = createEvents(db, clock);
  const limitsRepo = createLimitsRepo(db);
  const limiter = createRateLimiter({ clock, repo: limitsRepo, key: deriveKey(master, "rate limits") });
  const jobsRepo = createJobsRepo(db, clock);
  const jobs = createJobs({
    db,
    repo: jobsRepo,
    clock,
    log,
    node: `node-${process.pid}`,
    singleNode: db.engine === "sqlite",
  });
  const doors = createDoors({ publicUrl, port, extensionIds: config.EXTENSION_IDS });
  const accounts = createAccountServices({
    db,
    audit,
    limiter,
    jobs,
    clock,
    config,
    publicUrl,
    key: deriveKey(master, "mail"),
    abuseKey: deriveKey(master, "abuse signals"),
    factorsKey: deriveKey(master, "second factors"),
    uninstallKey: deriveKey(master, "uninstall links"),
  });

  const driver =
    options.driver ??
    (await createWebDriver({
      dataDir: config.DATA_DIR,
      key: deriveKey(master, "phone profiles"),
      ...(config.CHROME_PATH !== undefined && { chromePath: config.CHROME_PATH }),
      sandbox: config.PHONE_SANDBOX === "on",
      clock,
      log,
      egress: () => startEgressProxy({ allow: config.EGRESS_ALLOW, log, ownPorts: () => [port] }),
      limits: { memoryBytes: config.PHONE_MEMORY_MB * MB, diskBytes: config.PHONE_DISK_MB * MB },
      spares: config.WARM_PHONES,
    }));
  const drivers = new Map([[driver.kind, driver]]);
  const phonesRepo = createPhonesRepo(db);
  const idempotency = createIdempotency({ clock, repo: limitsRepo });
  let listener: LifecycleListener = { ended() {}, idleWarning() {} };
  const lifecycle = createPhoneLifecycle({
    db,
    repo: phonesRepo,
    drivers,
    events,
    audit,
    clock,
    log,
    limits: { idleMs: config.IDLE_MINUTES * MINUTE_MS, longestSessionMs: config.LONGEST_SESSION_MINUTES * MINUTE_MS },
    listener: () => listener,
  });
  const phones = createPhonesService({
    db,
    repo: phonesRepo,
    drivers,
    lifecycle,
    events,
    audit,
    idempotency,
    gate: accounts.judge,
    clock,
    limits: {
      perTeam: config.PHONES_PER_TEAM,
      runningPerTeam: config.RUNNING_PER_TEAM,
      runningOnMachine: config.RUNNING_PHONES,
      movingOnMachine: config.MOVING_PHONES,
    },
  });
  const { automations, rules, webhooks, looks, recordings, recordingsFeed } = createFlowParts({
    ...{ db, master, config, clock, log, audit, events, idempotency, limiter, driver },
    ...{ phones, phonesRepo, lifecycle, port, publicUrl },
    memberships: accounts.memberships,
  });
  const tickets = createTickets(db, clock);
  const screen = createScreenService({
    phones: {
      screen: (id: PhoneId) => lifecycle.runningDriver(id).screen(id),
      input: async (id, input) => lifecycle.runningDriver(id).input(id, input),
      rotate: (id) => lifecycle.rotate(id, "viewer"),
      clipboardWrite: async (id, value) => lifecycle.runningDriver(id).clipboard.write(id, value),
      onEvent: (on) => driver.onEvent(on),
    },
    tickets,
    clock,
    log,
    publicUrl: publicUrl.href,
    onInput: (id) => lifecycle.used(id),
    onPresence(id, { teamId, userId }, presence) {
      db.tx((tx) => audit.record(tx, { chain: teamId, actor: userId, action: `phone.${presence}`, object: id })).catch(
        (error: unknown) => log.error("Who is at a phone was not recorded", errorFields(error)),
      );
    },
    tap: recordings.tap,
  });
  listener = {
    ended(id, state, reason) {
      recordings
        .phoneEnded(id, PHONE_REASON_WORDS[reason])
        .catch((error: unknown) => log.error("A recording was not paused", errorFields(error)));
      if (reason === "server_stopped") screen.closePhone(id, "server_stopping");
      else
        screen.closePhone(id, state === "parked" || state === "removed" ? state : "failed", PHONE_REASON_WORDS[reason]);
    },
    idleWarning: (id, at) => screen.idleWarning(id, at),
  };
  accounts.sessions.onEnded((id) => screen.closeSession(id));
  accounts.accessChanges.onChanged((change) => screen.accessChanged(change));
  accounts.rightsLost.endRunsWith((tx, by, userId) => automations.runs.cancelAllOf(tx, by, userId));

  const withController = (phone: Phone): Phone => {
    const controlledBy = screen.controllerName(phone.id);
    return controlledBy === undefined ? phone : { ...phone, controlledBy };
  };
  const asked = createRequestParts({
    ...{ db, accounts, audit, jobs, limiter, clock, log, publicUrl, supportEmail: config.SUPPORT_EMAIL },
    ...{ receiptsKey: deriveKey(master, "receipts"), linksKey: deriveKey(master, "receipt links") },
  });
  /** Nothing stays open behind a server that does not start. */
  const orClose = async <T>(work: () => T | Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      await Promise.allSettled([listening.close(), driver.close()]);
      await db.close();
      throw error;
    }
  };
  const erasure = await orClose(() =>
    createErasureParts({
      ...{ db, master, config, clock, log, audit, jobs, accounts, drivers, lifecycle, publicUrl },
      ...{ requests: asked.requests, receipts: asked.receipts, runs: automations.runs },
    }),
  );
  asked.requests.startWith({ delete: erasure.erasures.start });
  const copies = createExportParts({
    ...{ db, clock, audit, jobs, mail: accounts.mail, publicUrl, folder: config.DATA_DIR },
    key: deriveKey(master, "exports"),
    sources: { readArtifact: automations.readArtifact, phoneFiles: driver.files },
    ...{ processors: register, policy: POLICY, place: placeOf(db), requests: asked.requests },
    receipts: async (userId) =>
      (await asked.requests.list(userId)).flatMap(({ number, receipt }) =>
        receipt ? [{ name: number, receipt }] : [],
      ),
  });
  asked.requests.startWith({ export: copies.startFor });
  const imports = createImportParts({
    ...{ db, clock, audit, lifecycle, events },
    phonesPerTeam: config.PHONES_PER_TEAM,
  });
  const inactivity = createInactivity({
    ...{ db, repo: createInactivityRepo(db), mail: accounts.mail, page: createPageLinks(publicUrl) },
    months: config.INACTIVE_MONTHS,
    askForErasure: erasure.erasures.startUnasked,
  });
  const privacy = createPrivacyServices({
    ...{ db, config, publicUrl, audit, jobs, clock, log, asked },
    ...{ mail: accounts.mail, outbound: options.outbound, erasures: erasure.erasures, exports: copies, inactivity },
    deskKey: deriveKey(master, "operator desk"),
  });
  const trust = createTrustServices({ ...{ db, audit, clock, config }, ...privacy });
  const router = createAppRouter({
    account: accounts,
    sessions: accounts,
    tokens: accounts.apiTokens,
    teams: accounts,
    audit: accounts.activity,
    phones: {
      ...phones,
      list: async (scope) => (await phones.list(scope)).map(withController),
      get: async (scope, id) => withController(await phones.get(scope, id)),
      openUrl: (scope, id, url) => {
        recordings.opened(scope.userId, id, url);
        return phones.openUrl(scope, id, url);
      },
    },
    screen,
    flows: automations.flows,
    looks,
    runs: automations.runs,
    secrets: automations.secrets,
    rules: rules.rules,
    webhooks,
    workspaces: automations.workspaces,
    suites: automations.suites,
    recordings,
    privacy,
  });
  const retention = createRetention({
    ...{ db, clock, log },
    own: [
      { name: "sessions that ran out", batch: (_now, limit) => accounts.sessions.endExpired(limit) },
      activitySweep(db, auditKey, config.REGION),
      automations.contents,
      metricsSweep(db),
      inactivity.sweep,
    ],
  });
  let sweptAt: number | undefined;
  const sweep = async (signal?: AbortSignal) => {
    const startedAt = clock.now();
    const count = await retention.sweep(signal);
    await automations.removeOrphans();
    sweptAt = startedAt;
    return count;
  };
  /** After a long stop nobody is served what should be gone by now. */
  const sweepOverdue = async () => {
    const last = await jobsRepo.lastDone(SWEEP_JOB);
    if (last !== undefined && clock.now() - last.getTime() <= SWEEP_EVERY_MS) return;
    const count = await sweep();
    if (count > 0) log.info("What had outlived its rule while the server was off is gone", { count });
  };
  let stopping = false;
  const refusals = createRefusals({ log, clock });
  const app = createApp({
    router,
    doors,
    sessions: accounts.sessions,
    accessChanges: accounts.accessChanges,
    phones,
    runs: automations.runs,
    webhooks,
    workspaces: automations.workspaces,
    suites: automations.suites,
    ...{ copies, imports },
    pages: new Hono<AppEnv>().route(
      "/",
      createPages({
        ...{ ...accounts, ...trust, register, erasures: erasure.erasures },
        asked: { ...asked, held: privacy.privacy.held },
        ...{ copies, imports },
        ...{ clock, log, limiter, refusals, publicUrl, supportEmail: config.SUPPORT_EMAIL },
        ...{ policy: privacy.policy, desk: privacy.desk, processors: privacy.processorViews },
      }),
    ),
    clock,
    log,
    refusals,
    limiter,
    trustedProxies: config.TRUSTED_PROXIES,
    notReady: () => (stopping ? "The server is stopping." : undefined),
    async metrics() {
      const { viewers, framesSent, framesDropped, inputsIgnored } = screen.counts();
      const running = await phonesRepo.inStatesAnywhere(["running"]);
      const mail = await accounts.mail.counts();
      const lines = {
        phones_running: running.length,
        phones_moving: driver.movingPhones(),
        viewers,
        frames_sent: framesSent,
        frames_dropped: framesDropped,
        inputs_ignored: inputsIgnored,
        mail_waiting: mail.waiting,
        mail_failed: mail.failed,
      };
      return Object.entries(lines)
        .map(([name, value]) => `# TYPE perch_${name} gauge\nperch_${name} ${value}\n`)
        .join("");
    },
  });
  await orClose(erasure.replay);
  await sweepOverdue();
  serve = getRequestListener(app.fetch);
  const detachScreen = attachScreenSocket({
    server: http,
    screen,
    originAllowed: doors.extensionOrigin,
    hostAllowed: doors.hostAllowed,
    secure,
    log,
  });
  await jobs.start(
    {
      ...accounts.jobs,
      ...trust.jobs,
      ...asked.jobs,
      ...erasure.jobs,
      ...copies.jobs,
      [STOP_JOB]: createStopWork({
        ...{ db, teams: accounts.memberships, changes: accounts.accessChanges },
        ...{ runs: automations.runs, phones },
      }),
      ...privacy.jobs,
      async [SWEEP_JOB](_input, { signal }) {
        // The sweep before the first request was that of this hour.
        if (sweptAt !== undefined && sweptAt >= slotOf(SWEEPS, clock.now())) return;
        await sweep(signal);
      },
      "backups.sweep": async () => {
        await removeOldBackups(config, clock, config.backupDir);
      },
    },
    [
      SWEEPS,
      { kind: "backups.sweep", everyMs: 60 * MINUTE_MS },
      ...trust.schedules,
      ...asked.schedules,
      ...erasure.schedules,
      ...EXPORT_SCHEDULES,
      ...privacy.schedules,
    ],
  );
  await recordings.recover();
  const recovering = lifecycle
    .recover()
    .catch((error: unknown) => log.error("Recovery of phones failed", errorFields(error)))
    .then(() => automations.start())
    .then(() => rules.scheduler.start())
    .catch((error: unknown) => log.error("Recovery of runs failed", errorFields(error)));
  const ticking = setInterval(() => {
    lifecycle.tick().catch((error: unknown) => log.error("Looking after phones failed", errorFields(error)));
  }, LIFECYCLE_TICK_MS);
  const setupUrl = await accounts.accounts.issueSetupLink();

  let closed: Promise<void> | undefined;
  return {
    url: publicUrl.origin,
    port,
    setupUrl,
    accounts,
    db,
    driver,
    screen,
    lifecycle,
    automations,
    scheduler: rules.scheduler,
    webhooks,
    close() {
      closed ??= (async () => {
        stopping = true;
        clearInterval(ticking);
        await recovering;
        detachScreen();
        screen.closeAll("server_stopping");
        events.close();
        await rules.scheduler.close();
        await recordings.close();
        recordingsFeed.close();
        await automations.close();
        await lifecycle.close();
        screen.close();
        await driver.close();
        await jobs.stop();
        accounts.close();
        await listening.close();
        await db.close();
      })();
      return closed;
    },
  };
}
