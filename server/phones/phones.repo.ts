/** Phones in the database. Functions for people take a `TeamScope`; those of the machine itself are named `…Anywhere`. */
import { and, asc, count, eq, inArray, isNotNull, isNull, ne, or, sql } from "drizzle-orm";
import type { NodeId, PhoneId, TeamId } from "../../shared/ids.ts";
import type { DriverKind, PhoneState } from "../../shared/phones.ts";
import type { Database, Writer } from "../db/database.ts";
import type { Tables } from "../db/tables.ts";
import type { TeamScope } from "../teams/team-scope.ts";

export type PhoneRow = Tables["phones"]["$inferSelect"];
export type NewPhone = Tables["phones"]["$inferInsert"];
export type PhoneChange = Partial<
  Pick<
    NewPhone,
    | "name"
    | "settings"
    | "tags"
    | "rotated"
    | "state"
    | "reason"
    | "driverState"
    | "startedAt"
    | "lastUsedAt"
    | "removedAt"
    | "screenWidth"
    | "screenHeight"
    | "unreachableSince"
    | "nodeId"
  >
>;

/** States in which a phone holds a place on the machine. */
export const ACTIVE_STATES = ["creating", "starting", "running", "parking"] as const satisfies readonly PhoneState[];

export interface PhonesRepo {
  list(scope: TeamScope): Promise<PhoneRow[]>;
  find(scope: TeamScope, id: PhoneId): Promise<PhoneRow | undefined>;
  /** Also one that is removed but whose data may still be there. */
  findToWipe(scope: TeamScope, id: PhoneId): Promise<PhoneRow | undefined>;
  insert(tx: Writer, row: NewPhone): Promise<PhoneRow>;
  /** Changes the phone if it is in one of `from`, and of no node but `owner`, where one is given; else undefined. */
  change(
    tx: Writer,
    id: PhoneId,
    from: readonly PhoneState[],
    change: PhoneChange,
    owner?: NodeId,
  ): Promise<PhoneRow | undefined>;
  /** Gives the phone from one node to another, or from nobody; undefined when `from` has it no more. */
  reassign(tx: Writer, id: PhoneId, from: NodeId | null, to: NodeId): Promise<PhoneRow | undefined>;
  delete(tx: Writer, id: PhoneId): Promise<void>;
  findAnywhere(id: PhoneId): Promise<PhoneRow | undefined>;
  /** Of one node and nobody's, where one is given. */
  inStatesAnywhere(states: readonly PhoneState[], node?: NodeId): Promise<PhoneRow[]>;
  /** Of one node alone. */
  ofNode(node: NodeId, states: readonly PhoneState[]): Promise<PhoneRow[]>;
  /** Of all that were not removed, by kind and state. */
  countsAnywhere(): Promise<{ driver: DriverKind; state: PhoneState; count: number }[]>;
  /** Of those that run and do not answer. */
  unreachableAnywhere(): Promise<number>;
  /** `machineActive`: of web phones, which alone live on a machine; on this node, where one is given. */
  counts(
    tx: Writer,
    teamId: TeamId,
    node: NodeId | undefined,
  ): Promise<{ team: number; teamActive: number; machineActive: number }>;
  /** Moves the time of last use forward, never back. */
  touch(tx: Writer, used: ReadonlyMap<PhoneId, Date>): Promise<void>;
}

export function createPhonesRepo(db: Database): PhonesRepo {
  const { phones } = db.t;
  const listed = db.read
    .select()
    .from(phones)
    .where(and(eq(phones.teamId, sql.placeholder("teamId")), ne(phones.state, "removed")))
    .orderBy(asc(phones.createdAt), asc(phones.id))
    .prepare();
  const of = (node: NodeId | undefined) =>
    node === undefined ? undefined : or(isNull(phones.nodeId), eq(phones.nodeId, node));
  const active = (rows: { state: PhoneState }[]) =>
    rows.filter((row) => ACTIVE_STATES.some((state) => state === row.state)).length;
  return {
    list: async (scope) => listed.execute({ teamId: scope.teamId }),
    async find(scope, id) {
      const [row] = await db.read
        .select()
        .from(phones)
        .where(and(eq(phones.id, id), eq(phones.teamId, scope.teamId), ne(phones.state, "removed")));
      return row;
    },
    async findToWipe(scope, id) {
      const [row] = await db.read
        .select()
        .from(phones)
        .where(and(eq(phones.id, id), eq(phones.teamId, scope.teamId)));
      return row;
    },
    async insert(tx, row) {
      const [inserted] = await tx.insert(phones).values(row).returning();
      if (inserted === undefined) throw new Error("An inserted phone was not returned.");
      return inserted;
    },
    async change(tx, id, from, change, owner) {
      const [row] = await tx
        .update(phones)
        .set(change)
        .where(and(eq(phones.id, id), inArray(phones.state, [...from]), of(owner)))
        .returning();
      return row;
    },
    async reassign(tx, id, from, to) {
      const [row] = await tx
        .update(phones)
        .set({ nodeId: to })
        .where(and(eq(phones.id, id), from === null ? isNull(phones.nodeId) : eq(phones.nodeId, from)))
        .returning();
      return row;
    },
    async delete(tx, id) {
      await tx.delete(phones).where(eq(phones.id, id));
    },
    async findAnywhere(id) {
      const [row] = await db.read.select().from(phones).where(eq(phones.id, id));
      return row;
    },
    inStatesAnywhere: async (states, node) =>
      db.read
        .select()
        .from(phones)
        .where(and(inArray(phones.state, [...states]), of(node))),
    ofNode: async (node, states) =>
      db.read
        .select()
        .from(phones)
        .where(and(eq(phones.nodeId, node), inArray(phones.state, [...states]))),
    countsAnywhere: async () =>
      db.read
        .select({ driver: phones.driver, state: phones.state, count: count() })
        .from(phones)
        .where(ne(phones.state, "removed"))
        .groupBy(phones.driver, phones.state),
    async unreachableAnywhere() {
      const [row] = await db.read
        .select({ n: count() })
        .from(phones)
        .where(and(eq(phones.state, "running"), isNotNull(phones.unreachableSince)));
      return row?.n ?? 0;
    },
    async counts(tx, teamId, node) {
      const team = await tx
        .select({ state: phones.state })
        .from(phones)
        .where(and(eq(phones.teamId, teamId), ne(phones.state, "removed")));
      const [machine] = await tx
        .select({ n: count() })
        .from(phones)
        .where(and(eq(phones.driver, "web"), inArray(phones.state, [...ACTIVE_STATES]), of(node)));
      return { team: team.length, teamActive: active(team), machineActive: machine?.n ?? 0 };
    },
    async touch(tx, used) {
      for (const [id, lastUsedAt] of used) {
        await tx
          .update(phones)
          .set({ lastUsedAt })
          .where(and(eq(phones.id, id), eq(phones.state, "running")));
      }
    },
  };
}
