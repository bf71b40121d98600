/**
 * A team's files of automations: one tree of paths, in which a folder at the top is what Maestro calls a workspace.
 * Values and path rules; the schemas are in `workspaces.ts`. Moments are ISO 8601, sizes bytes.
 */
import type { Diagnostic } from "./flows/model.ts";
import type { FlowId, PhoneId, RunId, SuiteId } from "./id-values.ts";

export const MAX_PATH = 200;
export const MAX_FILE_BYTES = 4 * 1024 * 1024;
/** What a flow may reach while it runs, itself included; also what a run brings along. */
export const MAX_RUN_BYTES = 8 * 1024 * 1024;
export const MAX_RUN_FILES = 200;
export const MAX_IMPORT_BYTES = 16 * 1024 * 1024;
export const MAX_IMPORT_FILES = 1_000;
export const MAX_TEAM_BYTES = 64 * 1024 * 1024;

/** Relative, with `/` between folders, and without a way out. */
export function isFilePath(path: string): boolean {
  if (path === "" || path.length > MAX_PATH || path.includes("\\") || /\p{Cc}/u.test(path)) return false;
  return path.split("/").every((part) => part !== "" && part !== "." && part !== ".." && part.trim() === part);
}

/** The folder a file stands in; "" at the top. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

export function joinPath(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

/** The folder at the top; "" for what stands there itself. */
export function topFolder(path: string): string {
  const slash = path.indexOf("/");
  return slash === -1 ? "" : path.slice(0, slash);
}

export function isWithin(path: string, folder: string): boolean {
  return folder === "" || path.startsWith(`${folder}/`);
}

/** What `reference` means in the file `from`; undefined when it leads out of the tree or names nothing. */
export function resolvePath(from: string, reference: string): string | undefined {
  if (reference.startsWith("/") || reference.includes("\\")) return undefined;
  const parts = folderOf(from).split("/").filter(Boolean);
  for (const part of reference.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  const path = parts.join("/");
  return isFilePath(path) ? path : undefined;
}

/** Two paths of one key cannot stand side by side: some computers take them for one. */
export function pathKey(path: string): string {
  return path.normalize("NFC").toLowerCase();
}

export const FILE_KINDS = ["config", "script", "picture", "media", "text"] as const;
export type FileKind = (typeof FILE_KINDS)[number];

const KINDS_BY_ENDING: Readonly<Record<string, FileKind>> = {
  js: "script",
  ...Object.fromEntries(["png", "jpg", "jpeg", "gif", "webp"].map((ending) => [ending, "picture"])),
  ...Object.fromEntries(["mp4", "webm", "mov", "mp3", "m4a", "wav", "pdf"].map((ending) => [ending, "media"])),
  ...Object.fromEntries(["txt", "md", "csv", "json"].map((ending) => [ending, "text"])),
};

export function isYaml(path: string): boolean {
  return /\.ya?ml$/i.test(path);
}

/** What a file is by its name; YAML that is no flow is a `config`. Undefined: files of this kind are not kept. */
export function fileKind(path: string): FileKind | undefined {
  if (isYaml(path)) return "config";
  const ending = /\.([A-Za-z0-9]+)$/.exec(path)?.[1]?.toLowerCase() ?? "";
  return Object.hasOwn(KINDS_BY_ENDING, ending) ? KINDS_BY_ENDING[ending] : undefined;
}

/** Parts of paths nobody means when they choose a folder. */
const CLUTTER: ReadonlySet<string> = new Set(["__MACOSX", ".git", "node_modules", ".DS_Store", "Thumbs.db"]);

export function isClutter(path: string): boolean {
  return path.split("/").some((part) => CLUTTER.has(part));
}

export interface WorkspaceFile {
  readonly path: string;
  readonly kind: FileKind;
  readonly bytes: number;
  readonly updatedAt: string;
}

/** Answer of `workspaces.list`: the files beside the flows, by path. */
export interface WorkspaceFiles {
  readonly files: readonly WorkspaceFile[];
  readonly usedBytes: number;
  readonly mostBytes: number;
}

export interface WorkspaceFileContent extends WorkspaceFile {
  readonly base64: string;
}

/** One flow or file of what is to be imported. */
export interface ImportEntry {
  readonly path: string;
  readonly kind: "flow" | FileKind;
  readonly bytes: number;
  readonly change: "new" | "replaced" | "same";
  /** Of a flow: what is wrong with it, once everything stands in its place. It is kept all the same. */
  readonly diagnostics: readonly Diagnostic[];
  /** Made from a recording: what could not be taken over, step by step. */
  readonly notes: readonly string[];
}

/** Answer of `workspaces.preview`. Nothing is written yet. */
export interface ImportPreview {
  /** Where it goes; "" is the top. */
  readonly folder: string;
  readonly entries: readonly ImportEntry[];
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
  /** To be given to `workspaces.import`: it refuses when something has changed since. */
  readonly plan: string;
}

export interface ImportResult {
  readonly folder: string;
  readonly flows: number;
  readonly files: number;
}

/** Several flows of one folder on one phone, one after the other. */
export interface SuiteSummary {
  readonly id: SuiteId;
  readonly path: string;
  readonly phoneId: PhoneId;
  readonly createdAt: string;
  readonly runs: readonly { readonly runId: RunId; readonly flowId?: FlowId; readonly name: string }[];
}
