/**
 * What an operator sees and does beside the running server, by its page or by command: one code for both. What names a
 * person is read with a reason, and they see who read it; every change says who made it and why.
 */

import type { JobId, PhoneId, TeamId, UserId } from "../../shared/ids.ts";
import type { Suspended } from "../abuse/suspensions.repo.ts";
import type { Suspensions } from "../abuse/suspensions.service.ts";
import type { Accounts } from "../accounts/accounts.service.ts";
import { SESSIONS_ENDED_JOB } from "../accounts/ended-elsewhere.ts";
import type { Sessions } from "../accounts/sessions.service.ts";
import { type AccountFacts, accountFacts } from "../admin/account-facts.repo.ts";
import type { Audit } from "../audit/audit.repo.ts";
import type { Clock } from "../clock.ts";
import { type ConfigLine, configLines } from "../config/shown.ts";
import type { Config } from "../config.ts";
import type { Database } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { FaultLine, FaultsRepo } from "../faults/faults.repo.ts";
import type { JobsRepo } from "../jobs/jobs.repo.ts";
import type { Mail } from "../mail/mail.service.ts";
import type { SeenNode } from "../nodes/nodes.repo.ts";
import type { NodesDesk } from "../nodes/nodes.service.ts";
import type { PhoneHosts } from "../phones/drivers/adb/containers/phone-hosts.service.ts";
import type { PhonesRepo } from "../phones/phones.repo.ts";
import type { TeamsRepo } from "../teams/teams.repo.ts";
import type { AuditLine, ConsoleRepo, InboxLine, JobLine, TeamPhone } from "./console.repo.ts";
import { STOP_PHONE_JOB } from "./stop-phone.ts";

const DAY_MS = 24 * 3_600_000;
const JOBS_SHOWN = 30;
const AUDIT_SHOWN = 100;

export interface Overview {
  readonly phones: Awaited<ReturnType<PhonesRepo["countsAnywhere"]>>;
  readonly unreachablePhones: number;
  readonly nodes: readonly SeenNode[];
  readonly hosts: Awaited<ReturnType<PhoneHosts["list"]>>;
  readonly jobs: Readonly<Record<string, number>>;
  readonly diedToday: number;
  readonly overdueMs: number;
  readonly mail: { readonly waiting: number; readonly failed: number };
}
export interface PersonFacts {
  readonly userId: UserId;
  readonly email: string;
  readonly name: string;
  readonly createdAt: Date;
  readonly facts: AccountFacts;
  readonly suspendedAt: Date | null;
  readonly teams: readonly {
    readonly id: TeamId;
    readonly name: string;
    readonly role: string;
    readonly suspendedAt: Date | null;
    readonly phones: readonly TeamPhone[];
  }[];
}

export interface OperatorConsole {
  overview(): Promise<Overview>;
  jobs(): Promise<readonly JobLine[]>;
  inbox(): Promise<readonly InboxLine[]>;
  configuration(): readonly ConfigLine[];
  /** By their exact address. They see that somebody looked, and why. */
  person(email: string, reason: string): Promise<PersonFacts>;
  auditLog(reason: string): Promise<readonly AuditLine[]>;
  /** Ends all their sessions; gives how many, and how many tokens of programs still work. */
  signOut(userId: UserId, reason: string): Promise<{ readonly ended: number; readonly tokens: number }>;
  /** Nothing runs for the account or the team until it is lifted; its people are told why. */
  suspend(which: Suspended, reason: string): Promise<void>;
  liftSuspension(which: Suspended, reason: string): Promise<void>;
  /** Parks it with its state; the running server does it, wherever the phone is. */
  stopPhone(id: PhoneId, reason: string): Promise<void>;
  runJob(id: JobId, reason: string): Promise<void>;
  /** What failed on the server in the last 24 hours, the most frequent first. */
  faults(): Promise<readonly FaultLine[]>;
}

