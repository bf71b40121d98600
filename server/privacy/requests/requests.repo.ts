/** Rows of requests about one's data. */
import { and, asc, desc, eq, gt, inArray, isNotNull, isNull, like, lt, or, type SQL, sql } from "drizzle-orm";
import { type DataRequestId, newId, type UserId } from "../../../shared/ids.ts";
import type { RequestKind } from "../../../shared/privacy.ts";
import type { Database, Writer } from "../../db/database.ts";
import type { RequestStatus } from "./request-states.ts";

export type RequestRow = Database["t"]["dataRequests"]["$inferSelect"];
export type NewRequest = Omit<Database["t"]["dataRequests"]["$inferInsert"], "id">;
export type RequestChange = Partial<Omit<RequestRow, "id" | "number">>;

export interface RequestsRepo {
  insert(tx: Writer, request: NewRequest): Promise<RequestRow>;
  find(id: DataRequestId): Promise<RequestRow | undefined>;
  findIn(tx: Writer, id: DataRequestId): Promise<RequestRow | undefined>;
  findByNumber(number: string): Promise<RequestRow | undefined>;
  /** Waiting for proof with this token, entered after `since`. */
  findByVerifyHash(hash: string, since: Date): Promise<RequestRow | undefined>;
  findByKey(tx: Writer, userId: UserId, key: string): Promise<RequestRow | undefined>;
  /** The person's newest of a kind that is theirs for sure and not over. One that nobody confirmed is never found. */
  findOpen(tx: Writer, userId: UserId, kind: RequestKind): Promise<RequestRow | undefined>;
  /** The newest first. */
  listOf(userId: UserId): Promise<RequestRow[]>;
  /** The first due first. */
  listNotOver(): Promise<RequestRow[]>;
  /** The newest number of a year. */
  lastNumber(tx: Writer, prefix: string): Promise<string | undefined>;
  /** Changes it if it is still in this state; `undefined` when it is not. */
  change(
    tx: Writer,
    id: DataRequestId,
    from: Pick<RequestStatus, "state" | "reason">,
    to: RequestChange,
  ): Promise<RequestRow | undefined>;
  setReminded(tx: Writer, id: DataRequestId, day: number): Promise<void>;
  /** Entered before `entered` and never confirmed. */
  unconfirmed(tx: Writer, entered: Date): Promise<RequestRow[]>;
  /** Forgets where answers of requests that were over before `closed` went, and what those of nobody's account said. */
  forget(tx: Writer, closed: Date): Promise<void>;
  /** Whether an export or a deletion of it is waiting or at work. */
  isAtWork(tx: Writer, id: DataRequestId): Promise<boolean>;
}

const NOT_OVER = ["open", "in_progress"] as const;

export function createRequestsRepo(db: Database): RequestsRepo {
  const { dataRequests, dataExports, erasures } = db.t;
  const isProven = or(isNull(dataRequests.reason), sql`${dataRequests.reason} <> 'need_user_verification'`);
  const notOver = inArray(dataRequests.state, NOT_OVER);
  const newest = [desc(dataRequests.receivedAt), desc(dataRequests.number)] as const;
  const one = async (from: Pick<Writer, "select">, where: SQL | undefined) => {
    const [row] = await from
      .select()
      .from(dataRequests)
      .where(where)
      .orderBy(...newest)
      .limit(1);
    return row;
  };
  return {
    async insert(tx, request) {
      const [row] = await tx
        .insert(dataRequests)
        .values({ ...request, id: newId("dataRequest") })
        .returning();
      if (row === undefined) throw new Error("An insert gave no row.");
      return row;
    },
    find: (id) => one(db.read, eq(dataRequests.id, id)),
    findIn: (tx, id) => one(tx, eq(dataRequests.id, id)),
    findByNumber: (number) => one(db.read, eq(dataRequests.number, number)),
    findByVerifyHash: (hash, since) =>
      one(
        db.read,
        and(
          eq(dataRequests.verifyHash, hash),
          eq(dataRequests.reason, "need_user_verification"),
          gt(dataRequests.enteredAt, since),
        ),
      ),
    findByKey: (tx, userId, key) => one(tx, and(eq(dataRequests.userId, userId), eq(dataRequests.idempotencyKey, key))),
    findOpen: (tx, userId, kind) =>
      one(tx, and(eq(dataRequests.userId, userId), eq(dataRequests.kind, kind), notOver, isProven)),
    async listOf(userId) {
      return db.read
        .select()
        .from(dataRequests)
        .where(eq(dataRequests.userId, userId))
        .orderBy(...newest);
    },
    async listNotOver() {
      return db.read
        .select()
        .from(dataRequests)
        .where(notOver)
        .orderBy(asc(dataRequests.dueAt), asc(dataRequests.number));
    },
    async lastNumber(tx, prefix) {
      const [row] = await tx
        .select({ number: dataRequests.number })
        .from(dataRequests)
        .where(like(dataRequests.number, `${prefix}%`))
        .orderBy(desc(sql`length(${dataRequests.number})`), desc(dataRequests.number))
        .limit(1);
      return row?.number;
    },
    async change(tx, id, { state, reason }, to) {
      const [row] = await tx
        .update(dataRequests)
        .set(to)
        .where(
          and(
            eq(dataRequests.id, id),
            eq(dataRequests.state, state),
            reason === undefined ? isNull(dataRequests.reason) : eq(dataRequests.reason, reason),
          ),
        )
        .returning();
      return row;
    },
    async setReminded(tx, id, day) {
      await tx.update(dataRequests).set({ remindedDay: day }).where(eq(dataRequests.id, id));
    },
    async unconfirmed(tx, entered) {
      return tx
        .select()
        .from(dataRequests)
        .where(and(notOver, eq(dataRequests.reason, "need_user_verification"), lt(dataRequests.enteredAt, entered)));
    },
    async forget(tx, closed) {
      const isOld = lt(dataRequests.closedAt, closed);
      await tx
        .update(dataRequests)
        .set({ email: null, emailIndex: null, verifyHash: null })
        .where(and(isOld, isNotNull(dataRequests.email)));
      await tx
        .update(dataRequests)
        .set({ text: null, answer: null })
        .where(
          and(isOld, isNull(dataRequests.userId), or(isNotNull(dataRequests.text), isNotNull(dataRequests.answer))),
        );
    },
    async isAtWork(tx, id) {
      const [copy] = await tx
        .select({ id: dataExports.id })
        .from(dataExports)
        .where(and(eq(dataExports.requestId, id), inArray(dataExports.state, ["waiting", "running", "ready"])))
        .limit(1);
      const [deletion] = await tx
        .select({ id: erasures.id })
        .from(erasures)
        .where(and(eq(erasures.requestId, id), inArray(erasures.state, ["grace", "purging"])))
        .limit(1);
      return copy !== undefined || deletion !== undefined;
    },
  };
}
