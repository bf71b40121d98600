/** Hosts of phones and the containers' places in the database; both are the machine's own, so nothing takes a scope. */
import { and, asc, count, eq } from "drizzle-orm";
import type { PhoneHostId, PhoneId } from "../../../../../shared/ids.ts";
import type { PhoneState } from "../../../../../shared/phones.ts";
import type { Database, Reader, Writer } from "../../../../db/database.ts";
import type { Tables } from "../../../../db/tables.ts";

export type PhoneHostRow = Tables["phoneHosts"]["$inferSelect"];
export type PhoneContainerRow = Tables["phoneContainers"]["$inferSelect"];
type NewContainer = Tables["phoneContainers"]["$inferInsert"];
type NewHost = Tables["phoneHosts"]["$inferInsert"];

export interface PhoneHostsRepo {
  hosts(): Promise<PhoneHostRow[]>;
  findHost(reader: Reader, name: string): Promise<PhoneHostRow | undefined>;
  insertHost(tx: Writer, row: NewHost): Promise<PhoneHostRow>;
  changeHost(
    tx: Writer,
    id: PhoneHostId,
    change: Partial<Pick<PhoneHostRow, "address" | "certFolder" | "region" | "capacity" | "draining">>,
  ): Promise<void>;
  deleteHost(tx: Writer, id: PhoneHostId): Promise<void>;
  /** With how many places are taken. */
  hostsAndTaken(tx: Reader): Promise<(PhoneHostRow & { readonly taken: number })[]>;
  find(id: PhoneId): Promise<PhoneContainerRow | undefined>;
  findIn(tx: Writer, id: PhoneId): Promise<PhoneContainerRow | undefined>;
  /** Of one host, with the state of each phone; of all hosts without one. */
  places(host?: PhoneHostId): Promise<(PhoneContainerRow & { readonly state: PhoneState })[]>;
  insert(tx: Writer, row: NewContainer): Promise<void>;
  made(tx: Writer, id: PhoneId, at: Date): Promise<void>;
  delete(tx: Writer, id: PhoneId): Promise<void>;
  deleteOfHost(tx: Writer, host: PhoneHostId): Promise<number>;
}

export function createPhoneHostsRepo(db: Database): PhoneHostsRepo {
  const { phoneHosts, phoneContainers, phones } = db.t;
  const one = (id: PhoneId) => eq(phoneContainers.phoneId, id);
  return {
    hosts: async () => db.read.select().from(phoneHosts).orderBy(asc(phoneHosts.name)),
    async findHost(reader, name) {
      const [row] = await reader.select().from(phoneHosts).where(eq(phoneHosts.name, name));
      return row;
    },
    async insertHost(tx, row) {
      const [inserted] = await tx.insert(phoneHosts).values(row).returning();
      if (inserted === undefined) throw new Error("An inserted host was not returned.");
      return inserted;
    },
    async changeHost(tx, id, change) {
      await tx.update(phoneHosts).set(change).where(eq(phoneHosts.id, id));
    },
    async deleteHost(tx, id) {
      await tx.delete(phoneHosts).where(eq(phoneHosts.id, id));
    },
    async hostsAndTaken(tx) {
      const hosts = await tx.select().from(phoneHosts).orderBy(asc(phoneHosts.name));
      const counts = await tx
        .select({ hostId: phoneContainers.hostId, taken: count() })
        .from(phoneContainers)
        .groupBy(phoneContainers.hostId);
      const taken = new Map(counts.map((row) => [row.hostId, row.taken]));
      return hosts.map((host) => ({ ...host, taken: taken.get(host.id) ?? 0 }));
    },
    async find(id) {
      const [row] = await db.read.select().from(phoneContainers).where(one(id));
      return row;
    },
    async findIn(tx, id) {
      const [row] = await tx.select().from(phoneContainers).where(one(id));
      return row;
    },
    async places(host) {
      const rows = await db.read
        .select({ container: phoneContainers, state: phones.state })
        .from(phoneContainers)
        .innerJoin(phones, eq(phones.id, phoneContainers.phoneId))
        .where(and(host === undefined ? undefined : eq(phoneContainers.hostId, host)));
      return rows.map(({ container, state }) => ({ ...container, state }));
    },
    async insert(tx, row) {
      await tx.insert(phoneContainers).values(row);
    },
    async made(tx, id, madeAt) {
      await tx.update(phoneContainers).set({ madeAt }).where(one(id));
    },
    async delete(tx, id) {
      await tx.delete(phoneContainers).where(one(id));
    },
    async deleteOfHost(tx, host) {
      const gone = await tx
        .delete(phoneContainers)
        .where(eq(phoneContainers.hostId, host))
        .returning({ id: phoneContainers.phoneId });
      return gone.length;
    },
  };
}
