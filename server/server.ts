/** Composition: listen → keys → database → services → app. Everything is made here and passed in; nothing is global. */

import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { createAccountServices } from "./accounts/compose.ts";
import { createAnnouncementsRepo } from "./announcements/announcements.repo.ts";
import { createAnnouncements } from "./announcements/announcements.service.ts";
import { createAppRouter } from "./app.router.ts";
import { type AppEnv, createApp } from "./app.ts";
import { createAudit } from "./audit/audit.repo.ts";
import { createBackups } from "./backup/backups.service.ts";
import { type BillingParts, type Books, createBillingParts, createCounting } from "./billing/compose.ts";
import { sandboxSecretOf } from "./billing/compose-sandbox.ts";
import { SANDBOX_PATH } from "./billing/sandbox/sandbox.ts";
import { createFlowParts } from "./compose-flows.ts";
import { createNodeParts } from "./compose-nodes.ts";
import { createOperatorSeat } from "./compose-operator.ts";
import { createPhoneParts, createScreenParts, openDrivers, withControllers } from "./compose-phones.ts";
import { createRightsParts } from "./compose-rights.ts";
import { createHealthParts, startWatch } from "./compose-watch.ts";
import { createEvents } from "./events/events.repo.ts";
import { createFaultsRepo } from "./faults/faults.repo.ts";
import { countFaults } from "./faults/faults.service.ts";
import { checkBucket, openBlobs } from "./files/compose.ts";
import { createSignedLinks } from "./files/signed-links.ts";
import { createDoors } from "./http/guards.ts";
import { startListening } from "./http/listener.ts";
import type { PagesEnv } from "./http/pages/page-context.ts";
import { createPages } from "./http/pages/pages.ts";
import { createRefusals } from "./http/refusals.ts";
import { securityHeaders } from "./http/security-headers.ts";
import { trustedProxies } from "./http/trusted-proxies.ts";
import { createJobsRepo } from "./jobs/jobs.repo.ts";
import { createJobs } from "./jobs/jobs.service.ts";
import { deriveKey } from "./keys.ts";
import { createIdempotency } from "./limits/idempotency.ts";
import { createLimitsRepo } from "./limits/limits.repo.ts";
import { createRateLimiter } from "./limits/rate-limiter.ts";
import { errorFields } from "./log.ts";
import { joinNodes } from "./nodes/join.ts";
import { LEASE } from "./nodes/lease.ts";
import { createRunClaims } from "./nodes/run-claims.ts";
import { recordKeyChange } from "./open-database.ts";
import { openWhenThere } from "./open-when-there.ts";
import { operatorJobs } from "./operator/stop-phone.ts";
import { createDrivers } from "./phones/drivers.ts";
import { createPhoneCopiesRepo } from "./phones/phone-copies.repo.ts";
import { createPhoneCopies, NO_COPIES } from "./phones/phone-copies.ts";
import { type LifecycleListener, NOBODY_LISTENS } from "./phones/phone-life-parts.ts";
import { NO_ARCHIVE } from "./phones/profile-archive.ts";
import { demandAgreements } from "./privacy/processors/processors.ts";
import { readRegister } from "./privacy/processors/processors-file.ts";
import { assertBudget } from "./privacy/retention/budget.ts";
import type { RunningServer, ServerOptions } from "./running-server.ts";
import type { ScreenService } from "./screen/screen.service.ts";
import { attachScreenSocket, createScreenDoor } from "./screen/screen.socket.ts";
import { tracedDriver, tracedJobs } from "./tracing/traced.ts";

const LIFECYCLE_TICK_MS = 5_000;

export type { RunningServer, ServerOptions } from "./running-server.ts";

