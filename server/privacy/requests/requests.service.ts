/** Requests of signed-in people about their data, and what a confirmed request sets going. */
import type { z } from "zod";
import type { DataRequestId, UserId } from "../../../shared/ids.ts";
import type { makeRequestInput, RequestChannel, RequestView, SignedReceipt } from "../../../shared/privacy.ts";
import type { AccountsRepo } from "../../accounts/accounts.repo.ts";
import type { PageLinks } from "../../accounts/page-links.ts";
import type { Audit } from "../../audit/audit.repo.ts";
import { holdsCardNumber } from "../../billing/card-numbers.ts";
import type { Database, Writer } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import type { Jobs } from "../../jobs/jobs.service.ts";
import type { Mail } from "../../mail/mail.service.ts";
import type { Actor } from "../../teams/team-scope.ts";
import type { Chooser, PrivacyPreferences } from "../preferences/preferences.service.ts";
import type { RequestBook } from "./request-book.ts";
import { isOver } from "./request-states.ts";
import { ASKED, DONE, dayWords } from "./request-words.ts";
import type { RequestRow, RequestsRepo } from "./requests.repo.ts";

/** A request that is somebody's for sure. */
export interface ConfirmedRequest {
  readonly id: DataRequestId;
  readonly userId: UserId;
}
/** Starts what was asked for, in the transaction that confirms it. What it gives is called after the commit. */
export type StartRight = (tx: Writer, request: ConfirmedRequest) => Promise<() => void>;

export interface DataRequests {
  /** The newest first. */
  list(userId: UserId): Promise<RequestView[]>;
  /** Does at once what can be done at once. Deleting waits for `privacy.delete`, a correction for the operator. */
  make(
    actor: Actor,
    input: z.output<typeof makeRequestInput>,
    channel?: Extract<RequestChannel, "panel" | "web">,
  ): Promise<RequestView>;
  revoke(actor: Actor, id: DataRequestId): Promise<void>;
  /**
   * For an export or a deletion that starts: takes up the person's open request of the kind, or opens one, so that each
   * has a number, a due date and a receipt. One that nobody confirmed is never taken up.
   */
  opened(
    tx: Writer,
    about: { readonly userId: UserId; readonly kind: "export" | "delete" },
  ): Promise<Pick<RequestRow, "id" | "number" | "receivedAt" | "dueAt">>;
  /** It is done; `answer` says so in sentences that name nobody, for they outlive the account. */
  fulfilled(tx: Writer, id: DataRequestId, answer: string): Promise<SignedReceipt>;
  /** The person took it back. */
  revoked(tx: Writer, id: DataRequestId): Promise<void>;
  /** How copies and deletions of confirmed requests are started; they are made after requests. */
  startWith(rights: Readonly<Partial<Record<"export" | "delete", StartRight>>>): void;
  /** Does what a request that is somebody's for sure asks for, as far as no person is needed. */
  carryOut(tx: Writer, row: RequestRow & ConfirmedRequest, chooser: Chooser): Promise<CarriedOut>;
}
export interface CarriedOut {
  readonly row: RequestRow;
  /** Call it after the commit. */
  readonly afterwards: () => void;
}

