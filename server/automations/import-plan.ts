/** What an import would do, before anything is written: what comes where, what it replaces, what stays out and why. */
import { createHash } from "node:crypto";
import { MAX_FLOW_SOURCE } from "../../shared/automations.ts";
import { linkFlow } from "../../shared/flows/files.ts";
import type { ParsedFlow } from "../../shared/flows/model.ts";
import type { FlowId } from "../../shared/ids.ts";
import { importRecording } from "../../shared/recorder-json/import.ts";
import { readRecording } from "../../shared/recorder-json/recording.ts";
import { yamlKind } from "../../shared/workspace-config.ts";
import {
  baseName,
  type FileKind,
  fileKind,
  type ImportEntry,
  type ImportPreview,
  isFilePath,
  isYaml,
  joinPath,
  MAX_FILE_BYTES,
  MAX_PATH,
  pathKey,
} from "../../shared/workspace-model.ts";
import { collide } from "./workspace-tree.ts";
import type { FileBytes } from "./workspaces.repo.ts";
import type { Unpacked } from "./zip.ts";

/** What a team has, by path. */
export interface TeamState {
  readonly flows: ReadonlyMap<string, { readonly id: FlowId; readonly source: string }>;
  /** Hashes of contents and sizes. */
  readonly files: ReadonlyMap<string, { readonly hash: string; readonly bytes: number }>;
  text(path: string): Promise<string>;
}

export interface PlannedFlow {
  readonly path: string;
  readonly source: string;
  /** The one it replaces. */
  readonly id: FlowId | undefined;
  readonly name: string;
}

export interface ImportPlan {
  readonly preview: ImportPreview;
  /** What changes; what is the same already is in the preview only. */
  readonly flows: readonly PlannedFlow[];
  readonly files: readonly FileBytes[];
  /** Flows whose place a file takes, and files whose place a flow takes. */
  readonly displaced: { readonly flows: readonly FlowId[]; readonly files: readonly string[] };
}

const MOST_SHOWN = 20;

export function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("base64url");
}

/** The folder a choice goes to, where none is said. */
export function folderFor(paths: readonly string[], zipName: string | undefined): string {
  if (zipName === undefined || paths.every((path) => path.includes("/"))) return "";
  const name = zipName
    .replace(/\.zip$/i, "")
    .replace(/[\\/\p{Cc}]/gu, " ")
    .trim()
    .slice(0, 60)
    .trim();
  return isFilePath(name) ? name : "Imported";
}

interface Item {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly kind: "flow" | FileKind;
  readonly notes: readonly string[];
}

export async function planImport(
  chosen: Unpacked,
  folder: string,
  team: TeamState,
  parse: (source: string) => ParsedFlow,
): Promise<ImportPlan> {
  const skipped = [...chosen.skipped];
  const items: Item[] = [];
  const taken: string[] = [];
  const there = [...team.flows.keys(), ...team.files.keys()];
  for (const file of chosen.files) {
    const item = itemOf(file, folder);
    const problem = typeof item === "string" ? item : placeProblem(item.path, taken, there);
    if (typeof item === "string" || problem !== undefined) {
      skipped.push({ path: file.path.slice(0, MAX_PATH), reason: problem ?? "" });
      continue;
    }
    taken.push(pathKey(item.path));
    items.push(item);
  }
  items.sort((a, b) => (a.path < b.path ? -1 : 1));
  skipped.sort((a, b) => (a.path < b.path ? -1 : 1));
  const coming = new Map(items.map((item) => [item.path, item]));
  const sizes = new Map([...team.files].map(([path, { bytes }]) => [path, bytes]));
  for (const [path, { source }] of team.flows) sizes.set(path, source.length);
  for (const { path, bytes } of items) sizes.set(path, bytes.length);
  const tree = {
    sizes,
    text: async (path: string) => {
      const item = coming.get(path);
      return item === undefined ? team.text(path) : utf8(item.bytes);
    },
  };

  const entries: ImportEntry[] = [];
  const flows: PlannedFlow[] = [];
  const files: FileBytes[] = [];
  const displaced = { flows: [] as FlowId[], files: [] as string[] };
  for (const { path, bytes, kind, notes } of items) {
    const flow = team.flows.get(path);
    const file = team.files.get(path);
    const same = kind === "flow" ? flow?.source === utf8(bytes) : file?.hash === hashOf(bytes);
    const change = same ? "same" : flow === undefined && file === undefined ? "new" : "replaced";
    const about = { path, kind, bytes: bytes.length, change, notes } as const;
    if (kind !== "flow") {
      entries.push({ ...about, diagnostics: [] });
      if (!same) files.push({ path, bytes });
      if (flow !== undefined) displaced.flows.push(flow.id);
      continue;
    }
    const source = utf8(bytes);
    const linked = await linkFlow({ source, path }, async () => tree, parse);
    const errors = linked.diagnostics.filter(({ severity }) => severity === "error");
    entries.push({ ...about, diagnostics: errors.slice(0, MOST_SHOWN) });
    const name = (parse(source).flow?.header.name?.trim() || baseName(path).replace(/\.ya?ml$/i, "")).slice(0, 100);
    if (!same) flows.push({ path, source, id: flow?.id, name });
    if (file !== undefined) displaced.files.push(path);
  }
  const plan = hashOf(
    Buffer.from(JSON.stringify([folder, entries, skipped, items.map(({ path, bytes }) => [path, hashOf(bytes)])])),
  );
  return { preview: { folder, entries, skipped, plan }, flows, files, displaced };
}

