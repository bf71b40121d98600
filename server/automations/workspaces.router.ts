/** `workspaces.*`: thin; every rule is in the services. */
import {
  acceptBaselineInput,
  importInput,
  importSource,
  removeFolderInput,
  runFolderInput,
  saveWorkspaceFileInput,
  suiteRef,
  workspaceFileRef,
} from "../../shared/workspaces.ts";
import { router, teamProcedure } from "../base.router.ts";
import type { SuitesService } from "./suites.service.ts";
import type { WorkspacesService } from "./workspaces.service.ts";

const view = { permission: "phones:view", scope: "phones:view", limit: "read", audit: false } as const;
const control = (audit: string | false) =>
  ({ permission: "phones:control", scope: "phones:control", limit: "write", audit }) as const;

export function workspacesRouter(files: WorkspacesService, suites: SuitesService) {
  return router({
    list: teamProcedure(view).query(({ ctx }) => files.list(ctx.scope)),
    file: teamProcedure(view)
      .input(workspaceFileRef)
      .query(({ ctx, input }) => files.file(ctx.scope, input.path)),
    saveFile: teamProcedure(control("workspace.file_saved"))
      .input(saveWorkspaceFileInput)
      .mutation(({ ctx, input }) => files.saveFile(ctx.scope, input)),
    removeFile: teamProcedure(control("workspace.file_removed"))
      .input(workspaceFileRef)
      .mutation(async ({ ctx, input }) => {
        await files.removeFile(ctx.scope, input.path);
        return {};
      }),
    removeFolder: teamProcedure(control("workspace.folder_removed"))
      .input(removeFolderInput)
      .mutation(({ ctx, input }) => files.removeFolder(ctx.scope, input.path)),
    /** A mutation because of its size; it writes nothing. */
    preview: teamProcedure(control(false))
      .input(importSource)
      .mutation(({ ctx, input }) => files.preview(ctx.scope, input)),
    import: teamProcedure(control("workspace.imported"))
      .input(importInput)
      .mutation(({ ctx, input }) => files.import(ctx.scope, input)),
    acceptBaseline: teamProcedure(control("workspace.baseline_accepted"))
      .input(acceptBaselineInput)
      .mutation(({ ctx, input }) => files.acceptBaseline(ctx.scope, input)),
    run: teamProcedure({ ...control("run.started"), idempotent: true })
      .input(runFolderInput)
      .mutation(({ ctx, input }) =>
        suites.start(ctx.scope, input, ctx.actor.credential.kind === "token" ? "token" : "person"),
      ),
    cancelSuite: teamProcedure(control("run.cancelled"))
      .input(suiteRef)
      .mutation(async ({ ctx, input }) => {
        await suites.cancel(ctx.scope, input.suiteId);
        return {};
      }),
    suite: teamProcedure(view)
      .input(suiteRef)
      .query(({ ctx, input }) => suites.get(ctx.scope, input.suiteId)),
  });
}
