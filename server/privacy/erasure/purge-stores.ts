/** Stores outside the database: each is emptied, and then looked at. */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { TeamId, UserId } from "../../../shared/ids.ts";
import type { ArtifactStore } from "../../automations/run-artifacts.ts";
import { PerchError } from "../../errors.ts";
import type { UploadStore } from "../../files/upload-store.ts";
import type { PhoneRow } from "../../phones/phones.repo.ts";
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
  for (const row of rows) {
    await phones.remove(row);
    if (!(await phones.isAbsent(row)))
      throw new PerchError("unavailable", "A phone is still there after it was wiped.");
  }
  return { before: rows.length, after: (await repo.phonesOf(teams)).length };
}

export async function removeRunFiles(
  repo: ErasuresRepo,
  files: Pick<ArtifactStore, "remove" | "runs">,
  teams: readonly TeamId[],
): Promise<StoreResult> {
  const theirs = new Set<string>();
  for (let after = ""; ; ) {
    const page = await repo.runsOf(teams, after, PAGE);
    for (const id of page) theirs.add(id);
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) break;
    after = last;
  }
  const there = async () => (await files.runs()).filter((id) => theirs.has(id));
  const before = await there();
  await files.remove(before);
  return { before: before.length, after: (await there()).length };
}

export async function removeUploads(
  repo: ErasuresRepo,
  files: Pick<UploadStore, "remove" | "ids">,
  userId: UserId,
  teams: readonly TeamId[],
): Promise<StoreResult> {
  const theirs = new Set(await repo.uploadsOf(userId, teams));
  const there = async () => (await files.ids()).filter((id) => theirs.has(id));
  const before = await there();
  await files.remove(before);
  return { before: before.length, after: (await there()).length };
}

/** Archives are files or folders of the exports folder whose name begins with the export's id. */
export async function removeExports(repo: ErasuresRepo, folder: string, userId: UserId): Promise<StoreResult> {
  const ids = await repo.exportsOf(userId);
  const there = async () => {
    const names: string[] = await readdir(folder).catch(() => []);
    return names.filter((name) => ids.some((id) => name.startsWith(id)));
  };
  const before = await there();
  for (const name of before) await rm(join(folder, name), { recursive: true, force: true });
  return { before: before.length, after: (await there()).length };
}
