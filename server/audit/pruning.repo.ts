/**
 * What becomes of an activity log after 90 days: counts of {day, action, plan, region}, and nothing else. Entries leave at
 * the beginning of their chain, and the head says, sealed, where the chain begins since. An entry that does not fit stays
 * without its personal part, so that `audit verify` goes on telling of it.
 */
import { and, asc, eq, gt, inArray, isNull, lt, lte, notInArray, sql } from "drizzle-orm";
import { ONLY_PLAN } from "../billing/plan.ts";
import type { Database, Writer } from "../db/database.ts";
import type { Sweep } from "../privacy/retention/sweeps.repo.ts";
import { RETENTION } from "../privacy/tags.ts";
import { entryColumns, follows, GENESIS, type StoredEntry, sealOf } from "./chain.repo.ts";

const DAY_MS = 24 * 3_600_000;

/** `key`: seals the heads, as in `createAudit`. `region`: where this server stands. */
export function activitySweep(db: Database, key: Buffer, region: string): Sweep {
  const { auditLog, auditHeads, activityDays } = db.t;
  const { chain, seq, at, salt } = auditLog;

  /** A chain with an entry that is due, outside a transaction; none of `stuck`. */
  async function dueChain(before: Date, stuck: readonly string[]): Promise<string | undefined> {
    const others = stuck.length === 0 ? undefined : notInArray(chain, [...stuck]);
    const [old] = await db.read
      .select({ chain })
      .from(auditLog)
      .where(and(lt(at, before), others))
      .orderBy(asc(at))
      .limit(1);
    if (old !== undefined) return old.chain;
    const [forgotten] = await db.read
      .select({ chain })
      .from(auditHeads)
      .innerJoin(auditLog, and(eq(chain, auditHeads.chain), eq(seq, sql`${auditHeads.start} + 1`)))
      .where(and(isNull(at), isNull(salt), others))
      .limit(1);
    return forgotten?.chain;
  }

  async function prune(tx: Writer, name: string, before: Date, limit: number): Promise<number> {
    const [head] = await tx.select().from(auditHeads).where(eq(auditHeads.chain, name));
    if (head !== undefined && head.mac === sealOf(key, head)) {
      const rows = await tx
        .select(entryColumns(auditLog))
        .from(auditLog)
        .where(and(eq(chain, name), gt(seq, head.start)))
        .orderBy(asc(seq))
        .limit(limit);
      let last: Pick<StoredEntry, "seq" | "hash"> = { seq: head.start, hash: head.startHash ?? GENESIS };
      const gone: StoredEntry[] = [];
      for (const row of rows) {
        const isDue = row.at === null || row.at < before;
        if (!isDue || row.seq > head.entries || !follows(row, last.seq, last.hash)) break;
        gone.push(row);
        last = row;
      }
      if (gone.length > 0) {
        await countActions(tx, gone);
        await tx.delete(auditLog).where(and(eq(chain, name), gt(seq, head.start), lte(seq, last.seq)));
        const begins = { ...head, start: last.seq, startHash: last.hash };
        await tx
          .update(auditHeads)
          .set({ ...begins, mac: sealOf(key, begins) })
          .where(eq(auditHeads.chain, name));
        return gone.length;
      }
    }
    return forget(tx, name, before, limit);
  }

  /** For entries that cannot leave: another stands before them that is younger, or that somebody changed. */
  async function forget(tx: Writer, name: string, before: Date, limit: number): Promise<number> {
    const rows = await tx
      .select(entryColumns(auditLog))
      .from(auditLog)
      .where(and(eq(chain, name), lt(at, before)))
      .orderBy(asc(seq))
      .limit(limit);
    const intact = rows.filter((row) => follows(row, row.seq - 1, row.prev));
    const nothing = { at: null, actor: null, object: null, detail: null };
    const numbers = (some: readonly StoredEntry[]) =>
      and(
        eq(chain, name),
        inArray(
          seq,
          some.map((row) => row.seq),
        ),
      );
    if (intact.length > 0) {
      await countActions(tx, intact);
      await tx
        .update(auditLog)
        .set({ ...nothing, salt: null })
        .where(numbers(intact));
    }
    const changed = rows.filter((row) => !intact.includes(row));
    // A salt alone fits nothing: the entry goes on telling that it was changed.
    if (changed.length > 0)
      await tx
        .update(auditLog)
        .set({ ...nothing, salt: "changed" })
        .where(numbers(changed));
    return rows.length;
  }

  /** A day's rows are written anew each time, in the order of their names: where a row stands tells nothing of the day. */
  async function countActions(tx: Writer, entries: readonly StoredEntry[]): Promise<void> {
    const dated = entries.flatMap(({ at: when, action }) =>
      when === null ? [] : [{ day: when.toISOString().slice(0, 10), action }],
    );
    for (const [day, done] of Map.groupBy(dated, (entry) => entry.day)) {
      const ofDay = and(eq(activityDays.day, day), eq(activityDays.plan, ONLY_PLAN), eq(activityDays.region, region));
      const { action, count } = activityDays;
      const before = await tx.select({ action, count }).from(activityDays).where(ofDay);
      const counts = new Map(before.map((cell) => [cell.action, cell.count]));
      for (const entry of done) counts.set(entry.action, (counts.get(entry.action) ?? 0) + 1);
      await tx.delete(activityDays).where(ofDay);
      const names = [...counts.keys()].sort();
      await tx
        .insert(activityDays)
        .values(names.map((name) => ({ day, action: name, plan: ONLY_PLAN, region, count: counts.get(name) ?? 0 })));
    }
  }

  return {
    name: "activity",
    async batch(now, limit) {
      const before = new Date(now - RETENTION.quarter.days * DAY_MS);
      const stuck: string[] = [];
      let done = 0;
      while (done < limit) {
        const name = await dueChain(before, stuck);
        if (name === undefined) return done;
        const some = await db.tx((tx) => prune(tx, name, before, limit - done));
        if (some === 0) stuck.push(name);
        done += some;
      }
      return done;
    },
  };
}
