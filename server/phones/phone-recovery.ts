/**
 * Brings rows and drivers together after a start of the server. Web phones ended with the server and start again; an
 * Android goes on by itself, so it is taken up where it is, or is out of reach until it is found.
 */
import type { PhoneId } from "../../shared/ids.ts";
import type { DriverKind, PhoneReason } from "../../shared/phones.ts";
import { NotCovered } from "../billing/usage/not-covered.ts";
import { errorFields } from "../log.ts";
import type { DriverState, PhoneDriver } from "./driver.ts";
import type { LifeParts } from "./phone-life-parts.ts";
import { type Loss, screenOf, stateOf } from "./phone-loss.ts";
import { ACTIVE_STATES, type PhoneRow } from "./phones.repo.ts";

export interface RecoveryParts extends LifeParts {
  readonly loss: Loss;
  /** Work on one phone in its turn; a failure is logged and stops nothing else. */
  readonly alone: (id: PhoneId, what: string, work: () => Promise<unknown>) => Promise<void>;
  readonly tend: (id: PhoneId) => Promise<void>;
  readonly startAgain: (row: PhoneRow) => Promise<unknown>;
}

const UNREACHED = {
  web: "browser_crashed",
  adb: "device_gone",
  geelark: "partner_down",
} as const satisfies Record<DriverKind, PhoneReason>;

export function createRecovery(parts: RecoveryParts): () => Promise<void> {
  const { repo, drivers, log, metering, move, hands, loss, alone, lastUse } = parts;

  /** What the driver says is there; undefined when it cannot say. */
  async function whatIsThere(driver: PhoneDriver): Promise<ReadonlyMap<PhoneId, DriverState> | undefined> {
    try {
      return new Map((await driver.recover()).map(({ id, state }) => [id, state]));
    } catch (error) {
      // Without the storage of web phones nothing is right here.
      if (driver.kind === "web") throw error;
      log.warn("What phones are there could not be asked", { kind: driver.kind, ...errorFields(error) });
      return undefined;
    }
  }

  async function takeUp(row: PhoneRow, driver: PhoneDriver): Promise<void> {
    try {
      await driver.start(parts.specOf(row));
    } catch (error) {
      log.warn("A phone that runs was not reached after the restart", { phoneId: row.id, ...errorFields(error) });
      hands.hold(row.id, driver);
      return loss.adrift(row, row.reason ?? UNREACHED[row.driver]);
    }
    if (row.lastUsedAt !== null) lastUse.set(row.id, row.lastUsedAt.getTime());
    hands.hold(row.id, driver);
    await move(
      row.id,
      ["running"],
      { reason: null, unreachableSince: null, ...screenOf(driver, row.id) },
      { meter: (tx) => metering.resumed(tx, { teamId: row.teamId, phoneId: row.id }) },
    );
  }

  async function putInOrder(row: PhoneRow, driver: PhoneDriver, state: DriverState): Promise<void> {
    const stopped = {
      meter: (tx: Parameters<typeof metering.closed>[0]) => metering.closed(tx, row.id, "server_crash"),
    };
    if (state === "running" && row.state === "running") return takeUp(row, driver);
    if (state === "unknown" && row.state === "running") {
      hands.hold(row.id, driver);
      return loss.adrift(row, row.reason ?? UNREACHED[row.driver]);
    }
    if (state === "unknown") {
      // If it runs it is parked when it is found.
      const reason = row.reason ?? UNREACHED[row.driver];
      await move(row.id, [row.state], { state: "failed", reason, startedAt: null }, stopped);
      return;
    }
    if (state === "running" && row.state !== "starting") await driver.park(row.id);
    await move(row.id, [row.state], { state: "parked", reason: "server_restarted", startedAt: null }, stopped);
  }

  async function ofKind(kind: DriverKind, rows: readonly PhoneRow[]): Promise<void> {
    const driver = drivers.of(kind);
    if (driver === undefined) {
      for (const row of rows.filter(isActive)) {
        await alone(row.id, "A phone of a kind that is not set up any more could not be put in order", () =>
          move(
            row.id,
            [row.state],
            { state: "failed", reason: "start_failed", startedAt: null },
            { meter: (tx) => metering.closed(tx, row.id, "server_crash") },
          ),
        );
      }
      return;
    }
    const there = await whatIsThere(driver);
    const stateNow = (id: PhoneId) => (there === undefined ? "unknown" : (there.get(id) ?? "absent"));
    for (const row of rows.filter(({ state }) => state === "removed")) {
      await alone(row.id, "A removed phone could not be wiped", () => parts.tend(row.id));
    }
    const interrupted = rows.filter(isActive);
    await Promise.all(
      interrupted.map((row) =>
        alone(row.id, "A phone could not be put in order", () => putInOrder(row, driver, stateNow(row.id))),
      ),
    );
    for (const row of interrupted.filter(({ state }) => state === "running" || state === "starting")) {
      await alone(row.id, "A phone did not come back after the restart", async () => {
        const current = await repo.findAnywhere(row.id);
        if (current?.state !== "parked") return;
        await parts.startAgain(current).catch(async (error: unknown) => {
          if (error instanceof NotCovered) await move(row.id, ["parked"], { reason: error.reason });
          throw error;
        });
      });
    }
    for (const row of rows.filter(({ state }) => state === "parked" || state === "failed")) {
      if (stateNow(row.id) !== "running") continue;
      await alone(row.id, "A phone that should not run could not be parked", async () => {
        if ((await stateOf(driver, row.id)) === "running") await driver.park(row.id);
      });
    }
  }

  return async () => {
    const rows = await repo.inStatesAnywhere([...ACTIVE_STATES, "parked", "failed", "removed"]);
    const kinds = new Set([...drivers.all.map(({ kind }) => kind), ...rows.map(({ driver }) => driver)]);
    await Promise.all(
      [...kinds].map((kind) =>
        ofKind(
          kind,
          rows.filter(({ driver }) => driver === kind),
        ),
      ),
    );
  };
}

function isActive({ state }: PhoneRow): boolean {
  return ACTIVE_STATES.some((active) => active === state);
}
