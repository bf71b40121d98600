/** A team's files beside its flows: keeping, importing, exporting. Every method takes the `TeamScope` of a caller who was checked. */
import type { z } from "zod";
import type { ParsedFlow } from "../../shared/flows/model.ts";
import { newId } from "../../shared/ids.ts";
import { yamlKind } from "../../shared/workspace-config.ts";
import type {
  acceptBaselineInput,
  importInput,
  importSource,
  saveWorkspaceFileInput,
} from "../../shared/workspaces.ts";
import {
  baseName,
  fileKind,
  type ImportPreview,
  type ImportResult,
  isClutter,
  isWithin,
  isYaml,
  MAX_FILE_BYTES,
  MAX_IMPORT_BYTES,
  MAX_TEAM_BYTES,
  type WorkspaceFile,
  type WorkspaceFileContent,
  type WorkspaceFiles,
} from "../../shared/workspaces.ts";
import type { Audit, AuditAction } from "../audit/audit.repo.ts";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import type { FlowsRepo } from "./flows.repo.ts";
import { MOST_FLOWS } from "./flows.service.ts";
import { folderFor, hashOf, type ImportPlan, planImport, type TeamState } from "./import-plan.ts";
import type { ArtifactStore } from "./run-artifacts.ts";
import { teamTree } from "./run-files.ts";
import type { RunsRepo } from "./runs.repo.ts";
import { isPathFree } from "./workspace-tree.ts";
import { contentHash, type FileRow, type WorkspacesRepo } from "./workspaces.repo.ts";
import { readZip, writeZip } from "./zip.ts";

export interface WorkspacesService {
  list(scope: TeamScope): Promise<WorkspaceFiles>;
  file(scope: TeamScope, path: string): Promise<WorkspaceFileContent>;
  /** Keeps a file, in the place of the one that is there. */
  saveFile(scope: TeamScope, input: z.output<typeof saveWorkspaceFileInput>): Promise<WorkspaceFile>;
  removeFile(scope: TeamScope, path: string): Promise<void>;
  /** Removes a folder with its flows and files. */
  removeFolder(scope: TeamScope, folder: string): Promise<{ flows: number; files: number }>;
  /** What an import would do. Writes nothing. */
  preview(scope: TeamScope, source: z.output<typeof importSource>): Promise<ImportPreview>;
  /** Does it, all or nothing; refuses when it would do something else than the preview said. */
  import(scope: TeamScope, input: z.output<typeof importInput>): Promise<ImportResult>;
  /** A folder, or all of it, as a zip that imports to the same. */
  exportZip(scope: TeamScope, folder: string): Promise<{ name: string; bytes: Uint8Array }>;
  /** Makes a picture of a run the file it was compared with. */
  acceptBaseline(scope: TeamScope, input: z.output<typeof acceptBaselineInput>): Promise<WorkspaceFile>;
}

