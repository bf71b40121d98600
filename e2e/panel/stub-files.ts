/** A team's files in memory, for panel tests. What an import would do is planned by the server's own code. */

import { folderFor, hashOf, type ImportPlan, planImport } from "../../server/automations/import-plan.ts";
import { readZip } from "../../server/automations/zip.ts";
import { parseFlow } from "../../shared/flows/parse.ts";
import { newId, type PhoneId } from "../../shared/ids.ts";
import {
  fileKind,
  type ImportPreview,
  type ImportResult,
  isWithin,
  MAX_TEAM_BYTES,
  type SuiteSummary,
  type WorkspaceFile,
  type WorkspaceFiles,
} from "../../shared/workspace-model.ts";
import type { StubRuns } from "./stub-runs.ts";

export interface StubImportSource {
  readonly folder?: string | undefined;
  readonly name?: string | undefined;
  readonly zip?: string | undefined;
  readonly files?: readonly { readonly path: string; readonly base64: string }[] | undefined;
}

export class StubFiles {
  readonly files = new Map<string, Uint8Array>();
  readonly #runs: StubRuns;

  constructor(runs: StubRuns) {
    this.#runs = runs;
  }

  put(path: string, content: string | Uint8Array): WorkspaceFile {
    this.files.set(path, typeof content === "string" ? Buffer.from(content) : content);
    return this.view(path);
  }

  view(path: string): WorkspaceFile {
    const bytes = this.files.get(path)?.length ?? 0;
    return { path, kind: fileKind(path) ?? "text", bytes, updatedAt: new Date().toISOString() };
  }

  list(): WorkspaceFiles {
    const files = [...this.files.keys()].sort().map((path) => this.view(path));
    return { files, usedBytes: files.reduce((sum, { bytes }) => sum + bytes, 0), mostBytes: MAX_TEAM_BYTES };
  }

  removeFolder(folder: string): { flows: number; files: number } {
    const files = [...this.files.keys()].filter((path) => isWithin(path, folder));
    const flows = this.#runs.list().filter(({ path }) => path !== undefined && isWithin(path, folder));
    for (const path of files) this.files.delete(path);
    for (const { id } of flows) this.#runs.flows.delete(id);
    return { flows: flows.length, files: files.length };
  }

  async plan({ folder, name, zip, files = [] }: StubImportSource): Promise<ImportPlan> {
    const brought = files.map(({ path, base64 }) => ({ path, bytes: Buffer.from(base64, "base64") }));
    const chosen =
      zip === undefined ? { files: brought, skipped: [] } : await readZip(Buffer.from(zip, "base64"), () => true);
    const flows = new Map(
      [...this.#runs.flows.values()].flatMap((flow) => (flow.path === undefined ? [] : [[flow.path, flow] as const])),
    );
    const where =
      folder ??
      folderFor(
        chosen.files.map(({ path }) => path),
        zip && name,
      );
    return planImport(
      chosen,
      where,
      {
        flows,
        files: new Map([...this.files].map(([path, bytes]) => [path, { hash: hashOf(bytes), bytes: bytes.length }])),
        text: async (path) => flows.get(path)?.source ?? Buffer.from(this.files.get(path) ?? []).toString("utf8"),
      },
      parseFlow,
    );
  }

  async preview(source: StubImportSource): Promise<ImportPreview> {
    return (await this.plan(source)).preview;
  }

  async import(source: StubImportSource): Promise<ImportResult> {
    const { preview, flows, files } = await this.plan(source);
    for (const { id, name, path, source: text } of flows) this.#runs.save({ flowId: id, name, path, source: text });
    for (const { path, bytes } of files) this.put(path, bytes);
    return { folder: preview.folder, flows: flows.length, files: files.length };
  }

  run(path: string, phoneId: PhoneId): SuiteSummary {
    const id = newId("suite");
    const runs = this.#runs
      .list()
      .filter((flow) => flow.path !== undefined && isWithin(flow.path, path))
      .map(({ id: flowId, name }) => {
        const runId = this.#runs.start({ flowId, phoneId, idempotencyKey: crypto.randomUUID() });
        const { newest } = this.#runs;
        newest.detail = { ...newest.detail, suiteId: id };
        return { runId, flowId, name };
      });
    return { id, path, phoneId, createdAt: new Date().toISOString(), runs };
  }
}
