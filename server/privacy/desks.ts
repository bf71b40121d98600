/** The desks of the operator: incidents, versions of the policy, and who processes data for them. Made here. */
import { POLICY_VERSIONS, type PolicyVersion } from "../../shared/policy/versions.ts";
import type { ProcessorView } from "../../shared/privacy.ts";
import { createOneTimeTokensRepo } from "../accounts/one-time-tokens.repo.ts";
import type { Audit } from "../audit/audit.repo.ts";
import { createBillingDeskRepo } from "../billing/desk/billing-desk.repo.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Database } from "../db/database.ts";
import type { JobHandler, Jobs, Schedule } from "../jobs/jobs.service.ts";
import type { Log } from "../log.ts";
import type { Mail } from "../mail/mail.service.ts";
import { createOperatorDeskRepo } from "./desk/operator-desk.repo.ts";
import { createOperatorDesk, type OperatorDesk } from "./desk/operator-desk.service.ts";
import { createBreachScope } from "./incidents/breach-scope.repo.ts";
import { createIncidentsRepo } from "./incidents/incidents.repo.ts";
import { createIncidentDesk, INCIDENT_NOTIFY_JOB, type IncidentDesk } from "./incidents/incidents.service.ts";
import { createPolicyRepo } from "./policy/policy.repo.ts";
import {
  createPolicyDesk,
  NOBODY_PAYS,
  POLICY_NOTIFY_JOB,
  type PolicyAnnouncements,
  type PolicyDesk,
  type ProRataRefunds,
} from "./policy/policy.service.ts";
import type { Outbound } from "./processors/outbound.ts";
import { type Processor, processorView } from "./processors/processors.ts";
import { readRegister } from "./processors/processors-file.ts";

export interface DesksOptions {
  readonly db: Database;
  readonly audit: Audit;
  readonly mail: Pick<Mail, "queue" | "wake" | "staysLocal" | "counts">;
  readonly jobs: Pick<Jobs, "enqueue" | "wake">;
  readonly clock: Clock;
  readonly log: Log;
  readonly config: Pick<Config, "SMTP_URL" | "DATABASE_URL" | "PROCESSORS_FILE" | "SUPPORT_EMAIL" | "billingMode">;
  readonly publicUrl: URL;
  /** Seals the session of the operator's page. */
  readonly deskKey: Buffer;
  /** Knows when each processor was last talked to, where the process stands behind it. */
  readonly outbound?: Outbound | undefined;
  /** Left out: those of `shared/policy/`. */
  readonly versions?: readonly PolicyVersion[];
  /** Left out where nobody pays. */
  readonly refunds?: ProRataRefunds;
}

export interface Desks {
  readonly incidents: IncidentDesk;
  readonly policy: PolicyDesk & PolicyAnnouncements;
  readonly desk: OperatorDesk;
  readonly processors: readonly Processor[];
  readonly processorViews: () => readonly ProcessorView[];
  readonly jobs: Readonly<Record<string, JobHandler>>;
  readonly schedules: readonly Schedule[];
}

const TICK_JOB = "desks.tick";
const TICK_MS = 5 * 60_000;

export function createDesks(options: DesksOptions): Desks {
  const { db, config, outbound, versions = POLICY_VERSIONS, refunds = NOBODY_PAYS } = options;
  const { audit, mail, jobs, clock, log, publicUrl } = options;
  const parts = { db, audit, mail, jobs, clock, log, publicUrl };
  const incidents = createIncidentDesk({
    ...parts,
    repo: createIncidentsRepo(db),
    breachScope: createBreachScope(db),
    supportEmail: config.SUPPORT_EMAIL,
  });
  const policy = createPolicyDesk({ ...parts, repo: createPolicyRepo(db), versions, refunds });
  const processors = readRegister(config);
  const processorViews = () => processors.map((one) => processorView(one, outbound?.lastContactAt(one.id)));
  const desk = createOperatorDesk({
    ...parts,
    ...{ repo: createOperatorDeskRepo(db), tokens: createOneTimeTokensRepo(db, clock), incidents, policy },
    ...{ processors: processorViews, key: options.deskKey, billingMode: config.billingMode },
    billing: createBillingDeskRepo(db),
  });
  return {
    desk,
    incidents,
    policy,
    processors,
    processorViews,
    jobs: {
      [INCIDENT_NOTIFY_JOB]: incidents.tell,
      [POLICY_NOTIFY_JOB]: policy.tell,
      [TICK_JOB]: async () => {
        await incidents.tick();
        await policy.tick();
      },
    },
    schedules: [{ kind: TICK_JOB, everyMs: TICK_MS }],
  };
}
