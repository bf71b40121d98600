/** Where copies of phones may be, in the database. For the machine itself: nobody is asked for. */
import { and, eq, inArray, isNull } from "drizzle-orm";
import type { NodeId, PhoneId, TeamId } from "../../shared/ids.ts";
import type { Database, Reader, Writer } from "../db/database.ts";
import type { Tables } from "../db/tables.ts";

export type PhoneCopy = Tables["phoneCopies"]["$inferSelect"];
/** A phone that had a place on a node. */
export interface LeftPhone {
  readonly id: PhoneId;
  readonly teamId: TeamId;
}

export interface PhoneCopiesRepo {
  /** The phone is another node's from now on. */
  add(tx: Writer, phone: LeftPhone, node: NodeId, since: Date): Promise<void>;
  /** Nothing of it is there any more, or it is that node's again. */
  remove(tx: Writer, id: PhoneId, node: NodeId): Promise<void>;
  /** Of a node that is gone with its disks: those it had before, and these, which it had. */
  forget(tx: Writer, node: NodeId, had: readonly LeftPhone[], at: Date): Promise<void>;
  ofPhone(id: PhoneId): Promise<PhoneCopy[]>;
  ofTeams(teams: readonly TeamId[]): Promise<PhoneCopy[]>;
  /** Without those that are forgotten. */
  ofNode(reader: Reader, node: NodeId): Promise<PhoneId[]>;
}

export function createPhoneCopiesRepo(db: Database): PhoneCopiesRepo {
  const { phoneCopies: t } = db.t;
  const target = [t.phoneId, t.nodeId];
  const rowOf = ({ id, teamId }: LeftPhone, nodeId: NodeId, since: Date) => ({ phoneId: id, teamId, nodeId, since });
  return {
    async add(tx, phone, node, since) {
      const set = { since, forgottenAt: null };
      await tx
        .insert(t)
        .values(rowOf(phone, node, since))
        .onConflictDoUpdate({ target, set });
    },
    async remove(tx, id, node) {
      await tx.delete(t).where(and(eq(t.phoneId, id), eq(t.nodeId, node)));
    },
    async forget(tx, node, had, at) {
      await tx.update(t).set({ forgottenAt: at }).where(eq(t.nodeId, node));
      for (const phone of had) {
        const row = { ...rowOf(phone, node, at), forgottenAt: at };
        await tx
          .insert(t)
          .values(row)
          .onConflictDoUpdate({ target, set: { forgottenAt: at } });
      }
    },
    ofPhone: async (id) => db.read.select().from(t).where(eq(t.phoneId, id)),
    ofTeams: async (teams) =>
      teams.length === 0
        ? []
        : db.read
            .select()
            .from(t)
            .where(inArray(t.teamId, [...teams])),
    async ofNode(reader, node) {
      const rows = await reader
        .select({ id: t.phoneId })
        .from(t)
        .where(and(eq(t.nodeId, node), isNull(t.forgottenAt)));
      return rows.map(({ id }) => id);
    },
  };
}
