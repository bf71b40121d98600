/** The mail outbox. What a template needs (single-use links among it) is sealed before it gets here. */
import { and, desc, eq, min, sql } from "drizzle-orm";
import type { UserId } from "../../shared/ids.ts";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";
import type { MailKind, MailState } from "./mail.tables.ts";

export interface OutboxMail {
  readonly id: string;
  readonly userId: UserId | null;
  readonly recipient: string;
  readonly kind: MailKind;
  readonly data: Readonly<Record<string, string>> | null;
  readonly createdAt: Date;
}

export interface FailedMail {
  readonly id: string;
  readonly userId: UserId | null;
  readonly recipient: string;
  readonly kind: MailKind;
  readonly createdAt: Date;
  readonly failure: string | null;
}

export interface MailRepo {
  /** False when there is a mail with this dedupe key. */
  insert(
    tx: Writer,
    mail: {
      id: string;
      userId?: UserId | undefined;
      recipient: string;
      kind: MailKind;
      data: Record<string, string>;
      dedupeKey?: string | undefined;
    },
  ): Promise<boolean>;
  find(id: string): Promise<(OutboxMail & { state: MailState }) | undefined>;
  /** Forgets the links once they are in somebody's mailbox, or never will be. `failure`: why it failed for good. */
  settle(tx: Writer, id: string, failure: string | undefined): Promise<void>;
  /** The newest first. */
  listWaiting(limit: number): Promise<OutboxMail[]>;
  /** The newest first. */
  listFailed(limit: number): Promise<FailedMail[]>;
  counts(): Promise<Readonly<Record<MailState, number>>>;
  /** When the mail that waits longest was written. */
  oldestWaiting(): Promise<Date | undefined>;
}

export function createMailRepo(db: Database, clock: Clock): MailRepo {
  const { mailOutbox } = db.t;
  const columns = {
    id: mailOutbox.id,
    userId: mailOutbox.userId,
    recipient: mailOutbox.recipient,
    kind: mailOutbox.kind,
    data: mailOutbox.data,
    createdAt: mailOutbox.createdAt,
  };
  return {
    async insert(tx, { id, userId, recipient, kind, data, dedupeKey }) {
      const inserted = await tx
        .insert(mailOutbox)
        .values({
          id,
          userId: userId ?? null,
          recipient,
          recipientIndex: recipient,
          kind,
          data,
          dedupeKey: dedupeKey ?? null,
          state: "waiting",
          createdAt: new Date(clock.now()),
        })
        .onConflictDoNothing({ target: mailOutbox.dedupeKey })
        .returning({ id: mailOutbox.id });
      return inserted.length > 0;
    },
    async find(id) {
      const [row] = await db.read
        .select({ ...columns, state: mailOutbox.state })
        .from(mailOutbox)
        .where(eq(mailOutbox.id, id));
      return row;
    },
    async settle(tx, id, failure) {
      const outcome =
        failure === undefined
          ? { state: "sent" as const, sentAt: new Date(clock.now()) }
          : { state: "failed" as const, failure };
      await tx
        .update(mailOutbox)
        .set({ ...outcome, data: null })
        .where(and(eq(mailOutbox.id, id), eq(mailOutbox.state, "waiting")));
    },
    async listWaiting(limit) {
      return db.read
        .select(columns)
        .from(mailOutbox)
        .where(eq(mailOutbox.state, "waiting"))
        .orderBy(desc(mailOutbox.createdAt), desc(mailOutbox.id))
        .limit(limit);
    },
    async listFailed(limit) {
      const { id, userId, recipient, kind, createdAt } = columns;
      return db.read
        .select({ id, userId, recipient, kind, createdAt, failure: mailOutbox.failure })
        .from(mailOutbox)
        .where(eq(mailOutbox.state, "failed"))
        .orderBy(desc(mailOutbox.createdAt), desc(mailOutbox.id))
        .limit(limit);
    },
    async oldestWaiting() {
      const [row] = await db.read
        .select({ at: min(mailOutbox.createdAt) })
        .from(mailOutbox)
        .where(eq(mailOutbox.state, "waiting"));
      return row?.at ?? undefined;
    },
    async counts() {
      const rows = await db.read
        .select({ state: mailOutbox.state, count: sql`count(*)`.mapWith(Number) })
        .from(mailOutbox)
        .groupBy(mailOutbox.state);
      return { waiting: 0, sent: 0, failed: 0, ...Object.fromEntries(rows.map(({ state, count }) => [state, count])) };
    },
  };
}
