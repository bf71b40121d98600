/** Files of a person's export beside its rows: what runs kept, files of the workspace, and what stands on their phones. */
import { and, asc, eq, ne } from "drizzle-orm";
import type { PhoneId, RunId, TeamId } from "../../../shared/ids.ts";
import type { DriverKind } from "../../../shared/phones.ts";
import { MAX_FILE_BYTES } from "../../../shared/workspace-model.ts";
import type { RunHome } from "../../automations/run-artifacts.ts";
import type { Database } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import type { PhoneDriver } from "../../phones/driver.ts";
import { type MappedTable, tableNamed } from "../map/data-map.ts";
import type { Person } from "../map/rows-of.repo.ts";
import type { RowPages } from "./export-rows.repo.ts";

export interface ExportFile {
  /** In the archive. */
  readonly path: string;
  readonly bytes?: number;
  open(): Promise<AsyncIterable<Uint8Array>>;
}

export interface ExportFiles {
  /** How much there is, without reading it. */
  size(person: Person): Promise<{ files: number; bytes: number }>;
  /** One after the other; `missing` is told in a sentence what could not be read. */
  all(person: Person, missing: (sentence: string) => void): AsyncGenerator<ExportFile, void, undefined>;
}

/** Columns whose values are files here, and where. */
export const AS_FILES = { "fileContents.content": "files/workspace" } as const;

export interface FileSources {
  /** Of a run; @throws PerchError `not_found` */
  readonly readArtifact: (run: RunHome, file: string) => Promise<Uint8Array>;
  /** Undefined where this server has no phones of the kind. */
  readonly phoneFiles: (kind: DriverKind) => Pick<PhoneDriver["files"], "list" | "read"> | undefined;
}

const PAGE = 500;

export function createExportFiles(
  db: Database,
  options: { readonly map: readonly MappedTable[]; readonly pages: RowPages; readonly sources: FileSources },
): ExportFiles {
  const { fileContents, phones, runs } = db.t;
  const { map, pages, sources } = options;

  async function* artifacts(person: Person) {
    const columns = ["runId", "name", "file", "bytes"];
    for await (const rows of pages.pages(person, tableNamed(map, "runArtifacts"), columns, () => PAGE)) {
      for (const row of rows) yield asArtifact(row);
    }
  }

  /** Whose a run is. */
  async function teamOf(run: RunId): Promise<TeamId> {
    const [row] = await db.read.select({ teamId: runs.teamId }).from(runs).where(eq(runs.id, run));
    if (row === undefined) throw new PerchError("not_found", "There is no such run.");
    return row.teamId;
  }

  async function* workspace(person: Person) {
    const columns = ["path", "content", "bytes"];
    for await (const rows of pages.pages(person, tableNamed(map, "workspaceFiles"), columns, () => PAGE)) {
      for (const row of rows) yield asWorkspaceFile(row);
    }
  }

  async function phonesOf({ userId }: Person) {
    return db.read
      .select({ id: phones.id, name: phones.name, driver: phones.driver })
      .from(phones)
      .where(and(eq(phones.createdBy, userId), ne(phones.state, "removed")))
      .orderBy(asc(phones.id));
  }

  async function filesOn({ id, driver }: { readonly id: PhoneId; readonly driver: DriverKind }) {
    return sources
      .phoneFiles(driver)
      ?.list(id)
      .catch(() => undefined);
  }

  return {
    async size(person) {
      let files = 0;
      let bytes = 0;
      const add = (size: number) => {
        files += 1;
        bytes += size;
      };
      for await (const artifact of artifacts(person)) add(artifact.bytes);
      for await (const file of workspace(person)) add(file.bytes);
      for (const phone of await phonesOf(person)) for (const file of (await filesOn(phone)) ?? []) add(file.bytes);
      return { files, bytes };
    },
    async *all(person, missing) {
      const names = createNames();
      for await (const { runId, name, file, bytes } of artifacts(person)) {
        yield {
          path: names.free(`files/runs/${safe(runId)}`, name),
          bytes,
          open: async () => pieces(await sources.readArtifact({ id: runId, teamId: await teamOf(runId) }, file)),
        };
      }
      for await (const { path, content, bytes } of workspace(person)) {
        yield {
          path: names.free(AS_FILES["fileContents.content"], path),
          bytes,
          async open() {
            const [row] = await db.read
              .select({ content: fileContents.content })
              .from(fileContents)
              .where(eq(fileContents.id, content));
            return pieces(row?.content ?? new Uint8Array());
          },
        };
      }
      for (const phone of await phonesOf(person)) {
        const files = sources.phoneFiles(phone.driver);
        const found = await filesOn(phone);
        if (files === undefined || found === undefined) {
          missing(`The files on the phone ${phone.name} could not be read.`);
          continue;
        }
        for (const file of found) {
          yield {
            path: names.free(`files/phones/${safe(phone.id)}`, file.name),
            bytes: file.bytes,
            open: () => files.read(phone.id, file.name),
          };
        }
      }
    },
  };
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += MAX_FILE_BYTES) yield bytes.subarray(at, at + MAX_FILE_BYTES);
}

/** The columns asked for just before. */
function asArtifact(row: Readonly<Record<string, unknown>>) {
  return row as { readonly runId: RunId; readonly name: string; readonly file: string; readonly bytes: number };
}

function asWorkspaceFile(row: Readonly<Record<string, unknown>>) {
  return row as { readonly path: string; readonly content: string; readonly bytes: number };
}

/** Paths in the archive that every system takes, and none twice, whatever people called their files. */
export function createNames(): { free(folder: string, name: string): string } {
  const taken = new Set<string>();
  return {
    free(folder, name) {
      const wanted = `${folder}/${name.split("/").map(safe).join("/")}`;
      const dot = wanted.lastIndexOf(".") > wanted.lastIndexOf("/") ? wanted.lastIndexOf(".") : wanted.length;
      let path = wanted;
      for (let copy = 2; taken.has(path.toLowerCase()); copy += 1) {
        path = `${wanted.slice(0, dot)} (${copy})${wanted.slice(dot)}`;
      }
      taken.add(path.toLowerCase());
      return path;
    },
  };
}

function safe(part: string): string {
  const text = part.replace(/[\p{Cc}\\:*?"<>|]/gu, "_").slice(0, 150);
  return /^\.*$/.test(text) ? `_${text.replaceAll(".", "_")}` : text;
}
