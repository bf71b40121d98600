/** Stored counts of what failed. */
import { desc, gte, sql } from "drizzle-orm";
import type { Database, Writer } from "../db/database.ts";

export interface Fault {
  readonly hour: Date;
  readonly place: string;
  readonly code: string;
  readonly count: number;
  readonly reference: string | null;
  readonly lastAt: Date;
}
export type FaultLine = Omit<Fault, "hour">;

export interface FaultsRepo {
  /** Adds to what other nodes counted in this hour. */
  add(tx: Writer, fault: Fault): Promise<void>;
  /** By place and code, the most frequent first. */
  since(at: Date): Promise<readonly FaultLine[]>;
}

/** More are not shown; a server with more kinds of faults has others to look at first. */
const SHOWN = 30;

export function createFaultsRepo(db: Database): FaultsRepo {
  const { faults } = db.t;
  return {
    async add(tx, fault) {
      await tx
        .insert(faults)
        .values(fault)
        .onConflictDoUpdate({
          target: [faults.hour, faults.place, faults.code],
          set: {
            count: sql`${faults.count} + ${fault.count}`,
            ...{ reference: fault.reference, lastAt: fault.lastAt },
          },
        });
    },
    async since(at) {
      const hour = new Date(Math.floor(at.getTime() / HOUR_MS) * HOUR_MS);
      const rows = await db.read.select().from(faults).where(gte(faults.hour, hour)).orderBy(desc(faults.lastAt));
      const byKind = Map.groupBy(rows, ({ place, code }) => `${code} ${place}`);
      return [...byKind.values()]
        .flatMap(([newest, ...others]) =>
          newest === undefined
            ? []
            : [{ ...newest, count: others.reduce((sum, { count }) => sum + count, newest.count) }],
        )
        .sort((a, b) => b.count - a.count)
        .slice(0, SHOWN);
    },
  };
}

export const HOUR_MS = 3_600_000;
