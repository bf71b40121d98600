/** The operator's side of requests: what came by mail, form or post, and answers. Each look and step is recorded. */
import type { RequestChannel, RequestKind } from "../../../shared/privacy.ts";
import type { AccountsRepo } from "../../accounts/accounts.repo.ts";
import { lookupEmail } from "../../accounts/identity-provider.ts";
import type { PageLinks } from "../../accounts/page-links.ts";
import type { Audit, AuditAction } from "../../audit/audit.repo.ts";
import type { Clock } from "../../clock.ts";
import type { Database, Writer } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import type { Jobs } from "../../jobs/jobs.service.ts";
import type { Mail } from "../../mail/mail.service.ts";
import { daysLeft } from "./due-date.ts";
import type { RequestIntake } from "./intake.service.ts";
import type { RequestBook } from "./request-book.ts";
import type { DenialReason, RequestEvent } from "./request-states.ts";
import { DENIED, MAY_COMPLAIN } from "./request-words.ts";
import type { RequestRow, RequestsRepo } from "./requests.repo.ts";
import { demandSensible } from "./requests.service.ts";

/** One line of the queue; it names nobody. */
export interface QueuedRequest
  extends Pick<
    RequestRow,
    "number" | "kind" | "channel" | "state" | "reason" | "receivedAt" | "dueAt" | "remindedDay"
  > {
  /** Negative when it is overdue. */
  readonly daysLeft: number;
}

export interface RequestDesk {
  /** Enters what arrived elsewhere, with its true arrival, and mails its sender a link that confirms it. */
  enter(
    request: {
      readonly kind: RequestKind;
      readonly channel: Extract<RequestChannel, "mail" | "post" | "form">;
      readonly email: string;
      readonly receivedAt: Date;
      readonly text?: string | undefined;
    },
    reason: string,
  ): Promise<RequestRow>;
  /** Those that are not over, the first due first. */
  queue(reason: string): Promise<QueuedRequest[]>;
  /** Everything there is of one. */
  show(number: string, reason: string): Promise<RequestRow>;
  /**
   * The operator made sure otherwise that it is theirs; `docs/privacy/requests.md` says how. `atWork`: a copy or a deletion
   * was started by it.
   */
  confirm(number: string, reason: string): Promise<{ readonly row: RequestRow; readonly atWork: boolean }>;
  answer(number: string, answer: string, reason: string): Promise<RequestRow>;
  /** Says why not, and where one may complain. */
  deny(number: string, because: DenialReason, words: string | undefined, reason: string): Promise<RequestRow>;
  /** The person took it back. */
  close(number: string, reason: string): Promise<RequestRow>;
}

export function createRequestDesk(options: {
  db: Database;
  repo: RequestsRepo;
  book: RequestBook;
  intake: Pick<RequestIntake, "enterUnconfirmed" | "confirmIn">;
  people: Pick<AccountsRepo, "findByEmail">;
  audit: Audit;
  mail: Mail;
  jobs: Pick<Jobs, "wake">;
  clock: Clock;
  page: PageLinks;
}): RequestDesk {
  const { db, repo, book, intake, people, audit, mail, jobs, clock, page } = options;

  /** Seen by whose request it is or claims to be. */
  async function record(tx: Writer, row: RequestRow, action: AuditAction, detail: Readonly<Record<string, string>>) {
    const claimed = row.email === null ? undefined : await people.findByEmail(tx, lookupEmail(row.email));
    const object = row.userId ?? claimed?.id;
    await audit.record(tx, {
      ...{ chain: "server", actor: "operator", action, detail: { number: row.number, ...detail } },
      ...(object !== undefined && { object }),
    });
  }

  async function numbered(number: string): Promise<RequestRow> {
    const row = await repo.findByNumber(number.trim().toUpperCase());
    if (row === undefined)
      throw new PerchError("not_found", "No request has this number. See them with: request list.");
    return row;
  }

  async function settle(number: string, event: RequestEvent, answer: string | undefined, reason: string) {
    const row = await numbered(number);
    const settled = await db.tx(async (tx) => {
      const moved = await book.move(tx, row, event, answer === undefined ? {} : { answer });
      await record(tx, row, "admin.request_answered", { reason, outcome: moved.state });
      if (answer !== undefined && row.email !== null) {
        const link = page("/data-request/receipt", { token: book.receiptToken(row) });
        await mail.queue(tx, {
          ...{ kind: "data_request_done", recipient: row.email, dedupeKey: `request-done:${row.id}` },
          ...(row.userId !== null && { userId: row.userId }),
          data: { number: row.number, answer, link },
        });
      }
      return moved;
    });
    mail.wake();
    return settled;
  }

  return {
    async enter({ text, email, ...request }, reason) {
      demandSensible(request.kind, text);
      const row = await db.tx(async (tx) => {
        const entered = await intake.enterUnconfirmed(tx, { ...request, email: email.trim(), text });
        await record(tx, entered, "admin.request_entered", { reason, kind: entered.kind });
        return entered;
      });
      mail.wake();
      return row;
    },
    async queue(reason) {
      const entry = { chain: "server", actor: "operator", action: "admin.requests_read", detail: { reason } } as const;
      await db.tx((tx) => audit.record(tx, entry));
      return (await repo.listNotOver()).map((row) => ({
        ...{ number: row.number, kind: row.kind, channel: row.channel, state: row.state, reason: row.reason },
        ...{ receivedAt: row.receivedAt, dueAt: row.dueAt, remindedDay: row.remindedDay },
        daysLeft: daysLeft(row.dueAt, clock.now()),
      }));
    },
    async show(number, reason) {
      const row = await numbered(number);
      await db.tx((tx) => record(tx, row, "admin.requests_read", { reason }));
      return row;
    },
    async confirm(number, reason) {
      const row = await numbered(number);
      const carried = await db.tx(async (tx) => {
        const confirmed = await intake.confirmIn(tx, row, { shown: false });
        await record(tx, row, "admin.request_verified", { reason });
        return { ...confirmed, atWork: await repo.isAtWork(tx, row.id) };
      });
      carried.afterwards();
      mail.wake();
      jobs.wake();
      return carried;
    },
    answer: (number, answer, reason) => settle(number, { type: "fulfil" }, answer, reason),
    deny(number, because, words, reason) {
      const answer = [DENIED[because], words?.trim(), MAY_COMPLAIN].filter(Boolean).join(" ");
      return settle(number, { type: "deny", reason: because }, answer, reason);
    },
    close: (number, reason) => settle(number, { type: "revoke" }, undefined, reason),
  };
}
