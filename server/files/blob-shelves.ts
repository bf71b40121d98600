/**
 * Where each kind of thing stands in the storage. In the data folder as it always did, by kind and id; in a bucket below
 * whose it is, so that all of a team or a person goes with one prefix, and a look at it shows that it is gone.
 */
import { createHash } from "node:crypto";
import { type IdKind, idPattern, type TeamId, type UserId } from "../../shared/ids.ts";
import { type BlobStore, checkedPrefix } from "./blob-store.ts";

export type ShelfName = "runs" | "uploads" | "exports" | "phones";

/** Something that has blobs: its keys begin with `prefix`. */
export interface Kept<Id extends string> {
  readonly id: Id;
  readonly prefix: string;
}

export interface Shelf<Owner extends string, Id extends string> {
  readonly blobs: BlobStore;
  /** How its keys begin, or its only key. */
  prefix(owner: Owner, id: Id): string;
  /** What has blobs. In a large bucket those of a part of the owners, another part each hour. */
  kept(now: Date): Promise<Kept<Id>[]>;
  /** What this owner has blobs of; where they do not stand by owner, of all. */
  keptOf(owner: Owner): Promise<Kept<Id>[]>;
  /** Looks that it is gone; gives how many blobs there were. */
  remove(kept: readonly Pick<Kept<Id>, "prefix">[]): Promise<number>;
  /** Of an owner who goes: these, and in a bucket whatever else is there. Looks that it is gone; gives how many blobs. */
  clear(owner: Owner, ids: readonly Id[]): Promise<number>;
}

/** What belongs to teams stands below `t/`, what to persons below `u/`. */
export const TEAMS = "t";
export const PERSONS = "u";
/** Owners that are looked through at once; more are spread over a day. */
const AT_ONCE = 1_000;
const HOURS = 24;

export function createShelf<Owner extends TeamId | UserId, Id extends string>(options: {
  blobs: BlobStore;
  name: ShelfName;
  owners: typeof TEAMS | typeof PERSONS;
  kind: IdKind;
}): Shelf<Owner, Id> {
  const { blobs, name, owners } = options;
  const byOwner = blobs.kind === "s3";
  const pattern = idPattern(options.kind);
  /** Such a name was an id when it was stored. */
  const isId = (text: string): text is Id => pattern.test(text);
  const folderOf = (owner: string) => (byOwner ? `${owners}/${owner}/${name}` : name);
  const inFolder = async (folder: string) =>
    (await blobs.names(folder)).filter(isId).map((id): Kept<Id> => ({ id, prefix: `${folder}/${id}` }));
  const remove = async (kept: readonly { readonly prefix: string }[]) => {
    let count = 0;
    for (const { prefix } of kept) count += await blobs.deletePrefix(checkedPrefix(prefix));
    return count;
  };
  return {
    blobs,
    prefix: (owner, id) => `${folderOf(owner)}/${id}`,
    async kept(now) {
      if (!byOwner) return inFolder(name);
      const all = await blobs.names(owners);
      const found: Kept<Id>[] = [];
      for (const owner of all) {
        if (all.length > AT_ONCE && hourOf(owner) !== now.getUTCHours()) continue;
        found.push(...(await inFolder(folderOf(owner))));
      }
      return found;
    },
    keptOf: (owner) => inFolder(folderOf(owner)),
    remove,
    clear: (owner, ids) =>
      byOwner
        ? blobs.deletePrefix(`${folderOf(owner)}/`)
        : remove(ids.map((id) => ({ prefix: `${folderOf(owner)}/${id}` }))),
  };
}

/** In which hour of the day an owner is looked through. */
function hourOf(owner: string): number {
  return createHash("sha256").update(owner).digest().readUInt16BE() % HOURS;
}
