/** Schemas of stored ids of automations; apart from `ids.ts`, so that the popup need not load them. */
import * as z from "zod/mini";
import { type FlowId, idPattern, type RecordingId, type RunId } from "../../shared/id-values.ts";
import "./zod.ts";

/** The casts are safe: the pattern is what the brand stands for. */
export const flowId = z.string().check(z.regex(idPattern("flow"))) as unknown as z.ZodMiniType<FlowId, string>;
export const runId = z.string().check(z.regex(idPattern("run"))) as unknown as z.ZodMiniType<RunId, string>;
export const recordingId = z.string().check(z.regex(idPattern("recording"))) as unknown as z.ZodMiniType<
  RecordingId,
  string
>;
