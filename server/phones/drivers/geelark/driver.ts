/**
 * Phones at the cloud-phone partner GeeLark: made, started and wiped through its HTTP interface, driven over ADB like every
 * other Android. What happens there is polled; its webhooks only say when to look.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../../../clock.ts";
import type { Database } from "../../../db/database.ts";
import type { JobHandler, Jobs, Schedule } from "../../../jobs/jobs.service.ts";
import type { Log } from "../../../log.ts";
import { traced } from "../../../tracing/traced.ts";
import { type Tracing, untraced } from "../../../tracing/tracing.ts";
import type { PhoneDriver } from "../../driver.ts";
import { type AndroidParts, createAndroidDriver } from "../adb/compose.ts";
import { dialOwn } from "../adb/connect/dial-device.ts";
import { loginEndpoint } from "../adb/connect/endpoints.ts";
import type { AdbKeys } from "../adb/connect/keys.ts";
import type { AdbEndpoint } from "../adb/ports.ts";
import type { GeelarkAccess } from "./access.ts";
import { type AdbData, createGeelarkApi, type GeelarkApi } from "./api.ts";
import type { AndroidVersion, Region } from "./catalogue.ts";
import { createChargesPuller } from "./charges.ts";
import { createGeelarkRepo, type GeelarkRepo } from "./geelark.repo.ts";
import { createGeelarkSource, type GeelarkSource } from "./geelark-source.ts";
import { createCallLimiter } from "./limiter.ts";
import { createMarks } from "./marks.ts";
import { createReconciler, type Reconciler } from "./reconciler.ts";
import { createTransport } from "./transport.ts";
import { createVendorPhones, PACE, type Pace, type Pause } from "./vendor-phones.ts";
import { createGeelarkWebhook, type GeelarkWebhook, LOOK_JOB } from "./webhook.ts";

export { GEELARK_WEBHOOK_PATH, MAX_HINT_BYTES } from "./webhook.ts";

const SWEEP_JOB = "geelark.sweep";
export const CHARGES_JOB = "geelark.charges";
const SECOND_MS = 1_000;

/** As the configuration says it. */
export interface GeelarkConfig {
  readonly access: GeelarkAccess;
  readonly versions: readonly AndroidVersion[];
  readonly region: Region | undefined;
  /** The number of a proxy saved at the partner, or the address of one: it makes no phone without. */
  readonly proxy: string;
}

export interface GeelarkParts {
  readonly driver: PhoneDriver;
  /** Takes what the partner tells. */
  readonly webhook: GeelarkWebhook;
  readonly jobs: Readonly<Record<string, JobHandler>>;
  readonly schedules: readonly Schedule[];
}

type Connect = (words: string, find: (signal: AbortSignal) => Promise<AdbData>) => AdbEndpoint;

interface Common {
  readonly geelark: GeelarkConfig;
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  /** Replaces waiting. For tests of clocks that are set. */
  readonly tracing?: Tracing;
  readonly pause?: Pause;
}

export interface GeelarkDriverOptions extends Common {
  readonly jobs: Pick<Jobs, "enqueue" | "wake">;
  /** Tells this server's phones at the partner from another one's; the same after every start. */
  readonly mark: string;
  /** What the generic driver of Androids is made of. */
  readonly android: AndroidParts;
  /** Makes videos of recordings, where this server can. */
  readonly encodeVideo?: NonNullable<PhoneDriver["encodeVideo"]>;
}

export const waited: Pause = async (ms, signal) => void (await delay(ms, undefined, { signal }));

/** The partner's interface alone, as an admin command asks it. */
export function openGeelark({ geelark, db, clock, log, tracing = untraced, pause = waited }: Common): {
  readonly api: GeelarkApi;
  readonly repo: GeelarkRepo;
  close(): void;
} {
  const repo = createGeelarkRepo(db);
  const transport = traced(tracing, createTransport(geelark.access.base), {
    ...{ name: "geelark", attributes: { "peer.service": "geelark" }, methods: ["post"] },
  });
  const api = createGeelarkApi({
    ...{ access: geelark.access, transport, limiter: createCallLimiter(clock), clock, log, pause },
    locks: { until: repo.lockedUntil, lock: (path, until) => db.tx((tx) => repo.lock(tx, path, until)) },
  });
  return { api, repo, close: transport.close };
}

/** The source with what looks after it. */
export function createGeelarkCore(
  options: Omit<GeelarkDriverOptions, "android" | "jobs"> & { readonly connect: Connect; readonly pace?: Pace },
): { readonly source: GeelarkSource; readonly reconciler: Reconciler } & ReturnType<typeof openGeelark> {
  const { geelark, db, clock, log, connect, pause = waited, pace = PACE } = options;
  const { api, repo, close } = openGeelark(options);
  const there = createVendorPhones({ api, clock, pause, pace });
  const marks = createMarks(options.mark);
  const { versions, region, proxy, access } = geelark;
  const inner = createGeelarkSource({
    ...{ api, there, repo, marks, db, clock, log, pause, connect },
    ...{ base: access.base, versions, region, proxy },
  });
  const source: GeelarkSource = {
    ...inner,
    async close() {
      await inner.close();
      close();
    },
  };
  const reconciler = createReconciler({ api, there, source, repo, marks, db, clock, log });
  return { source, reconciler, api, repo, close };
}

/** ADB at an address that was judged before, behind `glogin <password>`. */
export function partnerEndpoint(keys: AdbKeys): Connect {
  const dial = dialOwn();
  return (words, find) => ({
    words,
    async open(signal) {
      const { password, ...to } = await find(signal);
      return loginEndpoint(to, { form: "glogin", password }, keys, dial).open(signal);
    },
  });
}

export function createGeelarkDriver(options: GeelarkDriverOptions): GeelarkParts {
  const { geelark, db, jobs, clock, log, android, encodeVideo } = options;
  const { source, reconciler, api, repo } = createGeelarkCore({ ...options, connect: partnerEndpoint(android.keys) });
  const puller = createChargesPuller({ api, repo, db, clock, log });
  return {
    driver: createAndroidDriver(android, {
      ...{ kind: "geelark", sources: [source] },
      ...(encodeVideo !== undefined && { encodeVideo }),
    }),
    webhook: createGeelarkWebhook({ access: geelark.access, repo, db, jobs, clock }),
    jobs: {
      [LOOK_JOB]: () => reconciler.look(),
      [SWEEP_JOB]: () => reconciler.sweep(),
      [CHARGES_JOB]: async (_input, context) => void (await puller.pull(context)),
    },
    schedules: [
      { kind: LOOK_JOB, everyMs: 30 * SECOND_MS },
      { kind: SWEEP_JOB, everyMs: 15 * 60 * SECOND_MS },
      { kind: CHARGES_JOB, everyMs: 60 * 60 * SECOND_MS },
    ],
  };
}
