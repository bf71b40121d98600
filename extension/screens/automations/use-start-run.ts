/** Starts runs: the same wish, however often it is clicked, is one run. */
import { useCallback, useRef } from "react";
import type { FlowId, PhoneId, RunId } from "../../../shared/id-values.ts";
import type { Api } from "../../api/client.ts";
import type { Calls } from "../panel/use-call.ts";
import type { TagTarget } from "./model/run-target.ts";

export interface RunWish {
  readonly flowId: FlowId;
  readonly phoneId: PhoneId;
  readonly inputs: Readonly<Record<string, string>>;
  /** Of what it is made, e.g. `updatedAt` of the automation: once that is changed, the wish is another one. */
  readonly version: string;
}

export interface SharedWish extends Omit<RunWish, "phoneId"> {
  readonly target: TagTarget;
}

/** Gives the run's id, or undefined when there is none (the person was told) or the same wish is on its way. */
export type StartRun = (wish: RunWish) => Promise<RunId | undefined>;
/** The same on the phones of a tag: gives all runs. */
export type StartShared = (wish: SharedWish) => Promise<readonly RunId[] | undefined>;

export function useStartRun(calls: Calls): StartRun {
  const ask = useOneKey(calls);
  return useCallback(
    async (wish) => {
      const { flowId, phoneId, inputs } = wish;
      const answer = await ask(wish, (api, idempotencyKey) =>
        api.runs.start.mutate({ flowId, phoneId, inputs: { ...inputs }, idempotencyKey }),
      );
      return answer?.runId;
    },
    [ask],
  );
}

export function useStartShared(calls: Calls): StartShared {
  const ask = useOneKey(calls);
  return useCallback(
    async (wish) => {
      const { flowId, target, inputs } = wish;
      const { share, tag } = target;
      const answer = await ask(wish, (api, idempotencyKey) =>
        api.runs.startAll.mutate({
          flowIds: [flowId],
          phones: { tag },
          share,
          inputs: { ...inputs },
          idempotencyKey,
        }),
      );
      return answer?.runIds;
    },
    [ask],
  );
}

/** One idempotency key per wish, kept until the server has answered it: a lost answer is asked for again. */
function useOneKey(calls: Calls) {
  const keys = useRef(new Map<string, string>());
  return useCallback(
    async <T>(wish: RunWish | SharedWish, work: (api: Api, key: string) => Promise<T>): Promise<T | undefined> => {
      const text = JSON.stringify(wish);
      const key = keys.current.get(text) ?? crypto.randomUUID();
      keys.current.set(text, key);
      const result = await calls.run(`run ${wish.flowId}`, (api) => work(api, key));
      if (result === undefined) return undefined;
      if (result.ok || result.failure.kind === "refused") keys.current.delete(text);
      return result.ok ? result.value : undefined;
    },
    [calls],
  );
}
