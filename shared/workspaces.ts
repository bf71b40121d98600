/** Workspaces as both sides see them: everything of `workspace-model.ts`, and the schemas of what goes into `workspaces.*`. */
import * as z from "zod/mini";
import { filePath, flowFile, runInputs } from "./automations.ts";
import { phoneId, runId, suiteId } from "./ids.ts";
import { idempotencyKey } from "./phones.ts";
import { MAX_IMPORT_FILES } from "./workspace-model.ts";

export * from "./workspace-model.ts";

/** A folder of the tree; "" is all of it. */
export const folderPath = z.union([z.literal(""), filePath]);

export const workspaceFileRef = z.strictObject({ path: filePath });
export const saveWorkspaceFileInput = flowFile;
export const removeFolderInput = z.strictObject({ path: filePath });

/** A zip, or files one by one with their paths as the computer has them. */
export const importSource = z
  .strictObject({
    /** Where it goes; absent: a folder of the name, or the one folder that holds everything. */
    folder: z.optional(folderPath),
    /** Of the file that was chosen, e.g. `shop.zip`. */
    name: z.optional(z.string().check(z.maxLength(200))),
    zip: z.optional(z.base64("A zip is sent as base64.")),
    files: z.optional(
      z
        .array(z.strictObject({ path: z.string().check(z.maxLength(1_000)), base64: z.base64() }))
        .check(z.maxLength(MAX_IMPORT_FILES, `At most ${MAX_IMPORT_FILES} files are imported at once.`)),
    ),
  })
  .check(
    z.refine(
      ({ zip, files }) => (zip === undefined) !== (files === undefined),
      "Give either a zip or a list of files.",
    ),
  );
export const importInput = z.strictObject({ source: importSource, plan: z.string().check(z.maxLength(64)) });

export const runFolderInput = z.strictObject({
  path: folderPath,
  phoneId,
  inputs: z.optional(runInputs),
  idempotencyKey,
});
export const acceptBaselineInput = z.strictObject({ runId, name: z.string().check(z.maxLength(200)) });
export const suiteRef = z.strictObject({ suiteId });
