/** `phones.*`: thin; every rule is in the service. */
import { tracked } from "@trpc/server";
import { z } from "zod";
import {
  appInput,
  installWebAppInput,
  launchInput,
  openUrlInput,
  phoneRef,
  removeInput,
  renameInput,
  settingsInput,
  startInput,
  tagInput,
} from "../../shared/phones.ts";
import { openUploadInput, uploadInput } from "../../shared/uploads.ts";
import { router, teamProcedure } from "../base.router.ts";
import { PerchError } from "../errors.ts";
import type { UploadsService } from "../files/uploads.service.ts";
import type { Actor } from "../teams/team-scope.ts";
import type { PhonesService } from "./phones.service.ts";

const view = { permission: "phones:view", scope: "phones:view", limit: "read", audit: false } as const;
const control = (audit: string | false) =>
  ({ permission: "phones:control", scope: "phones:control", limit: "write", audit }) as const;

/** An API token proves nothing about a person. */
function provenAt({ method, authenticatedAt }: Actor): Date | undefined {
  return method && authenticatedAt;
}

export function phonesRouter(phones: PhonesService, uploads: UploadsService) {
  return router({
    list: teamProcedure(view).query(({ ctx }) => phones.list(ctx.scope)),
    get: teamProcedure(view)
      .input(phoneRef)
      .query(({ ctx, input }) => phones.get(ctx.scope, input.phoneId)),
    launch: teamProcedure({ ...control("phone.launched"), limit: "launch", idempotent: true })
      .input(launchInput)
      .mutation(({ ctx, input }) => phones.launch(ctx.scope, input, provenAt(ctx.actor))),
    start: teamProcedure(control("phone.started"))
      .input(startInput)
      .mutation(({ ctx, input }) => phones.start(ctx.scope, input.phoneId, input.url)),
    park: teamProcedure(control("phone.parked"))
      .input(phoneRef)
      .mutation(({ ctx, input }) => phones.park(ctx.scope, input.phoneId)),
    remove: teamProcedure({ ...control("phone.removed"), idempotent: true })
      .input(removeInput)
      .mutation(async ({ ctx, input }) => ({
        receipt: await phones.remove(ctx.scope, input.phoneId, input.idempotencyKey),
      })),
    openUrl: teamProcedure({ ...control("phone.opened"), toPhone: true })
      .input(openUrlInput)
      .mutation(({ ctx, input }) => phones.openUrl(ctx.scope, input.phoneId, input.url)),
    rename: teamProcedure(control("phone.renamed"))
      .input(renameInput)
      .mutation(({ ctx, input }) => phones.rename(ctx.scope, input.phoneId, input.name)),
    configure: teamProcedure(control("phone.configured"))
      .input(settingsInput)
      .mutation(({ ctx, input }) => phones.configure(ctx.scope, input.phoneId, input.settings)),
    tag: teamProcedure(control("phone.tagged"))
      .input(tagInput)
      .mutation(({ ctx, input }) => phones.tag(ctx.scope, input.phoneId, input.tags)),
    rotate: teamProcedure(control("phone.configured"))
      .input(phoneRef)
      .mutation(({ ctx, input }) => phones.rotate(ctx.scope, input.phoneId)),
    keepAwake: teamProcedure(control(false))
      .input(phoneRef)
      .mutation(({ ctx, input }) => phones.keepAwake(ctx.scope, input.phoneId)),
    screenshot: teamProcedure({ ...view, limit: "write", audit: "phone.screenshot_taken" })
      .input(phoneRef)
      .mutation(({ ctx, input }) => phones.screenshot(ctx.scope, input.phoneId)),
    installWebApp: teamProcedure(control("phone.web_app_installed"))
      .input(installWebAppInput)
      .mutation(({ ctx, input }) => phones.installWebApp(ctx.scope, input.phoneId, input.url)),
    models: teamProcedure(view).query(({ ctx }) => phones.models(ctx.scope)),
    apps: teamProcedure(view)
      .input(phoneRef)
      .query(({ ctx, input }) => phones.apps(ctx.scope, input.phoneId)),
    launchApp: teamProcedure(control("phone.app_opened"))
      .input(appInput)
      .mutation(({ ctx, input }) => phones.app(ctx.scope, "launch", input.phoneId, input.appId)),
    stopApp: teamProcedure(control("phone.app_stopped"))
      .input(appInput)
      .mutation(({ ctx, input }) => phones.app(ctx.scope, "stop", input.phoneId, input.appId)),
    clearApp: teamProcedure(control("phone.app_cleared"))
      .input(appInput)
      .mutation(({ ctx, input }) => phones.app(ctx.scope, "clear", input.phoneId, input.appId)),
    uninstallApp: teamProcedure(control("phone.app_removed"))
      .input(appInput)
      .mutation(({ ctx, input }) => phones.app(ctx.scope, "uninstall", input.phoneId, input.appId)),
    files: teamProcedure(view)
      .input(phoneRef)
      .query(({ ctx, input }) => phones.files(ctx.scope, input.phoneId)),
    removeFile: teamProcedure(control("phone.file_removed"))
      .input(z.strictObject({ ...phoneRef.shape, name: z.string().min(1).max(255) }))
      .mutation(async ({ ctx, input }) => {
        await phones.removeFile(ctx.scope, input.phoneId, input.name);
        return {};
      }),
    openUpload: teamProcedure(control("phone.file_added"))
      .input(openUploadInput)
      .mutation(({ ctx, input }) => uploads.open(ctx.scope, input)),
    uploads: teamProcedure(view)
      .input(phoneRef)
      .query(({ ctx, input }) => uploads.list(ctx.scope, input.phoneId)),
    cancelUpload: teamProcedure(control(false))
      .input(uploadInput)
      .mutation(({ ctx, input }) => uploads.cancel(ctx.scope, input.phoneId, input.uploadId)),
    events: teamProcedure(view)
      .input(
        z
          .strictObject({
            lastEventId: z
              .string()
              .regex(/^\d{1,15}$/)
              .nullish(),
          })
          .optional(),
      )
      .subscription(async ({ ctx, input, signal }) => {
        const after = input?.lastEventId == null ? undefined : Number(input.lastEventId);
        const left = signal ?? new AbortController().signal;
        const signedIn = ctx.whileSignedIn(ctx.actor, left);
        // Where to begin is settled before the client hears that the stream is there and reads its list.
        const events = await phones.events(ctx.scope, after, signedIn);
        return (async function* () {
          for await (const event of events) yield tracked(String(event.seq), event.data);
          if (signedIn.aborted && !left.aborted) {
            throw new PerchError("session_ended", "This stream ended. Connect again.");
          }
        })();
      }),
  });
}
