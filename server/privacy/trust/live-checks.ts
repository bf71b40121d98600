/** What can be looked at while a person reads `/trust`: each promise of the policy that shows in the running server. */
import { closeSync, openSync, readSync } from "node:fs";
import { readdir } from "node:fs/promises";
import type { Clock } from "../../clock.ts";
import type { LiveChecksRepo, LiveFacts } from "./live-checks.repo.ts";

const DAY_MS = 24 * 3_600_000;
/** Looking costs a little; who reloads gets the last look. */
const KEPT_MS = 60_000;

export const LIVE_CHECKS = [
  "at_rest",
  "in_transit",
  "activity",
  "audit",
  "requests",
  "erasures",
  "backups",
  "billing_records",
  "incidents",
  "policy",
  "passwords",
  "processors",
] as const;
export type LiveCheckId = (typeof LIVE_CHECKS)[number];

export interface LiveCheck {
  readonly id: LiveCheckId;
  /** `outside`: this server cannot see it. */
  readonly state: "kept" | "broken" | "outside";
  readonly words: string;
  /** ISO 8601. */
  readonly at: string;
}

export interface LiveCheckOptions {
  readonly repo: LiveChecksRepo;
  readonly clock: Clock;
  /** The embedded database's file; `undefined` on PostgreSQL. */
  readonly databaseFile: string | undefined;
  readonly backupDir: string;
  readonly backupDays: number;
  /** How people reach the server: by its own TLS, by a proxy's, or from this machine alone. */
  readonly transport: "own_tls" | "proxy" | "loopback";
  readonly processors: readonly { readonly agreement?: unknown }[];
  /** The last look through the audit chains. */
  readonly auditVerified: () => { readonly at: Date; readonly intact: boolean } | undefined;
}

type Found = readonly [state: LiveCheck["state"], words: string];

export function createLiveChecks(options: LiveCheckOptions): () => Promise<readonly LiveCheck[]> {
  const { repo, clock } = options;
  let last: { readonly at: number; readonly checks: Promise<readonly LiveCheck[]> } | undefined;

  async function look(now: Date): Promise<readonly LiveCheck[]> {
    const facts = await repo.facts(now);
    const found: Readonly<Record<LiveCheckId, Found>> = {
      at_rest: atRest(options.databaseFile),
      in_transit: IN_TRANSIT[options.transport],
      activity: activity(facts, now),
      audit: audit(options.auditVerified()),
      requests: none(facts.overdueRequests, "No request is past its date.", "requests are past their date."),
      erasures: none(
        facts.overdueErasures,
        "No deletion took longer than 30 days.",
        "deletions take longer than 30 days.",
      ),
      backups: await backups(options, now),
      billing_records: none(
        facts.overdueBillingRecords,
        "No billing record is kept longer than the law asks.",
        "billing records are kept too long.",
      ),
      incidents: none(
        facts.untoldIncidents,
        "Nobody waits longer than 72 hours to hear of an incident.",
        "incidents are older than 72 hours and somebody was not told.",
      ),
      policy: none(facts.earlyPolicies, "No version came into force early.", "versions came into force early."),
      passwords: none(facts.weakPasswords, "Every password is kept as argon2id.", "passwords are kept otherwise."),
      processors: processors(options.processors),
    };
    const at = now.toISOString();
    return LIVE_CHECKS.map((id) => ({ id, state: found[id][0], words: found[id][1], at }));
  }

  return () => {
    const now = clock.now();
    if (last === undefined || now - last.at > KEPT_MS) last = { at: now, checks: look(new Date(now)) };
    return last.checks;
  };
}

const IN_TRANSIT: Readonly<Record<LiveCheckOptions["transport"], Found>> = {
  own_tls: ["kept", "This server speaks TLS 1.3 and nothing older."],
  proxy: ["outside", "A proxy of the operator speaks TLS for this server, which cannot see how."],
  loopback: ["kept", "This server answers on its own machine only."],
};

function none(count: number, kept: string, broken: string): Found {
  return count === 0 ? ["kept", kept] : ["broken", `${count} ${broken}`];
}

function atRest(file: string | undefined): Found {
  if (file === undefined) return ["outside", "The operator's PostgreSQL encrypts its disk, or does not: ask them."];
  const header = Buffer.alloc(15);
  const descriptor = openSync(file, "r");
  try {
    readSync(descriptor, header, 0, header.length, 0);
  } finally {
    closeSync(descriptor);
  }
  return header.toString("latin1") === "SQLite format 3"
    ? ["broken", "The database file is not encrypted."]
    : ["kept", "The database file is encrypted. What a running phone writes is not; a parked phone is."];
}

function activity({ oldestActivityAt }: LiveFacts, now: Date): Found {
  if (oldestActivityAt === undefined) return ["kept", "The activity log is empty."];
  const days = Math.floor((now.getTime() - oldestActivityAt.getTime()) / DAY_MS);
  const words = `The oldest entry that says who did something is ${days === 1 ? "1 day" : `${days} days`} old.`;
  // Swept every hour.
  return [now.getTime() - oldestActivityAt.getTime() > 91 * DAY_MS ? "broken" : "kept", words];
}

function audit(verified: { readonly at: Date; readonly intact: boolean } | undefined): Found {
  if (verified === undefined) return ["outside", "Not looked through yet since the server started; done every night."];
  const when = verified.at.toISOString().slice(0, 16).replace("T", " ");
  return verified.intact
    ? ["kept", `The audit log was looked through at ${when} UTC and is whole.`]
    : ["broken", `The audit log was looked through at ${when} UTC, and something in it was changed.`];
}

async function backups({ backupDir, backupDays }: LiveCheckOptions, now: Date): Promise<Found> {
  const names: string[] = await readdir(backupDir).catch(() => []);
  const days = names.flatMap((name) => {
    const [, year, month, day] = /^perch-(\d{4})(\d\d)(\d\d)T/.exec(name) ?? [];
    if (year === undefined) return [];
    return [(now.getTime() - Date.UTC(Number(year), Number(month) - 1, Number(day))) / DAY_MS];
  });
  const oldest = Math.max(...days);
  if (days.length === 0) return ["kept", "There are no backups on this machine."];
  return [
    oldest > backupDays + 2 ? "broken" : "kept",
    `The oldest backup on this machine is ${Math.floor(oldest)} days old; ${backupDays} days are the most.`,
  ];
}

function processors(all: readonly { readonly agreement?: unknown }[]): Found {
  if (all.length === 0) return ["kept", "Nobody works for this server: everything stays on it."];
  const without = all.filter(({ agreement }) => agreement === undefined).length;
  if (without === 0) return ["kept", `All ${all.length} who work for this server have an agreement on record.`];
  return ["broken", `${without} of ${all.length} who work for this server have no agreement on record.`];
}
