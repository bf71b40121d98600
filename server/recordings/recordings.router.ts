/** `recordings.*`: thin; every rule is in the service. */
import { tracked } from "@trpc/server";
import {
  assertVisibleInput,
  chooseSelectorInput,
  finishRecordingInput,
  listRecordingsInput,
  recordedStepRef,
  recordingEventsInput,
  recordingRef,
  startRecordingInput,
} from "../../shared/recordings.ts";
import { router, teamProcedure } from "../base.router.ts";
import { PerchError } from "../errors.ts";
import type { RecordingsService } from "./recordings.service.ts";

const view = { permission: "phones:control", scope: "phones:control", limit: "read", audit: false } as const;
const control = (audit: string | false) =>
  ({ permission: "phones:control", scope: "phones:control", limit: "write", audit }) as const;

export function recordingsRouter(recordings: RecordingsService) {
  return router({
    start: teamProcedure(control("recording.started"))
      .input(startRecordingInput)
      .mutation(({ ctx, input }) => recordings.start(ctx.scope, input.phoneId)),
    get: teamProcedure(view)
      .input(recordingRef)
      .query(({ ctx, input }) => recordings.get(ctx.scope, input.recordingId)),
    list: teamProcedure(view)
      .input(listRecordingsInput)
      .query(({ ctx, input }) => recordings.list(ctx.scope, input?.phoneId)),
    events: teamProcedure(view)
      .input(recordingEventsInput)
      .subscription(async ({ ctx, input, signal }) => {
        const left = signal ?? new AbortController().signal;
        const signedIn = ctx.whileSignedIn(ctx.actor, left);
        const after = Number(input.lastEventId ?? 0);
        const events = await recordings.events(ctx.scope, input.recordingId, after, signedIn);
        return (async function* () {
          for await (const event of events) yield tracked(String(event.seq), event.data);
          if (signedIn.aborted && !left.aborted) {
            throw new PerchError("session_ended", "This stream ended. Connect again.");
          }
        })();
      }),
    assertVisible: teamProcedure(control(false))
      .input(assertVisibleInput)
      .mutation(({ ctx, input }) => recordings.assertVisible(ctx.scope, input)),
    removeStep: teamProcedure(control(false))
      .input(recordedStepRef)
      .mutation(({ ctx, input }) => recordings.removeStep(ctx.scope, input)),
    undo: teamProcedure(control(false))
      .input(recordingRef)
      .mutation(({ ctx, input }) => recordings.undo(ctx.scope, input.recordingId)),
    chooseSelector: teamProcedure(control(false))
      .input(chooseSelectorInput)
      .mutation(({ ctx, input }) => recordings.chooseSelector(ctx.scope, input)),
    pause: teamProcedure(control(false))
      .input(recordingRef)
      .mutation(({ ctx, input }) => recordings.pause(ctx.scope, input.recordingId)),
    resume: teamProcedure(control(false))
      .input(recordingRef)
      .mutation(({ ctx, input }) => recordings.resume(ctx.scope, input.recordingId)),
    finish: teamProcedure(control("recording.saved"))
      .input(finishRecordingInput)
      .mutation(({ ctx, input }) => recordings.finish(ctx.scope, input)),
    discard: teamProcedure(control("recording.discarded"))
      .input(recordingRef)
      .mutation(async ({ ctx, input }) => {
        await recordings.discard(ctx.scope, input.recordingId);
        return {};
      }),
  });
}
