/**
 * Backups the server makes by itself: every `BACKUP_HOURS`, on whichever node takes the job, into its `BACKUP_DIR`; each is
 * put back into a throw-away folder and compared before it counts. Each node takes care that none of its own gets older
 * than `BACKUP_DAYS`.
 */
import { basename } from "node:path";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Database } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { Finding } from "../health/readiness.ts";
import type { JobHandler, Schedule } from "../jobs/jobs.service.ts";
import { errorFields, type Log } from "../log.ts";
import { type Backup, makeBackup, removeOldBackups, renewKeysCopy } from "./backup.ts";
import { type BackupRow, createBackupsRepo } from "./backups.repo.ts";
import { copyCountedApart } from "./copy-apart.ts";
import { removeHalfVerified, verifyBackup } from "./verify.ts";

const HOUR_MS = 3_600_000;
export const BACKUP_JOB = "backups.make";
/** How often is looked whether one is due. */
const LOOK_EVERY_MS = HOUR_MS / 4;
/** After this many times `BACKUP_HOURS` without a good one somebody has to look. */
const LATE = 2;
const SHOWN = 20;

export interface BackupStatus {
  /** 0: the server makes none. */
  readonly everyHours: number;
  readonly lastGood: BackupRow | undefined;
  readonly latest: readonly BackupRow[];
  readonly finding: Finding;
}

export interface Backups {
  readonly jobs: Readonly<Record<string, JobHandler>>;
  readonly schedules: readonly Schedule[];
  /** Makes one now and verifies it. @throws PerchError that says what went wrong; it stands in the register, too */
  make(): Promise<Backup>;
  status(): Promise<BackupStatus>;
  finding(): Promise<Finding>;
  /** Cleans up after an earlier process, and from then on every hour. */
  start(): Promise<void>;
  stop(): void;
}

export function createBackups(options: {
  db: Database;
  config: Config;
  clock: Clock;
  log: Log;
  /** Name of this node. */
  node: string;
}): Backups {
  const { db, config, clock, log, node } = options;
  const repo = createBackupsRepo(db);
  const since = clock.now();
  const everyMs = config.BACKUP_HOURS * HOUR_MS;
  let sweeping: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;

  async function make(): Promise<Backup> {
    const startedAt = new Date(clock.now());
    const begun = { node, startedAt, files: null, bytes: null, rows: null, verifiedAt: null, failure: null };
    let made: Backup | undefined;
    try {
      made = await makeBackup(config, clock, config.backupDir, { copy: copyCountedApart });
      const { rows } = await verifyBackup(config, clock, made.folder);
      const { folder, files, bytes } = made;
      await repo.keep({
        ...begun,
        ...{ name: basename(folder), files, bytes, rows, verifiedAt: new Date(clock.now()) },
      });
      return made;
    } catch (error) {
      const failure = error instanceof PerchError ? error.message : "It could not be written or read back.";
      const name = made === undefined ? `failed-${startedAt.getTime()}` : basename(made.folder);
      await repo.keep({ ...begun, name, failure });
      throw error;
    }
  }

  /** Nothing is due in the first quarter of an hour: whoever only tries the server out waits for nothing. */
  async function isDue(): Promise<boolean> {
    const last = await repo.lastGood();
    const from = last === undefined ? since - everyMs + LOOK_EVERY_MS : last.startedAt.getTime();
    // The job of a slot comes a little late: a day is not to become a day and a quarter of an hour.
    return clock.now() - from >= everyMs - LOOK_EVERY_MS / 2;
  }

  async function makeDue(): Promise<void> {
    if (!(await isDue())) return;
    const { files, bytes, rows } = await make();
    log.info("A backup was made and verified", { files, bytes, rows });
  }

  async function finding(): Promise<Finding> {
    if (everyMs === 0) return ["ok", "The server makes none (BACKUP_HOURS is 0)."];
    const last = await repo.lastGood();
    const hours = Math.floor((clock.now() - (last?.startedAt.getTime() ?? since)) / HOUR_MS);
    if (hours <= LATE * config.BACKUP_HOURS) {
      return ["ok", last === undefined ? "The first one is due soon." : `The last good one is ${hours} h old.`];
    }
    const [newest] = await repo.latest(1);
    const why = newest?.failure == null ? "" : ` ${newest.failure}`;
    return ["warn", `${last === undefined ? "There is no good one." : `The last good one is ${hours} h old.`}${why}`];
  }

  async function sweep(): Promise<void> {
    await removeOldBackups(config, clock, config.backupDir);
    await renewKeysCopy(config);
  }

  return {
    make,
    finding,
    async status() {
      const [lastGood, latest, found] = await Promise.all([repo.lastGood(), repo.latest(SHOWN), finding()]);
      return { everyHours: config.BACKUP_HOURS, lastGood, latest, finding: found };
    },
    jobs: {
      async [BACKUP_JOB]() {
        looking ??= makeDue().finally(() => {
          looking = undefined;
        });
        await looking;
      },
    },
    schedules: everyMs === 0 ? [] : [{ kind: BACKUP_JOB, everyMs: LOOK_EVERY_MS }],
    async start() {
      await removeHalfVerified(config);
      sweeping = setInterval(() => {
        sweep().catch((error: unknown) => log.error("Looking after backups failed", errorFields(error)));
      }, HOUR_MS);
      await sweep();
    },
    stop() {
      clearInterval(sweeping);
    },
  };
}
