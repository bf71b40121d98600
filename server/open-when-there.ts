/**
 * Opens the database, and waits for one that is not there yet: machines and containers start in any order. Everything but
 * an absent server (a wrong password, an old version, a damaged file) stops the start at once, with its sentence.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import { errorText, type Log } from "./log.ts";
import { type OpenedDatabase, openDatabase } from "./open-database.ts";
import { isAway } from "./trouble.ts";

const AGAIN_MS = 1_000;
/** Then the process ends, and whoever keeps it (systemd, a cluster) says that something is wrong. */
const PATIENCE_MS = 2 * 60_000;

export async function openWhenThere(
  config: Config,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  { againMs = AGAIN_MS, patienceMs = PATIENCE_MS } = {},
): Promise<OpenedDatabase> {
  const since = performance.now();
  let told = false;
  for (;;) {
    try {
      const opened = await openDatabase(config, { clock });
      if (told) log.info("The database answers now");
      return opened;
    } catch (error) {
      if (config.DATABASE_URL === undefined || !isAway(error) || performance.now() - since > patienceMs) throw error;
      if (!told)
        log.warn("The database does not answer yet; it is tried again every second", { error: errorText(error) });
      told = true;
      await delay(againMs);
    }
  }
}
