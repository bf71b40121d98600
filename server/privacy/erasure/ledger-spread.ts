/**
 * Carries the ledger of erasures to wherever a backup may be put back. Before anything of a person is erased, their line is in the
 * bucket, where there is one, and in the ledger of every node that lives. A node that was away takes what it missed from the
 * bucket and the database before it serves anybody.
 */
import { z } from "zod";
import { teamId, userId } from "../../../shared/ids.ts";
import type { Clock } from "../../clock.ts";
import type { Database } from "../../db/database.ts";
import { allOf, type BlobStore } from "../../files/blob-store.ts";
import { errorFields, type Log } from "../../log.ts";
import { sealed, unsealing } from "../../sealed-file.ts";
import type { ErasuresRepo } from "./erasures.repo.ts";
import { type ErasureLedger, LEDGER_MS, type LedgerEntry } from "./ledger.ts";

export interface LedgerSpread {
  /** Writes down that somebody is erased, everywhere. @throws PerchError until that is so */
  append(entry: LedgerEntry): Promise<void>;
  /** What other nodes wrote while this one was away. @throws PerchError when a backup was put back and the bucket cannot be asked */
  gather(): Promise<void>;
  /** Lines in the bucket that no backup can need any more. */
  sweep(): Promise<void>;
}

/** Tells every other node that lives. */
export type TellNodes = (entry: LedgerEntry) => Promise<void>;

const FOLDER = "erasures";
const stored = z.strictObject({ at: z.iso.datetime(), userId, teams: z.array(teamId) });

export function createLedgerSpread(options: {
  db: Database;
  repo: Pick<ErasuresRepo, "fenced">;
  ledger: ErasureLedger;
  bucket: BlobStore | undefined;
  /** 32 bytes: seals lines in the bucket. */
  key: Buffer;
  /** Undefined where the server is one process. */
  tellNodes: TellNodes | undefined;
  clock: Clock;
  log: Log;
}): LedgerSpread {
  const { db, repo, ledger, bucket, tellNodes, key, clock, log } = options;
  const keyOf = (id: string) => `${FOLDER}/${id}`;

  async function fromBucket(blobs: BlobStore): Promise<LedgerEntry[]> {
    const found: LedgerEntry[] = [];
    for (const name of await blobs.names(FOLDER)) {
      const blob = await blobs.get(keyOf(name));
      if (blob === undefined) continue;
      const text = await allOf(unsealing(blob.content, key, name)).catch((error: unknown) => {
        log.error("A line of the erasure ledger in the bucket cannot be read", errorFields(error));
        return undefined;
      });
      if (text === undefined) continue;
      const { at, ...who } = stored.parse(JSON.parse(text.toString("utf8")));
      found.push({ ...who, at: new Date(at) });
    }
    return found;
  }

  return {
    async append(entry) {
      ledger.append(entry);
      if (bucket !== undefined && (await bucket.head(keyOf(entry.userId))) === undefined) {
        const line = { at: entry.at.toISOString(), userId: entry.userId, teams: [...entry.teams] };
        const content = sealed([Buffer.from(JSON.stringify(line satisfies z.input<typeof stored>))], key, entry.userId);
        await bucket.put(keyOf(entry.userId), content);
      }
      await tellNodes?.(entry);
    },
    async gather() {
      const lines =
        bucket &&
        (await fromBucket(bucket).catch((error: unknown) => {
          if (ledger.isBehind()) throw error;
          // Nobody put a backup back here; what was missed is asked for at the next start.
          log.warn("The bucket was not asked for erasures of other nodes", errorFields(error));
          return [];
        }));
      for (const entry of lines ?? []) ledger.append(entry);
      if (tellNodes !== undefined) for (const entry of await repo.fenced(db.read)) ledger.append(entry);
      ledger.caughtUp();
    },
    async sweep() {
      if (bucket === undefined) return;
      const oldest = clock.now() - LEDGER_MS;
      for await (const { key: name, modifiedAt } of bucket.list(`${FOLDER}/`)) {
        if (modifiedAt.getTime() < oldest) await bucket.delete(name);
      }
    },
  };
}
