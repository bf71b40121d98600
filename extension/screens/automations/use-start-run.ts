/** Starts runs: the same wish, however often it is clicked, is one run. */
import { useCallback, useRef } from "react";
import type { FlowPart } from "../../../shared/automation-model.ts";
import type { FlowId, PhoneId, RunId } from "../../../shared/id-values.ts";
import type { Calls } from "../panel/use-call.ts";

export interface RunWish {
  readonly flowId: FlowId;
  readonly phoneId: PhoneId;
  readonly inputs: Readonly<Record<string, string>>;
  /** Absent: all of the automation. */
  readonly part?: FlowPart;
  /** Of what it is made, e.g. `updatedAt` of the automation: once that is changed, the wish is another one. */
  readonly version: string;
}

/** Gives the run's id, or undefined when there is none (the person was told) or the same wish is on its way. */
export type StartRun = (wish: RunWish) => Promise<RunId | undefined>;

export function useStartRun(calls: Calls): StartRun {
  /** One idempotency key per wish, kept until the server has answered it: a lost answer is asked for again. */
  const keys = useRef(new Map<string, string>());
  return useCallback(
    async (wish) => {
      const text = JSON.stringify(wish);
      const idempotencyKey = keys.current.get(text) ?? crypto.randomUUID();
      keys.current.set(text, idempotencyKey);
      const { flowId, phoneId, inputs, part } = wish;
      const result = await calls.run(`run ${flowId}`, (api) =>
        api.runs.start.mutate({ flowId, phoneId, inputs: { ...inputs }, idempotencyKey, ...(part && { part }) }),
      );
      if (result === undefined) return undefined;
      if (result.ok || result.failure.kind === "refused") keys.current.delete(text);
      return result.ok ? result.value.runId : undefined;
    },
    [calls],
  );
}
