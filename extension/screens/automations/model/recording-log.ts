/** What events make of a recording that is shown. */
import type { RecordingDetail, RecordingEvent } from "../../../../shared/recording-model.ts";

/** An event that an answer already contained changes nothing. */
export function heard(shown: RecordingDetail, seq: number, event: RecordingEvent): RecordingDetail {
  if (seq <= shown.lastEvent) return shown;
  const lastEvent = seq;
  if (event.type === "state") {
    const { note: _, ...rest } = shown;
    const { type: __, ...state } = event;
    return { ...rest, ...state, lastEvent };
  }
  const others = shown.recorded.filter((step) => step.seq !== (event.type === "step" ? event.step.seq : event.seq));
  const recorded = event.type === "step" ? [...others, event.step].sort((one, other) => one.seq - other.seq) : others;
  const canUndo = shown.canUndo || event.type === "removed";
  return { ...shown, recorded, steps: recorded.length, canUndo, lastEvent };
}
