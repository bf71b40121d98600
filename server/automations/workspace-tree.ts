/** What may stand where in a team's tree: one thing at one path, and no file where a folder is. */
import type { FlowId } from "../../shared/ids.ts";
import { pathKey } from "../../shared/workspace-model.ts";

export interface TeamPaths {
  readonly flows: readonly { readonly id: FlowId; readonly path: string }[];
  readonly files: readonly { readonly path: string }[];
}

/** Whether something new, or the flow `own`, may stand there. Two paths that some computers take for one are one. */
export function isPathFree(path: string, { flows, files }: TeamPaths, own?: FlowId): boolean {
  const key = pathKey(path);
  const others = [...flows.filter(({ id }) => id !== own), ...files].map((other) => pathKey(other.path));
  return others.every((other) => !collide(key, other));
}

/** Whether two keys of paths cannot both be there: the same, or one a folder of the other. */
export function collide(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}
