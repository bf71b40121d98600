/** The drivers of the kinds of phones this server has: web phones, Androids, and a partner's where it is set up. */
import type { Audit } from "./audit/audit.repo.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import type { Database } from "./db/database.ts";
import type { Jobs } from "./jobs/jobs.service.ts";
import { deriveKey } from "./keys.ts";
import type { Log } from "./log.ts";
import { createAndroidDriver, createAndroidParts, createDeviceSource } from "./phones/drivers/adb/compose.ts";
import { createContainers } from "./phones/drivers/adb/containers/compose.ts";
import { createGeelarkDriver, type GeelarkParts } from "./phones/drivers/geelark/driver.ts";
import { createWebDriver } from "./phones/drivers/web/driver.ts";
import { startEgressProxy } from "./phones/drivers/web/egress/proxy.ts";
import { createDrivers, type Drivers } from "./phones/drivers.ts";

const MB = 1024 * 1024;

export interface DriversOptions {
  readonly db: Database;
  /** Keys are derived from it. */
  readonly master: Buffer;
  readonly config: Config;
  readonly audit: Audit;
  readonly jobs: Pick<Jobs, "enqueue" | "wake">;
  readonly clock: Clock;
  readonly log: Log;
  /** Of this server; phones do not reach it. */
  readonly port: number;
}

export interface OpenDrivers {
  readonly drivers: Drivers;
  /** What else the partner needs: its webhook and its jobs. */
  readonly geelark: Omit<GeelarkParts, "driver"> | undefined;
}

/** Those of the kinds that are set up. Connects to nothing yet. */
export async function openDrivers(options: DriversOptions): Promise<OpenDrivers> {
  const { db, master, config, audit, jobs, clock, log, port } = options;
  const web = await createWebDriver({
    dataDir: config.DATA_DIR,
    key: deriveKey(master, "phone profiles"),
    ...(config.CHROME_PATH !== undefined && { chromePath: config.CHROME_PATH }),
    sandbox: config.PHONE_SANDBOX === "on",
    clock,
    log,
    egress: () => startEgressProxy({ allow: config.EGRESS_ALLOW, log, ownPorts: () => [port] }),
    limits: { memoryBytes: config.PHONE_MEMORY_MB * MB, diskBytes: config.PHONE_DISK_MB * MB },
    spares: config.WARM_PHONES,
  });
  const android = createAndroidParts({ config, db, audit, clock, log, key: deriveKey(master, "adb key") });
  const containers = await createContainers({
    ...android,
    key: deriveKey(master, "phone containers"),
    serverPort: port,
  });
  const adb = createAndroidDriver(android, {
    kind: "adb",
    sources: [createDeviceSource(android), ...(containers === undefined ? [] : [containers])],
    ...(web.encodeVideo !== undefined && { encodeVideo: web.encodeVideo.bind(web) }),
  });
  const geelark =
    config.geelark &&
    createGeelarkDriver({
      ...{ geelark: config.geelark, db, jobs, clock, log, android },
      mark: deriveKey(master, "partner mark").toString("hex").slice(0, 16),
    });
  return { drivers: createDrivers([web, adb, ...(geelark === undefined ? [] : [geelark.driver])]), geelark };
}
