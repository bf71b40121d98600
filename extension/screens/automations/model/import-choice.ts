/** What a person chose on this computer, as the server takes it. */
import {
  type ImportPreview,
  isClutter,
  MAX_FILE_BYTES,
  MAX_IMPORT_BYTES,
  MAX_IMPORT_FILES,
} from "../../../../shared/workspace-model.ts";
import { base64Of } from "../../../api/workspace-files.ts";
import { countWords } from "./folders.ts";

export interface ImportChoice {
  readonly folder?: string;
  readonly name?: string;
  readonly zip?: string;
  readonly files?: { path: string; base64: string }[];
}

/** Undefined parts are absent. A sentence when it is more than is taken at once. */
export async function readChoice(files: readonly File[]): Promise<ImportChoice | string> {
  const [first] = files;
  if (first !== undefined && files.length === 1 && /\.zip$/i.test(first.name)) {
    if (first.size > MAX_IMPORT_BYTES) return "A zip may be 16 MB. Leave out what flows do not need.";
    return { name: first.name, zip: await base64Of(first) };
  }
  // What is larger than a file may be is sent as nothing but its beginning: the server says why it stays out.
  const wanted = files.filter((file) => !isClutter(pathOf(file)));
  const size = wanted.reduce((sum, file) => sum + Math.min(file.size, MAX_FILE_BYTES), 0);
  if (wanted.length > MAX_IMPORT_FILES || size > MAX_IMPORT_BYTES) {
    return `At most ${MAX_IMPORT_FILES} files and 16 MB are imported at once. Choose the folder with the flows alone.`;
  }
  const read = [];
  for (const file of wanted) {
    read.push({ path: pathOf(file), base64: await base64Of(file.slice(0, MAX_FILE_BYTES + 1)) });
  }
  return { files: read };
}

/** Below the chosen folder, which is its first part. */
function pathOf(file: File): string {
  return file.webkitRelativePath === "" ? file.name : file.webkitRelativePath;
}

/** How many entries are new or replaced. */
export function willChange({ entries }: ImportPreview): number {
  return entries.filter(({ change }) => change !== "same").length;
}

/** "2 automations and 1 file", those that change. */
export function summaryWords({ entries }: ImportPreview): string {
  const changed = entries.filter(({ change }) => change !== "same");
  const flows = changed.filter(({ kind }) => kind === "flow").length;
  return countWords(flows, changed.length - flows);
}
