/** What a server is started with, and what a running one gives. */

import type { AccountServices } from "./accounts/compose.ts";
import type { Automations } from "./automations/compose.ts";
import type { Backups } from "./backup/backups.service.ts";
import type { BillingParts } from "./billing/compose.ts";
import type { Clock, Monotonic } from "./clock.ts";
import type { Config } from "./config.ts";
import type { Database } from "./db/database.ts";
import type { Log } from "./log.ts";
import type { Drained } from "./nodes/drain.ts";
import type { LeaseTimes } from "./nodes/lease.ts";
import type { Membership } from "./nodes/membership.ts";
import type { PhoneDriver } from "./phones/driver.ts";
import type { Drivers } from "./phones/drivers.ts";
import type { PhoneLifecycle } from "./phones/phone-lifecycle.ts";
import type { ProfileArchive } from "./phones/profile-archive.ts";
import type { Outbound } from "./privacy/processors/outbound.ts";
import type { Scheduler } from "./rules/scheduler.ts";
import type { ScreenService } from "./screen/screen.service.ts";
import type { WebhooksService } from "./webhooks/webhooks.service.ts";

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  /** A one-time link that makes the first account; undefined when there is one. */
  readonly setupUrl: string | undefined;
  readonly accounts: AccountServices;
  readonly db: Database;
  readonly drivers: Drivers;
  readonly screen: ScreenService;
  readonly lifecycle: PhoneLifecycle;
  readonly automations: Automations;
  readonly scheduler: Scheduler;
  readonly webhooks: WebhooksService;
  readonly billing: BillingParts;
  readonly membership: Membership;
  readonly backups: Backups;
  /** Begins nothing more, gives phones to other nodes or parks them, and waits so long for what goes on. */
  drain(forMs: number): Promise<Drained>;
  /** When the operator drains this node, and it has nothing in hand any more. */
  readonly drained: Promise<Drained>;
  /** Tells sockets why, parks phones with their state, finishes jobs, closes the database. */
  close(): Promise<void>;
}

export interface ServerOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  /** The wall around this process, where one stands. */
  readonly outbound?: Outbound;
  /** Replaces the machine's. For tests of clocks that are set. */
  readonly monotonic?: Monotonic;
  /** Where web phones are kept for other nodes. */
  readonly archive?: ProfileArchive;
  /** Replaces how long nodes are believed. For tests of several. */
  readonly lease?: LeaseTimes;
  /** Replaces all drivers. For tests that need no browser. */
  readonly driver?: PhoneDriver;
}
