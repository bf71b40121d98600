/** Versions of the privacy policy: announcement, notices, objection, and the moment one comes into force. */
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import type { UserId } from "../../../shared/ids.ts";
import type { Policy } from "../../../shared/policy/policy-v1.ts";
import type { PolicyVersion } from "../../../shared/policy/versions.ts";
import type { PolicyNotice } from "../../../shared/privacy.ts";
import type { Audit } from "../../audit/audit.repo.ts";
import type { Clock } from "../../clock.ts";
import type { Database, Writer } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import type { JobHandler, Jobs } from "../../jobs/jobs.service.ts";
import type { Mail } from "../../mail/mail.service.ts";
import type { Actor } from "../../teams/team-scope.ts";
import { type AnnouncedVersion, type NoticeMoment, type PolicyRepo, policyNoticeKey } from "./policy.repo.ts";
import { plannedStart, startFor, startOf } from "./policy-clock.ts";

export interface PolicyDesk {
  /** The version in force now. */
  current(): Promise<Policy>;
  /** What was announced to the person and is not in force yet; counts as shown. */
  notice(userId: UserId): Promise<PolicyNotice | undefined>;
  acknowledge(actor: Actor, version: number): Promise<void>;
  /** Says what one who does not agree can do: leave before it applies, with what was paid ahead given back. */
  object(actor: Actor, version: number): Promise<void>;
  /**
   * Whether what needs this version may be used already; with a person, by them: not by who objected, and not before
   * somebody whom no mail reaches has known of it for 14 days.
   */
  inForce(version: number, userId?: UserId): Promise<boolean>;
  /** An announced version that is not in force yet, and from when it is at the earliest. */
  announcedNext(): Promise<{ readonly policy: PolicyVersion; readonly effectiveAt: Date } | undefined>;
  /** Every version that may be shown: in force, earlier, or announced. The newest first. */
  published(): Promise<readonly PublishedVersion[]>;
}
export interface PublishedVersion {
  readonly policy: PolicyVersion;
  readonly state: "announced" | "in force" | "earlier";
  readonly effectiveAt: Date;
}

export interface PolicyAnnouncements {
  announce(version: number, reason: string): Promise<{ effectiveAt: Date }>;
  status(): Promise<
    readonly (AnnouncedVersion & { people: number; mailed: number; failed: number; objected: number })[]
  >;
  /** Queues notices, a batch at a time; begun again after a crash it goes on where it was. */
  readonly tell: JobHandler;
  /** Takes over what became of mails, and fixes the date once the last notice was delivered. */
  tick(): Promise<void>;
}

/** What was paid ahead is given back to who leaves because of a change; billing fills it in. */
export interface ProRataRefunds {
  /** In the objection's transaction. */
  whenLeaving(tx: Writer, userId: UserId, version: number): Promise<void>;
}
export const NOBODY_PAYS: ProRataRefunds = { whenLeaving: async () => {} };

export const POLICY_NOTIFY_JOB = "policy.notify";
const TOLD_AT_ONCE = 200;
const PAUSE_MS = 2;
const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" });

