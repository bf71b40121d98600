/** Puts exports together: plan, rows, files, archives, service. */
import type { UserId } from "../../../shared/ids.ts";
import type { Policy } from "../../../shared/policy/policy-v1.ts";
import type { SignedReceipt } from "../../../shared/privacy.ts";
import { createAccountsRepo } from "../../accounts/accounts.repo.ts";
import type { Audit } from "../../audit/audit.repo.ts";
import { createFlowsRepo } from "../../automations/flows.repo.ts";
import { createWorkspacesRepo } from "../../automations/workspaces.repo.ts";
import type { Clock } from "../../clock.ts";
import type { Database } from "../../db/database.ts";
import type { Jobs, Schedule } from "../../jobs/jobs.service.ts";
import type { Mail } from "../../mail/mail.service.ts";
import { createPhonesRepo } from "../../phones/phones.repo.ts";
import { createRulesRepo } from "../../rules/rules.repo.ts";
import { dataMap } from "../map/data-map.ts";
import { createPreferencesRepo } from "../preferences/preferences.repo.ts";
import type { Processor } from "../processors/processors.ts";
import { createAge } from "./age.ts";
import type { ArchiveParts } from "./archive.ts";
import { type ArchiveShelf, createArchiveStore } from "./archive-store.ts";
import { AS_FILES, createExportFiles, type FileSources } from "./export-files.repo.ts";
import { exportPlan } from "./export-plan.ts";
import { createRowPages } from "./export-rows.repo.ts";
import { createExportsRepo } from "./exports.repo.ts";
import {
  createExports,
  type DataExports,
  EXPORT_SWEEP_JOB,
  type ExportArchives,
  type ExportRequests,
} from "./exports.service.ts";
import { createImportRepo } from "./import/import.repo.ts";
import { createDataImports, type DataImports, type ImportsOptions } from "./import/import.service.ts";

export interface ExportOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly mail: Pick<Mail, "queue" | "wake">;
  readonly jobs: Pick<Jobs, "enqueue" | "wake">;
  readonly sources: FileSources;
  /** 32 bytes; seals the archives' keys. */
  readonly key: Buffer;
  /** Where archives are kept. */
  readonly shelf: ArchiveShelf;
  readonly processors: readonly Processor[];
  readonly policy: Policy;
  readonly place: string;
  readonly publicUrl: URL;
  /** Left out where requests are not kept. */
  readonly requests?: ExportRequests;
  readonly signInElsewhere?: ArchiveParts["signInElsewhere"];
  readonly receipts?: (
    userId: UserId,
  ) => Promise<readonly { readonly name: string; readonly receipt: SignedReceipt }[]>;
}

/** What an import writes through. */
export interface ImportParts {
  readonly lifecycle: ImportsOptions["lifecycle"];
  readonly events: ImportsOptions["events"];
  readonly phonesPerTeam: number;
}

const HOUR_MS = 3_600_000;
export const EXPORT_SCHEDULES: readonly Schedule[] = [{ kind: EXPORT_SWEEP_JOB, everyMs: HOUR_MS }];

export type ExportParts = DataExports & ExportArchives;

export function createExportParts(options: ExportOptions): ExportParts {
  const { db, clock, sources, receipts } = options;
  const map = dataMap(db.t);
  const pages = createRowPages(db, map);
  return createExports({
    ...options,
    repo: createExportsRepo(db),
    store: createArchiveStore(options.shelf),
    age: createAge(),
    people: createAccountsRepo(db, clock),
    requests: options.requests,
    parts: {
      plan: exportPlan(map, AS_FILES),
      pages,
      files: createExportFiles(db, { map, pages, sources }),
      receipts: async ({ userId }) => (await receipts?.(userId)) ?? [],
      signInElsewhere: options.signInElsewhere,
      processors: options.processors,
      policy: options.policy,
      place: options.place,
      publicUrl: options.publicUrl,
    },
  });
}

export function createImportParts(options: Pick<ExportOptions, "db" | "clock" | "audit"> & ImportParts): DataImports {
  const { db, clock } = options;
  return createDataImports({
    ...options,
    repo: createImportRepo(db),
    flows: createFlowsRepo(db),
    workspaces: createWorkspacesRepo(db),
    rules: createRulesRepo(db),
    phones: createPhonesRepo(db),
    people: createAccountsRepo(db, clock),
    preferences: createPreferencesRepo(db),
    age: createAge(),
  });
}
