/** Where the project's own files are, the same from the sources and from the bundle. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The folder with `package.json`, found upwards from this file. */
export function projectRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "package.json"))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error("The server was moved away from its project folder.");
    folder = parent;
  }
  return folder;
}
