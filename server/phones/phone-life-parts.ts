/** What the parts of a phone's life share: the row's changes, the turns, and which phones are in this server's hands. */
import type { PhoneId } from "../../shared/ids.ts";
import { outOfReachWords, type PhoneReason, type PhoneState } from "../../shared/phones.ts";
import type { Metering } from "../billing/ports.ts";
import type { Clock } from "../clock.ts";
import { PerchError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { PhoneDriver, PhoneSpec } from "./driver.ts";
import type { Drivers } from "./drivers.ts";
import type { Move } from "./phone-moves.ts";
import type { PhoneRow, PhonesRepo } from "./phones.repo.ts";

/** What the screens need to know of a phone's life. */
export interface LifecycleListener {
  ended(phoneId: PhoneId, state: PhoneState, reason: PhoneReason): void;
  /** It runs and cannot be reached; `words` say why, for people. */
  unreachable(phoneId: PhoneId, words: string): void;
  /** It can be reached again: its screen is to be opened anew. */
  reachable(phoneId: PhoneId): void;
  idleWarning(phoneId: PhoneId, parksAt: Date): void;
  coverWarning(phoneId: PhoneId, parksAt: Date | undefined): void;
}

/** Before there are screens. */
export const NOBODY_LISTENS: LifecycleListener = {
  ended() {},
  unreachable() {},
  reachable() {},
  idleWarning() {},
  coverWarning() {},
};

/** The running phones of this process. */
export interface Hands {
  hold(id: PhoneId, driver: PhoneDriver): void;
  /** `adrift`: it was never in this process's hands, so it has to be taken up. */
  lose(id: PhoneId, reason: PhoneReason, at: number, adrift: boolean): void;
  /** When this process took it for lost; undefined where it did not. */
  lostAt(id: PhoneId): number | undefined;
  isAdrift(id: PhoneId): boolean;
  drop(id: PhoneId): void;
  /** All that run, out of reach or not. */
  all(): readonly (readonly [PhoneId, PhoneDriver])[];
  /** @throws PerchError `phone_not_running`, or `phone_unavailable` for one that is out of reach */
  driver(id: PhoneId): PhoneDriver;
}

export function createHands(): Hands {
  const running = new Map<PhoneId, PhoneDriver>();
  const lost = new Map<PhoneId, { readonly reason: PhoneReason; readonly at: number; readonly adrift: boolean }>();
  return {
    hold(id, driver) {
      running.set(id, driver);
      lost.delete(id);
    },
    lose: (id, reason, at, adrift) => void lost.set(id, { reason, at, adrift }),
    lostAt: (id) => lost.get(id)?.at,
    isAdrift: (id) => lost.get(id)?.adrift === true,
    drop(id) {
      running.delete(id);
      lost.delete(id);
    },
    all: () => [...running],
    driver(id) {
      const why = lost.get(id);
      if (why !== undefined) throw new PerchError("phone_unavailable", outOfReachWords(why.reason));
      const driver = running.get(id);
      if (driver === undefined) throw new PerchError("phone_not_running", "This phone is not running. Start it first.");
      return driver;
    },
  };
}

export interface LifeParts {
  readonly repo: PhonesRepo;
  readonly drivers: Drivers;
  readonly clock: Clock;
  readonly log: Log;
  readonly metering: Metering;
  readonly move: Move;
  readonly hands: Hands;
  /** When each was last used, as this process saw it. */
  readonly lastUse: Map<PhoneId, number>;
  readonly listener: () => LifecycleListener;
  readonly specOf: (row: PhoneRow) => PhoneSpec;
  /** @throws PerchError `capability_missing` where the server has no phones of the kind any more */
  readonly driverOf: (row: Pick<PhoneRow, "driver">) => PhoneDriver;
}
