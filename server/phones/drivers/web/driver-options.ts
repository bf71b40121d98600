/** What the `web` driver is given. */
import type { Clock } from "../../../clock.ts";
import type { ArchiveKeeper, ParkedPhones } from "../../profile-archive.ts";
import type { BrowserUser } from "./storage.ts";
import type { Egress } from "./warm.ts";

export interface WebDriverLog {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export interface WebDriverOptions {
  readonly dataDir: string;
  /** 32 bytes: encrypts what phones remember, and all of a parked phone. */
  readonly key: Buffer;
  readonly chromePath?: string;
  readonly clock: Clock;
  readonly log: WebDriverLog;
  /** A filtering proxy on 127.0.0.1 of one phone's own; everything the phone loads goes through it. */
  readonly egress: () => Promise<Egress>;
  /** Per phone. */
  readonly limits: { readonly memoryBytes: number; readonly diskBytes: number };
  /** How long a page that left the foreground stays awake, in milliseconds; ten seconds by default. */
  readonly restAfterMs?: number;
  /** Browsers kept started for the next new phone. */
  readonly spares?: 0 | 1;
  /** False only by an operator's explicit choice: pages then run without Chromium's sandbox. */
  readonly sandbox?: boolean;
  /** Who browsers run as when the server is root; `nobody` by default. */
  readonly user?: BrowserUser;
  /** Where parked phones go for other nodes, given what is here of them. */
  readonly archive?: (parked: ParkedPhones) => ArchiveKeeper;
}