export function createWorkspacesService(options: {
  db: Database;
  repo: WorkspacesRepo;
  flows: FlowsRepo;
  runs: RunsRepo;
  artifacts: ArtifactStore;
  audit: Audit;
  clock: Clock;
  parse: (source: string) => ParsedFlow;
}): WorkspacesService {
  const { db, repo, flows, clock, parse } = options;
  const record = (tx: Writer, scope: TeamScope, action: AuditAction, object: string) =>
    options.audit.record(tx, { chain: scope.teamId, actor: scope.userId, action, object });

  /** What changes when anything of the tree does. */
  async function fingerprint(scope: TeamScope, tx?: Writer): Promise<string> {
    const [flowPaths, files] = [await flows.paths(scope, tx), await repo.list(scope, tx)];
    const parts = [
      ...flowPaths.map(({ id, path, updatedAt }) => `${id} ${path} ${updatedAt.getTime()}`),
      ...files.map(({ path, content }) => `${path} ${content}`),
    ];
    return hashOf(Buffer.from(parts.sort().join("\n")));
  }

  async function put(tx: Writer, scope: TeamScope, path: string, bytes: Uint8Array): Promise<void> {
    const files = await repo.list(scope, tx);
    if (!isPathFree(path, { flows: await flows.paths(scope, tx), files: files.filter((file) => file.path !== path) })) {
      throw new PerchError("conflict", `There is something else at ${path} already. Choose another name.`);
    }
    const others = files.filter((file) => file.path !== path).reduce((sum, file) => sum + file.bytes, 0);
    checkRoom(others + bytes.length);
    await repo.put(tx, scope, { path, bytes }, new Date(clock.now()));
    await repo.release(tx, scope.teamId);
  }

  async function view(scope: TeamScope, path: string): Promise<WorkspaceFile> {
    const found = await repo.find(scope, path);
    if (found === undefined) throw noSuchFile();
    return fileView(found.row);
  }

  async function plan(
    scope: TeamScope,
    source: z.output<typeof importSource>,
  ): Promise<{ plan: ImportPlan; state: string }> {
    const state = await fingerprint(scope);
    const chosen = await unpack(source);
    if (chosen.files.length === 0 && chosen.skipped.length === 0) {
      throw new PerchError("bad_input", "There are no files in this. Choose a folder or zip with flows.");
    }
    const folder =
      source.folder ??
      folderFor(
        chosen.files.map(({ path }) => path),
        source.zip && source.name,
      );
    return { plan: await planImport(chosen, folder, await teamState(scope), parse), state };
  }

  async function teamState(scope: TeamScope): Promise<TeamState> {
    const [rows, files] = await Promise.all([flows.list(scope), repo.list(scope)]);
    const tree = teamTree(scope, { flows, workspaces: repo });
    return {
      flows: new Map(rows.flatMap(({ id, path, source }) => (path === null ? [] : [[path, { id, source }]]))),
      files: new Map(files.map(({ path, content, bytes }) => [path, { hash: contentHash(content), bytes }])),
      text: async (path) => (await tree).text(path),
    };
  }

  return {
    async list(scope) {
      const files = await repo.list(scope);
      const usedBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
      return { files: files.map(fileView), usedBytes, mostBytes: MAX_TEAM_BYTES };
    },
    async file(scope, path) {
      const found = await repo.find(scope, path);
      if (found === undefined) throw noSuchFile();
      return { ...fileView(found.row), base64: Buffer.from(found.bytes).toString("base64") };
    },
    async saveFile(scope, { path, base64 }) {
      const bytes = Buffer.from(base64, "base64");
      checkFile(path, bytes);
      await db.tx(async (tx) => {
        await put(tx, scope, path, bytes);
        await record(tx, scope, "workspace.file_saved", path);
      });
      return view(scope, path);
    },
    async removeFile(scope, path) {
      await db.tx(async (tx) => {
        if (!(await repo.delete(tx, scope, path))) throw noSuchFile();
        await repo.release(tx, scope.teamId);
        await record(tx, scope, "workspace.file_removed", path);
      });
    },
    async removeFolder(scope, folder) {
      return db.tx(async (tx) => {
        const gone = {
          flows: (await flows.paths(scope, tx)).filter(({ path }) => isWithin(path, folder)),
          files: (await repo.list(scope, tx)).filter(({ path }) => isWithin(path, folder)),
        };
        if (gone.flows.length + gone.files.length === 0) throw noSuchFolder();
        for (const { id } of gone.flows) await flows.delete(tx, scope, id);
        for (const { path } of gone.files) await repo.delete(tx, scope, path);
        await repo.release(tx, scope.teamId);
        await record(tx, scope, "workspace.folder_removed", folder);
        return { flows: gone.flows.length, files: gone.files.length };
      });
    },
    preview: async (scope, source) => (await plan(scope, source)).plan.preview,
    async import(scope, input) {
      const { plan: found, state } = await plan(scope, input.source);
      const { preview } = found;
      const changed = () =>
        new PerchError("conflict", "Your team's files changed since you looked at this import. Look at it again.");
      if (preview.plan !== input.plan) throw changed();
      await db.tx(async (tx) => {
        if ((await fingerprint(scope, tx)) !== state) throw changed();
        await write(tx, scope, found);
        await record(tx, scope, "workspace.imported", preview.folder === "" ? "all files" : preview.folder);
      });
      return { folder: preview.folder, flows: found.flows.length, files: found.files.length };
    },
    async exportZip(scope, folder) {
      const [rows, files] = await Promise.all([flows.list(scope), repo.list(scope)]);
      const inside = files.filter(({ path }) => isWithin(path, folder));
      const sources = rows.flatMap(({ path, source }) =>
        path !== null && isWithin(path, folder) ? [{ path, bytes: Buffer.from(source) as Uint8Array }] : [],
      );
      if (inside.length + sources.length === 0) throw noSuchFolder();
      for (const { path } of inside) {
        const found = await repo.find(scope, path);
        if (found !== undefined) sources.push({ path, bytes: found.bytes });
      }
      sources.sort((a, b) => (a.path < b.path ? -1 : 1));
      return { name: `${folder === "" ? "automations" : baseName(folder)}.zip`, bytes: writeZip(sources) };
    },
    async acceptBaseline(scope, { runId, name }) {
      const run = await options.runs.find(scope, runId);
      const artifact = run && (await options.runs.artifact(runId, name));
      const path = artifact?.baseline;
      if (run === undefined || artifact === undefined || path === undefined || path === null) {
        throw new PerchError("not_found", "This run has no such picture to compare with.");
      }
      const bytes = await options.artifacts.read(run, artifact.file);
      await db.tx(async (tx) => {
        await put(tx, scope, path, bytes);
        await record(tx, scope, "workspace.baseline_accepted", path);
      });
      return view(scope, path);
    },
  };

  async function write(tx: Writer, scope: TeamScope, { flows: coming, files, displaced }: ImportPlan): Promise<void> {
    const now = new Date(clock.now());
    for (const id of displaced.flows) await flows.delete(tx, scope, id);
    for (const path of displaced.files) await repo.delete(tx, scope, path);
    for (const { id, path, source, name } of coming) {
      if (id !== undefined) await flows.change(tx, scope, id, { source, updatedAt: now });
      else {
        const { teamId, userId: createdBy } = scope;
        const row = { id: newId("flow"), teamId, createdBy, name, source, path, createdAt: now, updatedAt: now };
        await flows.insert(tx, row);
      }
    }
    if ((await flows.count(tx, scope)) > MOST_FLOWS) {
      throw new PerchError("limit_reached", `A team keeps at most ${MOST_FLOWS} flows. Import fewer, or remove some.`);
    }
    for (const file of files) await repo.put(tx, scope, file, now);
    checkRoom((await repo.list(scope, tx)).reduce((sum, { bytes }) => sum + bytes, 0));
    await repo.release(tx, scope.teamId);
  }
}

