/**
 * Brings rows and drivers together after a start of the server. Web phones ended with the server and start again; an
 * Android goes on by itself, so it is taken up where it is, or is out of reach until it is found.
 */
import type { PhoneId } from "../../shared/ids.ts";
import type { DriverKind, PhoneReason } from "../../shared/phones.ts";
import { NotCovered } from "../billing/usage/not-covered.ts";
import type { Database } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import { errorFields } from "../log.ts";
import type { DriverState, PhoneDriver } from "./driver.ts";
import type { PhoneCopies } from "./phone-copies.ts";
import type { LifeParts } from "./phone-life-parts.ts";
import { type Loss, screenOf, stateOf } from "./phone-loss.ts";
import type { Turns } from "./phone-moves.ts";
import { ACTIVE_STATES, type PhoneRow } from "./phones.repo.ts";
import { isHere, ownerOf, type PhonesNode } from "./phones-node.ts";

export interface RecoveryParts extends LifeParts {
  readonly db: Database;
  readonly node: PhonesNode;
  readonly copies: Pick<PhoneCopies, "here" | "gone">;
  readonly loss: Loss;
  /** Work on one phone in its turn; a failure is logged and stops nothing else. */
  readonly alone: (id: PhoneId, what: string, work: () => Promise<unknown>) => Promise<void>;
  readonly turns: Turns;
  readonly tend: (id: PhoneId) => Promise<void>;
  readonly startAgain: (row: PhoneRow) => Promise<unknown>;
}

const UNREACHED = {
  web: "browser_crashed",
  adb: "device_gone",
  geelark: "partner_down",
} as const satisfies Record<DriverKind, PhoneReason>;

export interface PhoneRecovery {
  /** After a start of the server: all its phones. */
  recover(): Promise<void>;
  /** These, which are this node's since a moment. */
  adopt(ids: readonly PhoneId[]): Promise<void>;
  /** Androids that are this node's without its having heard of it: whoever gave them was lost before it could say so. */
  adoptMissed(): Promise<void>;
  /** What is left here of web phones that are another node's by now, or nobody's. @throws PerchError when anything stays */
  leave(ids: Iterable<PhoneId>): Promise<void>;
}

export function createRecovery(parts: RecoveryParts): PhoneRecovery {
  const { db, repo, drivers, log, metering, move, hands, loss, alone, lastUse, node, copies } = parts;

  /** Takes phones nobody has. A web phone is where its files are; where there are no other nodes, they can be nowhere else. */
  async function claim(row: PhoneRow, there: ReadonlyMap<PhoneId, DriverState> | undefined): Promise<boolean> {
    if (node.alone || row.nodeId === node.id) return true;
    if (row.driver === "web" && there?.has(row.id) !== true && node.hasOthers()) return false;
    const claimed = await db.tx(async (tx) => {
      await node.demandBoot(tx);
      return repo.reassign(tx, row.id, null, node.id);
    });
    return claimed !== undefined;
  }

  /** Starts again what ran and could not be taken up where it is. */
  async function comeBack(row: PhoneRow): Promise<void> {
    if (row.state !== "running" && row.state !== "starting") return;
    await alone(row.id, "A phone did not come back after the restart", async () => {
      const current = await repo.findAnywhere(row.id);
      if (current?.state !== "parked" || !isHere(node, current)) return;
      await parts.startAgain(current).catch(async (error: unknown) => {
        if (error instanceof NotCovered) await move(row.id, ["parked"], { reason: error.reason });
        throw error;
      });
    });
  }

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

  async function ofKind(kind: DriverKind, all: readonly PhoneRow[]): Promise<void> {
    const driver = drivers.of(kind);
    if (driver === undefined) {
      for (const row of all.filter((one) => isActive(one) && isHere(node, one))) {
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
    const claimed = await Promise.all(all.map((row) => claim(row, there)));
    const rows = all.filter((_row, index) => claimed[index]);
    if (!node.alone && kind === "web" && there !== undefined && driver.isElsewhere !== true) {
      await dropStrays(driver, new Set([...there.keys(), ...(await copies.here())]));
    }
    for (const row of rows.filter(({ state }) => state === "removed")) {
      await alone(row.id, "A removed phone could not be wiped", () => parts.tend(row.id));
    }
    const interrupted = rows.filter(isActive);
    await Promise.all(
      interrupted.map((row) =>
        alone(row.id, "A phone could not be put in order", () => putInOrder(row, driver, stateNow(row.id))),
      ),
    );
    for (const row of interrupted) await comeBack(row);
    for (const row of rows.filter(({ state }) => state === "parked" || state === "failed")) {
      if (stateNow(row.id) !== "running") continue;
      await alone(row.id, "A phone that should not run could not be parked", async () => {
        if ((await stateOf(driver, row.id)) === "running") await driver.park(row.id);
      });
    }
  }

  /** Files of a phone that another node went on with while this one was away, and may have wiped since. */
  async function dropStray(driver: PhoneDriver, id: PhoneId): Promise<void> {
    const row = await repo.findAnywhere(id);
    if (row !== undefined && (row.nodeId === null || isHere(node, row))) return;
    log.info("What is left of a phone that another node has is removed", { phoneId: id });
    await driver.leave?.(id);
    await db.tx((tx) => copies.gone(tx, id));
  }

  async function dropStrays(driver: PhoneDriver, there: Iterable<PhoneId>): Promise<void> {
    for (const id of there) {
      await alone(id, "What is left of a phone that another node has was not removed", () => dropStray(driver, id));
    }
  }

  async function adopt(ids: readonly PhoneId[]): Promise<void> {
    await Promise.all(
      ids.map(async (id) => {
        const row = await repo.findAnywhere(id);
        if (row === undefined || !isHere(node, row)) return;
        const driver = drivers.of(row.driver);
        if (driver === undefined) return;
        if (row.state === "removed") {
          return alone(id, "A removed phone could not be wiped", () => parts.tend(id));
        }
        if (!isActive(row)) return;
        await alone(id, "A phone could not be taken up", async () =>
          putInOrder(row, driver, await stateOf(driver, id)),
        );
        await comeBack(row);
      }),
    );
  }

  return {
    adopt,
    async adoptMissed() {
      const held = new Set(hands.all().map(([id]) => id));
      const rows = await repo.ofNode(node.id, ["running"]);
      // Web phones are parked before they are given, and then started by a call of their own.
      const missed = rows.filter(({ id, driver }) => driver !== "web" && !held.has(id) && !parts.turns.isBusy(id));
      await adopt(missed.map(({ id }) => id));
    },
    async recover() {
      const rows = await repo.inStatesAnywhere([...ACTIVE_STATES, "parked", "failed", "removed"], ownerOf(node));
      const kinds = new Set([...drivers.all.map(({ kind }) => kind), ...rows.map(({ driver }) => driver)]);
      await Promise.all(
        [...kinds].map((kind) =>
          ofKind(
            kind,
            rows.filter(({ driver }) => driver === kind),
          ),
        ),
      );
    },
    async leave(ids) {
      if (node.alone) return;
      const driver = drivers.need("web");
      if (driver.isElsewhere === true) {
        throw new PerchError("unavailable", "This machine has no web phones now, and does not look at their files.");
      }
      for (const id of ids) await parts.turns.take(id, () => dropStray(driver, id));
    },
  };
}

function isActive({ state }: PhoneRow): boolean {
  return ACTIVE_STATES.some((active) => active === state);
}
