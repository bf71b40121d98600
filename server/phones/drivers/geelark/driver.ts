/**
 * Phones at the cloud-phone partner GeeLark: made, started and wiped through its HTTP interface, driven over ADB like every
 * other Android. What happens there is polled; its webhooks only say when to look.
 */
import type { Clock } from "../../../clock.ts";
import type { Config } from "../../../config.ts";
import type { Database } from "../../../db/database.ts";
import { PerchError } from "../../../errors.ts";
import type { JobHandler, Jobs, Schedule } from "../../../jobs/jobs.service.ts";
import type { Log } from "../../../log.ts";
import type { PhoneDriver } from "../../driver.ts";
import type { AdbEndpoint, AndroidSource } from "../adb/ports.ts";

export const GEELARK_WEBHOOK_PATH = "/webhooks/geelark";
/** The partner's largest messages name some phones and tasks. */
export const MAX_HINT_BYTES = 64 * 1024;

/** Where the ADB of a phone at the partner listens, and what it asks for first. */
export interface PartnerAdb {
  readonly host: string;
  readonly port: number;
  /** Changes whenever ADB is turned on; never kept. */
  readonly password: string;
}

export interface GeelarkDelivery {
  /** As it came, before any parser. */
  readonly body: Uint8Array;
  header(name: string): string | undefined;
}

export interface GeelarkParts {
  readonly driver: PhoneDriver;
  /** Takes what the partner tells. @throws PerchError `unauthenticated` for what it did not sign, `bad_input` for what is no message */
  readonly webhook: { receive(delivery: GeelarkDelivery): Promise<void> };
  readonly jobs: Readonly<Record<string, JobHandler>>;
  readonly schedules: readonly Schedule[];
}

export interface GeelarkDriverOptions {
  readonly config: Pick<Config, "publicUrl">;
  readonly db: Database;
  readonly jobs: Pick<Jobs, "enqueue" | "wake">;
  readonly clock: Clock;
  readonly log: Log;
  /** Tells this server's phones at the partner from another one's; the same after every start. */
  readonly mark: string;
  /** The generic Android driver over one source. */
  readonly android: (source: AndroidSource) => PhoneDriver;
  /** An ADB connection that begins with the partner's login. */
  readonly connect: (words: string, find: (signal: AbortSignal) => Promise<PartnerAdb>) => AdbEndpoint;
}

/** `undefined` where no partner is configured. */
export function createGeelarkDriver(_options: GeelarkDriverOptions): GeelarkParts | undefined {
  throw new PerchError("capability_missing", "Phones of the cloud-phone partner come later.");
}