async function unpack(source: z.output<typeof importSource>) {
  if (source.zip !== undefined) return readZip(Buffer.from(source.zip, "base64"), (path) => !isClutter(path));
  const files = (source.files ?? [])
    .filter(({ path }) => !isClutter(path))
    .map(({ path, base64 }) => ({ path, bytes: Buffer.from(base64, "base64") }));
  if (files.reduce((sum, { bytes }) => sum + bytes.length, 0) > MAX_IMPORT_BYTES) {
    throw new PerchError("too_large", "At most 16 MB are imported at once. Leave out what flows do not need.");
  }
  return { files, skipped: [] };
}

function checkFile(path: string, bytes: Buffer): void {
  if (fileKind(path) === undefined) {
    throw new PerchError(
      "bad_input",
      "Files of this kind are not kept: flows, scripts, pictures, media and texts are.",
    );
  }
  if (bytes.length > MAX_FILE_BYTES) throw new PerchError("too_large", "A file has at most 4 MB.");
  if (isYaml(path) && yamlKind(bytes.toString("utf8")) !== "config") {
    throw new PerchError("bad_input", "A YAML file beside the flows holds the settings of a workspace, like `flows:`.");
  }
}

function checkRoom(bytes: number): void {
  if (bytes <= MAX_TEAM_BYTES) return;
  throw new PerchError("limit_reached", "A team's files are at most 64 MB together. Remove some first.");
}

function noSuchFile(): PerchError {
  return new PerchError("not_found", "There is no such file in this team.");
}

function noSuchFolder(): PerchError {
  return new PerchError("not_found", "There is no such folder in this team.");
}

function fileView({ path, bytes, updatedAt }: FileRow): WorkspaceFile {
  return { path, kind: fileKind(path) ?? "text", bytes, updatedAt: updatedAt.toISOString() };
}
