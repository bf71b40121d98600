/** What keeps the privacy policy: requests, deletion, copies, retention, the desks of the operator, and `/trust`. */
import { POLICY } from "../shared/policy/policy-v1.ts";
import type { AccountServices } from "./accounts/compose.ts";
import { createPageLinks } from "./accounts/page-links.ts";
import type { Audit } from "./audit/audit.repo.ts";
import { activitySweep } from "./audit/pruning.repo.ts";
import type { Automations } from "./automations/compose.ts";
import type { BillingParts } from "./billing/compose.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import type { Database } from "./db/database.ts";
import type { Events } from "./events/events.repo.ts";
import type { Blobs } from "./files/compose.ts";
import type { Uploads } from "./files/uploads.service.ts";
import type { JobsRepo } from "./jobs/jobs.repo.ts";
import { type JobHandler, type Jobs, slotOf } from "./jobs/jobs.service.ts";
import { deriveKey } from "./keys.ts";
import type { RateLimiter } from "./limits/rate-limiter.ts";
import { errorFields, type Log } from "./log.ts";
import type { PhonesAnywhere } from "./nodes/phone-calls.ts";
import type { Drivers } from "./phones/drivers.ts";
import type { PhoneLifecycle } from "./phones/phone-lifecycle.ts";
import type { PhonesService } from "./phones/phones.service.ts";
import type { ArchiveKeeper } from "./phones/profile-archive.ts";
import { createPrivacyServices, placeOf } from "./privacy/compose.ts";
import { createErasureParts, type ErasureNodes } from "./privacy/erasure/compose.ts";
import type { ProcessorErasure } from "./privacy/erasure/purge-stores.ts";
import { createExportParts, createImportParts, EXPORT_SCHEDULES } from "./privacy/export/compose.ts";
import { metricsSweep } from "./privacy/metrics/metrics.repo.ts";
import { createStopWork, STOP_JOB } from "./privacy/preferences/stop-work.ts";
import type { Outbound } from "./privacy/processors/outbound.ts";
import type { Processor } from "./privacy/processors/processors.ts";
import { createRequestParts } from "./privacy/requests/compose.ts";
import { createInactivityRepo } from "./privacy/retention/inactivity.repo.ts";
import { createInactivity } from "./privacy/retention/inactivity.service.ts";
import { createRetention, SWEEP_EVERY_MS, SWEEP_JOB } from "./privacy/retention/retention.service.ts";
import { createTrustServices } from "./privacy/trust/compose.ts";

/** What is written for longer than this was begun by a server that is gone. */
const HALF_LASTS_MS = 24 * 3_600_000;
const SWEEPS = { kind: SWEEP_JOB, everyMs: SWEEP_EVERY_MS };

export interface RightsPartsOptions {
  readonly db: Database;
  /** Keys are derived from it. */
  readonly master: Buffer;
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: Audit;
  readonly jobs: Jobs;
  readonly jobsRepo: Pick<JobsRepo, "lastDone">;
  readonly limiter: RateLimiter;
  readonly events: Events;
  readonly publicUrl: URL;
  readonly register: readonly Processor[];
  readonly outbound: Outbound | undefined;
  readonly accounts: AccountServices;
  readonly automations: Automations;
  readonly drivers: Drivers;
  readonly phones: PhonesService;
  readonly uploads: Pick<Uploads, "removeOrphans">;
  readonly blobs: Blobs;
  readonly archive: Pick<ArchiveKeeper, "removeOrphans"> | undefined;
  readonly lifecycle: PhoneLifecycle;
  readonly anywhere: PhonesAnywhere;
  /** Undefined where the server is one process. */
  readonly nodes: ErasureNodes | undefined;
  /** What Stripe has to forget, what closing a team ends there, and what goes back to who leaves. */
  readonly stripe: Pick<BillingParts, "closes" | "erasure" | "proRata">;
}

/** What the provider of sign-in has to forget, where it is not this server itself. */
function identityErasure({ identityElsewhere: elsewhere }: AccountServices): ProcessorErasure | undefined {
  return (
    elsewhere && {
      id: "supabase",
      async erase({ userId }) {
        await elsewhere.erase(userId);
        return { state: "gone" };
      },
    }
  );
}

