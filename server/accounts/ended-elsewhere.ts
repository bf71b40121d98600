/**
 * Sessions that an admin command ended beside a running server. On SQLite a second process cannot tell the server; it
 * leaves a job, which the server looks for every second, and the server closes their sockets and streams.
 */
import { z } from "zod";
import { sessionId } from "../../shared/ids.ts";
import type { JobHandler } from "../jobs/jobs.service.ts";
import type { Sessions } from "./sessions.service.ts";

/** Its input is `{ids}`: the sessions. */
export const SESSIONS_ENDED_JOB = "sessions.ended";

export function announceEndedElsewhere(sessions: Pick<Sessions, "announceEnded">): JobHandler {
  return async (input) => {
    sessions.announceEnded(z.object({ ids: z.array(sessionId) }).parse(input).ids);
  };
}
