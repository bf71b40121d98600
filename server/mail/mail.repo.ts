/** The mail outbox. What a template needs (single-use links among it) is sealed before it gets here. */
import { and, desc, eq } from "drizzle-orm";
import type { UserId } from "../../shared/ids.ts";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";
import type { MailKind } from "./mail.tables.ts";

export interface OutboxMail {
  readonly id: string;
  readonly recipient: string;
  readonly kind: MailKind;
  readonly data: Readonly<Record<string, string>> | null;
  readonly createdAt: Date;
}

export interface MailRepo {
  insert(
    tx: Writer,
    mail: { id: string; userId?: UserId | undefined; recipient: string; kind: MailKind; data: Record<string, string> },
  ): Promise<void>;
  find(id: string): Promise<(OutboxMail & { state: "waiting" | "sent" | "failed" }) | undefined>;
  /** Forgets the links once they are in somebody's mailbox, or never will be. */
  settle(tx: Writer, id: string, state: "sent" | "failed"): Promise<void>;
  /** The newest first. */
  listWaiting(limit: number): Promise<OutboxMail[]>;
}

export function createMailRepo(db: Database, clock: Clock): MailRepo {
  const { mailOutbox } = db.t;
  const columns = {
    id: mailOutbox.id,
    recipient: mailOutbox.recipient,
    kind: mailOutbox.kind,
    data: mailOutbox.data,
    createdAt: mailOutbox.createdAt,
  };
  return {
    async insert(tx, { id, userId, recipient, kind, data }) {
      await tx.insert(mailOutbox).values({
        id,
        userId: userId ?? null,
        recipient,
        kind,
        data,
        state: "waiting",
        createdAt: new Date(clock.now()),
      });
    },
    async find(id) {
      const [row] = await db.read
        .select({ ...columns, state: mailOutbox.state })
        .from(mailOutbox)
        .where(eq(mailOutbox.id, id));
      return row;
    },
    async settle(tx, id, state) {
      await tx
        .update(mailOutbox)
        .set({ state, data: null, sentAt: state === "sent" ? new Date(clock.now()) : null })
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
  };
}