export function createPolicyDesk(options: {
  db: Database;
  repo: PolicyRepo;
  /** The oldest first. */
  versions: readonly PolicyVersion[];
  audit: Audit;
  mail: Pick<Mail, "queue" | "wake" | "staysLocal">;
  jobs: Pick<Jobs, "enqueue" | "wake">;
  clock: Clock;
  publicUrl: URL;
  refunds: ProRataRefunds;
}): PolicyDesk & PolicyAnnouncements {
  const { db, repo, versions, audit, mail, jobs, clock, publicUrl, refunds } = options;
  const now = () => new Date(clock.now());
  const first = versions[0];
  if (first === undefined) throw new Error("There is no version of the policy.");
  const urlOf = (version: number) => new URL(`/privacy/versions/${version}`, publicUrl).href;
  const ownStart = ({ effectiveAt }: Policy) => new Date(`${effectiveAt}T00:00:00Z`);
  const datesOf = (policy: Policy, { announcedAt }: AnnouncedVersion) => ({ ownDate: policy.effectiveAt, announcedAt });

  /** When it takes effect, as far as is known: `undefined` while it was not announced, `fixed` once every notice arrived. */
  function startIn(announced: readonly AnnouncedVersion[], policy: PolicyVersion) {
    if (policy === first || !policy.material) return { at: ownStart(policy), fixed: true };
    const row = announced.find(({ version }) => version === policy.version);
    if (row === undefined) return undefined;
    const at = row.effectiveAt ?? plannedStart(datesOf(policy, row));
    return { at, fixed: row.noticedAt !== null && row.effectiveAt !== null };
  }

  /** Versions come into force one after the other: none before the one it changes. */
  function currentIn(announced: readonly AnnouncedVersion[]): PolicyVersion {
    let current = first as PolicyVersion;
    for (const policy of versions.slice(1)) {
      const start = startIn(announced, policy);
      if (start === undefined || !start.fixed || start.at.getTime() > clock.now()) break;
      current = policy;
    }
    return current;
  }

  async function pending(): Promise<{ policy: PolicyVersion; effectiveAt: Date } | undefined> {
    const announced = await repo.announced();
    const { version } = currentIn(announced);
    const policy = versions.find(
      (one) => one.version > version && announced.some((row) => row.version === one.version),
    );
    const start = policy && startIn(announced, policy);
    return policy === undefined || start === undefined ? undefined : { policy, effectiveAt: start.at };
  }

  async function mark(actor: Actor, version: number, moment: NoticeMoment, more?: (tx: Writer) => Promise<void>) {
    const announced = await repo.announced();
    const known = versions.find((policy) => policy.version === version);
    const isPublic =
      known !== undefined && (known.version <= currentIn(announced).version || startIn(announced, known));
    if (!isPublic) throw new PerchError("not_found", "There is no such version of the privacy policy.");
    const { userId, teamId } = actor;
    const action = moment === "objectedAt" ? "privacy.policy_objected" : "privacy.policy_acknowledged";
    await db.tx(async (tx) => {
      await repo.mark(tx, userId, version, moment, now());
      await audit.record(tx, { chain: teamId, actor: userId, action, object: userId, detail: { version } });
      await more?.(tx);
    });
  }

  /** One batch; gives how many. */
  async function tellSome(policy: PolicyVersion, row: AnnouncedVersion): Promise<number> {
    const effectiveAt = `${day.format(plannedStart(datesOf(policy, row)))}, at the earliest,`;
    return db.tx(async (tx) => {
      const some = await repo.unnoticed(tx, row, TOLD_AT_ONCE);
      for (const { userId, email } of some) {
        const data = { effectiveAt, summary: policy.summary, link: urlOf(policy.version) };
        const dedupeKey = policyNoticeKey(policy.version, userId);
        await mail.queue(tx, { kind: "policy_changed", recipient: email, userId, data, dedupeKey });
      }
      const people = some.map(({ userId }) => userId);
      const at = now();
      await repo.queueNotices(tx, policy.version, people, { queuedAt: at, mailFailedAt: mail.staysLocal ? at : null });
      return some.length;
    });
  }

  async function settle(version: number): Promise<void> {
    for (;;) {
      const some = await repo.settled(version, TOLD_AT_ONCE);
      if (some.length === 0) return;
      await db.tx(async (tx) => {
        for (const { userId, state, at } of some) {
          const when = at ?? now();
          await repo.setMailed(tx, version, userId, state === "sent" ? { mailedAt: when } : { mailFailedAt: when });
        }
      });
      await pause(PAUSE_MS);
    }
  }

  const policyOf = (version: number) => versions.find((policy) => policy.version === version);

  return {
    current: async () => currentIn(await repo.announced()),
    announcedNext: pending,
    async published() {
      const announced = await repo.announced();
      const { version } = currentIn(announced);
      return versions
        .flatMap((policy): PublishedVersion[] => {
          const start = startIn(announced, policy);
          if (start === undefined || (policy.version > version && !policy.material)) return [];
          const state = policy.version === version ? "in force" : policy.version < version ? "earlier" : "announced";
          return [{ policy, state, effectiveAt: start.at }];
        })
        .reverse();
    },
    async notice(userId) {
      const announced = await repo.announced();
      const { version: inForceNow } = currentIn(announced);
      const next = await pending();
      const policy = next?.policy ?? policyOf(inForceNow);
      const start = next?.effectiveAt ?? (policy && startIn(announced, policy)?.at);
      if (policy === undefined || start === undefined) return undefined;
      const row = await repo.noticeOf(userId, policy.version);
      const theirs = startFor(row && { ...row, shownAt: row.shownAt ?? now() }, start);
      const isOver =
        next === undefined && (row === undefined || theirs === undefined || theirs.getTime() <= clock.now());
      if (isOver) return undefined;
      if (row?.shownAt == null) await db.tx((tx) => repo.mark(tx, userId, policy.version, "shownAt", now()));
      return {
        version: policy.version,
        effectiveAt: (theirs ?? start).toISOString(),
        summary: policy.summary,
        url: urlOf(policy.version),
        acknowledged: row?.acknowledgedAt != null,
        objected: row?.objectedAt != null,
      };
    },
    acknowledge: (actor, version) => mark(actor, version, "acknowledgedAt"),
    object: (actor, version) =>
      mark(actor, version, "objectedAt", (tx) => refunds.whenLeaving(tx, actor.userId, version)),
    async inForce(version, userId) {
      const announced = await repo.announced();
      if (version > currentIn(announced).version) return false;
      if (userId === undefined || version === first.version) return true;
      const policy = policyOf(version);
      const start = policy && startIn(announced, policy);
      if (start === undefined) return false;
      const theirs = startFor(await repo.noticeOf(userId, version), start.at);
      return theirs !== undefined && theirs.getTime() <= clock.now();
    },
    async announce(version, reason) {
      const policy = policyOf(version);
      if (policy === undefined) {
        throw new PerchError("not_found", `There is no version ${version}. Its text belongs into shared/policy/.`);
      }
      if (!policy.material || policy === first) {
        throw new PerchError("bad_input", `Version ${version} is not announced: it applies on its own date.`);
      }
      const announcedAt = now();
      await db.tx(async (tx) => {
        const announced = await repo.announced(tx);
        if (announced.some((row) => row.version === version)) {
          throw new PerchError("conflict", `Version ${version} was announced already. See: policy status.`);
        }
        const waiting = announced.find((row) => row.effectiveAt === null || row.effectiveAt > announcedAt);
        if (waiting !== undefined || announced.some((row) => row.version > version)) {
          throw new PerchError("conflict", "Another version was announced and is not in force yet. One at a time.");
        }
        await repo.announce(tx, version, announcedAt);
        const entry = { chain: "server", actor: "operator", action: "admin.policy_announced" } as const;
        await audit.record(tx, { ...entry, object: `policy-${version}`, detail: { reason, version } });
        await jobs.enqueue(tx, {
          kind: POLICY_NOTIFY_JOB,
          input: { version },
          dedupeKey: `${POLICY_NOTIFY_JOB}:${version}`,
        });
      });
      jobs.wake();
      return { effectiveAt: plannedStart({ ownDate: policy.effectiveAt, announcedAt }) };
    },
    async status() {
      const announced = await repo.announced();
      return Promise.all(announced.map(async (row) => ({ ...row, ...(await repo.counts(row.version)) })));
    },
    async tell(input, { signal }) {
      const { version } = z.object({ version: z.int() }).parse(input);
      const policy = policyOf(version);
      const row = (await repo.announced()).find((one) => one.version === version);
      if (policy === undefined || row === undefined) return;
      while ((await tellSome(policy, row)) > 0) {
        mail.wake();
        signal.throwIfAborted();
        await pause(PAUSE_MS);
      }
    },
    async tick() {
      for (const row of await repo.announced()) {
        const policy = policyOf(row.version);
        if (row.noticedAt !== null || policy === undefined) continue;
        await settle(row.version);
        const { waiting, lastAt } = await repo.progress(row);
        if (waiting > 0) continue;
        const noticedAt = lastAt ?? row.announcedAt;
        await db.tx((tx) => repo.setStart(tx, row.version, noticedAt, startOf(datesOf(policy, row), noticedAt)));
      }
    },
  };
}