/** What a file becomes, or a sentence why it stays out. */
function itemOf({ path, bytes }: FileBytes, folder: string): Item | string {
  const inside = path.normalize("NFC").replace(/^(\.\/)+/, "");
  const full = joinPath(folder, inside);
  if (!isFilePath(inside) || !isFilePath(full)) {
    return full.length > MAX_PATH
      ? `Its path is longer than ${MAX_PATH} characters.`
      : "Its path leads out of the folder, or has characters that paths here do not have. Rename it.";
  }
  if (bytes.length > MAX_FILE_BYTES) return "It is larger than 4 MB.";
  if (/\.json$/i.test(full)) {
    const text = strictUtf8(bytes);
    const recording = text === undefined ? undefined : readRecording(text);
    if (recording !== undefined) {
      const { source, messages } = importRecording(recording);
      if (source.length > MAX_FLOW_SOURCE) return "This recording makes a flow of more than 256 KiB. Record less.";
      const notes = messages.slice(0, MOST_SHOWN).map(({ step, message }) => `Step ${step}: ${message}`);
      return { path: full.replace(/\.json$/i, ".yaml"), bytes: Buffer.from(source), kind: "flow", notes };
    }
  }
  const kind = fileKind(full);
  if (kind === undefined) return "Files of this kind are not kept: flows, scripts, pictures, media and texts are.";
  const text = kind === "config" || kind === "script" || kind === "text" ? strictUtf8(bytes) : "";
  if (text === undefined) return "It is not text in UTF-8. Save it as UTF-8.";
  if (!isYaml(full)) return { path: full, bytes, kind, notes: [] };
  if (text.length > MAX_FLOW_SOURCE) return "A flow has at most 262,144 characters. Split it and use runFlow.";
  const yaml = yamlKind(text);
  if (yaml === "other") return "It is neither a flow nor the settings of a workspace.";
  return { path: full, bytes, kind: yaml, notes: [] };
}

function placeProblem(path: string, taken: readonly string[], there: readonly string[]): string | undefined {
  const key = pathKey(path);
  const twin = taken.find((other) => collide(other, key));
  if (twin !== undefined) {
    return twin === key
      ? "It is there twice; upper and lower case do not count. Rename one."
      : "Its name is that of a folder, too. Rename one.";
  }
  const other = there.find((one) => one !== path && collide(pathKey(one), key));
  return other === undefined ? undefined : `It cannot stand beside ${other}. Rename one.`;
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}

/** Undefined for what is not UTF-8, or would not come back as the same bytes. */
function strictUtf8(bytes: Uint8Array): string | undefined {
  const text = utf8(bytes);
  return Buffer.from(text).equals(bytes) ? text : undefined;
}
