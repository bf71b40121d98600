/**
 * What a parked phone keeps, in the file storage: packed and sealed, so that another node can start the phone. An archive
 * counts while the database names it; a phone that starts makes it old in the same moment. What it was made of or unpacked
 * to carries its name until the phone starts here: a copy that carries another name than the database says is older than
 * what another node has, and is neither archived nor started.
 */
import { randomBytes } from "node:crypto";
import type { PhoneId, TeamId } from "../../shared/ids.ts";
import type { Clock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { Shelf } from "../files/blob-shelves.ts";
import { errorFields, type Log } from "../log.ts";
import { sealed, unsealing } from "../sealed-file.ts";
import type { PhoneArchivesRepo } from "./phone-archives.repo.ts";

/** What phones of this node keep while they are parked. */
export interface ParkedPhones {
  /** Name of the archive that holds the same; undefined where none does. */
  mark(id: PhoneId): Promise<string | undefined>;
  setMark(id: PhoneId, archive: string | undefined): Promise<void>;
  /** All of it, as bytes. Undefined for a phone that is not here or not parked. */
  pack(id: PhoneId): Promise<AsyncGenerator<Uint8Array, void, undefined> | undefined>;
  /** In the place of what is here; whole, or it does not count. */
  unpack(id: PhoneId, content: AsyncIterable<Uint8Array>): Promise<void>;
  /** Phones that have something here. */
  ids(): Promise<readonly PhoneId[]>;
  /** Wipes what is here, if that is so while nothing else is done to the phone. */
  wipeIf(id: PhoneId, isOld: () => Promise<boolean>): Promise<void>;
}

export interface ProfileArchive {
  /** Stores what the parked phone keeps here. Does nothing where that is done already, and nothing for a phone that runs. */
  archive(id: PhoneId): Promise<void>;
  /** Puts what is archived in place here, unless it is here already. False where nothing is archived: what is here counts. */
  restore(id: PhoneId): Promise<boolean>;
  /** Whether another node can start the phone as it was parked. */
  has(id: PhoneId): Promise<boolean>;
  /** All there is of the phone, and looks that it is gone. @throws PerchError `unavailable` */
  remove(id: PhoneId): Promise<{ readonly files: number }>;
}

/** Where nothing is kept outside of the node that runs the phones. */
export const NO_ARCHIVE: ProfileArchive = {
  archive: async () => {},
  restore: async () => false,
  has: async () => false,
  remove: async () => ({ files: 0 }),
};

/** For the driver, and for whoever looks after the storage. */
export interface ArchiveKeeper extends ProfileArchive {
  /** Archives it while nobody waits. */
  parked(id: PhoneId): void;
  /** The phone starts or changes: stops what goes on, puts in place what is archived, and makes that old. */
  starting(id: PhoneId): Promise<void>;
  /** Tries again what failed, and wipes copies here that are older than what another node has. Called every few seconds. */
  tick(): Promise<void>;
  /** Of phones that are gone. */
  removeOrphans(): Promise<void>;
  /** Waits for what goes on. */
  close(): Promise<void>;
}

const AGAIN_MS = 60_000;
const LOOK_MS = 3_600_000;

export function createProfileArchive(options: {
  db: Database;
  repo: PhoneArchivesRepo;
  shelf: Shelf<TeamId, PhoneId>;
  parked: ParkedPhones;
  /** 32 bytes. */
  key: Buffer;
  clock: Clock;
  log: Log;
}): ArchiveKeeper {
  const { db, repo, shelf, key, clock, log } = options;
  const here = options.parked;
  const { blobs } = shelf;
  const going = new Map<PhoneId, { readonly stop: AbortController; readonly done: Promise<void> }>();
  const again = new Set<PhoneId>();
  let triedAt = 0;
  let lookedAt = Number.NEGATIVE_INFINITY;
  const keyOf = (teamId: TeamId, id: PhoneId, name: string) => `${shelf.prefix(teamId, id)}/${name}`;
  const place = (id: PhoneId, name: string) => `phone archive ${id} ${name}`;

  async function store(id: PhoneId, signal: AbortSignal): Promise<void> {
    const phone = await repo.find(id);
    const mark = await here.mark(id);
    if (phone === undefined || mark !== undefined) return;
    const content = await here.pack(id);
    if (content === undefined) return;
    const name = randomBytes(12).toString("hex");
    await blobs.put(keyOf(phone.teamId, id, name), sealed(content, key, place(id, name)), { signal });
    signal.throwIfAborted();
    // In this order: a copy that is marked and not named by the database would pass for an older one.
    const isThere = await db.tx((tx) => repo.set(tx, id, name, new Date(clock.now())));
    if (isThere) await here.setMark(id, name);
    for (const other of await blobs.names(shelf.prefix(phone.teamId, id))) {
      if (!isThere || other !== name) await blobs.delete(keyOf(phone.teamId, id, other));
    }
  }

  function begin(id: PhoneId): Promise<void> {
    const before = going.get(id);
    if (before !== undefined) return before.done;
    const stop = new AbortController();
    const done = store(id, stop.signal).finally(() => going.delete(id));
    going.set(id, { stop, done });
    again.delete(id);
    return done;
  }

  async function stopped(id: PhoneId): Promise<void> {
    const one = going.get(id);
    one?.stop.abort(new PerchError("conflict", "The phone starts."));
    await one?.done.catch(() => {});
    again.delete(id);
  }

  async function restore(id: PhoneId): Promise<boolean> {
    const phone = await repo.find(id);
    if (phone?.archive === undefined) return false;
    if ((await here.mark(id)) === phone.archive) return true;
    const stored = await blobs.get(keyOf(phone.teamId, id, phone.archive));
    if (stored === undefined) {
      throw new PerchError(
        "phone_unavailable",
        "What this phone keeps is missing in the file storage. Remove the phone.",
      );
    }
    await here.unpack(id, unsealing(stored.content, key, place(id, phone.archive)));
    await here.setMark(id, phone.archive);
    return true;
  }

  /** Another node has it, or nobody. A copy without a mark ran here last. */
  async function isOld(id: PhoneId): Promise<boolean> {
    const mark = await here.mark(id);
    return mark !== undefined && mark !== (await repo.find(id))?.archive;
  }

  function parked(id: PhoneId): void {
    begin(id).catch((error: unknown) => {
      if (going.has(id) || isStop(error)) return;
      again.add(id);
      log.warn("A parked phone is on this node alone until it can be archived", { phoneId: id, ...errorFields(error) });
    });
  }

  return {
    archive: begin,
    restore,
    has: async (id) => (await repo.find(id))?.archive !== undefined,
    async remove(id) {
      await stopped(id);
      const phone = await repo.find(id);
      if (phone === undefined) return { files: 0 };
      await db.tx((tx) => repo.drop(tx, id));
      return { files: await blobs.deletePrefix(`${shelf.prefix(phone.teamId, id)}/`) };
    },
    parked,
    async starting(id) {
      await stopped(id);
      if (await restore(id)) {
        await here.setMark(id, undefined);
        await db.tx((tx) => repo.drop(tx, id));
      } else if (await isOld(id)) {
        const words =
          "What this phone keeps is on another node, which cannot be reached now. Try again when it is back.";
        throw new PerchError("phone_unavailable", words);
      }
    },
    async tick() {
      const at = clock.now();
      if (at - lookedAt >= LOOK_MS) {
        lookedAt = at;
        for (const id of await here.ids()) if (await isOld(id)) await here.wipeIf(id, () => isOld(id));
      }
      if (again.size === 0 || at - triedAt < AGAIN_MS) return;
      triedAt = at;
      for (const id of [...again]) parked(id);
    },
    async removeOrphans() {
      const kept = await shelf.kept(new Date(clock.now()));
      const known = await repo.known(kept.map(({ id }) => id));
      await shelf.remove(kept.filter(({ id }) => !known.has(id)));
    },
    async close() {
      await Promise.allSettled([...going.values()].map(({ done }) => done));
    },
  };
}

function isStop(error: unknown): boolean {
  return error instanceof PerchError && error.code === "conflict";
}