export function createRightsParts(options: RightsPartsOptions) {
  const { db, master, config, clock, log, audit, jobs, limiter, events, publicUrl, register, accounts } = options;
  const { automations, drivers, phones, lifecycle, anywhere } = options;
  const asked = createRequestParts({
    ...{ db, accounts, audit, jobs, limiter, clock, log, publicUrl, supportEmail: config.SUPPORT_EMAIL },
    ...{ receiptsKey: deriveKey(master, "receipts"), linksKey: deriveKey(master, "receipt links") },
  });
  const erasure = createErasureParts({
    ...{ db, master, config, clock, log, audit, jobs, accounts, drivers, publicUrl },
    phones: { remove: (row) => anywhere.remove(row, "server"), isAbsent: anywhere.isAbsent },
    nodes: options.nodes,
    ...{ requests: asked.requests, receipts: asked.receipts, runs: automations.runs, blobs: options.blobs },
    processors: [...register.map((one) => one.erasure), options.stripe.erasure, identityErasure(accounts)].flatMap(
      (adapter) => adapter ?? [],
    ),
    teamCloses: options.stripe.closes,
  });
  asked.requests.startWith({ delete: erasure.erasures.start });
  const copies = createExportParts({
    ...{ db, clock, audit, jobs, mail: accounts.mail, publicUrl, shelf: options.blobs.exports },
    key: deriveKey(master, "exports"),
    sources: { readArtifact: automations.readArtifact, phoneFiles: anywhere.files },
    ...{ processors: register, policy: POLICY, place: placeOf(db), requests: asked.requests },
    signInElsewhere: async ({ userId }) => accounts.identityElsewhere?.copy(userId),
    receipts: async (userId) =>
      (await asked.requests.list(userId)).flatMap(({ number, receipt }) =>
        receipt ? [{ name: number, receipt }] : [],
      ),
  });
  asked.requests.startWith({ export: copies.startFor });
  const imports = createImportParts({
    ...{ db, clock, audit, lifecycle, events },
    phonesPerTeam: config.PHONES_PER_TEAM ?? Number.POSITIVE_INFINITY,
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
    refunds: options.stripe.proRata,
  });
  const trust = createTrustServices({ ...{ db, audit, clock, config }, ...privacy });
  const retention = createRetention({
    ...{ db, clock, log },
    own: [
      { name: "sessions that ran out", batch: (_now, limit) => accounts.sessions.endExpired(limit) },
      activitySweep(db, deriveKey(master, "audit heads"), config.REGION),
      automations.contents,
      metricsSweep(db),
      inactivity.sweep,
    ],
  });
  let sweptAt: number | undefined;
  const sweepFiles = async (at: number) => {
    await automations.removeOrphans();
    await options.uploads.removeOrphans();
    await options.archive?.removeOrphans();
    await erasure.sweepLedger();
    await options.blobs.dropUnfinished(new Date(at - HALF_LASTS_MS));
    sweptAt = at;
  };
  /** After a long stop nobody is served what should be gone by now. */
  const sweepOverdue = async () => {
    const last = await options.jobsRepo.lastDone(SWEEP_JOB);
    if (last !== undefined && clock.now() - last.getTime() <= SWEEP_EVERY_MS) return;
    const at = clock.now();
    const count = await retention.sweep();
    // A storage that is down is swept by the job, as soon as it is back.
    await sweepFiles(at).catch((error: unknown) => log.warn("Files were not swept yet", errorFields(error)));
    if (count > 0) log.info("What had outlived its rule while the server was off is gone", { count });
  };
  const handlers: Readonly<Record<string, JobHandler>> = {
    ...trust.jobs,
    ...asked.jobs,
    ...erasure.jobs,
    ...copies.jobs,
    ...privacy.jobs,
    [STOP_JOB]: createStopWork({
      ...{ db, teams: accounts.memberships, changes: accounts.accessChanges },
      ...{ runs: automations.runs, phones },
    }),
    async [SWEEP_JOB](_input, { signal }) {
      // The sweep before the first request was that of this hour.
      if (sweptAt !== undefined && sweptAt >= slotOf(SWEEPS, clock.now())) return;
      const at = clock.now();
      await retention.sweep(signal);
      await sweepFiles(at);
    },
  };
  return {
    privacy,
    copies,
    imports,
    erasedElsewhere: erasure.heard,
    clearFiles: erasure.clearFiles,
    forPages: {
      ...{ trust: trust.trust, register, erasures: erasure.erasures, copies, imports },
      asked: { ...asked, held: privacy.privacy.held },
      ...{ policy: privacy.policy, desk: privacy.desk, processors: privacy.processorViews },
    },
    jobs: handlers,
    schedules: [
      SWEEPS,
      ...trust.schedules,
      ...asked.schedules,
      ...erasure.schedules,
      ...EXPORT_SCHEDULES,
      ...privacy.schedules,
    ],
    /** Whoever was erased and came back with a backup, and what outlived its rule while the server was off, goes first. */
    async beforeServing() {
      await erasure.replay();
      await sweepOverdue();
      // What was to go from here while this node was away.
      if (options.nodes !== undefined && options.blobs.bucket === undefined) await sweepFiles(clock.now());
    },
  };
}
