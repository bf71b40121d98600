/** What a cancelled run still does: its flow's onFlowComplete, when `limits.cleanupOnCancel` gives it time. */
import type { RunContext } from "./engine/context.ts";
import { endingOf, RunStop } from "./engine/failures.ts";
import { cleanUp } from "./engine/interpret.ts";
import { seconds } from "./engine/lookup.ts";
import type { Env, Pace, PhoneHands } from "./engine/ports.ts";
import type { StepRow } from "./runs.repo.ts";

/** Never throws: however this ends, the run was cancelled. `stop` ends it at once. */
export async function cleanUpCancelled(options: {
  /** Of the run that was cancelled. */
  readonly context: RunContext;
  readonly inputs: Env;
  readonly stop: AbortController;
  readonly hands: PhoneHands;
  readonly pace: (withinMs: number) => Pace;
  readonly steps: () => Promise<readonly Pick<StepRow, "path">[]>;
}): Promise<void> {
  const { context, stop, hands } = options;
  const { cleanupMs } = context.limits;
  const { onFlowComplete } = context.flow.header;
  if (cleanupMs === 0 || onFlowComplete.length === 0 || stop.signal.aborted) return;
  const timer = setTimeout(() => stop.abort(outOfTime(cleanupMs)), cleanupMs);
  const { journal } = context;
  try {
    // Cancelled within it: what it did is not done a second time.
    if ((await options.steps()).some(({ path }) => path.startsWith("onFlowComplete."))) return;
    await journal.log(`Cancelled. onFlowComplete has ${seconds(cleanupMs)} to clean up; cancel again to end at once.`);
    await cleanUp(
      { ...context, hands, signal: stop.signal, pace: options.pace(cleanupMs), lastChange: context.pace.now() },
      options.inputs,
    );
  } catch (error) {
    const ending = endingOf(stop.signal.aborted ? stop.signal.reason : error);
    const why = ending instanceof RunStop && ending.code === "timed_out" ? outOfTime(cleanupMs) : ending;
    await journal.log(`The clean-up was not done to its end: ${why.message}`).catch(() => {});
  } finally {
    clearTimeout(timer);
    await hands.release().catch(() => {});
  }
}

function outOfTime(ms: number): RunStop {
  return new RunStop("timed_out", `It took longer than ${seconds(ms)}.`);
}
