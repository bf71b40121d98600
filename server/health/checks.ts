/** The checks of a running server. */
import { rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../clock.ts";
import { shippedMigrations } from "../db/look.ts";
import type { HealthRepo } from "./health.repo.ts";
import type { Checks, Finding } from "./readiness.ts";

export type ServingState = "serving" | "draining" | "stopping";

export interface ServerChecksOptions {
  readonly repo: HealthRepo;
  readonly clock: Clock;
  /** Names this process. */
  readonly who: string;
  readonly migrationsFolder: string;
  readonly dataDir: string;
  readonly state: () => ServingState;
  readonly drivers: () => readonly { readonly kind: string; readonly running: number }[];
  /** Undefined where mail stays on this machine. */
  readonly mailLagMs: (() => Promise<number>) | undefined;
  /** Warns when the last good backup is too old. */
  readonly backups: () => Promise<Finding>;
}

const MB = 1024 * 1024;
/** Below both, nothing more should be taken on: a twentieth of a small disk, two gigabytes of a large one. */
const LEAST_FREE = { share: 0.05, bytes: 2048 * MB } as const;
const MAIL_LATE_MS = 15 * 60_000;

export function serverChecks(options: ServerChecksOptions): Checks {
  const { repo, clock, who, migrationsFolder, dataDir, state, drivers, mailLagMs } = options;
  let known: number | undefined;
  return {
    serving: (): Finding => {
      const now = state();
      if (now === "serving") return ["ok", "Requests are served."];
      return ["fail", now === "draining" ? "This process is being drained." : "The server is stopping."];
    },
    async database() {
      await repo.write(who, clock.now());
      return ["ok", "It takes writes."];
    },
    async migrations() {
      known ??= shippedMigrations(migrationsFolder);
      const applied = await repo.migrations();
      if (applied < known) return ["fail", `The database is ${known - applied} migrations behind this version.`];
      // A newer node has been started beside this one, which serves on until it is replaced.
      if (applied > known) return ["warn", "A newer version has changed the database. Replace this process."];
      return ["ok", `All ${known} are there.`];
    },
    disk: () => diskFinding(dataDir),
    phones: (): Finding => {
      const kinds = drivers();
      if (kinds.length === 0) return ["warn", "This process has no kind of phone."];
      return ["ok", kinds.map(({ kind, running }) => `${kind}: ${running} running`).join(", ")];
    },
    async mail() {
      if (mailLagMs === undefined) return ["ok", "Mail stays on this machine."];
      const late = await mailLagMs();
      if (late <= MAIL_LATE_MS) return ["ok", "Mail leaves in time."];
      return ["warn", `Mail has been waiting for ${Math.round(late / 60_000)} minutes. Look at the mail server.`];
    },
    backups: options.backups,
  };
}

/** Written and removed: root may write where nothing can be written. */
const PROBE = ".write-probe";

/** Whether the folder's disk has room and takes writes. */
export async function diskFinding(folder: string): Promise<Finding> {
  const probe = join(folder, PROBE);
  try {
    await writeFile(probe, "x");
    await rm(probe, { force: true });
  } catch {
    return ["fail", "The data folder cannot be written. Is its disk full, or mounted read-only?"];
  }
  const { bavail, blocks, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const words = `${Math.round(free / MB).toLocaleString("en")} MB are free.`;
  const isFull = free < LEAST_FREE.bytes && bavail < blocks * LEAST_FREE.share;
  return isFull ? ["fail", `The disk is nearly full: ${words}`] : ["ok", words];
}
