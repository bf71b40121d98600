/** `runs.*`: thin; every rule is in the service. */
import { tracked } from "@trpc/server";
import {
  listRunsInput,
  resumeRunInput,
  runEventsInput,
  runRef,
  startAllInput,
  startRunInput,
} from "../../shared/automations.ts";
import { router, teamProcedure } from "../base.router.ts";
import { PerchError } from "../errors.ts";
import type { RunsService } from "./runs.service.ts";

const view = { permission: "phones:view", scope: "phones:view", limit: "read", audit: false } as const;
const control = (audit: string) =>
  ({ permission: "phones:control", scope: "phones:control", limit: "write", audit }) as const;

export function runsRouter(runs: RunsService) {
  return router({
    start: teamProcedure({ ...control("run.started"), idempotent: true })
      .input(startRunInput)
      .mutation(({ ctx, input }) =>
        runs.start(ctx.scope, input, ctx.actor.credential.kind === "token" ? "token" : "person"),
      ),
    startAll: teamProcedure({ ...control("run.started"), idempotent: true })
      .input(startAllInput)
      .mutation(({ ctx, input }) =>
        runs.startAll(ctx.scope, input, ctx.actor.credential.kind === "token" ? "token" : "person"),
      ),
    get: teamProcedure(view)
      .input(runRef)
      .query(({ ctx, input }) => runs.get(ctx.scope, input.runId)),
    links: teamProcedure(view)
      .input(runRef)
      .query(({ ctx, input }) => runs.links(ctx.scope, input.runId)),
    list: teamProcedure(view)
      .input(listRunsInput)
      .query(({ ctx, input }) => runs.list(ctx.scope, input)),
    cancel: teamProcedure(control("run.cancelled"))
      .input(runRef)
      .mutation(({ ctx, input }) => runs.cancel(ctx.scope, input.runId)),
    resume: teamProcedure(control("run.resumed"))
      .input(resumeRunInput)
      .mutation(({ ctx, input }) => runs.resume(ctx.scope, input)),
    events: teamProcedure(view)
      .input(runEventsInput)
      .subscription(async ({ ctx, input, signal }) => {
        const left = signal ?? new AbortController().signal;
        const signedIn = ctx.whileSignedIn(ctx.actor, left);
        const events = await runs.events(ctx.scope, input.runId, Number(input.lastEventId ?? 0), signedIn);
        return (async function* () {
          for await (const event of events) yield tracked(String(event.seq), event.data);
          if (signedIn.aborted && !left.aborted) {
            throw new PerchError("session_ended", "This stream ended. Connect again.");
          }
        })();
      }),
  });
}
