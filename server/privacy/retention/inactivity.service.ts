/**
 * Nobody's data lies around for ever: an account nobody signs in to for 24 months (`INACTIVE_MONTHS`) is deleted like one
 * whose owner asked for it, after notices 60, 30 and 7 days before. Any sign-in takes it all back.
 */
import type { UserId } from "../../../shared/ids.ts";
import type { PageLinks } from "../../accounts/page-links.ts";
import type { Database, Writer } from "../../db/database.ts";
import type { Mail } from "../../mail/mail.service.ts";
import { clampAddMonths } from "./calendar.ts";
import type { InactivityRepo, QuietAccount } from "./inactivity.repo.ts";
import type { Sweep } from "./sweeps.repo.ts";

export const NOTICE_DAYS = [60, 30, 7] as const;
const DAY_MS = 24 * 3_600_000;
/** Stands for the last step: deletion was asked for. */
const ASKED = 0;

/**
 * Asks for the deletion of an account in the given transaction; what it gives is called after the commit. Asked again for
 * one that is under way, it does nothing.
 */
export type AskForErasure = (tx: Writer, userId: UserId) => Promise<() => void>;

export interface Inactivity {
  readonly sweep: Sweep;
  /** When the account would be deleted, once a notice was sent. */
  deletionAt(userId: UserId): Promise<Date | undefined>;
}

export function createInactivity(options: {
  db: Database;
  repo: InactivityRepo;
  mail: Pick<Mail, "queue" | "wake">;
  page: PageLinks;
  /** 0: accounts stay however long nobody comes. */
  months: number;
  /** Left out, it ends with the last notice. */
  askForErasure?: AskForErasure | undefined;
}): Inactivity {
  const { db, repo, mail, page, months, askForErasure } = options;
  const dayWords = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" });

  /** One step with one account, when one is due. */
  async function step(account: QuietAccount, now: number): Promise<void> {
    const next = nextStep(account, now, months);
    if (next === undefined || (next.notice === ASKED && askForErasure === undefined)) return;
    const tell = await db.tx(async (tx) => {
      if (!(await repo.note(tx, account, next))) return undefined;
      const { id: userId, email: recipient } = account;
      if (next.notice === ASKED) {
        return askForErasure?.(tx, userId);
      }
      await mail.queue(tx, {
        kind: "inactive",
        recipient,
        userId,
        data: {
          since: dayWords.format(account.lastSeenAt),
          deletedAt: dayWords.format(next.deletionAt),
          signInLink: page("/sign-in"),
        },
        dedupeKey: `inactive:${userId}:${next.deletionAt.getTime()}:${next.notice}`,
      });
      return undefined;
    });
    mail.wake();
    tell?.();
  }

  return {
    deletionAt: (userId) => repo.deletionOf(userId),
    sweep: {
      name: "accounts nobody signs in to",
      async batch(now, limit) {
        if (months === 0) return repo.forgetNotices(limit);
        const begun = await repo.begin(new Date(dayStart(now)), limit);
        if (begun >= limit) return begun;
        // All that can be due for a first notice; months differ by 3 days at most.
        const since = new Date(clampAddMonths(now + NOTICE_DAYS[0] * DAY_MS, -months) + 4 * DAY_MS);
        for (let after: UserId | undefined; ; ) {
          const found = await repo.quiet(since, after, limit);
          for (const account of found) await step(account, now);
          after = found.at(-1)?.id;
          if (after === undefined || found.length < limit) return begun;
        }
      },
    },
  };
}

/**
 * The notice that is due, or the deletion; undefined: nothing yet. Nothing is skipped that a person could count on: a first
 * notice comes 60 days before and a last one 7, however long the server was off.
 */
export function nextStep(
  account: Pick<QuietAccount, "lastSeenAt" | "notice" | "deletionAt">,
  now: number,
  months: number,
): { readonly notice: number; readonly deletionAt: Date } | undefined {
  /** Not sooner than so many days after its notice; on its day, when the notice is on time. */
  const noSooner = (at: number, days: number) =>
    new Date(now < at - days * DAY_MS + DAY_MS ? at : dayStart(now) + (days + 1) * DAY_MS);
  const [first, , last] = NOTICE_DAYS;
  const { notice } = account;
  if (notice === ASKED) return undefined;
  if (notice === null || account.deletionAt === null) {
    const due = clampAddMonths(account.lastSeenAt.getTime(), months);
    if (now < due - first * DAY_MS) return undefined;
    return { notice: first, deletionAt: noSooner(due, first) };
  }
  const deletionAt = account.deletionAt.getTime();
  if (notice === last) return now < deletionAt ? undefined : { notice: ASKED, deletionAt: account.deletionAt };
  const left = deletionAt - now;
  if (left <= last * DAY_MS) return { notice: last, deletionAt: noSooner(deletionAt, last) };
  const due = NOTICE_DAYS.find((days) => days < notice && left <= days * DAY_MS);
  return due === undefined ? undefined : { notice: due, deletionAt: account.deletionAt };
}

function dayStart(at: number): number {
  return Math.floor(at / DAY_MS) * DAY_MS;
}
