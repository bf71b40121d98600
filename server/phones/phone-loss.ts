/**
 * Running phones that are out of reach. Nobody knows what such a phone does, so nothing is billed and the idle clock stands
 * still; it is found again, it turns out to have ended, or after a while it is given up.
 */
import type { PhoneId } from "../../shared/ids.ts";
import { outOfReachWords, type PhoneReason } from "../../shared/phones.ts";
import { PerchError } from "../errors.ts";
import { errorFields } from "../log.ts";
import type { DriverState, PhoneDriver } from "./driver.ts";
import type { LifeParts } from "./phone-life-parts.ts";
import { createRetries } from "./phone-moves.ts";
import type { PhoneChange, PhoneRow } from "./phones.repo.ts";

/** A phone that is out of reach for so long has failed. */
export const LOST_LIMIT_MS = 10 * 60_000;

/** All in the phone's turn. */
export interface Loss {
  /** The driver cannot reach it any more. */
  lost(id: PhoneId, reason: PhoneReason): Promise<void>;
  /** The driver reaches it again. One that should not run is parked. */
  found(id: PhoneId): Promise<void>;
  /** After a start of the server: a phone that ran, and that nobody has reached since. It is taken up when it can be. */
  adrift(row: PhoneRow, reason: PhoneReason): Promise<void>;
  /** Looks at one that is lost. */
  tend(row: PhoneRow): Promise<void>;
}

export function createLoss(parts: LifeParts): Loss {
  const { repo, clock, log, metering, move, lastUse, listener, driverOf, hands } = parts;
  const takeUps = createRetries(clock);

  /** Starting what runs takes it up where it is. */
  async function isTakenUp(row: PhoneRow, driver: PhoneDriver): Promise<boolean> {
    if (!takeUps.isDue(row.id)) return false;
    try {
      await takeUps.attempt(row.id, () => driver.start(parts.specOf(row)));
      takeUps.done(row.id);
      return true;
    } catch (error) {
      log.info("A phone that ran before the restart is not reached yet", { phoneId: row.id, ...errorFields(error) });
      return false;
    }
  }
  async function mark(row: PhoneRow, reason: PhoneReason, adrift: boolean): Promise<void> {
    const now = clock.now();
    const at = new Date(now);
    const used = Math.max(row.lastUsedAt?.getTime() ?? 0, lastUse.get(row.id) ?? 0);
    await move(
      row.id,
      ["running"],
      { unreachableSince: row.unreachableSince ?? at, reason, ...(used > 0 && { lastUsedAt: new Date(used) }) },
      {
        entry: () => ({ actor: "server", action: "phone.lost", object: row.id, detail: { reason } }),
        meter: (tx) => metering.closed(tx, row.id, "lost", at),
      },
    );
    hands.lose(row.id, reason, now, adrift);
    listener().unreachable(row.id, outOfReachWords(reason));
  }

  async function back(row: PhoneRow, driver: PhoneDriver): Promise<void> {
    const now = clock.now();
    const away = now - (row.unreachableSince?.getTime() ?? now);
    const used = Math.max(row.startedAt?.getTime() ?? 0, row.lastUsedAt?.getTime() ?? 0, lastUse.get(row.id) ?? 0);
    const usedAt = Math.min(now, used + Math.max(0, away));
    lastUse.set(row.id, usedAt);
    await move(
      row.id,
      ["running"],
      { unreachableSince: null, reason: null, lastUsedAt: new Date(usedAt), ...screenOf(driver, row.id) },
      {
        entry: () => ({ actor: "server", action: "phone.found", object: row.id }),
        meter: (tx) => metering.resumed(tx, { teamId: row.teamId, phoneId: row.id }),
      },
    );
    hands.hold(row.id, driver);
    listener().reachable(row.id);
  }

  async function giveUp(row: PhoneRow): Promise<void> {
    const reason = row.reason ?? "device_gone";
    hands.drop(row.id);
    listener().ended(row.id, "failed", reason);
    await move(
      row.id,
      ["running"],
      { state: "failed", reason, startedAt: null },
      { meter: (tx) => metering.closed(tx, row.id, "failed") },
    );
  }

  return {
    adrift: (row, reason) => mark(row, reason, true),
    async lost(id, reason) {
      const row = await repo.findAnywhere(id);
      if (row === undefined || row.state !== "running" || row.unreachableSince !== null) return;
      if ((await stateOf(driverOf(row), id)) === "running") return;
      await mark(row, reason, false);
    },
    async found(id) {
      const row = await repo.findAnywhere(id);
      if (row === undefined) return;
      const driver = driverOf(row);
      if ((await stateOf(driver, id)) !== "running") return;
      if (row.state === "running" && row.unreachableSince !== null) await back(row, driver);
      else if (row.state === "parked" || row.state === "failed") {
        log.info("A phone that should not run was found running and is parked", { phoneId: id });
        await driver.park(id);
      }
    },
    async tend(row) {
      const driver = driverOf(row);
      const state = await stateOf(driver, row.id);
      const adrift = hands.isAdrift(row.id);
      if (state === "running" && !adrift) return back(row, driver);
      if (adrift && state !== "absent" && (await isTakenUp(row, driver))) return back(row, driver);
      // One that was lost before a restart gets its time anew.
      const since = hands.lostAt(row.id) ?? row.unreachableSince?.getTime() ?? 0;
      if ((state === "unknown" || (adrift && state !== "absent")) && clock.now() - since < LOST_LIMIT_MS) return;
      await giveUp(row);
      takeUps.done(row.id);
      if (state !== "unknown") return;
      // It may run on; if not now, then it is parked when it is found.
      await driver.park(row.id).catch((error: unknown) => {
        log.info("A phone that was given up could not be parked", { phoneId: row.id, ...errorFields(error) });
      });
    },
  };
}

/** The size of the screen held upright, of phones that have no profile to tell it. */
export function screenOf(driver: PhoneDriver, id: PhoneId): Pick<PhoneChange, "screenWidth" | "screenHeight"> {
  if (driver.kind === "web") return {};
  try {
    const { width, height } = driver.screen(id).size();
    return { screenWidth: Math.round(Math.min(width, height)), screenHeight: Math.round(Math.max(width, height)) };
  } catch (error) {
    if (error instanceof PerchError) return {};
    throw error;
  }
}

/** What cannot be asked is not known. */
export async function stateOf(driver: PhoneDriver, id: PhoneId): Promise<DriverState> {
  try {
    return await driver.state(id);
  } catch (error) {
    if (error instanceof PerchError) return "unknown";
    throw error;
  }
}
