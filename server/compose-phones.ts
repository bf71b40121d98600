/** What does phones: the drivers of the kinds this server has, their life, what people do with them, and their screens. */
import { statfs } from "node:fs/promises";
import type { PhoneId } from "../shared/ids.ts";
import { PHONE_REASON_WORDS, type Phone } from "../shared/phones.ts";
import type { AccountServices } from "./accounts/compose.ts";
import type { Audit } from "./audit/audit.repo.ts";
import type { Metering } from "./billing/ports.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import type { Database } from "./db/database.ts";
import type { Events } from "./events/events.repo.ts";
import type { Blobs } from "./files/compose.ts";
import { createPutting } from "./files/upload-putting.ts";
import { createUploadStore } from "./files/upload-store.ts";
import { createUploadsRepo } from "./files/uploads.repo.ts";
import { createUploads, type Uploads } from "./files/uploads.service.ts";
import type { Jobs } from "./jobs/jobs.service.ts";
import { deriveKey } from "./keys.ts";
import type { Idempotency } from "./limits/idempotency.ts";
import { errorFields, type Log } from "./log.ts";
import { createAndroidDriver, createAndroidParts, createDeviceSource } from "./phones/drivers/adb/compose.ts";
import { createContainers } from "./phones/drivers/adb/containers/compose.ts";
import { createElsewhere } from "./phones/drivers/elsewhere.ts";
import { createGeelarkDriver, type GeelarkParts } from "./phones/drivers/geelark/driver.ts";
import { createWebDriver } from "./phones/drivers/web/driver.ts";
import { startEgressProxy } from "./phones/drivers/web/egress/proxy.ts";
import { createDrivers, type Drivers } from "./phones/drivers.ts";
import { createPhoneArchivesRepo } from "./phones/phone-archives.repo.ts";
import type { PhoneCopies } from "./phones/phone-copies.ts";
import type { LifecycleListener } from "./phones/phone-life-parts.ts";
import { createPhoneLifecycle, type PhoneLifecycle } from "./phones/phone-lifecycle.ts";
import { createPhonesRepo } from "./phones/phones.repo.ts";
import { createPhonesService, type PhonesService } from "./phones/phones.service.ts";
import { ownerOf, type PhonesNode } from "./phones/phones-node.ts";
import { type ArchiveKeeper, createProfileArchive, type ProfileArchive } from "./phones/profile-archive.ts";
import type { Recordings } from "./recordings/recordings.service.ts";
import { createScreenService, type ScreenService } from "./screen/screen.service.ts";
import { createTickets } from "./screen/tickets.repo.ts";
import { tracedDriver } from "./tracing/traced.ts";
import type { Tracing } from "./tracing/tracing.ts";

const MB = 1024 * 1024;
const MINUTE_MS = 60_000;

export interface DriversOptions {
  readonly db: Database;
  /** Keys are derived from it. */
  readonly master: Buffer;
  readonly config: Config;
  readonly audit: Audit;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly log: Log;
  /** Of this server; phones do not reach it. */
  readonly port: number;
  readonly tracing: Tracing;
  readonly blobs: Pick<Blobs, "phones">;
}

/** Those of the kinds that are set up; devices and hosts are registered while the server runs, so `adb` always is. */
export async function openDrivers(options: DriversOptions): Promise<{
  readonly drivers: Drivers;
  readonly geelark: GeelarkParts | undefined;
  /** Where parked web phones go; undefined without a bucket. */
  readonly archive: ArchiveKeeper | undefined;
}> {
  const { db, master, config, audit, jobs, clock, log, port, tracing } = options;
  const shelf = options.blobs.phones;
  let archive: ArchiveKeeper | undefined;
  const openWeb = () =>
    createWebDriver({
      dataDir: config.DATA_DIR,
      key: deriveKey(master, "phone profiles"),
      ...(config.CHROME_PATH !== undefined && { chromePath: config.CHROME_PATH }),
      sandbox: config.PHONE_SANDBOX === "on",
      clock,
      log,
      egress: () => startEgressProxy({ allow: config.EGRESS_ALLOW, log, ownPorts: () => [port] }),
      limits: { memoryBytes: config.PHONE_MEMORY_MB * MB, diskBytes: config.PHONE_DISK_MB * MB },
      spares: config.WARM_PHONES,
      ...(shelf !== undefined && {
        archive: (parked) => {
          const repo = createPhoneArchivesRepo(db);
          archive = createProfileArchive({
            ...{ db, repo, shelf, parked, key: deriveKey(master, "phone archives"), clock, log },
          });
          return archive;
        },
      }),
    });
  const web = config.ROLE === "api" ? createElsewhere() : await openWeb();
  const encodeVideo = web.encodeVideo?.bind(web);
  const videos = encodeVideo && { encodeVideo };
  const android = createAndroidParts({ config, db, audit, clock, log, key: deriveKey(master, "adb key") });
  const containers = await createContainers({
    ...android,
    key: deriveKey(master, "phone containers"),
    serverPort: port,
  });
  const sources = [createDeviceSource(android), ...(containers === undefined ? [] : [containers])];
  const adb = createAndroidDriver(android, { kind: "adb", sources, ...videos });
  const geelark =
    config.geelark &&
    createGeelarkDriver({
      ...{ geelark: config.geelark, db, jobs, clock, log, android, tracing, ...videos },
      mark: deriveKey(master, "partner mark").toString("hex"),
    });
  const all = [web, adb, ...(geelark === undefined ? [] : [geelark.driver])];
  return { drivers: createDrivers(all.map((driver) => tracedDriver(tracing, driver))), geelark, archive };
}

