/** Erasure on a real database without a server around it: for tests on both engines. */

import { join } from "node:path";
import type { ErasureId, TeamId, UserId } from "../../../shared/ids.ts";
import { createAccountServices } from "../../accounts/compose.ts";
import { createAudit } from "../../audit/audit.repo.ts";
import { FREE_METERING } from "../../billing/usage/testing/free-metering.ts";
import { ManualClock } from "../../clock.ts";
import { parseConfig } from "../../config.ts";
import type { Database } from "../../db/database.ts";
import { createEvents } from "../../events/events.repo.ts";
import { type Blobs, openBlobs } from "../../files/compose.ts";
import { createJobsRepo } from "../../jobs/jobs.repo.ts";
import { createJobs } from "../../jobs/jobs.service.ts";
import { deriveKey } from "../../keys.ts";
import { createLog } from "../../log.ts";
import { ALONE } from "../../nodes/testing/alone.ts";
import { createDrivers } from "../../phones/drivers.ts";
import { NO_COPIES } from "../../phones/phone-copies.ts";
import { NOBODY_LISTENS } from "../../phones/phone-life-parts.ts";
import { createPhoneLifecycle } from "../../phones/phone-lifecycle.ts";
import { createPhonesRepo } from "../../phones/phones.repo.ts";
import { NO_ARCHIVE } from "../../phones/profile-archive.ts";
import { FakeDriver } from "../../phones/testing/fake-driver.ts";
import type { Actor } from "../../teams/team-scope.ts";
import { createRequestParts } from "../requests/compose.ts";
import { createErasureParts } from "./compose.ts";
import { PURGE_JOB } from "./erasures.service.ts";
import type { PurgeOptions } from "./purge.ts";

export interface ErasureBench {
  readonly clock: ManualClock;
  readonly driver: FakeDriver;
  readonly lines: string[];
}

/** What goes on in memory begins anew with each call; the database, the folder and the phones stay. */
export function erasureBench(
  db: Database,
  options: {
    folder: string;
    master: Buffer;
    kept?: ErasureBench;
    smtpUrl?: string;
    processors?: PurgeOptions["processors"];
    blobs?: Blobs;
  },
) {
  const { folder, master } = options;
  const clock = options.kept?.clock ?? new ManualClock();
  const driver = options.kept?.driver ?? new FakeDriver();
  const lines = options.kept?.lines ?? [];
  const log = createLog({ clock, write: (line) => lines.push(line) });
  const env = { DATA_DIR: join(folder, "data"), ...(options.smtpUrl !== undefined && { SMTP_URL: options.smtpUrl }) };
  const config = parseConfig(env);
  const { publicUrl } = config;
  const audit = createAudit(db, clock, deriveKey(master, "audit heads"));
  const jobs = createJobs({
    ...{ db, repo: createJobsRepo(db, clock), clock, log, node: "bench", singleNode: true },
  });
  const limiter = { take: async () => {}, takeOfNetwork() {} };
  const accounts = createAccountServices({
    ...{ db, audit, limiter, jobs, clock, config, publicUrl },
    key: deriveKey(master, "mail"),
    abuseKey: deriveKey(master, "abuse signals"),
    uninstallKey: deriveKey(master, "uninstall links"),
    factorsKey: deriveKey(master, "second factors"),
  });
  const drivers = createDrivers([driver]);
  const events = createEvents(db, clock);
  const lifecycle = createPhoneLifecycle({
    ...{ db, repo: createPhonesRepo(db), drivers, events, audit, clock, log },
    limits: { idleMs: 1e9, longestSessionMs: 1e9 },
    metering: FREE_METERING,
    node: ALONE,
    archive: NO_ARCHIVE,
    copies: NO_COPIES,
    listener: () => NOBODY_LISTENS,
  });
  const asked = createRequestParts({
    ...{ db, accounts, audit, jobs, limiter, clock, log, publicUrl },
    ...{ receiptsKey: deriveKey(master, "receipts"), linksKey: deriveKey(master, "receipt links") },
  });
  const parts = createErasureParts({
    ...{ db, master, config, clock, log, audit, jobs, accounts, drivers, publicUrl },
    phones: {
      remove: (row) => lifecycle.remove(row, "server"),
      isAbsent: async (row) => (await drivers.of(row.driver)?.state(row.id)) === "absent",
    },
    ...{ requests: asked.requests, receipts: asked.receipts, blobs: options.blobs ?? openBlobs({ config, clock }) },
    ...{ runs: { cancelAllOf: async () => () => {} } },
    ...(options.processors && { processors: options.processors }),
  });
  const purge = (erasureId: ErasureId) =>
    parts.jobs[PURGE_JOB]?.(
      { erasureId },
      {
        ...{ signal: new AbortController().signal, progress: null, idempotencyKey: "", isLastAttempt: false, log },
        saveProgress: async () => {},
        finish: (work) => db.tx(work),
      },
    );
  return { ...parts, ...{ purge, clock, driver, lines, audit, accounts, asked, config, lifecycle } };
}
export type ErasureWorld = ReturnType<typeof erasureBench>;

/** The person's own session, fresh. */
export function actorOf(person: { userId: UserId; teamId: TeamId }, sessionId: string, clock: ManualClock): Actor {
  return {
    credential: { kind: "session", id: sessionId as never, web: false },
    ...{ userId: person.userId, teamId: person.teamId, role: "owner", scopes: ["privacy"] },
    ...{ authenticatedAt: new Date(clock.now()), method: "password", lacksSecondFactor: false, standing: "active" },
    expiresAt: new Date(clock.now() + 1e9),
  };
}
