/** Puts erasure together: what people ask for, the purge that does it, and the ledger that does it again after a restore. */
import { join } from "node:path";
import type { TeamId } from "../../../shared/ids.ts";
import type { AccountServices } from "../../accounts/compose.ts";
import type { Audit } from "../../audit/audit.repo.ts";
import type { Automations } from "../../automations/compose.ts";
import type { Clock } from "../../clock.ts";
import type { Config } from "../../config.ts";
import type { Database, Writer } from "../../db/database.ts";
import type { Blobs } from "../../files/compose.ts";
import type { JobHandler, Jobs, Schedule } from "../../jobs/jobs.service.ts";
import { deriveKey } from "../../keys.ts";
import type { Log } from "../../log.ts";
import type { Drivers } from "../../phones/drivers.ts";
import { serverScope } from "../../teams/team-scope.ts";
import type { Receipts } from "../receipts.ts";
import { createErasureRows } from "./erasure-rows.repo.ts";
import { createErasuresRepo } from "./erasures.repo.ts";
import { createErasures, type ErasureRequests, type Erasures, PURGE_JOB } from "./erasures.service.ts";
import { LEDGER, type LedgerEntry, openErasureLedger } from "./ledger.ts";
import { createLedgerSpread, type TellNodes } from "./ledger-spread.ts";
import { createPurge, type PurgeOptions } from "./purge.ts";
import { bucketErasure, type PurgePhones, removeExports, removeRunFiles, removeUploads } from "./purge-stores.ts";
import { createReplay } from "./replay.ts";
import { createTeamDisposer } from "./team-fates.ts";
import { createUpkeep, DUE_JOB } from "./upkeep.ts";

/** The other nodes of this server. */
export interface ErasureNodes {
  readonly copies: NonNullable<PurgeOptions["copies"]>;
  readonly tell: TellNodes;
  /** Removes what they have in files of their own. */
  readonly clearFiles: (of: Pick<LedgerEntry, "userId" | "teams">) => Promise<void>;
  /** Whether any lives. */
  readonly some: () => boolean;
}

export interface ErasureParts {
  /** What another node writes down. */
  heard(entry: LedgerEntry): void;
  readonly erasures: Erasures;
  /** Erases again whom a backup brought back; call it before anybody is served. */
  replay(): Promise<void>;
  /** For another node that erases them: files of runs, uploads and copies that lie here. */
  clearFiles(of: Pick<LedgerEntry, "userId" | "teams">): Promise<void>;
  /** Takes lines out of the bucket that no backup can need any more. */
  sweepLedger(): Promise<void>;
  readonly jobs: Readonly<Record<string, JobHandler>>;
  readonly schedules: readonly Schedule[];
}

const MINUTE_MS = 60_000;

/** @throws PerchError when the ledger was changed by somebody else. */
export function createErasureParts(options: {
  db: Database;
  /** Keys are derived from it. */
  master: Buffer;
  config: Pick<Config, "DATA_DIR" | "keyFile" | "backupDir">;
  clock: Clock;
  log: Log;
  audit: Audit;
  jobs: Jobs;
  accounts: Pick<AccountServices, "sessions" | "mail" | "memberships" | "rightsLost">;
  drivers: Drivers;
  phones: PurgePhones;
  /** Left out: the server is one process. */
  nodes?: ErasureNodes | undefined;
  runs: Pick<Automations["runs"], "cancelAllOf">;
  blobs: Blobs;
  requests: ErasureRequests;
  receipts: Receipts;
  processors?: PurgeOptions["processors"];
  /** Left out: teams pay for nothing. */
  teamCloses?: (tx: Writer, teamId: TeamId) => Promise<void>;
  publicUrl: URL;
}): ErasureParts {
  const { db, master, config, clock, log, audit, jobs, accounts, publicUrl, requests, nodes } = options;
  const { sessions, mail, memberships, rightsLost } = accounts;
  const { teamCloses: closes = async () => {} } = options;
  const folder = config.DATA_DIR;
  const ledger = openErasureLedger({
    file: join(folder, LEDGER),
    copies: [`${config.keyFile}.erasures`, join(config.backupDir, LEDGER)],
    key: deriveKey(master, "erasure ledger"),
    ...{ clock, log },
  });
  const repo = createErasuresRepo(db);
  const spread = createLedgerSpread({
    ...{ db, repo, ledger, bucket: options.blobs.bucket, tellNodes: nodes?.tell, clock, log },
    key: deriveKey(master, "erasure ledger lines"),
  });
  const rows = createErasureRows(db);
  const common = { db, repo, rows, sessions, mail, audit, requests, clock, publicUrl };
  const purge = createPurge({
    ...common,
    ...{ ledger: spread, log },
    processors: [...(options.processors ?? []), ...(options.blobs.bucket ? [bucketErasure(options.blobs.bucket)] : [])],
    receipts: options.receipts,
    phones: options.phones,
    copies: nodes?.copies,
    shelves: options.blobs,
    ...(options.blobs.bucket === undefined && { filesElsewhere: nodes?.clearFiles }),
    async endRuns(tx, userId) {
      const ends: (() => void)[] = [];
      for (const { id } of await memberships.listOfIn(tx, userId)) {
        ends.push(await options.runs.cancelAllOf(tx, serverScope(id), userId));
      }
      return () => {
        for (const end of ends) end();
      };
    },
    // What is on the phones of others is theirs; phones of who goes are wiped, each with its own look.
    data: { path: folder, skip: new Set(["web-phones"]) },
    disposer: createTeamDisposer({ teams: memberships, rightsLost, mail, audit, clock, publicUrl, closes }),
  });
  const erasures = createErasures({ ...common, jobs });
  return {
    erasures,
    heard: ledger.append,
    sweepLedger: spread.sweep,
    async clearFiles({ userId, teams }) {
      await removeRunFiles(repo, options.blobs.runs, teams);
      await removeUploads(repo, options.blobs.uploads, userId, teams);
      await removeExports(repo, options.blobs.exports, userId);
    },
    replay: createReplay({
      ...{ ledger, spread, purge, log },
      others: nodes?.some,
      isBegun: async (userId) => (await repo.live(db.read, userId))?.state === "purging",
      recover: async () => {
        for (const driver of options.drivers.all) await driver.recover();
      },
    }),
    jobs: { [PURGE_JOB]: purge.purge, [DUE_JOB]: createUpkeep({ db, repo, jobs, clock }) },
    schedules: [{ kind: DUE_JOB, everyMs: 15 * MINUTE_MS }],
  };
}
