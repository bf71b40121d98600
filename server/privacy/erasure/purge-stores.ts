/** Stores outside the database: each is emptied, and then looked at. */
import type { RunId, TeamId, UserId } from "../../../shared/ids.ts";
import type { RunShelf } from "../../automations/run-artifacts.ts";
import { PerchError } from "../../errors.ts";
import { PERSONS, TEAMS } from "../../files/blob-shelves.ts";
import type { BlobStore } from "../../files/blob-store.ts";
import type { UploadShelf } from "../../files/upload-store.ts";
import type { PhoneRow } from "../../phones/phones.repo.ts";
import type { ArchiveShelf } from "../export/archive-store.ts";
import type { ErasuresRepo } from "./erasures.repo.ts";

/** Someone who processes data for us and has to forget a person, too. */
export interface ProcessorErasure {
  readonly id: string;
  /** Called again until it answers `gone`, or until when it keeps what and why. */
  erase(person: {
    readonly userId: UserId;
    readonly email: string;
    /** Those that close with the person; their rows are still there. */
    readonly teams: readonly TeamId[];
  }): Promise<
    { readonly state: "gone" } | { readonly state: "retained"; readonly until: Date; readonly reason: string }
  >;
}

export interface PurgePhones {
  /** Wipes and looks that it is gone; throws otherwise. */
  remove(row: PhoneRow): Promise<unknown>;
  isAbsent(row: PhoneRow): Promise<boolean>;
}

export interface StoreResult {
  readonly before: number;
  readonly after: number;
}

const PAGE = 1_000;

export async function removePhones(
  repo: ErasuresRepo,
  phones: PurgePhones,
  teams: readonly TeamId[],
): Promise<StoreResult> {
  const rows = await repo.phonesOf(teams);
  // One that cannot be reached keeps no other.
  const failed: unknown[] = [];
  for (const row of rows) {
    try {
      await phones.remove(row);
      if (!(await phones.isAbsent(row)))
        throw new PerchError("unavailable", "A phone is still there after it was wiped.");
    } catch (error) {
      failed.push(error);
    }
  }
  if (failed.length > 0) throw failed[0];
  return { before: rows.length, after: (await repo.phonesOf(teams)).length };
}

export async function removeRunFiles(
  repo: ErasuresRepo,
  shelf: RunShelf,
  teams: readonly TeamId[],
): Promise<StoreResult> {
  let before = 0;
  for (const team of teams) {
    const ids: RunId[] = [];
    for (let after = ""; ; ) {
      const page = await repo.runsOf([team], after, PAGE);
      ids.push(...page);
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) break;
      after = last;
    }
    before += await shelf.clear(team, ids);
  }
  return { before, after: 0 };
}

/** Of teams that close all there is; of others what the person sends. */
export async function removeUploads(
  repo: ErasuresRepo,
  shelf: UploadShelf,
  userId: UserId,
  teams: readonly TeamId[],
): Promise<StoreResult> {
  const rows = await repo.uploadsOf(userId, teams);
  let before = await shelf.remove(rows.map(({ id, teamId }) => ({ prefix: shelf.prefix(teamId, id) })));
  for (const team of teams) before += await shelf.clear(team, []);
  return { before, after: 0 };
}

/** Half ones too. */
export async function removeExports(repo: ErasuresRepo, shelf: ArchiveShelf, userId: UserId): Promise<StoreResult> {
  return { before: await shelf.clear(userId, await repo.exportsOf(userId)), after: 0 };
}

/**
 * The bucket, where there is one: whatever stands below the teams that close and below the person, known or not, and a
 * look at the list afterwards.
 */
export function bucketErasure(blobs: BlobStore): ProcessorErasure {
  return {
    id: "storage",
    async erase({ userId, teams }) {
      for (const team of teams) await blobs.deletePrefix(`${TEAMS}/${team}/`);
      await blobs.deletePrefix(`${PERSONS}/${userId}/`);
      return { state: "gone" };
    },
  };
}