export function createDataRequests(options: {
  db: Database;
  repo: RequestsRepo;
  book: RequestBook;
  people: Pick<AccountsRepo, "findIn">;
  preferences: Pick<PrivacyPreferences, "changeIn">;
  audit: Audit;
  mail: Mail;
  jobs: Pick<Jobs, "wake">;
  page: PageLinks;
}): DataRequests {
  const { db, repo, book, people, preferences, audit, mail, jobs, page } = options;
  let rights: Readonly<Partial<Record<"export" | "delete", StartRight>>> = {};

  async function found(tx: Writer, id: DataRequestId): Promise<RequestRow> {
    const row = await repo.findIn(tx, id);
    if (row === undefined) throw new PerchError("not_found", "There is no such request.");
    return row;
  }

  const carryOut: DataRequests["carryOut"] = async (tx, row, chooser) => {
    const done = async (answer: string) => ({
      row: await book.move(tx, row, { type: "fulfil" }, { answer }),
      afterwards() {},
    });
    switch (row.kind) {
      case "access":
        return done(DONE.access);
      case "restrict":
        await preferences.changeIn(tx, chooser, { restricted: true });
        return done(DONE.restrict);
      case "object":
        await preferences.changeIn(tx, chooser, { metrics: false });
        return done(DONE.object);
      case "export":
      case "delete":
        return { row, afterwards: (await rights[row.kind]?.(tx, row)) ?? (() => {}) };
      case "rectify":
        return { row, afterwards() {} };
    }
  };

  async function acknowledge(tx: Writer, row: RequestRow, recipient: string): Promise<void> {
    const { number, kind, userId } = row;
    const link = page("/data-request/receipt", { token: book.receiptToken(row) });
    await mail.queue(tx, {
      ...{ kind: "data_request", recipient, dedupeKey: `request:${row.id}` },
      ...(userId !== null && { userId }),
      data: { what: `You asked us ${ASKED[kind]}.`, number, dueAt: dayWords(row.dueAt), link },
    });
  }

  return {
    list: async (userId) => (await repo.listOf(userId)).map(book.view),
    async make(actor, { kind, text, idempotencyKey }, channel = "panel") {
      demandSensible(kind, text);
      const { userId, teamId } = actor;
      const { row, afterwards } = await db.tx(async (tx) => {
        const earlier = await repo.findByKey(tx, userId, idempotencyKey);
        if (earlier !== undefined) {
          if (earlier.kind === kind && (earlier.text ?? "") === (text ?? "")) return { row: earlier, afterwards() {} };
          throw new PerchError(
            "idempotency_mismatch",
            "This request key was already used for something else. Use a new key.",
          );
        }
        const person = await people.findIn(tx, userId);
        if (person === undefined) throw new PerchError("session_ended", "You were signed out. Sign in again.");
        const entered = await book.enter(tx, { kind, channel, userId, email: person.emailShown, text, idempotencyKey });
        const { number } = entered;
        await audit.record(tx, {
          ...{ chain: teamId, actor: userId, action: "privacy.requested", object: userId, detail: { kind, number } },
        });
        // Being signed in, or holding an API token, is not enough to delete: that takes a fresh proof and one's word.
        const carried =
          kind === "delete"
            ? { row: entered, afterwards() {} }
            : await carryOut(tx, { ...entered, userId }, { userId, chain: teamId });
        if (!isOver(carried.row)) await acknowledge(tx, carried.row, person.emailShown);
        return carried;
      });
      afterwards();
      mail.wake();
      jobs.wake();
      return book.view(row);
    },
    async revoke({ userId, teamId }, id) {
      await db.tx(async (tx) => {
        const row = await repo.findIn(tx, id);
        if (row?.userId !== userId) throw new PerchError("not_found", "There is no such request of yours.");
        if (await repo.isAtWork(tx, id)) {
          throw new PerchError(
            "conflict",
            row.kind === "delete"
              ? "Your account is being deleted on this request. Take the deletion back under Privacy instead."
              : "Your copy is being made or waits for you. Remove the copy under Privacy instead.",
          );
        }
        const { number } = await book.move(tx, row, { type: "revoke" });
        await audit.record(tx, {
          ...{ chain: teamId, actor: userId, action: "privacy.request_revoked", object: userId, detail: { number } },
        });
      });
    },
    async opened(tx, { userId, kind }) {
      const open = await repo.findOpen(tx, userId, kind);
      if (open !== undefined) return open;
      const person = await people.findIn(tx, userId);
      return book.enter(tx, { kind, channel: "panel", userId, ...(person && { email: person.emailShown }) });
    },
    async fulfilled(tx, id, answer) {
      const { receipt } = await book.move(tx, await found(tx, id), { type: "fulfil" }, { answer });
      if (receipt === null) throw new Error("A request moved without a receipt.");
      return receipt;
    },
    async revoked(tx, id) {
      await book.move(tx, await found(tx, id), { type: "revoke" });
    },
    startWith(given) {
      rights = { ...rights, ...given };
    },
    carryOut,
  };
}

/** What every channel asks of a request. */
export function demandSensible(kind: RequestRow["kind"], text: string | undefined): void {
  if (kind === "rectify" && !text?.trim()) {
    const words = "Write what is wrong and what is right.";
    throw new PerchError("bad_input", words, { fields: { text: words } });
  }
  if (text !== undefined && holdsCardNumber(text)) {
    const words = "Your message seems to hold a card number. Remove it: we never need one and never store one.";
    throw new PerchError("bad_input", words, { fields: { text: words } });
  }
}
