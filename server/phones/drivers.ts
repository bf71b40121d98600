/** The drivers of this server, one for each kind of phone it has. A kind that is not set up is not there. */
import type { PhoneId } from "../../shared/ids.ts";
import { DRIVER_KINDS, type DriverKind } from "../../shared/phones.ts";
import { PerchError } from "../errors.ts";
import type { DriverEvent, PhoneDriver } from "./driver.ts";

export interface Drivers {
  /** In the order of `DRIVER_KINDS`. */
  readonly all: readonly PhoneDriver[];
  /** Undefined where this server has no phones of the kind. */
  of(kind: DriverKind): PhoneDriver | undefined;
  /** @throws PerchError `capability_missing`, which says how to get phones of the kind */
  need(kind: DriverKind): PhoneDriver;
  onEvent(listener: (event: DriverEvent) => void): () => void;
  /** Phones that live now, of every kind. */
  runningPhones(): ReadonlySet<PhoneId>;
  /** Phones whose picture moves on this machine now. */
  movingPhones(): number;
  /** Closes each, also when another one fails. @throws AggregateError */
  close(): Promise<void>;
}

const HOW_TO_GET = {
  web: "This server has no web phones.",
  adb: "This server has no Android phones. Who runs it connects a device or adds a host; see docs/android.md.",
  geelark: "This server has no cloud phones of GeeLark. Who runs it sets an account up; see docs/android.md.",
} as const satisfies Record<DriverKind, string>;

export function createDrivers(drivers: readonly PhoneDriver[]): Drivers {
  const all = DRIVER_KINDS.flatMap((kind) => drivers.find((driver) => driver.kind === kind) ?? []);
  const of = (kind: DriverKind) => all.find((driver) => driver.kind === kind);
  return {
    all,
    of,
    need(kind) {
      const driver = of(kind);
      if (driver === undefined) throw new PerchError("capability_missing", HOW_TO_GET[kind]);
      return driver;
    },
    onEvent(listener) {
      const stops = all.map((driver) => driver.onEvent(listener));
      return () => {
        for (const stop of stops) stop();
      };
    },
    runningPhones: () => new Set(all.flatMap((driver) => [...driver.runningPhones()])),
    movingPhones: () => all.reduce((sum, driver) => sum + driver.movingPhones(), 0),
    async close() {
      const ends = await Promise.allSettled(all.map((driver) => driver.close()));
      const failed = ends.flatMap((end) => (end.status === "rejected" ? [end.reason] : []));
      if (failed.length > 0) throw new AggregateError(failed, "A driver of phones did not close.");
    },
  };
}
