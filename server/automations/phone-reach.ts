/**
 * A phone of a run that may go out of reach for a moment. What only looks waits and is asked again; what changes the phone
 * waits before it is begun, and is never done a second time.
 */
import type { PhoneId } from "../../shared/ids.ts";
import { PerchError } from "../errors.ts";
import type { PhoneDriver } from "../phones/driver.ts";
import { RunStop } from "./engine/failures.ts";
import type { Pace } from "./engine/ports.ts";

/** A run ends whose phone is out of reach for longer. */
export const REACH_MS = 30_000;
const LOOK_MS = 500;

export interface PhoneReach {
  /** Settles when the phone can be reached, or has ended, which its calls tell. @throws RunStop after `REACH_MS` */
  reached(): Promise<void>;
  /** Does what changes nothing, again if the phone went out of reach meanwhile. */
  look<T>(work: () => Promise<T>): Promise<T>;
  /** Does what changes the phone, once. `begun` says so right before. */
  change<T>(begun: () => Promise<void>, work: () => Promise<T>): Promise<T>;
}

export function createPhoneReach(options: {
  driver: Pick<PhoneDriver, "runningPhones" | "state">;
  id: PhoneId;
  pace: Pace;
  signal: AbortSignal;
}): PhoneReach {
  const { driver, id, pace, signal } = options;

  async function isOut(): Promise<boolean> {
    if (driver.runningPhones().has(id)) return false;
    return (await driver.state(id).catch(() => "unknown")) === "unknown";
  }

  async function reached(): Promise<void> {
    for (const since = pace.now(); await isOut(); ) {
      signal.throwIfAborted();
      if (pace.now() - since >= REACH_MS) {
        throw new RunStop("phone_lost", "The phone was out of reach for too long. Look after it. Start the run again.");
      }
      await pace.sleep(LOOK_MS, signal);
    }
  }

  const isLoss = async (error: unknown) =>
    error instanceof PerchError && error.code === "phone_unavailable" && (await isOut());

  return {
    reached,
    async look(work) {
      for (;;) {
        await reached();
        try {
          return await work();
        } catch (error) {
          if (!(await isLoss(error))) throw error;
        }
      }
    },
    async change(begun, work) {
      await reached();
      await begun();
      try {
        return await work();
      } catch (error) {
        if (!(await isLoss(error))) throw error;
        throw new RunStop(
          "phone_lost",
          "The phone went out of reach in the middle of this step, which it may have done. Look at it. Start the run again.",
        );
      }
    },
  };
}
