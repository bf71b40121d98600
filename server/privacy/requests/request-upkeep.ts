/** What time does to requests: reminders to the operator, the end of those nobody confirmed, and forgetting. */
import type { Clock } from "../../clock.ts";
import type { Writer } from "../../db/database.ts";
import type { JobHandler } from "../../jobs/jobs.service.ts";
import type { Log } from "../../log.ts";
import type { Mail } from "../../mail/mail.service.ts";
import { daysLeft, reminderDay } from "./due-date.ts";
import { CONFIRM_MS } from "./intake.service.ts";
import { type RequestBook, statusOf } from "./request-book.ts";
import { placeOf } from "./request-states.ts";
import { dayWords } from "./request-words.ts";
import type { RequestRow, RequestsRepo } from "./requests.repo.ts";

export const REQUESTS_JOB = "privacy.requests";
export const REQUESTS_EVERY_MS = 60 * 60_000;
/** How long after the answer it is known where it went. */
const FORGET_MS = 30 * 24 * 60 * 60_000;

export function createRequestUpkeep(options: {
  repo: RequestsRepo;
  book: RequestBook;
  mail: Mail;
  clock: Clock;
  log: Log;
  /** Where reminders go; without one they stand in the log and in `request list`. */
  supportEmail?: string | undefined;
}): JobHandler {
  const { repo, book, mail, clock, log, supportEmail } = options;

  async function expire(tx: Writer, now: number): Promise<void> {
    for (const row of await repo.unconfirmed(tx, new Date(now - CONFIRM_MS))) {
      // Whoever's address it was never said that the request is theirs: nothing of it is kept.
      await book.move(tx, row, { type: "expire" }, { email: null, text: null });
    }
  }

  async function remind(tx: Writer, due: readonly RequestRow[], now: number): Promise<void> {
    for (const row of due) await repo.setReminded(tx, row.id, reminderDay(row, now));
    if (due.length === 0 || supportEmail === undefined) return;
    const count = due.length === 1 ? "1 request" : `${due.length} requests`;
    const list = due.map((row) => `${row.number} (${row.kind}): ${dueWords(row, now)}`).join("; ");
    await mail.queue(tx, { kind: "data_requests_due", recipient: supportEmail, data: { count, list } });
  }

  return async (_input, { finish }) => {
    const now = clock.now();
    const due = (await repo.listNotOver()).filter(
      (row) => isForOperator(row) && reminderDay(row, now) > row.remindedDay,
    );
    await finish(async (tx) => {
      await expire(tx, now);
      await repo.forget(tx, new Date(now - FORGET_MS));
      await remind(tx, due, now);
    });
    for (const row of due) {
      const about = { number: row.number, kind: row.kind, daysLeft: daysLeft(row.dueAt, now) };
      if (about.daysLeft < 0) log.error("A request about data is overdue", about);
      else log.warn("A request about data waits for its answer", about);
    }
    mail.wake();
  };
}

/** Whoever wrote through the page and never confirmed it waits for nobody; what came by mail or post the operator confirms. */
function isForOperator(row: Pick<RequestRow, "state" | "reason" | "channel">): boolean {
  return placeOf(statusOf(row)) !== "unverified" || row.channel !== "web";
}

function dueWords({ dueAt }: Pick<RequestRow, "dueAt">, now: number): string {
  const left = daysLeft(dueAt, now);
  if (left < 0) return `overdue since ${dayWords(dueAt)}`;
  const words = left === 1 ? "1 day left" : left === 0 ? "the last day" : `${left} days left`;
  return `due ${dayWords(dueAt)}, ${words}`;
}
