/** What the partner has of ours, in the database. */
import { and, asc, eq, gte, inArray, isNotNull, isNull, lt, lte, or, sql } from "drizzle-orm";
import type { PhoneId } from "../../../../shared/ids.ts";
import type { PhoneState } from "../../../../shared/phones.ts";
import type { Database, Writer } from "../../../db/database.ts";
import type { Tables } from "../../../db/tables.ts";
import type { Charge } from "./api.ts";

export type PartnerPhoneRow = Tables["partnerPhones"]["$inferSelect"];
export type ChargeRow = Tables["partnerCharges"]["$inferSelect"];
/** A phone at the partner, and what it is here; `state` is undefined when it is nothing here any more. */
export interface KnownPhone extends PartnerPhoneRow {
  readonly vendorId: string;
  readonly state: PhoneState | undefined;
}
export interface UsedTime {
  readonly phoneId: PhoneId;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
  readonly lastSeenAt: Date;
}

const ROWS = 200;

export interface GeelarkRepo {
  find(id: PhoneId): Promise<PartnerPhoneRow | undefined>;
  /** Of phones the partner has, as far as is known. */
  known(): Promise<readonly KnownPhone[]>;
  stateHere(id: PhoneId): Promise<PhoneState | undefined>;
  /** Also for one that was removed before and is made anew. */
  begin(tx: Writer, id: PhoneId, at: Date): Promise<void>;
  set(tx: Writer, id: PhoneId, change: Partial<Omit<PartnerPhoneRow, "phoneId">>): Promise<void>;
  lockedUntil(path: string): Promise<Date | undefined>;
  lock(tx: Writer, path: string, until: Date): Promise<void>;
  locks(after: Date): Promise<readonly { readonly path: string; readonly until: Date }[]>;
  /** False when it came before. */
  hint(tx: Writer, hash: string, at: Date): Promise<boolean>;
  /** When each stray was first seen; those not given are forgotten. */
  strays(tx: Writer, seen: readonly string[], at: Date): Promise<ReadonlyMap<string, Date>>;
  /** How many of them are new. */
  addCharges(tx: Writer, charges: readonly Charge[]): Promise<number>;
  chargesOf(from: Date, until: Date): Promise<readonly ChargeRow[]>;
  phonesOf(vendorIds: readonly string[]): Promise<ReadonlyMap<string, PhoneId>>;
  /** When phones of the partner ran, as we count it. */
  usedOf(from: Date, until: Date): Promise<readonly UsedTime[]>;
}

export function createGeelarkRepo(db: Database): GeelarkRepo {
  const { partnerPhones, partnerStrays, partnerLocks, partnerHints, partnerCharges, phones, usageIntervals } = db.t;
  return {
    async find(id) {
      const [row] = await db.read.select().from(partnerPhones).where(eq(partnerPhones.phoneId, id));
      return row;
    },
    async known() {
      const rows = await db.read
        .select({ there: partnerPhones, state: phones.state })
        .from(partnerPhones)
        .leftJoin(phones, eq(phones.id, partnerPhones.phoneId))
        .where(and(isNull(partnerPhones.removedAt), isNotNull(partnerPhones.vendorId)))
        .orderBy(asc(partnerPhones.createdAt), asc(partnerPhones.phoneId));
      return rows.flatMap(({ there, state }) =>
        there.vendorId === null ? [] : [{ ...there, vendorId: there.vendorId, state: state ?? undefined }],
      );
    },
    async stateHere(id) {
      const [row] = await db.read.select({ state: phones.state }).from(phones).where(eq(phones.id, id));
      return row?.state;
    },
    async begin(tx, id, at) {
      const fresh = { vendorId: null, vendorState: null, createdAt: at, removedAt: null };
      await tx
        .insert(partnerPhones)
        .values({ phoneId: id, ...fresh })
        .onConflictDoUpdate({
          target: partnerPhones.phoneId,
          set: fresh,
          setWhere: isNotNull(partnerPhones.removedAt),
        });
    },
    async set(tx, id, change) {
      await tx.update(partnerPhones).set(change).where(eq(partnerPhones.phoneId, id));
    },
    async lockedUntil(path) {
      const [row] = await db.read
        .select({ until: partnerLocks.until })
        .from(partnerLocks)
        .where(eq(partnerLocks.path, path));
      return row?.until;
    },
    async lock(tx, path, until) {
      await tx
        .insert(partnerLocks)
        .values({ path, until })
        .onConflictDoUpdate({ target: partnerLocks.path, set: { until } });
    },
    locks: async (after) =>
      db.read.select().from(partnerLocks).where(gte(partnerLocks.until, after)).orderBy(asc(partnerLocks.path)),
    async hint(tx, hash, at) {
      const rows = await tx
        .insert(partnerHints)
        .values({ hash, at })
        .onConflictDoNothing()
        .returning({ hash: partnerHints.hash });
      return rows.length === 1;
    },
    async strays(tx, seen, at) {
      const before = await tx.select().from(partnerStrays);
      const gone = before.filter(({ vendorId }) => !seen.includes(vendorId)).map(({ vendorId }) => vendorId);
      for (const some of batches(gone)) await tx.delete(partnerStrays).where(inArray(partnerStrays.vendorId, some));
      const known = new Map(before.map(({ vendorId, seenAt }) => [vendorId, seenAt]));
      const added = seen.filter((vendorId) => !known.has(vendorId));
      for (const some of batches(added)) {
        await tx
          .insert(partnerStrays)
          .values(some.map((vendorId) => ({ vendorId, seenAt: at })))
          .onConflictDoNothing();
      }
      return new Map(seen.map((vendorId) => [vendorId, known.get(vendorId) ?? at]));
    },
    async addCharges(tx, charges) {
      let added = 0;
      for (const some of batches(charges)) {
        const rows = await tx
          .insert(partnerCharges)
          .values([...some])
          .onConflictDoNothing()
          .returning({ id: partnerCharges.id });
        added += rows.length;
      }
      return added;
    },
    chargesOf: async (from, until) =>
      db.read
        .select()
        .from(partnerCharges)
        .where(and(gte(partnerCharges.at, from), lt(partnerCharges.at, until)))
        .orderBy(asc(partnerCharges.at), asc(partnerCharges.id)),
    async phonesOf(vendorIds) {
      const found = new Map<string, PhoneId>();
      for (const some of batches(vendorIds)) {
        const rows = await db.read
          .select({ phoneId: partnerPhones.phoneId, vendorId: partnerPhones.vendorId })
          .from(partnerPhones)
          .where(inArray(partnerPhones.vendorId, [...some]));
        for (const { phoneId, vendorId } of rows) if (vendorId !== null) found.set(vendorId, phoneId);
      }
      return found;
    },
    usedOf: async (from, until) =>
      db.read
        .select({
          phoneId: usageIntervals.phoneId,
          startedAt: usageIntervals.startedAt,
          endedAt: usageIntervals.endedAt,
          lastSeenAt: usageIntervals.lastSeenAt,
        })
        .from(usageIntervals)
        .innerJoin(partnerPhones, eq(partnerPhones.phoneId, usageIntervals.phoneId))
        .where(
          and(
            lte(usageIntervals.startedAt, until),
            or(isNull(usageIntervals.endedAt), gte(usageIntervals.endedAt, from)),
          ),
        )
        .orderBy(sql`${usageIntervals.startedAt}`),
  };
}

function batches<T>(all: readonly T[]): T[][] {
  const cut: T[][] = [];
  for (let at = 0; at < all.length; at += ROWS) cut.push(all.slice(at, at + ROWS));
  return cut;
}
