/**
 * How often something was seen lately: a mailbox, a network, a browser family. Only keyed hashes are stored, one for
 * each hour or day; a count is the sum over a window of them, and what falls out of the window is forgotten.
 */
import { createHmac } from "node:crypto";
import { and, gt, inArray, sql } from "drizzle-orm";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";
import { type Sighting, WINDOWS } from "./signals.ts";

export interface SightingsRepo {
  /** Counts one more; gives how many there were in the window, this one included. */
  add(tx: Writer, kind: Sighting, subject: string): Promise<number>;
  count(tx: Writer, kind: Sighting, subject: string): Promise<number>;
}

export function createSightingsRepo(options: { db: Database; clock: Clock; key: Buffer }): SightingsRepo {
  const { clock } = options;
  const { abuseCounts } = options.db.t;
  const keyOf = (kind: Sighting, subject: string, bucket: number) =>
    createHmac("sha256", options.key).update(`${kind}\0${bucket}\0${subject}`).digest("base64url");

  const count: SightingsRepo["count"] = async (tx, kind, subject) => {
    const { bucketMs, buckets } = WINDOWS[kind];
    const latest = Math.floor(clock.now() / bucketMs);
    const keys = Array.from({ length: buckets }, (_, back) => keyOf(kind, subject, latest - back));
    const rows = await tx
      .select({ count: abuseCounts.count })
      .from(abuseCounts)
      .where(and(inArray(abuseCounts.key, keys), gt(abuseCounts.expiresAt, new Date(clock.now()))));
    return rows.reduce((sum, row) => sum + row.count, 0);
  };
  return {
    count,
    async add(tx, kind, subject) {
      const { bucketMs, buckets } = WINDOWS[kind];
      const bucket = Math.floor(clock.now() / bucketMs);
      await tx
        .insert(abuseCounts)
        .values({ key: keyOf(kind, subject, bucket), count: 1, expiresAt: new Date((bucket + buckets) * bucketMs) })
        .onConflictDoUpdate({ target: abuseCounts.key, set: { count: sql`${abuseCounts.count} + 1` } });
      return count(tx, kind, subject);
    },
  };
}
