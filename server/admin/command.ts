/** What an admin command is made of, and what it works with. */
import { z } from "zod";
import type { AccountServices } from "../accounts/compose.ts";
import type { Announcements } from "../announcements/announcements.service.ts";
import type { Audit } from "../audit/audit.repo.ts";
import type { Backups } from "../backup/backups.service.ts";
import type { Books } from "../billing/compose.ts";
import type { BillingDesk } from "../billing/desk/billing-desk.service.ts";
import type { SyncResult } from "../billing/stripe/catalogue-sync.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Database, Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { NewJob } from "../jobs/jobs.repo.ts";
import type { NodesDesk } from "../nodes/nodes.service.ts";
import type { OperatorConsole } from "../operator/console.service.ts";
import type { Operator } from "../operator/signed-by.ts";
import type { AndroidDesk } from "../phones/drivers/adb/android-desk.ts";
import type { ContainerDesk } from "../phones/drivers/adb/containers/compose.ts";
import type { Desks } from "../privacy/desks.ts";
import type { Erasures } from "../privacy/erasure/erasures.service.ts";
import type { RequestParts } from "../privacy/requests/compose.ts";

export interface AdminProcess {
  readonly config: () => Config;
  readonly clock: Clock;
  readonly readStdin: () => Promise<string>;
  readonly out: (line: string) => void;
  readonly error: (line: string) => void;
}

export interface Work {
  readonly db: Database;
  readonly audit: Audit;
  readonly services: AccountServices;
  readonly asked: RequestParts;
  readonly erasures: Pick<Erasures, "enter">;
  readonly books: Books;
  readonly billingDesk: BillingDesk;
  /** Makes what the catalogue sells in Stripe, or in the sandbox. */
  readonly syncCatalogue: (dryRun: boolean) => Promise<SyncResult>;
  readonly desks: Desks;
  readonly android: AndroidDesk;
  readonly containers: ContainerDesk;
  readonly nodes: NodesDesk;
  readonly backups: Pick<Backups, "status">;
  readonly console: OperatorConsole;
  readonly announcements: Announcements;
  /** Who works here; stands in every entry of the audit log about this command. */
  readonly operator: Operator;
  readonly process: AdminProcess;
  /** Leaves work for the running server. */
  readonly enqueue: (tx: Writer, job: NewJob) => Promise<boolean>;
}
export type { Operator };
export type Options = Readonly<Record<string, string | boolean | undefined>>;
export interface Command {
  /** Its name is one word or two. */
  readonly options: Readonly<Record<string, { readonly type: "string" | "boolean"; readonly required?: true }>>;
  /** Done before the database is opened. */
  prepare?(config: Config, options: Options, clock: Clock): Promise<void>;
  /** Done instead, by a command that opens databases itself. */
  alone?(process: AdminProcess, options: Options, operator: Operator): Promise<void>;
  run?(work: Work, options: Options): Promise<void>;
}
export type Commands = Readonly<Record<string, Command>>;

/** Why an operator looks at or changes what is somebody's; kept in the audit log, shown to the person. */
export const reason = z.string().trim().min(1, "Write why you look.").max(200, "Use at most 200 characters.");

export function parse<S extends z.core.$ZodType>(schema: S, option: string, value: unknown): z.output<S> {
  const parsed = z.safeParse(schema, value);
  if (!parsed.success)
    throw new PerchError("bad_input", `${option}: ${parsed.error.issues[0]?.message ?? "not valid"}`);
  return parsed.data;
}

/** What a person wrote, without what would move the terminal's cursor or look like a line of ours. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ");
}
