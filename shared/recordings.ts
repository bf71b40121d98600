/** Recordings as both sides see them: everything of `recording-model.ts`, and the schemas of what goes into `recordings.*`. */
import * as z from "zod/mini";
import { flowName } from "./automations.ts";
import { phoneId, recordingId } from "./ids.ts";

export * from "./recording-model.ts";

const fraction = z.number().check(z.gte(0), z.lte(1));
const seq = z.int().check(z.gte(0), z.lte(0xffff_ffff));

export const startRecordingInput = z.strictObject({ phoneId });
export const recordingRef = z.strictObject({ recordingId });
export const listRecordingsInput = z.optional(z.strictObject({ phoneId: z.optional(phoneId) }));
export const recordingEventsInput = z.strictObject({
  recordingId,
  lastEventId: z.nullish(z.string().check(z.regex(/^\d{1,15}$/))),
});
/** What lies at a place of the picture, or what was offered after a step. */
export const assertVisibleInput = z.union([
  z.strictObject({ recordingId, x: fraction, y: fraction, frameSeq: seq }),
  z.strictObject({ recordingId, step: seq, proposal: z.int().check(z.gte(0), z.lte(20)) }),
]);
export const recordedStepRef = z.strictObject({ recordingId, step: seq });
export const chooseSelectorInput = z.strictObject({
  recordingId,
  step: seq,
  which: z.int().check(z.gte(0), z.lte(20)),
});
export const finishRecordingInput = z.strictObject({ recordingId, name: flowName });