export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { config, clock } = options;
  const faults = countFaults(options.log, clock);
  const { log } = faults;
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
  const opened = await openWhenThere(config, { clock, log }).catch(async (error: unknown) => {
    await listening.close();
    throw error;
  });
  const watch = await startWatch({ config, log, monotonic: options.monotonic });
  const { tracing, meters, monotonic } = watch;
  const { master } = opened;
  const db = watch.observe(opened.db);
  faults.start(db, createFaultsRepo(db));
  const joined = await joinNodes({ db, config, clock, log, monotonic, times: options.lease ?? LEASE }).catch(
    async (error: unknown) => {
      await listening.close();
      await db.close();
      throw error;
    },
  );
  const { membership } = joined;
  const audit = createAudit(db, clock, deriveKey(master, "audit heads"));
  await recordKeyChange(opened, audit, "finished at the start of the server");
  const events = createEvents(db, clock);
  const limitsRepo = createLimitsRepo(db);
  const limiter = createRateLimiter({ clock, repo: limitsRepo, key: deriveKey(master, "rate limits") });
  const claims = createRunClaims(db, membership, joined.repo);
  const jobsRepo = createJobsRepo(db, clock);
  const jobs = createJobs({
    db,
    repo: jobsRepo,
    clock,
    log,
    node: membership.id,
    singleNode: membership.alone,
    others: () => claims.others(),
    mayAct: membership.mayAct,
  });
  const doors = createDoors({ publicUrl, port, extensionIds: config.EXTENSION_IDS });
  /** Made of accounts, and asked by them. */
  const late: {
    billing?: BillingParts;
    books?: Books;
    flows?: ReturnType<typeof createFlowParts>;
    screen?: ScreenService;
    rights?: ReturnType<typeof createRightsParts>;
  } = {};
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
    log,
    tellProcessors: (tx, correction) => late.billing?.tell(tx, correction) ?? Promise.resolve(),
    seatsOf: async (tx, teamId) =>
      (await late.books?.entitlements.of(tx, teamId, new Date(clock.now())))?.seats ?? Number.POSITIVE_INFINITY,
    teamCloses: (tx, teamId) => late.billing?.closes(tx, teamId) ?? Promise.resolve(),
    paidBy: async (tx, userId) => late.billing?.paidBy?.(tx, userId),
  });

  const links = createSignedLinks({ key: deriveKey(master, "file links"), clock, publicUrl });
  const blobs = openBlobs({ config, clock, links });
  await checkBucket(blobs, log).catch(async (error: unknown) => {
    await listening.close();
    await membership.stop();
    await db.close();
    throw error;
  });
  const {
    drivers,
    geelark,
    archive: keeper,
  } = options.driver === undefined
    ? await openDrivers({ db, master, config, audit, jobs, clock, log, port, tracing, blobs })
    : { drivers: createDrivers([tracedDriver(tracing, options.driver)]), geelark: undefined, archive: undefined };
  const archive = options.archive ?? keeper ?? NO_ARCHIVE;
  const idempotency = createIdempotency({ clock, repo: limitsRepo });
  const counting = createCounting({
    ...{ db, audit, clock, config, log, publicUrl, mail: accounts.mail },
    monotonic,
    recordsKey: deriveKey(master, "billing records"),
    ...{ node: membership.id, boot: membership.boot, alive: () => drivers.runningPhones() },
    others: () => claims.others(),
  });
  const { metering } = counting;
  late.books = counting;
  let listener: LifecycleListener = NOBODY_LISTENS;
  const copies = membership.alone
    ? undefined
    : createPhoneCopies({
        ...{ repo: createPhoneCopiesRepo(db), membership, clock, log, read: db.read },
        ask: (node, ids) => nodes.anywhere.leave(node, ids),
        leave: (ids) => lifecycle.leave(ids),
      });
  const { phonesRepo, lifecycle, phones, uploads } = createPhoneParts({
    ...{ db, master, config, clock, log, audit, events, idempotency, drivers, metering, blobs },
    node: membership,
    gate: accounts.judge,
    ...{ archive, copies: copies ?? NO_COPIES, listener: () => listener },
  });
  const nodes = createNodeParts(joined, {
    ...{ db, config, clock, monotonic, log, audit, events, metering, drivers, phonesRepo, lifecycle, phones, archive },
    ...{
      copies: copies ?? NO_COPIES,
      uploads,
      listener: () => listener,
      flows: () => late.flows,
      screen: () => late.screen,
      erased: (entry) => late.rights?.erasedElsewhere(entry),
      clearFiles: async (of) => late.rights?.clearFiles(of),
    },
  });
  const phonesAnywhere = nodes.phonesOf(phones);
  const refusals = createRefusals({ log, clock });
  const billing = createBillingParts(counting, {
    ...{ tracing, refusals, db, config, audit, jobs, limiter, clock, log, publicUrl, mail: accounts.mail },
    phones: phonesAnywhere,
    sandboxSecret: sandboxSecretOf(master),
    declined: accounts.cardDeclined,
  });
  late.billing = billing;
  const flows = createFlowParts({
    ...{ claims, node: membership, launch: phonesAnywhere.launch },
    ...{ db, master, config, clock, log, audit, events, idempotency, limiter, drivers },
    ...{ phones, phonesRepo, lifecycle, port, publicUrl, blobs, links },
    memberships: accounts.memberships,
  });
  late.flows = flows;
  const { automations, rules, webhooks, looks, recordings, recordingsFeed } = flows;
  const { screen, ...watched } = createScreenParts({
    ...{ db, clock, log, audit, publicUrl, drivers, lifecycle, recordings, uploads },
  });
  listener = watched.listener;
  late.screen = screen;
  accounts.sessions.onEnded((id) => screen.closeSession(id));
  accounts.accessChanges.onChanged((change) => screen.accessChanged(change));
  accounts.rightsLost.endRunsWith((tx, by, userId) => automations.runs.cancelAllOf(tx, by, userId));

  /** Nothing stays open behind a server that does not start. */
  const orClose = async <T>(work: () => T | Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      await Promise.allSettled([listening.close(), drivers.close(), joined.door?.listener.close()]);
      await membership.stop();
      await faults.stop();
      await db.close();
      throw error;
    }
  };
  const rights = await orClose(() =>
    createRightsParts({
      ...{ db, master, config, clock, log, audit, jobs, jobsRepo, limiter, events, publicUrl, register, accounts },
      ...{ automations, drivers, uploads, blobs, archive: keeper, lifecycle },
      ...{ outbound: options.outbound, stripe: billing, phones: phonesAnywhere, anywhere: nodes.anywhere },
      nodes: copies && {
        copies,
        tell: nodes.anywhere.erased,
        clearFiles: nodes.anywhere.clearFiles,
        some: membership.hasOthers,
      },
    }),
  );
  late.rights = rights;
  const { privacy } = rights;
  const announcements = createAnnouncements({ db, repo: createAnnouncementsRepo(db), audit, clock });
  const router = createAppRouter({
    announcements,
    account: accounts,
    sessions: accounts,
    tokens: accounts.apiTokens,
    teams: accounts,
    audit: accounts.activity,
    phones: {
      ...phones,
      ...withControllers(phones, screen, nodes.anywhere.controllers),
      openUrl: (scope, id, url) => {
        recordings.opened(scope.userId, id, url);
        return phones.openUrl(scope, id, url);
      },
    },
    uploads,
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
    ...billing.services,
  });
  const backups = createBackups({ db, config, clock, log, node: membership.name });
  let stopping = false;
  let meterLagMs = (): number | undefined => undefined;
  const health = createHealthParts({
    ...{ watch, db, config, clock, who: membership.id, drivers, phonesRepo, jobsRepo, screen, billing, backups },
    ...{
      mail: accounts.mail,
      state: () => (stopping ? "stopping" : membership.isDraining() ? "draining" : "serving"),
      meterLagMs: () => meterLagMs(),
    },
  });
  const operator = createOperatorSeat({
    ...{ db, master, config, clock, log, publicUrl, accounts, books: counting, jobsRepo, phonesRepo, backups },
    readiness: health.readiness,
  });
  const app = createApp({
    router,
    doors,
    sessions: accounts.sessions,
    accessChanges: accounts.accessChanges,
    phones,
    uploads,
    runs: automations.runs,
    webhooks,
    workspaces: automations.workspaces,
    suites: automations.suites,
    files: { links, read: automations.readArtifactAt },
    ...{ copies: rights.copies, imports: rights.imports },
    stripeWebhook: billing.webhook,
    partnerWebhook: geelark?.webhook,
    pages: new Hono<AppEnv>().route(SANDBOX_PATH, billing.sandbox?.pages ?? new Hono<PagesEnv>()).route(
      "/",
      createPages({
        ...{ ...accounts, ...rights.forPages },
        ...{ clock, log, limiter, refusals, publicUrl, supportEmail: config.SUPPORT_EMAIL },
        ...{ invoicePage: billing.invoicePage, operator, announcements },
      }),
    ),
    clock,
    log,
    refusals,
    limiter,
    trustedProxies: trustedProxies(config.TRUSTED_PROXIES),
    health,
    ...{ meters, tracing },
    ...{ forwarding: nodes.forwarding, peerRequests: nodes.peerRequests, onlyNodes: config.ROLE === "host" },
  });
  await orClose(async () => accounts.identityElsewhere?.demandUsable());
  await orClose(rights.beforeServing);
  await orClose(backups.start);
  serve = getRequestListener(app.fetch);
  const door = { screen, originAllowed: doors.extensionOrigin, hostAllowed: doors.hostAllowed, secure, log };
  const detachScreen =
    config.ROLE === "host"
      ? () => {}
      : attachScreenSocket({ server: http, ...door, ...(nodes.screenProxy && { proxy: nodes.screenProxy }) });
  // Another node has judged the name the caller came by.
  nodes.serve(serve, createScreenDoor({ ...door, hostAllowed: () => true }));
  await jobs.start(
    tracedJobs(tracing, {
      ...accounts.jobs,
      ...rights.jobs,
      ...billing.jobs,
      ...geelark?.jobs,
      ...backups.jobs,
      ...operatorJobs(nodes.anywhere.park),
    }),
    [
      ...backups.schedules,
      ...accounts.schedules,
      ...rights.schedules,
      ...billing.schedules,
      ...(geelark?.schedules ?? []),
    ],
  );
  await billing.start();
  await recordings.recover();
  const meter = counting.meter(lifecycle);
  await meter.start();
  meterLagMs = meter.lagMs;
  const recovering = lifecycle
    .recover()
    .catch((error: unknown) => log.error("Recovery of phones failed", errorFields(error)))
    .then(() => uploads.recover())
    .catch((error: unknown) => log.error("Recovery of uploads failed", errorFields(error)))
    .then(() => automations.start())
    .then(() => rules.scheduler.start())
    .catch((error: unknown) => log.error("Recovery of runs failed", errorFields(error)));
  nodes.start(recovering);
  const ticking = setInterval(() => {
    lifecycle.tick().catch((error: unknown) => log.error("Looking after phones failed", errorFields(error)));
    uploads.tick().catch((error: unknown) => log.error("Looking after uploads failed", errorFields(error)));
    keeper?.tick().catch((error: unknown) => log.error("Looking after archives failed", errorFields(error)));
  }, LIFECYCLE_TICK_MS);
  const setupUrl = await accounts.accounts.issueSetupLink();

  let closed: Promise<void> | undefined;
  return {
    url: publicUrl.origin,
    port,
    setupUrl,
    accounts,
    db,
    drivers,
    screen,
    lifecycle,
    automations,
    scheduler: rules.scheduler,
    webhooks,
    billing,
    membership,
    backups,
    ...{ drain: nodes.drain, drained: nodes.drained },
    close() {
      closed ??= (async () => {
        stopping = true;
        clearInterval(ticking);
        backups.stop();
        await recovering;
        detachScreen();
        screen.closeAll("server_stopping");
        events.close();
        await rules.scheduler.close();
        await recordings.close();
        recordingsFeed.close();
        await automations.close();
        await uploads.close();
        await lifecycle.close();
        await meter.stop();
        await billing.stop();
        screen.close();
        await drivers.close();
        await jobs.stop();
        accounts.close();
        await listening.close();
        await nodes.close();
        await membership.stop();
        await watch.stop();
        await faults.stop();
        await db.close();
      })();
      return closed;
    },
  };
}
