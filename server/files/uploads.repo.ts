/** Uploads in the database. Functions for people take a `TeamScope`; those of the machine itself are named `…Anywhere`. */
import { and, desc, eq, inArray, isNull, or, sum } from "drizzle-orm";
import type { NodeId, PhoneId, UploadId } from "../../shared/ids.ts";
import type { UploadState } from "../../shared/uploads.ts";
import type { Database, Reader, Writer } from "../db/database.ts";
import type { Tables } from "../db/tables.ts";
import type { TeamScope } from "../teams/team-scope.ts";

export type UploadRow = Tables["uploads"]["$inferSelect"];
export type NewUpload = Tables["uploads"]["$inferInsert"];

/** States in which bytes lie here. */
export const OPEN_STATES = ["receiving", "putting"] as const satisfies readonly UploadState[];

export interface UploadsRepo {
  insert(tx: Writer, row: NewUpload): Promise<UploadRow>;
  find(scope: TeamScope, phone: PhoneId, id: UploadId): Promise<UploadRow | undefined>;
  /** Of a phone, the newest first. */
  list(scope: TeamScope, phone: PhoneId): Promise<UploadRow[]>;
  /** How many of the team are open, and the bytes they will have; of all teams, the bytes alone. */
  promised(reader: Reader, scope: TeamScope): Promise<{ count: number; bytes: number; everywhere: number }>;
  /** Moves the bytes received on from where they are; false when they are elsewhere. */
  advance(tx: Writer, id: UploadId, from: number, change: Pick<UploadRow, "received" | "updatedAt">): Promise<boolean>;
  /** Changes it if it is in one of `from`. */
  change(
    tx: Writer,
    id: UploadId,
    from: readonly UploadState[],
    change: Partial<Pick<UploadRow, "state" | "message" | "received" | "updatedAt">>,
  ): Promise<UploadRow | undefined>;
  delete(tx: Writer, ids: readonly UploadId[]): Promise<void>;
  findAnywhere(id: UploadId): Promise<UploadRow | undefined>;
  /** Of phones of one node, and of nobody's, where one is given. */
  inStatesAnywhere(states: readonly UploadState[], node?: NodeId): Promise<UploadRow[]>;
  ofPhoneAnywhere(phone: PhoneId): Promise<UploadRow[]>;
  /** Which of these there are. */
  known(ids: readonly UploadId[]): Promise<ReadonlySet<UploadId>>;
}

/** Rows of one statement; engines bound the values it may carry. */
const ROWS = 500;

export function createUploadsRepo(db: Database): UploadsRepo {
  const { uploads: t, phones } = db.t;
  const open = inArray(t.state, [...OPEN_STATES]);
  const bytesOf = async (reader: Reader, where: ReturnType<typeof and>) => {
    const [row] = await reader
      .select({ bytes: sum(t.bytes) })
      .from(t)
      .where(where);
    return Number(row?.bytes ?? 0);
  };
  return {
    async insert(tx, row) {
      const [inserted] = await tx.insert(t).values(row).returning();
      if (inserted === undefined) throw new Error("An inserted upload was not returned.");
      return inserted;
    },
    async find(scope, phone, id) {
      const [row] = await db.read
        .select()
        .from(t)
        .where(and(eq(t.id, id), eq(t.phoneId, phone), eq(t.teamId, scope.teamId)));
      return row;
    },
    list: async (scope, phone) =>
      db.read
        .select()
        .from(t)
        .where(and(eq(t.phoneId, phone), eq(t.teamId, scope.teamId)))
        .orderBy(desc(t.createdAt), desc(t.id)),
    async promised(reader, scope) {
      const mine = and(open, eq(t.teamId, scope.teamId));
      return {
        count: await reader.$count(t, mine),
        bytes: await bytesOf(reader, mine),
        everywhere: await bytesOf(reader, and(open)),
      };
    },
    async advance(tx, id, from, change) {
      const moved = await tx
        .update(t)
        .set(change)
        .where(and(eq(t.id, id), eq(t.state, "receiving"), eq(t.received, from)))
        .returning({ id: t.id });
      return moved.length > 0;
    },
    async change(tx, id, from, change) {
      const [row] = await tx
        .update(t)
        .set(change)
        .where(and(eq(t.id, id), inArray(t.state, [...from])))
        .returning();
      return row;
    },
    async delete(tx, ids) {
      for (let at = 0; at < ids.length; at += ROWS) {
        await tx.delete(t).where(inArray(t.id, ids.slice(at, at + ROWS)));
      }
    },
    async findAnywhere(id) {
      const [row] = await db.read.select().from(t).where(eq(t.id, id));
      return row;
    },
    inStatesAnywhere: async (states, node) => {
      const there =
        node === undefined
          ? undefined
          : inArray(
              t.phoneId,
              db.read
                .select({ id: phones.id })
                .from(phones)
                .where(or(isNull(phones.nodeId), eq(phones.nodeId, node))),
            );
      return db.read
        .select()
        .from(t)
        .where(and(inArray(t.state, [...states]), there));
    },
    ofPhoneAnywhere: async (phone) => db.read.select().from(t).where(eq(t.phoneId, phone)),
    async known(ids) {
      const found = new Set<UploadId>();
      for (let at = 0; at < ids.length; at += ROWS) {
        const rows = await db.read
          .select({ id: t.id })
          .from(t)
          .where(inArray(t.id, ids.slice(at, at + ROWS)));
        for (const { id } of rows) found.add(id);
      }
      return found;
    },
  };
}
