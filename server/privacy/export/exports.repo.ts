/** Exports in the database: what was asked for, how far it is, and what opens its archive. */
import { and, count, desc, eq, gt, inArray, isNotNull, lt, lte, sql } from "drizzle-orm";
import type { DataExportId, UserId } from "../../../shared/ids.ts";
import type { ExportState } from "../../../shared/privacy.ts";
import type { Database, Writer } from "../../db/database.ts";
import type { Tables } from "../../db/tables.ts";

export type ExportRow = Tables["dataExports"]["$inferSelect"];
export type NewExport = Tables["dataExports"]["$inferInsert"];
type Change = Partial<Omit<ExportRow, "id" | "userId">>;

export interface ExportsRepo {
  /** The newest first. */
  list(userId: UserId): Promise<ExportRow[]>;
  find(tx: Writer, userId: UserId, id: DataExportId): Promise<ExportRow | undefined>;
  findByKey(tx: Writer, userId: UserId, key: string): Promise<ExportRow | undefined>;
  /** How many of the person are in one of these states. */
  countIn(tx: Writer, userId: UserId, states: readonly ExportState[]): Promise<number>;
  insert(tx: Writer, row: NewExport): Promise<ExportRow>;
  /** Changes it if it is in one of `from`; undefined when it is not. */
  change(tx: Writer, id: DataExportId, from: readonly ExportState[], change: Change): Promise<ExportRow | undefined>;
  findAnywhere(id: DataExportId): Promise<ExportRow | undefined>;
  /** Uses up the ticket and counts the download; undefined for one that is used, too old, or of an export that is over. */
  redeem(tx: Writer, ticketHash: string, now: Date, most: number): Promise<ExportRow | undefined>;
  /** Ready ones that are over now. */
  expire(tx: Writer, now: Date): Promise<DataExportId[]>;
  /** Of these, those whose archive is to stay. */
  keeping(ids: readonly DataExportId[]): Promise<ReadonlySet<DataExportId>>;
  /** Forgets those that were asked for before the moment and are over. */
  sweep(tx: Writer, before: Date): Promise<number>;
}

/** Rows of one statement; engines bound the values it may carry. */
const AT_ONCE = 500;
const OVER = ["revoked", "expired", "failed"] as const satisfies readonly ExportState[];

export function createExportsRepo(db: Database): ExportsRepo {
  const { dataExports } = db.t;
  const one = (userId: UserId, id: DataExportId) => and(eq(dataExports.id, id), eq(dataExports.userId, userId));
  return {
    list: async (userId) =>
      db.read
        .select()
        .from(dataExports)
        .where(eq(dataExports.userId, userId))
        .orderBy(desc(dataExports.askedAt), desc(dataExports.id)),
    async find(tx, userId, id) {
      const [row] = await tx.select().from(dataExports).where(one(userId, id));
      return row;
    },
    async findByKey(tx, userId, key) {
      const [row] = await tx
        .select()
        .from(dataExports)
        .where(and(eq(dataExports.userId, userId), eq(dataExports.idempotencyKey, key)));
      return row;
    },
    async countIn(tx, userId, states) {
      const [row] = await tx
        .select({ found: count() })
        .from(dataExports)
        .where(and(eq(dataExports.userId, userId), inArray(dataExports.state, [...states])));
      return row?.found ?? 0;
    },
    async insert(tx, row) {
      const [inserted] = await tx.insert(dataExports).values(row).returning();
      if (inserted === undefined) throw new Error("An inserted export was not returned.");
      return inserted;
    },
    async change(tx, id, from, change) {
      const [row] = await tx
        .update(dataExports)
        .set(change)
        .where(and(eq(dataExports.id, id), inArray(dataExports.state, [...from])))
        .returning();
      return row;
    },
    async findAnywhere(id) {
      const [row] = await db.read.select().from(dataExports).where(eq(dataExports.id, id));
      return row;
    },
    async redeem(tx, ticketHash, now, most) {
      const [row] = await tx
        .update(dataExports)
        .set({ ticketHash: null, ticketExpiresAt: null, downloads: sql`${dataExports.downloads} + 1` })
        .where(
          and(
            eq(dataExports.ticketHash, ticketHash),
            eq(dataExports.state, "ready"),
            gt(dataExports.ticketExpiresAt, now),
            gt(dataExports.expiresAt, now),
            isNotNull(dataExports.sealedKey),
            lt(dataExports.downloads, most),
          ),
        )
        .returning();
      return row;
    },
    async expire(tx, now) {
      const rows = await tx
        .update(dataExports)
        .set({ state: "expired", sealedKey: null, ticketHash: null })
        .where(and(eq(dataExports.state, "ready"), lte(dataExports.expiresAt, now)))
        .returning({ id: dataExports.id });
      return rows.map(({ id }) => id);
    },
    async keeping(ids) {
      const found = new Set<DataExportId>();
      for (let at = 0; at < ids.length; at += AT_ONCE) {
        const these = inArray(dataExports.id, ids.slice(at, at + AT_ONCE));
        const rows = await db.read
          .select({ id: dataExports.id })
          .from(dataExports)
          .where(and(these, inArray(dataExports.state, ["waiting", "running", "ready"])));
        for (const { id } of rows) found.add(id);
      }
      return found;
    },
    async sweep(tx, before) {
      const rows = await tx
        .delete(dataExports)
        .where(and(inArray(dataExports.state, [...OVER]), lt(dataExports.askedAt, before)))
        .returning({ id: dataExports.id });
      return rows.length;
    },
  };
}
