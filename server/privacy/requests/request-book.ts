/** Requests as they are entered, moved from state to state and shown. Each move signs the receipt anew. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { dataRequestId, type UserId } from "../../../shared/ids.ts";
import type { RequestChannel, RequestKind, RequestView } from "../../../shared/privacy.ts";
import type { Clock } from "../../clock.ts";
import type { Writer } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import type { Receipts } from "../receipts.ts";
import { dueAt, reminderDay } from "./due-date.ts";
import { after, isOver, type RequestEvent, type RequestStatus } from "./request-states.ts";
import type { RequestChange, RequestRow, RequestsRepo } from "./requests.repo.ts";

export interface EnteredRequest {
  readonly kind: RequestKind;
  readonly channel: RequestChannel;
  /** Known for sure: signed in, or never set before it is confirmed. */
  readonly userId?: UserId;
  readonly email?: string;
  readonly text?: string | undefined;
  /** True arrival; left out: now. */
  readonly receivedAt?: Date;
  /** Of the link that asks whether it is theirs; without one it is theirs for sure. */
  readonly verifyHash?: string;
  readonly idempotencyKey?: string;
}

export interface RequestBook {
  enter(tx: Writer, request: EnteredRequest): Promise<RequestRow>;
  /** @throws PerchError `conflict` for what cannot happen to it, or when somebody else was faster */
  move(tx: Writer, row: RequestRow, event: RequestEvent, more?: Pick<RequestChange, Told>): Promise<RequestRow>;
  view(row: RequestRow): RequestView;
  /** Opens the page with the receipt, for as long as the request is kept. */
  receiptToken(row: Pick<RequestRow, "id">): string;
  findByReceiptToken(token: string): Promise<RequestRow | undefined>;
}
type Told = "userId" | "email" | "text" | "answer";

export function createRequestBook(options: {
  repo: RequestsRepo;
  receipts: Receipts;
  clock: Clock;
  /** Who signs. */
  publicUrl: URL;
  /** Makes links to receipts. */
  linksKey: Buffer;
}): RequestBook {
  const { repo, receipts, clock, publicUrl, linksKey } = options;
  const now = () => new Date(clock.now());

  /** Says nothing about a person, so that it can be kept and shown to anybody. */
  function receiptOf(row: Omit<RequestRow, "receipt" | "id">) {
    return receipts.sign({
      type: "data-request",
      version: 1,
      issuer: publicUrl.origin,
      number: row.number,
      kind: row.kind,
      channel: row.channel,
      state: row.state,
      ...(row.reason !== null && { reason: row.reason }),
      received_at: row.receivedAt.toISOString(),
      expected_by: row.dueAt.toISOString(),
      ...(row.verifiedAt !== null && { verified_at: row.verifiedAt.toISOString() }),
      ...(row.closedAt !== null && { closed_at: row.closedAt.toISOString() }),
      signed_at: now().toISOString(),
    });
  }

  async function nextNumber(tx: Writer): Promise<string> {
    const prefix = `DR-${now().getUTCFullYear()}-`;
    const last = await repo.lastNumber(tx, prefix);
    return prefix + String(Number(last?.slice(prefix.length) ?? 0) + 1).padStart(4, "0");
  }

  const macOf = (id: string) => createHmac("sha256", linksKey).update(id).digest();

  return {
    async enter(tx, { receivedAt = now(), verifyHash, ...request }) {
      const enteredAt = now();
      if (receivedAt > enteredAt) throw new PerchError("bad_input", "A request cannot arrive in the future.");
      const status = after({ state: "open" }, { type: verifyHash === undefined ? "begin" : "ask_who" });
      const due = dueAt(receivedAt);
      const row = {
        number: await nextNumber(tx),
        kind: request.kind,
        channel: request.channel,
        state: status.state,
        reason: status.reason ?? null,
        userId: request.userId ?? null,
        email: request.email ?? null,
        emailIndex: request.email ?? null,
        text: request.text || null,
        answer: null,
        verifyHash: verifyHash ?? null,
        verifiedAt: verifyHash === undefined ? enteredAt : null,
        ...{ receivedAt, enteredAt, dueAt: due, acknowledgedAt: enteredAt },
        // Who enters an old letter knows of it: reminders go on from there.
        remindedDay: reminderDay({ receivedAt, dueAt: due }, enteredAt.getTime()),
        closedAt: null,
        idempotencyKey: request.idempotencyKey ?? null,
      };
      return repo.insert(tx, { ...row, receipt: receiptOf(row) });
    },
    async move(tx, row, event, more = {}) {
      const status = after(statusOf(row), event);
      const changed = {
        ...more,
        state: status.state,
        reason: status.reason ?? null,
        ...(event.type === "verify" && { verifiedAt: now(), verifyHash: null }),
        ...(isOver(status) && { closedAt: now(), verifyHash: null }),
      };
      const receipt = receiptOf({ ...row, ...changed });
      const moved = await repo.change(tx, row.id, statusOf(row), { ...changed, receipt });
      if (moved === undefined)
        throw new PerchError("conflict", "This request was changed meanwhile. Look at it again.");
      return moved;
    },
    view: (row) => ({
      id: row.id,
      number: row.number,
      kind: row.kind,
      channel: row.channel,
      state: row.state,
      ...(row.reason !== null && { reason: row.reason }),
      receivedAt: row.receivedAt.toISOString(),
      dueAt: row.dueAt.toISOString(),
      ...(row.closedAt !== null && { closedAt: row.closedAt.toISOString() }),
      ...(row.answer !== null && { answer: row.answer }),
      ...(row.receipt !== null && { receipt: row.receipt }),
    }),
    receiptToken: ({ id }) => `${id}.${macOf(id).toString("base64url")}`,
    async findByReceiptToken(token) {
      const [id = "", mac = ""] = token.split(".");
      const parsed = dataRequestId.safeParse(id);
      const given = Buffer.from(mac, "base64url");
      const expected = macOf(id);
      if (!parsed.success || given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
      return repo.find(parsed.data);
    },
  };
}

/** Rows are written from a `RequestStatus` alone, so state and reason fit. */
export function statusOf(row: Pick<RequestRow, "state" | "reason">): RequestStatus {
  return { state: row.state, ...(row.reason !== null && { reason: row.reason }) } as RequestStatus;
}