export function createPhoneParts(options: {
  db: Database;
  /** Keys are derived from it. */
  master: Buffer;
  config: Config;
  clock: Clock;
  log: Log;
  audit: Audit;
  events: Events;
  idempotency: Idempotency;
  drivers: Drivers;
  gate: AccountServices["judge"];
  metering: Metering;
  node: PhonesNode;
  archive: ProfileArchive;
  copies: PhoneCopies;
  blobs: Blobs;
  /** Told what the screens need to know. */
  listener: () => LifecycleListener;
}) {
  const { db, config, drivers, events, audit, metering, clock, node } = options;
  const phonesRepo = createPhonesRepo(db);
  const lifecycle = createPhoneLifecycle({
    ...{ db, repo: phonesRepo, drivers, events, audit, clock, metering, node },
    log: options.log,
    archive: options.archive,
    copies: options.copies,
    limits: { idleMs: config.IDLE_MINUTES * MINUTE_MS, longestSessionMs: config.LONGEST_SESSION_MINUTES * MINUTE_MS },
    listener: options.listener,
  });
  const phones = createPhonesService({
    ...{ db, repo: phonesRepo, drivers, lifecycle, events, audit, metering, clock, node },
    idempotency: options.idempotency,
    gate: options.gate,
    limits: {
      perTeam: config.PHONES_PER_TEAM ?? Number.POSITIVE_INFINITY,
      runningPerTeam: config.RUNNING_PER_TEAM ?? Number.POSITIVE_INFINITY,
      runningOnMachine: config.ROLE === "api" ? 0 : config.RUNNING_PHONES,
      movingOnMachine: config.MOVING_PHONES,
    },
  });
  const uploadsRepo = createUploadsRepo(db);
  const store = createUploadStore({ shelf: options.blobs.uploads, key: deriveKey(options.master, "uploads") });
  const putting = createPutting({
    ...{ db, repo: uploadsRepo, store, phones: phonesRepo, lifecycle, audit, clock, log: options.log },
  });
  const uploads = createUploads({
    ...{ db, repo: uploadsRepo, store, putting, phones, lifecycle, clock, log: options.log },
    node: ownerOf(node),
    room: async () => {
      if (options.blobs.bucket !== undefined) return Number.POSITIVE_INFINITY;
      const { bavail, bsize } = await statfs(config.DATA_DIR);
      return bavail * bsize;
    },
  });
  return { phonesRepo, lifecycle, phones, uploads };
}

/** The screens of the phones, and what a phone's life means for them. */
export function createScreenParts(options: {
  db: Database;
  clock: Clock;
  log: Log;
  audit: Audit;
  publicUrl: URL;
  drivers: Drivers;
  lifecycle: PhoneLifecycle;
  recordings: Pick<Recordings, "tap" | "phoneEnded">;
  uploads: Pick<Uploads, "phoneRemoved">;
}): { screen: ScreenService; listener: LifecycleListener } {
  const { db, clock, log, audit, drivers, lifecycle, recordings } = options;
  const screen = createScreenService({
    phones: {
      screen: (id: PhoneId) => lifecycle.runningDriver(id).screen(id),
      input: async (id, input) => lifecycle.runningDriver(id).input(id, input),
      rotate: (id) => lifecycle.rotate(id, "viewer"),
      clipboardWrite: async (id, value) => lifecycle.runningDriver(id).clipboard.write(id, value),
      onEvent: (on) => drivers.onEvent(on),
    },
    tickets: createTickets(db, clock),
    clock,
    log,
    publicUrl: options.publicUrl.href,
    onInput: (id) => lifecycle.used(id),
    onPresence(id, { teamId, userId }, presence) {
      db.tx((tx) => audit.record(tx, { chain: teamId, actor: userId, action: `phone.${presence}`, object: id })).catch(
        (error: unknown) => log.error("Who is at a phone was not recorded", errorFields(error)),
      );
    },
    tap: recordings.tap,
  });
  const listener: LifecycleListener = {
    ended(id, state, reason) {
      if (state === "removed") {
        options.uploads
          .phoneRemoved(id)
          .catch((error: unknown) => log.error("Files for a removed phone were not removed", errorFields(error)));
      }
      recordings
        .phoneEnded(id, PHONE_REASON_WORDS[reason])
        .catch((error: unknown) => log.error("A recording was not paused", errorFields(error)));
      if (reason === "server_stopped") screen.closePhone(id, "server_stopping");
      else
        screen.closePhone(id, state === "parked" || state === "removed" ? state : "failed", PHONE_REASON_WORDS[reason]);
    },
    unreachable: (id, words) => screen.unreachable(id, words),
    reachable: (id) => screen.reachable(id),
    idleWarning: (id, at) => screen.idleWarning(id, at),
    coverWarning: (id, at) => screen.coverWarning(id, at),
  };
  return { screen, listener };
}

/** The phones as members see them: with who drives each. */
export function withControllers(
  phones: PhonesService,
  screen: ScreenService,
  /** Those at phones of other nodes, as far as they say it at once. */
  elsewhere: (running: readonly PhoneId[]) => Promise<ReadonlyMap<PhoneId, string>>,
): Pick<PhonesService, "list" | "get"> {
  const withController = (phone: Phone, name: string | undefined): Phone =>
    name === undefined ? phone : { ...phone, controlledBy: name };
  return {
    async list(scope) {
      const all = await phones.list(scope);
      const names = await elsewhere(all.flatMap(({ id, state }) => (state === "running" ? [id] : [])));
      return all.map((phone) => withController(phone, screen.controllerName(phone.id) ?? names.get(phone.id)));
    },
    get: async (scope, id) => withController(await phones.get(scope, id), screen.controllerName(id)),
  };
}
