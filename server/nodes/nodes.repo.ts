/** The register of nodes. Moments are the database's where it has a clock of its own, so that nodes compare one clock's. */
import { and, asc, count, eq, inArray, isNull, ne, sql } from "drizzle-orm";
import type { NodeId, PhoneId } from "../../shared/ids.ts";
import type { Clock } from "../clock.ts";
import type { Database, Reader, Writer } from "../db/database.ts";
import type { Tables } from "../db/tables.ts";
import { ACTIVE_STATES } from "../phones/phones.repo.ts";
import { isLiving, type LeaseTimes } from "./lease.ts";

export type NodeRow = Tables["nodes"]["$inferSelect"];
export type NewNode = Omit<Tables["nodes"]["$inferInsert"], "heartbeatAt" | "startedAt" | "endedAt">;
/** A node as it was at one moment. */
export interface SeenNode extends NodeRow {
  readonly living: boolean;
  /** Web phones that hold a place there. */
  readonly taken: number;
}

export type KeptPhone = Pick<Tables["phones"]["$inferSelect"], "id" | "teamId" | "driver" | "state">;

export interface NodesRepo {
  /** Every node, by name. */
  seen(reader: Reader, times: LeaseTimes): Promise<SeenNode[]>;
  find(reader: Reader, id: NodeId): Promise<NodeRow | undefined>;
  findByName(reader: Reader, name: string): Promise<NodeRow | undefined>;
  /** Whether it lives, by the clock of the database at this moment of the transaction. */
  isLiving(reader: Reader, id: NodeId, times: LeaseTimes): Promise<boolean>;
  /** Writes the node as it starts now. Where there is only one process, whatever else stands there is over. */
  register(tx: Writer, row: NewNode): Promise<NodeRow>;
  /** One heartbeat of this boot; undefined when its lease is over, or another boot has the row. */
  beat(tx: Writer, id: NodeId, boot: string, times: LeaseTimes): Promise<NodeRow | undefined>;
  change(tx: Writer, id: NodeId, change: Partial<Pick<NodeRow, "draining">>): Promise<void>;
  /** This boot is over. */
  end(tx: Writer, id: NodeId, boot: string): Promise<void>;
  /** Its phones are nobody's from then on. */
  delete(tx: Writer, id: NodeId): Promise<void>;
  /** Whether this boot has the node still. */
  isOf(tx: Writer, id: NodeId, boot: string): Promise<boolean>;
  /** Whether a node that has not ended shows this certificate. */
  isPeer(reader: Reader, fingerprint: string): Promise<boolean>;
  /** Phones a node keeps, and removed ones it has still to wipe. */
  phonesOf(reader: Reader, id: NodeId): Promise<KeptPhone[]>;
  nodesOf(ids: readonly PhoneId[]): Promise<{ id: PhoneId; nodeId: NodeId | null }[]>;
  /** Which node has a phone; undefined: there is no such phone. */
  nodeOf(phone: PhoneId): Promise<NodeId | null | undefined>;
}

export function createNodesRepo(db: Database, clock: Clock): NodesRepo {
  const { nodes, phones } = db.t;
  const isPostgres = db.engine === "postgres";
  const written = () => (isPostgres ? sql<Date>`clock_timestamp()` : new Date(clock.now()));
  async function now(reader: Reader): Promise<Date> {
    if (!isPostgres) return new Date(clock.now());
    const [row] = await reader
      .select({ ms: sql`extract(epoch from clock_timestamp()) * 1000`.mapWith(Number) })
      .from(sql`(select 1) as one`);
    return new Date(row?.ms ?? Number.NaN);
  }
  /** On SQLite one process is all there is, and it sends no heartbeats: it lives until it says that it ends. */
  const lives = (row: NodeRow, at: Date, times: LeaseTimes) =>
    isPostgres ? isLiving(row, at, times) : row.endedAt === null;
  const find = async (reader: Reader, id: NodeId) => {
    const [row] = await reader.select().from(nodes).where(eq(nodes.id, id));
    return row;
  };
  return {
    async seen(reader, times) {
      const at = await now(reader);
      const rows = await reader.select().from(nodes).orderBy(asc(nodes.name));
      const counts = await reader
        .select({ nodeId: phones.nodeId, taken: count() })
        .from(phones)
        .where(and(eq(phones.driver, "web"), inArray(phones.state, [...ACTIVE_STATES])))
        .groupBy(phones.nodeId);
      const taken = new Map(counts.map((row) => [row.nodeId, row.taken]));
      return rows.map((row) => ({ ...row, living: lives(row, at, times), taken: taken.get(row.id) ?? 0 }));
    },
    find,
    async findByName(reader, name) {
      const [row] = await reader.select().from(nodes).where(eq(nodes.name, name));
      return row;
    },
    async isLiving(reader, id, times) {
      const row = await find(reader, id);
      return row !== undefined && lives(row, await now(reader), times);
    },
    async register(tx, row) {
      const at = written();
      if (!isPostgres)
        await tx
          .update(nodes)
          .set({ endedAt: at })
          .where(and(ne(nodes.id, row.id), isNull(nodes.endedAt)));
      const life = { startedAt: at, heartbeatAt: at, endedAt: null };
      const [kept] = await tx
        .insert(nodes)
        .values({ ...row, ...life })
        .onConflictDoUpdate({ target: nodes.id, set: { ...row, ...life } })
        .returning();
      if (kept === undefined) throw new Error("A registered node was not returned.");
      return kept;
    },
    async beat(tx, id, boot, times) {
      const row = await find(tx, id);
      if (row === undefined || row.boot !== boot || !lives(row, await now(tx), times)) return undefined;
      const [beaten] = await tx
        .update(nodes)
        .set({ heartbeatAt: written() })
        .where(and(eq(nodes.id, id), eq(nodes.boot, boot), isNull(nodes.endedAt)))
        .returning();
      return beaten;
    },
    async change(tx, id, change) {
      await tx.update(nodes).set(change).where(eq(nodes.id, id));
    },
    async end(tx, id, boot) {
      await tx
        .update(nodes)
        .set({ endedAt: written() })
        .where(and(eq(nodes.id, id), eq(nodes.boot, boot), isNull(nodes.endedAt)));
    },
    async delete(tx, id) {
      await tx.update(phones).set({ nodeId: null }).where(eq(phones.nodeId, id));
      await tx.delete(nodes).where(eq(nodes.id, id));
    },
    isOf: async (tx, id, boot) => {
      const row = await find(tx, id);
      return row !== undefined && row.boot === boot && row.endedAt === null;
    },
    async isPeer(reader, fingerprint) {
      const [row] = await reader
        .select({ id: nodes.id })
        .from(nodes)
        .where(and(eq(nodes.certificate, fingerprint), isNull(nodes.endedAt)));
      return row !== undefined;
    },
    phonesOf: async (reader, id) =>
      reader
        .select({ id: phones.id, teamId: phones.teamId, driver: phones.driver, state: phones.state })
        .from(phones)
        .where(eq(phones.nodeId, id)),
    nodesOf: async (ids) =>
      db.read
        .select({ id: phones.id, nodeId: phones.nodeId })
        .from(phones)
        .where(inArray(phones.id, [...ids])),
    async nodeOf(phone) {
      const [row] = await db.read.select({ nodeId: phones.nodeId }).from(phones).where(eq(phones.id, phone));
      return row?.nodeId;
    },
  };
}
