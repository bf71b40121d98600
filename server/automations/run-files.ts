/** The files of flows: those of a team, those a run brings along, and the snapshot a run works with. */
import { type FileTree, linkFlow } from "../../shared/flows/files.ts";
import type { ParsedFlow } from "../../shared/flows/model.ts";
import { baseName, MAX_RUN_BYTES } from "../../shared/workspace-model.ts";
import { PerchError } from "../errors.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import { StepFailure } from "./engine/failures.ts";
import type { RunFiles } from "./engine/ports.ts";
import type { FlowsRepo } from "./flows.repo.ts";
import type { FileBytes, WorkspacesRepo } from "./workspaces.repo.ts";

/** A tree whose files are read once: what was checked is what the run gets. */
export interface ReadTree extends FileTree {
  bytes(path: string): Promise<Uint8Array>;
}

export async function teamTree(
  scope: TeamScope,
  { flows, workspaces }: { flows: FlowsRepo; workspaces: WorkspacesRepo },
): Promise<ReadTree> {
  const [flowPaths, files] = await Promise.all([flows.paths(scope), workspaces.list(scope)]);
  const sizes = new Map(files.map(({ path, bytes }) => [path, bytes]));
  for (const { path, length } of flowPaths) sizes.set(path, length);
  return readOnce(sizes, async (path) => {
    const flow = await flows.findByPath(scope, path);
    if (flow !== undefined) return Buffer.from(flow.source);
    return (await workspaces.find(scope, path))?.bytes ?? new Uint8Array();
  });
}

/** What a run of a flow would read beside its text, as it is now. */
export async function reachedFiles(
  scope: TeamScope,
  { source, path }: { readonly source: string; readonly path: string | null },
  from: { flows: FlowsRepo; workspaces: WorkspacesRepo; parse: (source: string) => ParsedFlow },
): Promise<FileBytes[]> {
  let tree: Promise<ReadTree> | undefined;
  const open = () => (tree ??= teamTree(scope, from));
  const { reached } = await linkFlow({ source, path: path ?? "" }, open, from.parse);
  const files: FileBytes[] = [];
  for (const one of reached) files.push({ path: one, bytes: await (await open()).bytes(one) });
  return files;
}

/** @throws PerchError `bad_input`, `too_large` */
export function broughtTree(files: readonly { readonly path: string; readonly base64: string }[]): ReadTree {
  const contents = new Map(files.map(({ path, base64 }) => [path, Buffer.from(base64, "base64")]));
  if (contents.size < files.length) throw new PerchError("bad_input", "A file is sent twice. Send each path once.");
  const sizes = new Map([...contents].map(([path, bytes]) => [path, bytes.length]));
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  if (total > MAX_RUN_BYTES) throw new PerchError("too_large", "The files of a flow are at most 8 MB together.");
  return readOnce(sizes, async (path) => contents.get(path) ?? new Uint8Array());
}

function readOnce(sizes: ReadonlyMap<string, number>, read: (path: string) => Promise<Uint8Array>): ReadTree {
  const known = new Map<string, Promise<Uint8Array>>();
  const bytes = (path: string) => {
    const content = known.get(path) ?? read(path);
    known.set(path, content);
    return content;
  };
  return { sizes, bytes, text: async (path) => Buffer.from(await bytes(path)).toString("utf8") };
}

/** The files a run was given when it was asked for. */
export function runFiles(files: readonly FileBytes[], parse: (source: string) => ParsedFlow): RunFiles {
  const contents = new Map(files.map(({ path, bytes }) => [path, bytes]));
  const parsed = new Map<string, ParsedFlow>();
  const bytesOf = (path: string): Uint8Array => {
    const bytes = contents.get(path);
    if (bytes !== undefined) return bytes;
    throw new StepFailure("phone_cannot", `There was no file ${path.slice(0, 120)} when the run was asked for.`);
  };
  const textOf = (path: string) => Buffer.from(bytesOf(path)).toString("utf8");
  return {
    has: (path) => contents.has(path),
    bytes: bytesOf,
    text: textOf,
    flow(path) {
      const known = parsed.get(path) ?? parse(textOf(path));
      parsed.set(path, known);
      if (known.flow !== undefined) return known.flow;
      const [first] = known.diagnostics.filter(({ severity }) => severity === "error");
      const words = first === undefined ? "it cannot be read." : `line ${first.line}: ${first.message}`;
      throw new StepFailure("phone_cannot", `${baseName(path)} has errors: ${words}`);
    },
  };
}
