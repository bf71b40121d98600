/** `/trust` and the nightly look through the audit log. */
import type { Audit } from "../../audit/audit.repo.ts";
import type { Clock } from "../../clock.ts";
import type { Config } from "../../config.ts";
import type { Database } from "../../db/database.ts";
import { databaseFile } from "../../db/database-file.ts";
import type { JobHandler, Schedule } from "../../jobs/jobs.service.ts";
import { projectRoot } from "../../paths.ts";
import type { PolicyDesk } from "../policy/policy.service.ts";
import { createLiveChecksRepo } from "./live-checks.repo.ts";
import { createLiveChecks } from "./live-checks.ts";
import { readTestResults } from "./test-results.ts";
import { createTrust, type Trust } from "./trust.service.ts";

const NIGHTLY: Schedule = { kind: "audit.verify", everyMs: 24 * 3_600_000 };

export interface TrustServices {
  readonly trust: Trust;
  readonly jobs: Readonly<Record<string, JobHandler>>;
  readonly schedules: readonly Schedule[];
}

export function createTrustServices(options: {
  db: Database;
  audit: Pick<Audit, "chains" | "verify" | "hasEveryChain">;
  clock: Clock;
  config: Config;
  processors: readonly { readonly agreement?: unknown }[];
  policy: Pick<PolicyDesk, "current">;
}): TrustServices {
  const { db, audit, clock, config } = options;
  let verified: { readonly at: Date; readonly intact: boolean } | undefined;
  const live = createLiveChecks({
    repo: createLiveChecksRepo(db),
    clock,
    databaseFile: config.DATABASE_URL === undefined ? databaseFile(config) : undefined,
    backupDir: config.backupDir,
    backupDays: config.BACKUP_DAYS,
    transport:
      config.certificate !== undefined ? "own_tls" : config.publicUrl.protocol === "https:" ? "proxy" : "loopback",
    processors: options.processors,
    auditVerified: () => verified,
  });
  return {
    trust: createTrust({ policy: options.policy.current, live, results: readTestResults(projectRoot()) }),
    jobs: {
      async [NIGHTLY.kind](_input, { signal, log }) {
        let intact = await audit.hasEveryChain();
        for (const chain of await audit.chains()) {
          if (signal.aborted) return;
          if ((await audit.verify(chain)).how !== undefined) intact = false;
        }
        verified = { at: new Date(clock.now()), intact };
        if (!intact) log.error("The audit log was changed after the fact. See: npm run admin -- audit verify");
      },
    },
    schedules: [NIGHTLY],
  };
}
