/** A team's automations and files as the list shows them: those that stand apart, then folder by folder. */
import type { FlowSummary } from "../../../../shared/automation-model.ts";
import { topFolder, type WorkspaceFile } from "../../../../shared/workspace-model.ts";

export interface Folder {
  /** Its name; "" holds the files at the top. */
  readonly name: string;
  readonly flows: readonly FlowSummary[];
  readonly files: readonly WorkspaceFile[];
}

/** Automations at the top, in their order, and folders by name; automations and files of a folder by path. */
export function byFolder(
  flows: readonly FlowSummary[],
  files: readonly WorkspaceFile[],
): { readonly apart: readonly FlowSummary[]; readonly folders: readonly Folder[] } {
  const folderOf = ({ path = "" }: { readonly path?: string }) => topFolder(path);
  const flowsIn = Map.groupBy(flows, folderOf);
  const filesIn = Map.groupBy(files, folderOf);
  const names = [...new Set([...flowsIn.keys(), ...filesIn.keys()])].sort((a, b) => a.localeCompare(b));
  const folders = names.map((name) => ({
    name,
    flows: name === "" ? [] : byPath(flowsIn.get(name) ?? []),
    files: byPath(filesIn.get(name) ?? []),
  }));
  return {
    apart: flowsIn.get("") ?? [],
    folders: folders.filter((folder) => folder.flows.length + folder.files.length > 0),
  };
}

function byPath<T extends { readonly path?: string }>(items: readonly T[]): readonly T[] {
  return [...items].sort((a, b) => (a.path ?? "").localeCompare(b.path ?? ""));
}

/** The path without its folder. */
export function pathIn(folder: string, path: string): string {
  return folder === "" ? path : path.slice(folder.length + 1);
}

/** "2 automations and 1 file". */
export function countWords(flows: number, files: number): string {
  const some = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;
  if (files === 0) return some(flows, "automation");
  if (flows === 0) return some(files, "file");
  return `${some(flows, "automation")} and ${some(files, "file")}`;
}
