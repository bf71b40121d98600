/** What the parts of one Android's screen share. */
import type { Clock } from "../../../../clock.ts";
import type { Log } from "../../../../log.ts";
import type { AndroidDevice, AndroidScreenEvents } from "../ports.ts";
import type { Trouble } from "./trouble.ts";

export interface ScreenParts {
  readonly device: AndroidDevice;
  readonly clock: Clock;
  readonly log: Log;
  readonly events: AndroidScreenEvents;
  readonly trouble: Trouble;
}