export function createConsole(options: {
  db: Database;
  repo: ConsoleRepo;
  /** Signed by the operator. */
  audit: Audit;
  clock: Clock;
  config: Config;
  jobsRepo: Pick<JobsRepo, "counts" | "oldestDue" | "enqueue">;
  phonesRepo: Pick<PhonesRepo, "countsAnywhere" | "unreachableAnywhere">;
  accounts: Pick<Accounts, "findByEmail">;
  sessions: Pick<Sessions, "endIn">;
  memberships: Pick<TeamsRepo, "listOf">;
  mail: Pick<Mail, "counts">;
  suspensions: Suspensions;
  faults: Pick<FaultsRepo, "since">;
  nodes: Pick<NodesDesk, "list">;
  hosts: Pick<PhoneHosts, "list">;
}): OperatorConsole {
  const { db, repo, audit, clock, config, jobsRepo, phonesRepo, accounts, memberships } = options;
  const now = () => new Date(clock.now());
  const entry = { chain: "server", actor: "operator" } as const;
  return {
    async overview() {
      const [phones, unreachablePhones, nodes, hosts, jobs, due, mail, diedToday] = await Promise.all([
        ...([phonesRepo.countsAnywhere(), phonesRepo.unreachableAnywhere(), options.nodes.list()] as const),
        ...([options.hosts.list(), jobsRepo.counts(), jobsRepo.oldestDue(), options.mail.counts()] as const),
        repo.diedSince(new Date(clock.now() - DAY_MS)),
      ]);
      const overdueMs = due === undefined ? 0 : Math.max(0, clock.now() - due.getTime());
      return { phones, unreachablePhones, nodes, hosts, jobs, diedToday, overdueMs, mail };
    },
    jobs: () => repo.jobs(JOBS_SHOWN),
    inbox: () => repo.inbox(),
    configuration: () => configLines(config),
    async person(email, reason) {
      const found = await accounts.findByEmail(email);
      if (found === undefined) throw new PerchError("not_found", "No account has this address.");
      const { id, emailShown, fullName, createdAt } = found.user;
      const teams = await memberships.listOf(id);
      return db.tx(async (tx) => {
        await audit.record(tx, { ...entry, action: "admin.account_read", object: id, detail: { reason } });
        const facts = await accountFacts(db, tx, id, now());
        const shown = [];
        const suspended = await repo.suspended(tx, id, teams);
        for (const team of teams) {
          const { id: teamId, name, role } = team;
          const suspendedAt = suspended.teams.get(teamId) ?? null;
          shown.push({ id: teamId, name, role, suspendedAt, phones: await repo.phonesOf(tx, teamId) });
        }
        const { person } = suspended;
        const about = { userId: id, email: emailShown, name: fullName ?? "", createdAt, suspendedAt: person };
        return { ...about, facts, teams: shown };
      });
    },
    async auditLog(reason) {
      await db.tx((tx) => audit.record(tx, { ...entry, action: "admin.audit_read", detail: { reason } }));
      return repo.auditLog(AUDIT_SHOWN);
    },
    async signOut(userId, reason) {
      return db.tx(async (tx) => {
        const ids = await options.sessions.endIn(tx, userId, "all");
        const detail = { reason, count: ids.length };
        await audit.record(tx, { ...entry, action: "session.revoked", object: userId, detail });
        // A second process cannot tell a server on SQLite; its jobs, which it looks for every second, can.
        if (db.engine === "sqlite" && ids.length > 0)
          await jobsRepo.enqueue(tx, { kind: SESSIONS_ENDED_JOB, input: { ids } });
        const facts = await accountFacts(db, tx, userId, now());
        return { ended: ids.length, tokens: facts.tokens.length };
      });
    },
    suspend: (which, reason) => options.suspensions.suspend(which, reason),
    liftSuspension: (which, reason) => options.suspensions.lift(which, reason),
    faults: () => options.faults.since(new Date(clock.now() - DAY_MS)),
    async stopPhone(id, reason) {
      await db.tx(async (tx) => {
        const phone = await repo.phone(tx, id);
        if (phone === undefined) throw new PerchError("not_found", "There is no such phone.");
        await audit.record(tx, { ...entry, action: "admin.phone_stopped", object: id, detail: { reason } });
        const input = { phoneId: id };
        await jobsRepo.enqueue(tx, { kind: STOP_PHONE_JOB, input, dedupeKey: `${STOP_PHONE_JOB}:${id}` });
      });
    },
    async runJob(id, reason) {
      await db.tx(async (tx) => {
        const done = await repo.runNow(tx, id, now());
        if (done === false) throw new PerchError("not_found", "This job is not waiting and has not failed.");
        if (done === "taken") throw new PerchError("conflict", "Another job of this kind waits already.");
        await audit.record(tx, { ...entry, action: "admin.job_run", object: id, detail: { reason } });
      });
    },
  };
}
